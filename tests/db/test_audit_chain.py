"""The audit chain against its adversary: somebody who can write anything to the database, but has none of our keys."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC
from uuid import UUID

import psycopg
import pytest
from structlog.testing import capture_logs

from actions import keys, withdraw
from db.audit import audit, audit_chain, audit_heads
from db.core.crypto import KeyMissing, KeyRing
from db.schema.migrate import downgrade, upgrade
from domain.audit import Actor, ActorKind, Keys, Link
from domain.errors import OperatorMisconfigured
from lab.factories import KEY, World
from lab.stage import Stage
from scheduler import sweeper

NEWER = b"n" * 32


def note(world: World, count: int, actor: str = "test") -> None:
    for n in range(count):
        with world.database.transaction() as tx:
            audit.write(tx, world.organization_id, actor, "noted", f"note:{n}", {"n": n, "who": "Hans"})


def seal(world: World, keys: Keys | None = None) -> int:
    with world.database.transaction() as tx:
        return audit_chain.seal(tx, keys or world.keys.audit)


def verified(world: World, keys: Keys | None = None) -> audit_chain.Verified:
    with world.database.transaction() as tx:
        return audit_chain.verify(tx, keys or world.keys.audit, world.organization_id)


def tamper(world: World, *statements: str) -> None:
    """As the database's administrator, who can disable triggers."""
    world.run("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    for statement in statements:
        world.run(statement)
    world.run("ALTER TABLE audit_entries ENABLE TRIGGER USER")


@pytest.fixture
def ten(world: World) -> World:
    """Ten sealed entries, in two rounds."""
    note(world, 5)
    seal(world)
    note(world, 5)
    seal(world)
    assert verified(world).holds
    return world


def rehash(world: World, first: int = 1) -> None:
    """Hash a forged history again, as the version without keys did, and the record of its head with it."""
    previous = "0" * 64
    if first > 1:
        previous = str(world.one("SELECT hash FROM audit_entries WHERE position = :p", p=first - 1))
    for row in world.rows(
        "SELECT organization_id, id, position, at, actor_name, action, subject, data FROM audit_entries"
        " WHERE position >= :p ORDER BY position",
        p=first,
    ):
        organization, entry, position, at, *rest = row
        assert hasattr(at, "astimezone")
        value = [previous, str(organization), str(entry), position, at.astimezone(UTC).isoformat(), *rest]
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        previous = hashlib.sha256(text.encode()).hexdigest()
        world.run("UPDATE audit_entries SET hash = :h WHERE id = :id", h=previous, id=entry)
    world.run("UPDATE audit_chains SET hash = :h", h=previous)


def edit_one(world: World) -> None:
    world.run("UPDATE audit_entries SET data = '{}' WHERE position = 4")


def delete_all_and_the_record(world: World) -> None:
    world.run("DELETE FROM audit_entries WHERE position = 4")
    world.run("DELETE FROM audit_chains")


def cut_the_end(world: World) -> None:
    world.run("DELETE FROM audit_entries WHERE position > 7")
    world.run(
        "UPDATE audit_chains SET position = 7, hash = (SELECT hash FROM audit_entries WHERE position = 7)"
    )


def cut_the_beginning(world: World) -> None:
    world.run(
        "UPDATE audit_chains SET dropped_position = 3, kept_from = now(),"
        " dropped_hash = (SELECT hash FROM audit_entries WHERE position = 3)"
    )
    world.run("DELETE FROM audit_entries WHERE position <= 3")


def rewrite_who_and_hash_the_rest_afresh(world: World) -> None:
    world.run("UPDATE audit_entries SET actor_name = 'Mona', at = at - interval '1 day' WHERE position = 4")
    rehash(world, 4)


def rewrite_everything_as_if_there_had_been_no_keys(world: World) -> None:
    world.run(
        "UPDATE audit_entries SET actor_kind = 'name', actor_id = '', actor_name = 'Mona', key_id = NULL"
    )
    world.run("UPDATE audit_chains SET unkeyed = position")
    rehash(world)


def take_the_seals_off_and_forget_the_end(world: World) -> None:
    world.run("UPDATE audit_entries SET position = NULL, hash = NULL, key_id = NULL WHERE position > 7")
    world.run(
        "UPDATE audit_chains SET position = 7, hash = (SELECT hash FROM audit_entries WHERE position = 7)"
    )


def swap_two(world: World) -> None:
    world.run("UPDATE audit_entries SET position = 9 - position WHERE position IN (4, 5)")


def claim_an_unknown_key(world: World) -> None:
    world.run("UPDATE audit_entries SET data = '{}', key_id = 'ffffffffffffffff' WHERE position = 4")


TAMPERING = {
    edit_one: 4,
    delete_all_and_the_record: 1,
    cut_the_end: 8,
    cut_the_beginning: 11,
    rewrite_who_and_hash_the_rest_afresh: 4,
    rewrite_everything_as_if_there_had_been_no_keys: 11,
    take_the_seals_off_and_forget_the_end: 8,
    swap_two: 4,
    claim_an_unknown_key: None,
}


@pytest.mark.parametrize(
    ("how", "broken_at"), TAMPERING.items(), ids=lambda each: getattr(each, "__name__", "")
)
def test_tampering_is_noticed_and_stays_noticed_while_work_goes_on(
    ten: World, how: Callable[[World], None], broken_at: int | None
) -> None:
    world = ten
    world.run("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    how(world)
    world.run("ALTER TABLE audit_entries ENABLE TRIGGER USER")
    for _ in range(2):
        found = verified(world)
        assert (found.broken_at, found.holds) == (broken_at, False)
        assert found.problem
        # Later entries make no forgery genuine.
        note(world, 2)
        seal(world)


def test_nothing_is_added_to_a_forged_chain_and_others_go_on(ten: World) -> None:
    other = World(ten.database)
    tamper(
        ten,
        "UPDATE audit_chains SET position = 7 WHERE organization_id = (SELECT min(id::text)::uuid FROM organizations)",
    )
    note(ten, 3)
    note(other, 3)
    assert seal(ten) == 3
    assert verified(other).holds
    with ten.database.transaction() as tx:
        assert audit.unsealed(tx, ten.organization_id) == 3


def test_a_whole_history_that_was_put_back_is_noticed_by_a_head_kept_elsewhere(ten: World) -> None:
    """Somebody with an old copy of everything can restore it. Only what left the database shows that."""
    rows = ten.rows("SELECT position, hash, seal FROM audit_chains")
    ((position, hash_, seal_),) = rows
    note(ten, 5)
    seal(ten)
    kept = verified(ten).head
    tamper(
        ten,
        "DELETE FROM audit_entries WHERE position > 10",
        f"UPDATE audit_chains SET position = {position}, hash = '{hash_}', seal = '{seal_}'",
    )
    assert verified(ten).holds
    with ten.database.transaction() as tx:
        said = audit_heads.contains(tx, ten.organization_id, kept)
    assert said == "The history ends at entry 10, before entry 15."


def test_every_head_ever_logged_is_still_in_an_untouched_history(world: World) -> None:
    kept: list[Link] = []
    for _ in range(4):
        note(world, 3)
        seal(world)
        kept.append(verified(world).head)
    with world.database.transaction() as tx:
        assert [audit_heads.contains(tx, world.organization_id, each) for each in kept] == [""] * 4
        other = Link(kept[1].position, "f" * 64)
        assert audit_heads.contains(tx, world.organization_id, other) == "Entry 6 is another one now."


def test_the_hourly_log_names_every_head_and_alarms_where_one_is_forged(ten: World) -> None:
    head = verified(ten).head
    with capture_logs() as logs:
        sweeper.log_heads(ten.database, ten.keys.audit)
    assert {
        "event": "audit_head",
        "log_level": "info",
        "organization_id": str(ten.organization_id),
        "position": 10,
        "hash": head.hash,
    } in logs
    ten.run("DELETE FROM audit_chains")
    with capture_logs() as logs:
        sweeper.log_heads(ten.database, ten.keys.audit)
    assert [(each["event"], each["log_level"]) for each in logs] == [("audit_chain_broken", "critical")]


def test_a_new_key_seals_what_comes_and_the_old_one_still_proves_what_was(ten: World) -> None:
    both = KeyRing((NEWER, KEY)).audit
    note(ten, 2)
    seal(ten, both)
    assert verified(ten, both).holds
    assert ten.rows("SELECT key_id, count(*) FROM audit_entries GROUP BY 1 ORDER BY 2") == [
        (both.newest, 2),
        (ten.keys.audit.newest, 10),
    ]
    alone = verified(ten, KeyRing((NEWER,)).audit)
    assert (alone.broken_at, alone.holds, alone.unknown_keys) == (None, False, (ten.keys.audit.newest,))
    assert "SECRET_KEYS does not hold the key" in alone.problem


def test_a_key_put_in_place_of_the_old_one_adds_to_no_chain_and_says_why(ten: World) -> None:
    alone = KeyRing((NEWER,)).audit
    note(ten, 1)
    assert seal(ten, alone) == 0
    assert not verified(ten, alone).holds


def test_rotating_keys_puts_idle_chains_under_the_newest_too(stage: Stage) -> None:
    note(stage.world, 3)
    seal(stage.world)
    stage.runtime.keys = KeyRing((NEWER, KEY))
    keys.rotate(stage.runtime, actor="test")
    newest = stage.runtime.keys.audit.newest
    assert stage.world.rows("SELECT DISTINCT key_id FROM audit_chains") == [(newest,)]
    assert verified(stage.world, stage.runtime.keys.audit).holds
    note(stage.world, 1)
    # The rotation's own entry, and this one: the old key is needed for old entries only.
    assert seal(stage.world, KeyRing((NEWER,)).audit) == 2
    with pytest.raises(KeyMissing), stage.world.database.transaction() as tx:
        audit_chain.renew(tx, KeyRing((b"x" * 32,)).audit)


def old_chain(url: str) -> None:
    """A chain of the version before keys, with one entry that is not sealed yet."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        organization = UUID(int=5)
        connection.execute(
            "INSERT INTO organizations (id, name, time_zone) VALUES (%s, 'Old', 'UTC')", [organization]
        )
        previous = "0" * 64
        for n in range(1, 5):
            entry = UUID(int=(7 << 76) + n)
            row = connection.execute(
                "INSERT INTO audit_entries (id, organization_id, actor, action, subject, data)"
                " VALUES (%s, %s, 'Hans Holder', 'noted', 'note:1', '{\"n\": 1}') RETURNING at",
                [entry, organization],
            ).fetchone()
            assert row is not None
            if n == 4:
                break
            at = row[0].astimezone(UTC).isoformat()
            value = [
                previous,
                str(organization),
                str(entry),
                n,
                at,
                "Hans Holder",
                "noted",
                "note:1",
                {"n": 1},
            ]
            previous = hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()
            connection.execute(
                "UPDATE audit_entries SET position = %s, hash = %s WHERE id = %s", [n, previous, entry]
            )
        connection.execute(
            "INSERT INTO audit_chains (organization_id, position, hash) VALUES (%s, 3, %s)",
            [organization, previous],
        )


def test_a_chain_from_before_keys_is_closed_by_the_migration_and_goes_on_under_a_key(
    world: World, database_url: str
) -> None:
    world.database.close()
    downgrade(database_url, "2026_11_21_ended_grants")
    old_chain(database_url)
    with pytest.raises(OperatorMisconfigured, match="Set SECRET_KEYS and migrate again"):
        upgrade(database_url)
    upgrade(database_url, secret_keys=(KEY,))
    old = World.__new__(World)
    old.database, old.organization_id, old.keys = world.database, UUID(int=5), world.keys
    assert (verified(old).entries, verified(old).unkeyed, verified(old).holds) == (3, 3, True)
    assert seal(old) == 1
    assert (verified(old).entries, verified(old).holds) == (4, True)
    assert old.rows("SELECT DISTINCT actor_kind, actor_name FROM audit_entries") == [("name", "Hans Holder")]
    tamper(old, "UPDATE audit_entries SET actor_name = 'Mona' WHERE position = 2")
    assert verified(old).broken_at == 2


def test_going_back_a_version_leaves_a_chain_that_version_can_verify(world: World, database_url: str) -> None:
    note(world, 4)
    seal(world)
    world.database.close()
    downgrade(database_url, "2026_11_21_ended_grants")
    upgrade(database_url, secret_keys=(KEY,))
    assert (verified(world).unkeyed, verified(world).holds) == (4, True)


def test_namesakes_and_programs_are_told_apart_in_the_trail(stage: Stage) -> None:
    world = stage.world
    ids = [world.member("Mona Manager"), world.member("Mona Manager"), world.member("onbehalf")]
    for each, name in zip(ids, ("Mona Manager", "Mona Manager", "onbehalf"), strict=True):
        note(world, 1, Actor(ActorKind.MEMBER, each, name))
    note(world, 1, "onbehalf")
    with world.database.transaction() as tx:
        rows = audit.newest(tx, subject="note:0", limit=10)
    assert [row["actor_id"] for row in rows] == ["system", *(f"member:{each}" for each in reversed(ids))]
    assert [row["actor"] for row in rows] == ["onbehalf", "onbehalf", "Mona Manager", "Mona Manager"]


def test_who_it_was_is_kept_from_the_act_to_the_pause_that_follows(stage: Stage) -> None:
    world = stage.world
    hans, rita = world.member("Hans Holder"), world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grant = world.grant(box, rita)
    world.enroll(world.sequence(rita, box, ("P1D",)))
    withdraw.revoke_grant(stage.runtime, grant, actor=Actor(ActorKind.MEMBER, hans, "Hans Holder"))
    stage.run_outbox()
    who = world.rows(
        "SELECT actor_kind, actor_id, actor_name FROM audit_entries"
        " WHERE action IN ('grant_revoked', 'sequence_paused', 'withdrawal_answered')"
    )
    assert who == [("member", str(hans), "Hans Holder")] * 3
