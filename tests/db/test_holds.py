"""Holds: the gate's one decision, the dispatch, the numbers and the autoscaler's view agree about each, whatever else is held."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import product
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db.core.ids import new_id
from db.core.session import Database, Transaction
from db.schema import privileges
from db.sending import dispatch, waits
from db.sending.claims import load_claim
from db.views import dashboard, lookups, outbox
from domain.holds import ON_HOLD, SendingHold
from domain.preflight import Clear, Wait, preflight
from domain.waits import sentence
from lab.access_records import HoldRow, Lane
from lab.factories import World
from lab.records import Delivery
from lab.tables import ago, ahead

# A hold's row: None = there is none.
ROWS: dict[str, dict[str, object] | None] = {
    "none": None,
    "until released": {},
    "until later": {"until": ahead(hours=1)},
    "over": {"until": ago(seconds=1)},
    "over, and recorded": {"until": ago(hours=1), "ended_at": ago(minutes=59), "ended_by": "onbehalf"},
    "released": {"ended_at": ago(minutes=1), "ended_by": "Hans Holder"},
}
STANDS = ("until released", "until later")


class Mine:
    """A mailbox with an email that a worker has claimed, and one that has been due for some minutes."""

    def __init__(self, world: World) -> None:
        self.world = world
        owner = world.member()
        self.box = world.mailbox(owner)
        self.sequence = world.sequence(owner, self.box)
        self.claimed, self.waiting = world.enroll(self.sequence, 2)
        self.token = new_id()
        world.put(Delivery, where={"sequence_id": self.sequence}, due_at=ago(minutes=5))
        world.overwrite(
            Delivery,
            where={"enrollment_id": self.claimed},
            state="preparing",
            lease_token=self.token,
            lease_until=ahead(minutes=1),
            attempts=1,
            correlation_id=str(self.token),
        )
        world.put(Lane, self.box, next_due_at=ago(minutes=5), tokens=4.0)

    def decision(self, tx: Transaction) -> SendingHold | None:
        """What the gate says: the hold that it stops at, or None if the email may leave."""
        (delivery,) = [each.id for each in self.world.all(Delivery, enrollment_id=self.claimed)]
        claim = load_claim(tx, delivery, self.token)
        assert claim is not None
        decided = preflight(claim.facts)
        if isinstance(decided, Clear):
            assert claim.facts.hold is None
            return None
        assert decided == Wait(claim.facts.due_at, ON_HOLD)
        return claim.facts.hold

    def said(self, tx: Transaction) -> tuple[bool, bool, bool]:
        """Is it on hold by ``why``, by the outbox, and by its sequence's page?"""
        row = lookups.situation(tx, self.waiting)
        assert row is not None
        wanted = outbox.Wanted(self.world.organization_id, sequence_id=self.sequence)
        (planned,) = outbox.planned(tx, wanted)
        (standing,) = waits.standings(tx, [self.sequence])
        return (
            row.hold is not None,
            planned.hold is not None,
            "held" in (sentence(standing) or "") or ("stopped all sending" in (sentence(standing) or "")),
        )


@contextmanager
def undone(database: Database) -> Iterator[Transaction]:
    """A transaction that leaves nothing behind."""
    with database.transaction() as tx, tx.begin_nested() as point:
        yield tx
        point.rollback()


def write(
    world: World, organization: UUID | None, mailbox: UUID | None, row: dict[str, object] | None
) -> None:
    if row is not None:
        given = {
            "id": new_id(),
            "organization_id": organization,
            "mailbox_id": mailbox,
            "level": "operator",
            "held_by": "operator olga",
            "reason": "because",
        }
        world.add(HoldRow, {**given, **row})


def longest(states: list[str]) -> datetime | str | None:
    """Until when it is held: "no" if it is not."""
    standing = [ROWS[each] for each in states if each in STANDS]
    ends = [row.get("until") for row in standing if row is not None]
    if not ends:
        return "no"
    return None if None in ends else max(end for end in ends if isinstance(end, datetime))


def test_the_gate_the_dispatch_and_the_numbers_agree_about_every_combination(world: World) -> None:
    mine, beside, stranger = Mine(world), Mine(world), Mine(World(world.database))
    for of_box, of_all, of_everybody in product(ROWS, repeat=3):
        world.remove(HoldRow)
        write(world, world.organization_id, mine.box, ROWS[of_box])
        write(world, world.organization_id, None, ROWS[of_all])
        write(world, None, None, ROWS[of_everybody])
        until = {
            mine: longest([of_box, of_all, of_everybody]),
            beside: longest([of_all, of_everybody]),
            stranger: longest([of_everybody]),
        }
        free = {each.box for each, end in until.items() if end == "no"}
        case = f"{of_box}, {of_all}, {of_everybody}"
        with undone(world.database) as tx:
            for each, end in until.items():
                hold = each.decision(tx)
                assert ("no" if hold is None else hold.until) == end, case
                assert each.said(tx) == (end != "no",) * 3, case
            numbers = dashboard.overview(tx)
            view = text("SELECT mailboxes FROM metrics_mailboxes_with_work")
            assert (numbers.overdue_for_no_reason, tx.execute(view).scalar_one()) == (len(free),) * 2, case
            assert (numbers.lag > 0) == bool(free), case
            assert numbers.lanes_on_hold == 3 - len(free), case
            queued = [job.delivery_id for job in dispatch.queue_due(tx)]
            boxes = tx.execute(
                text("SELECT mailbox_id FROM deliveries WHERE id = ANY(:ids)"), {"ids": queued}
            ).scalars()
            assert set(boxes) == free, case


def test_a_drain_costs_a_tick_no_walk_over_the_lanes(world: World) -> None:
    Mine(world)
    write(world, None, None, {})
    plan = "\n".join(
        str(line)
        for (line,) in world.rows(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + dispatch._DUE.text,
            bound=500,
            lanes=200,
            slots=3,
            capacity=4.0,
            rate=0.4,
        )
    )
    assert "never executed" in plan[plan.index("CTE ready") : plan.index("CTE share")]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO holds (id, organization_id, level, held_by, reason) VALUES (gen_random_uuid(), :organization_id, 'operator', 'x', 'x')",
        "INSERT INTO holds (id, level, held_by, reason) VALUES (gen_random_uuid(), 'operator', 'x', 'x')",
    ],
)
def test_no_page_holds_as_an_operator(world: World, url_as: Callable[[str], str], statement: str) -> None:
    web = Database(url_as(privileges.WEB), pool_size=1)
    try:
        with (
            pytest.raises(DBAPIError, match="row-level security"),
            web.for_tenant(world.organization_id).transaction() as tx,
        ):
            tx.execute(text(statement), {"organization_id": world.organization_id})
    finally:
        web.close()


def test_a_page_sees_a_drain_and_an_operators_hold_and_ends_neither(
    world: World, url_as: Callable[[str], str]
) -> None:
    write(world, None, None, {})
    write(world, world.organization_id, None, {})
    write(world, world.organization_id, None, {"level": "admin"})
    write(World(world.database), None, None, None)
    web = Database(url_as(privileges.WEB), pool_size=1)
    try:
        with web.for_tenant(world.organization_id).transaction() as tx:
            seen = tx.execute(text("SELECT count(*) FROM holds")).scalar_one()
            ended = (
                tx.execute(
                    text("UPDATE holds SET ended_at = clock_timestamp(), ended_by = 'x' RETURNING level")
                )
                .scalars()
                .all()
            )
        assert (seen, ended) == (3, ["admin"])
    finally:
        web.close()
