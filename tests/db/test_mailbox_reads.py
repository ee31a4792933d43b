"""Which mailboxes are read, and when."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from db.listening import reads
from domain.jobs import ReadMailbox
from lab.access_records import Lane, Mailbox
from lab.factories import World
from lab.listening_records import MailboxRead
from lab.records import Delivery
from lab.stage import Stage


def plan(world: World, **limits: int) -> list[ReadMailbox]:
    with world.database.transaction() as tx:
        return reads.plan(tx, **limits)


def watch(world: World) -> int:
    with world.database.transaction() as tx:
        return reads.watch(tx)


def sending(stage: Stage, delays: tuple[str, ...] = ("PT0S", "PT1H")) -> UUID:
    """A mailbox that has written to somebody."""
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, delays), 1)
    stage.send_due()
    return box


def next_in(stage: Stage) -> timedelta | None:
    found = stage.only(MailboxRead).next_read_at
    return None if found is None else found - datetime.now(UTC)


def test_a_mailbox_is_read_from_its_first_email_on_and_not_before(stage: Stage) -> None:
    stage.mailbox(stage.world.member())
    assert watch(stage.world) == 0
    box = sending(stage)
    assert watch(stage.world) == 1
    assert watch(stage.world) == 0
    assert [each.mailbox_id for each in plan(stage.world)] == [box]
    # What was sent before anybody read is heard of all the same.
    sent_at = stage.only(Delivery, state="sent").sent_at
    assert sent_at is not None
    assert stage.only(MailboxRead, box).watermark <= sent_at


def test_a_planned_reading_that_no_worker_takes_is_planned_again_and_its_message_is_void(
    stage: Stage,
) -> None:
    from workers import read_mailbox

    box = sending(stage)
    watch(stage.world)
    (first,) = plan(stage.world)
    assert plan(stage.world) == []
    stage.later(61)
    (second,) = plan(stage.world)
    assert second.round == first.round + 1
    assert not read_mailbox.read(stage.runtime, box, first.round)
    assert read_mailbox.read(stage.runtime, box, second.round)


def test_no_more_is_planned_than_workers_take(stage: Stage) -> None:
    for _ in range(5):
        sending(stage)
    watch(stage.world)
    assert len(plan(stage.world, limit=2, bound=3)) == 2
    assert len(plan(stage.world, limit=2, bound=3)) == 1
    assert plan(stage.world, limit=2, bound=3) == []


def test_who_has_nobody_to_hear_from_is_read_no_more_until_it_sends_again(stage: Stage) -> None:
    box = sending(stage, ("PT0S",))
    stage.read(box)
    soon = next_in(stage)
    assert soon is not None
    assert timedelta(minutes=1) < soon <= timedelta(minutes=2)
    stage.later(timedelta(days=31).total_seconds())
    stage.older(Lane, "last_served_at", days=31)
    stage.read(box)
    assert next_in(stage) is None
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)), 1)
    stage.send_due()
    assert watch(stage.world) == 1
    again = next_in(stage)
    assert again is not None
    assert again <= timedelta(minutes=2)


def test_a_mailbox_that_is_not_connected_is_left_alone(stage: Stage) -> None:
    box = sending(stage)
    watch(stage.world)
    stage.put(Mailbox, status="disconnected", status_reason="sign_in_expired")
    assert not stage.read(box)
    later = next_in(stage)
    assert later is not None
    assert later > timedelta(minutes=14)
