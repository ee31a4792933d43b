"""The rules that hold even if everything above the tables is wrong."""

import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.core.ids import new_id
from domain.connection import TRACEABLE
from lab.factories import World

# Each alone is refused by a constraint, whatever the trigger for moves says.
REFUSED = {
    "no pause without a reason": [
        "UPDATE sequences SET status = 'paused'",
        "UPDATE sequences SET status = 'paused', paused_cause = 'x', paused_at = now()",
    ],
    "no enrollment paused or stopped without a reason": [
        "UPDATE enrollments SET status = 'stopped'",
        "UPDATE enrollments SET status = 'paused', reason = 'x'",
    ],
    "one delivery for an enrollment and step": [
        """
        INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at)
        SELECT gen_random_uuid(), organization_id, enrollment_id, sequence_id, step_id, mailbox_id, now() FROM deliveries
        """
    ],
    "nothing is sent without a receipt": ["UPDATE deliveries SET state = 'sent', sent_at = now()"],
    "nothing is submitted without a draft, an epoch and an authority": [
        "UPDATE deliveries SET state = 'sending', lease_token = id"
    ],
    "nothing is closed or held without a reason": [
        "UPDATE deliveries SET state = 'closed', outcome = 'failed'",
        "UPDATE deliveries SET held = true",
    ],
    "a disconnected mailbox says why": ["UPDATE mailboxes SET status = 'disconnected'"],
}


def refuses(world: World, sql: str, **parameters: object) -> None:
    with pytest.raises(IntegrityError):
        world.run(sql, **parameters)


@pytest.mark.parametrize("statements", REFUSED.values(), ids=REFUSED)
def test_a_table_refuses_by_itself(world: World, statements: list[str]) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)))
    for statement in statements:
        with pytest.raises(IntegrityError):
            world.force(statement)


@pytest.mark.row("M13", "M17", "M18")
def test_grants_by_strangers_to_oneself_abroad_or_to_the_inactive_are_refused(
    world: World,
) -> None:
    hans, rita, left = (
        world.member("Hans Holder"),
        world.member(),
        world.member("Lea Left", active=False),
    )
    box = world.mailbox(hans)
    other = World(world.database)
    foreigner = other.member("Fay Foreign")
    insert = (
        "INSERT INTO grants (id, organization_id, mailbox_id, mailbox_owner_id, grantee_id)"
        " VALUES (:id, :org, :box, :mailbox_owner, :grantee)"
    )
    for mailbox_owner, grantee in (
        (rita, rita),
        (rita, None),
        (hans, hans),
        (hans, left),
        (hans, foreigner),
    ):
        refuses(
            world,
            insert,
            id=new_id(),
            org=world.organization_id,
            box=box,
            mailbox_owner=mailbox_owner,
            grantee=grantee,
        )
    refuses(
        world,
        insert,
        id=new_id(),
        org=other.organization_id,
        box=box,
        mailbox_owner=hans,
        grantee=foreigner,
    )


def test_one_standing_grant_for_everyone(world: World) -> None:
    hans = world.member("Hans Holder")
    box = world.mailbox(hans)
    world.grant(box, None)
    with pytest.raises(IntegrityError):
        world.grant(box, None)


def test_rows_of_one_organization_cannot_point_into_another(world: World) -> None:
    other = World(world.database)
    owner = world.member()
    box = world.mailbox(owner)
    with pytest.raises(IntegrityError):
        other.sequence(other.member(), box)


@pytest.mark.row("H4")
def test_a_provider_that_is_none_is_refused(world: World) -> None:
    world.mailbox(world.member())
    refuses(world, "UPDATE mailboxes SET provider = 'pigeon'")


def test_after_a_restore_the_database_searches_where_the_code_can(world: World) -> None:
    with world.database.transaction() as tx:
        source = tx.execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'note_lost_time'")).scalar_one()
    listed = re.search(r"provider IN \(([^)]*)\)", source)
    assert listed is not None
    assert set(re.findall(r"'(\w+)'", listed[1])) == TRACEABLE


def test_receipts_and_audit_entries_cannot_be_changed_or_dropped(world: World) -> None:
    world.run(
        "INSERT INTO audit_entries (id, organization_id, at, actor_kind, actor_id, actor_name, action, subject, data)"
        " VALUES (:id, :org, now(), 'name', '', 'a', 'b', 'c', '{}')",
        id=new_id(),
        org=world.organization_id,
    )
    for column in ("actor_name", "actor_id"):
        refuses(world, f"UPDATE audit_entries SET {column} = 'x'")
    refuses(world, "UPDATE audit_entries SET actor_kind = 'system'")
    refuses(world, "DELETE FROM audit_entries")
    world.run("UPDATE audit_entries SET position = 1, hash = 'h'")
    refuses(world, "UPDATE audit_entries SET hash = 'other'")
