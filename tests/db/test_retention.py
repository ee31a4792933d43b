"""The audit trail by months.

Once a month is dropped, the chain still verifies, and only what was settled before is gone.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from db.audit import audit, audit_chain, audit_heads, retention
from db.audit.retention import Month
from db.core.ids import new_id
from domain.errors import InvalidInput
from lab.factories import World
from lab.records import AuditEntry, Delivery, Enrollment, Receipt
from lab.stage import Stage
from scheduler.retention import keep

NOW = datetime.now(UTC)
THIS = Month.of(NOW)
OLD = THIS.later(-3)


def note(world: World, count: int, month: Month = THIS) -> None:
    """Write entries as a process does in that month."""
    for n in range(count):
        world.run(
            "INSERT INTO audit_entries (id, organization_id, actor_kind, actor_id, actor_name, action, subject, data)"
            " VALUES (:id, :org, 'name', '', 'test', 'noted', 'note:1', '{}')",
            id=UUID(int=month.first_id.int + (n << 80) | new_id().int & (1 << 80) - 1),
            org=world.organization_id,
        )


def old_month(world: World, entries: int) -> None:
    with world.database.transaction() as tx:
        retention.prepare_months(tx, OLD.begins)
    note(world, entries, OLD)


def seal(world: World) -> None:
    with world.database.transaction() as tx:
        while audit_chain.seal(tx, world.keys.audit):
            pass


def drop(world: World) -> retention.Dropped | None:
    with world.database.transaction() as tx:
        return retention.drop_oldest_month(tx, world.keys.audit, THIS.later(-2))


def sent_long_ago(stage: Stage, delays: tuple[str, ...] = ("PT0S",)) -> UUID:
    """A person who got an email in the old month."""
    world = stage.world
    owner = world.member()
    (enrollment_id,) = world.enroll(world.sequence(owner, stage.mailbox(owner), delays))
    stage.send_due()
    world.older(Enrollment, "created_at", days=100)
    world.older(Delivery, "created_at", "due_at", "sent_at", days=100)
    for receipt in world.all(Receipt):
        world.overwrite(Receipt, receipt.delivery_id, accepted_at=receipt.accepted_at - timedelta(days=100))
    return enrollment_id


def forget(world: World, limit: int = 500) -> int:
    after, count = None, 0
    while True:
        with world.database.transaction() as tx:
            batch = retention.forget_settled(tx, after, limit)
        count, after = count + batch.deliveries, batch.after
        if after is None:
            return count


def months(world: World) -> list[Month]:
    with world.database.transaction() as tx:
        return retention.months(tx)


def verified(world: World) -> audit_chain.Verified:
    with world.database.transaction() as tx:
        return audit_chain.verify(tx, world.keys.audit, world.organization_id)


def test_the_coming_months_are_prepared_before_they_begin_and_only_once(world: World) -> None:
    later = NOW + timedelta(days=400)
    with world.database.transaction() as tx:
        made = retention.prepare_months(tx, later)
    assert made == [Month.of(later).later(each) for each in range(3)]
    with world.database.transaction() as tx:
        assert retention.prepare_months(tx, later) == []


def test_an_entry_written_before_its_month_was_prepared_moves_there_when_it_is(world: World) -> None:
    note(world, 3, THIS.later(30))
    note(world, 2, THIS.later(40))
    assert world.one("SELECT count(*) FROM audit_entries_default") == 5
    with world.database.transaction() as tx:
        retention.prepare_months(tx, THIS.later(30).begins)
    assert world.one(f"SELECT count(*) FROM {THIS.later(30).partition}") == 3
    assert world.one("SELECT count(*) FROM audit_entries_default") == 2
    seal(world)
    assert verified(world) == audit_chain.Verified(5, None, None)


def test_a_chain_goes_on_from_where_a_dropped_month_ended(world: World) -> None:
    old_month(world, 5)
    note(world, 2)
    seal(world)
    assert drop(world) == retention.Dropped(OLD, 5)
    seal(world)
    assert verified(world) == audit_chain.Verified(3, None, OLD.later(1).begins)
    told = world.only(AuditEntry, action="audit_month_dropped")
    assert (told.position, told.data["entries"]) == (8, 5)
    assert [each for each in months(world) if each < THIS] == [OLD.later(1), OLD.later(2)]


def test_an_export_is_whole_or_says_that_a_month_went_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_heads, "_PAGE", 2)
    old_month(world, 5)
    note(world, 3)
    seal(world)
    whole = list(audit_heads.export(world.database, world.organization_id))
    assert [each.get("position") for each in whole] == [8, 1, 2, 3, 4, 5, 6, 7, 8]
    begun = audit_heads.export(world.database, world.organization_id)
    assert [next(begun)["kind"] for _ in range(2)] == ["head", "entry"]
    drop(world)
    with pytest.raises(InvalidInput, match="Begin it again"):
        list(begun)


def test_dropping_the_newest_entries_by_hand_shows(world: World) -> None:
    note(world, 5)
    seal(world)
    world.run("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    world.run("DELETE FROM audit_entries WHERE position > 3")
    world.run("ALTER TABLE audit_entries ENABLE TRIGGER USER")
    assert verified(world).broken_at == 4


def test_a_month_with_unsealed_entries_stays(world: World) -> None:
    old_month(world, 2)
    assert drop(world) == retention.Dropped(OLD, None)
    assert world.count(AuditEntry) == 2


def test_what_was_settled_before_the_oldest_kept_month_goes_and_nobody_gets_it_again(stage: Stage) -> None:
    world = stage.world
    enrollment_id = sent_long_ago(stage)
    old_month(world, 1)
    seal(world)
    assert forget(world) == 0, "nothing was dropped yet"
    drop(world)
    assert forget(world) == 1
    assert world.count(Delivery) == 0
    assert world.count(Receipt) == 0
    assert world.only(Enrollment, enrollment_id).status == "finished"
    assert verified(world).broken_at is None
    stage.later(3600)
    stage.sweep()
    assert stage.send_due() == 0
    assert len(stage.left()) == 1


def test_whoever_is_still_on_the_way_keeps_every_step(stage: Stage) -> None:
    sent_long_ago(stage, ("PT0S", "P200D"))
    old_month(stage.world, 1)
    seal(stage.world)
    drop(stage.world)
    assert forget(stage.world, limit=1) == 0
    assert stage.world.states() == {"pending": 1, "sent": 1}


def test_receipts_of_kept_months_cannot_be_deleted_and_older_ones_are_not_missed(stage: Stage) -> None:
    world = stage.world
    sent_long_ago(stage)
    with pytest.raises(IntegrityError, match="as long as the audit trail"):
        world.run("DELETE FROM receipts")
    old_month(world, 1)
    world.run("ALTER TABLE audit_entries DISABLE TRIGGER USER")
    world.run("DELETE FROM audit_entries WHERE action = 'email_sent'")
    world.run("ALTER TABLE audit_entries ENABLE TRIGGER USER")
    seal(world)
    with world.database.transaction() as tx:
        assert audit.broken_receipts(tx, world.organization_id) == 1
    drop(world)
    with world.database.transaction() as tx:
        assert audit.broken_receipts(tx, world.organization_id) == 0


@pytest.mark.parametrize(("keep_months", "left"), [(None, 4), (12, 4), (2, 3)])
def test_months_go_only_as_operators_say(world: World, keep_months: int | None, left: int) -> None:
    old_month(world, 2)
    note(world, 2)
    seal(world)
    keep(world.database, world.keys.audit, keep_months)
    seal(world)
    assert verified(world).entries == left
    assert verified(world).broken_at is None
