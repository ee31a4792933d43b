"""Lanes in turn: who is queued, how many, and how much a tick touches."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from db.core.session import Database
from db.core.statements import CATALOGUE
from db.sending import dispatch
from lab.access_records import Lane
from lab.factories import World
from lab.records import Delivery
from lab.tables import ago, ahead


def queue(database: Database, **options: int) -> list[UUID]:
    with database.transaction() as tx:
        return [job.delivery_id for job in dispatch.queue_due(tx, **options)]


def test_a_lane_gives_at_most_three_at_once(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)), 50)
    assert len(queue(world.database)) == 3
    assert queue(world.database) == []


def test_a_lane_s_second_email_comes_after_every_lane_s_first(world: World) -> None:
    # Side by side they would wait for one lock, each with a worker's thread and connection.
    owners = [world.member() for _ in range(5)]
    for owner in owners:
        world.enroll(world.sequence(owner, world.mailbox(owner)), 3)
    queued = queue(world.database)
    lanes = [world.only(Delivery, each).mailbox_id for each in queued]
    assert [len(set(lanes[first : first + 5])) for first in (0, 5, 10)] == [5, 5, 5]


def test_one_busy_mailbox_never_delays_another(world: World) -> None:
    hog = world.member()
    world.enroll(world.sequence(hog, world.mailbox(hog)), 2000)
    others = [world.member() for _ in range(20)]
    for owner in others:
        world.enroll(world.sequence(owner, world.mailbox(owner)), 1)
    # The hog's work is older than everybody's, and still everybody is served by the first tick.
    assert len(queue(world.database)) == 3 + 20


def test_lanes_take_turns_when_a_tick_cannot_serve_all(world: World) -> None:
    owners = [world.member() for _ in range(6)]
    for owner in owners:
        world.enroll(world.sequence(owner, world.mailbox(owner)), 10)
    served = [set(queue(world.database, lanes=2)) for _ in range(3)]
    assert [len(each) for each in served] == [6, 6, 6]
    assert len(set().union(*served)) == 18


def test_a_lane_for_which_no_room_was_left_is_the_next_one_served(world: World) -> None:
    owners = [world.member() for _ in range(6)]
    for owner in owners:
        world.enroll(world.sequence(owner, world.mailbox(owner)), 6)
    served = []
    for _ in range(9):
        queued = queue(world.database, bound=2)
        served += [world.only(Delivery, each).mailbox_id for each in queued]
        world.overwrite(
            Delivery, where={"state": "queued"}, state="closed", outcome="cancelled", reason="done"
        )
        world.put(Lane, tokens=4, refilled_at=ago())
    assert len(served) == 18
    assert [len(set(served[start : start + 6])) for start in (0, 6, 12)] == [6, 6, 6], "each in its turn"


def test_the_number_of_queued_messages_is_bounded(world: World) -> None:
    for _ in range(5):
        owner = world.member()
        world.enroll(world.sequence(owner, world.mailbox(owner)), 10)
    assert len(queue(world.database, bound=7)) == 7
    assert queue(world.database, bound=7) == []


def test_an_empty_bucket_a_closed_lane_and_an_asked_for_wait_give_nothing(
    world: World,
) -> None:
    owners = [world.member() for _ in range(3)]
    boxes = [world.mailbox(owner) for owner in owners]
    for owner, box in zip(owners, boxes, strict=True):
        world.enroll(world.sequence(owner, box), 5)
    world.put(Lane, boxes[0], tokens=0, refilled_at=ago())
    world.put(Lane, boxes[1], open=False)
    world.put(Lane, boxes[2], retry_after_until=ahead(minutes=1))
    assert queue(world.database) == []


def test_the_daily_cap_puts_the_lane_to_sleep_until_its_midnight(world: World) -> None:
    owner = world.member()
    box = world.mailbox(owner, daily_cap=2)
    world.enroll(world.sequence(owner, box), 5)
    assert len(queue(world.database)) == 2
    world.overwrite(Delivery, where={"state": "queued"}, state="pending")
    world.put(Lane, sent_today=2, sent_on=datetime.now(UTC).date())
    assert queue(world.database) == []
    next_due_at = world.only(Lane).next_due_at
    assert next_due_at is not None
    assert ago() < next_due_at <= ahead(days=1)


def test_nothing_is_queued_before_it_is_due_and_the_lane_knows_when(
    world: World,
) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner), ("PT1H",)), 3)
    assert queue(world.database) == []
    assert world.only(Lane).next_due_at == min(each.due_at for each in world.all(Delivery))


def test_held_deliveries_are_out_of_sight(world: World) -> None:
    owner = world.member()
    sequence = world.sequence(owner, world.mailbox(owner), status="draft")
    world.enroll(sequence, 3)
    assert world.count(Delivery, held=True) == 3
    assert queue(world.database) == []


def test_two_schedulers_never_queue_the_same_delivery(world: World) -> None:
    for _ in range(30):
        owner = world.member()
        world.enroll(world.sequence(owner, world.mailbox(owner)), 3)
    taken: list[UUID] = []
    threads = [Thread(target=lambda: taken.extend(queue(world.database))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken += queue(world.database)
    assert len(taken) == len(set(taken)) == 90


def rows_read(node: dict[str, Any]) -> float:
    """Rows that a plan read from deliveries, kept or thrown away."""
    here = 0.0
    if node.get("Relation Name") == "deliveries" and "Scan" in node["Node Type"]:
        here = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return here + sum(rows_read(child) for child in node.get("Plans", []))


@pytest.mark.parametrize("waiting", [10, 20_000])
def test_a_ticks_work_does_not_grow_with_the_people_waiting(world: World, waiting: int) -> None:
    owner = world.member()
    box = world.mailbox(owner)
    world.enroll(world.sequence(owner, box, ("PT1H",)), waiting)
    world.enroll(world.sequence(owner, box), 2)
    world.run("ANALYZE deliveries")
    due = CATALOGUE["sending.dispatch.due"].text
    with world.database.transaction() as tx:
        parameters = {"bound": 500, "lanes": 200, "slots": 3, "capacity": 4.0, "rate": 0.433}
        plan = tx.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {due}"), parameters).scalar_one()[0]["Plan"]
    assert rows_read(plan) <= 100  # a handful by index; a few dozen where the whole table is a page


def test_an_unanswered_bell_rings_again_after_a_minute_and_not_before(
    world: World,
) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)), 1)
    queue(world.database)
    with world.database.transaction() as tx:
        assert dispatch.enqueue_again(tx) == []
    world.older(Delivery, "queued_at", seconds=61)
    with world.database.transaction() as tx:
        assert [job.dispatch_no for job in dispatch.enqueue_again(tx)] == [2]


def test_a_lost_workers_delivery_waits_again_before_the_gate_and_is_in_doubt_after_it(
    world: World,
) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)), 2)
    first, second = queue(world.database)
    for each in (first, second):
        world.overwrite(Delivery, each, state="preparing", lease_token=each, lease_until=ago(minutes=1))
    world.overwrite(Delivery, first, state="sending", draft_id="x", epoch=0, authority={})
    with world.database.transaction() as tx:
        expired = dispatch.expire_leases(tx, grace=timedelta(minutes=10))
    assert (expired.unsent, expired.in_doubt) == (1, 1)
    assert world.only(Delivery, first).state == "in_doubt"
    assert world.only(Delivery, second).state == "pending"


def test_looks_are_planned_one_a_mailbox_at_a_time(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)), 3)
    world.overwrite(Delivery, state="in_doubt", grace_until=ago(), due_at=ago())
    with world.database.transaction() as tx:
        assert len(dispatch.plan_attempts(tx)) == 1
    with world.database.transaction() as tx:
        assert len(dispatch.plan_attempts(tx)) == 1


def test_a_lane_that_forgot_its_work_is_corrected(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)), 1)
    world.put(Lane, next_due_at=None)
    assert queue(world.database) == []
    with world.database.transaction() as tx:
        assert dispatch.refresh_lanes(tx) == 1
    assert len(queue(world.database)) == 1
