"""The rules that hold even if everything above the tables is wrong."""

import pytest
from sqlalchemy.exc import IntegrityError

from db.core.ids import new_id
from lab.factories import World


def refuses(world: World, sql: str, **parameters: object) -> None:
    with pytest.raises(IntegrityError):
        world.run(sql, **parameters)


def refuses_by_itself(world: World, sql: str) -> None:
    """The constraint refuses without the help of the trigger for moves."""
    with pytest.raises(IntegrityError):
        world.force(sql)


def test_no_pause_without_a_reason(world: World) -> None:
    owner = world.member()
    world.sequence(owner, world.mailbox(owner))
    refuses(world, "UPDATE sequences SET status = 'paused'")
    refuses(
        world,
        "UPDATE sequences SET status = 'paused', paused_cause = 'x', paused_at = now()",
    )


def test_no_enrollment_paused_or_stopped_without_a_reason(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)))
    refuses(world, "UPDATE enrollments SET status = 'stopped'")
    refuses(world, "UPDATE enrollments SET status = 'paused', reason = 'x'")


def test_one_delivery_for_an_enrollment_and_step(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)))
    refuses(
        world,
        "INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at)"
        " SELECT :id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, now() FROM deliveries",
        id=new_id(),
    )


def test_nothing_is_sent_without_a_receipt(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)))
    refuses_by_itself(world, "UPDATE deliveries SET state = 'sent', sent_at = now()")


def test_nothing_is_submitted_without_a_draft_an_epoch_and_an_authority(
    world: World,
) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)))
    refuses_by_itself(world, "UPDATE deliveries SET state = 'sending', lease_token = id")


def test_nothing_is_closed_or_held_without_a_reason(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)))
    refuses_by_itself(world, "UPDATE deliveries SET state = 'closed', outcome = 'failed'")
    refuses(world, "UPDATE deliveries SET held = true")


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


def test_a_disconnected_mailbox_says_why(world: World) -> None:
    world.mailbox(world.member())
    refuses(world, "UPDATE mailboxes SET status = 'disconnected'")


@pytest.mark.row("H4")
def test_a_provider_that_is_none_is_refused(world: World) -> None:
    world.mailbox(world.member())
    refuses(world, "UPDATE mailboxes SET provider = 'pigeon'")


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
