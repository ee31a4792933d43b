"""C0 and its helpers: which deliveries are due now, lane by lane, and which messages must be enqueued again.

The work of one tick does not grow with the number of people waiting: lanes know when they next have work,
and each is asked for at most what its bucket, slots and daily cap allow.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from db.core.session import Transaction
from db.sending.moves import Move
from domain.delivery import State
from domain.jobs import ReconcileDelivery, SendStep
from domain.lane import CAPACITY, MAX_QUEUED, PER_SECOND, SEND_SLOTS

ENQUEUE_AGAIN_AFTER = timedelta(seconds=60)
LEASE_SLACK = timedelta(seconds=5)

# now() and not clock_timestamp(): the planner may use a stable time as an index condition, so that a lane's later
# work is not even read. ANY(ARRAY(…)) for the same reason: the few picked rows are looked up, never joined by a scan.
_QUEUE, _LOST = Move(State.QUEUED, State.PENDING), Move(State.PENDING, State.PREPARING, State.DRAFTED)
_IN_DOUBT = Move(State.IN_DOUBT, State.SENDING)
_DUE = text(f"""
WITH room AS (SELECT greatest(0, :bound - count(*)) AS free FROM deliveries WHERE state = 'queued'),
ready AS MATERIALIZED (
  SELECT mailbox_id, tokens, refilled_at, sent_on, sent_today, daily_cap, zone, last_served_at FROM lanes
  WHERE open AND next_due_at <= now() AND (SELECT free FROM room) > 0
    AND (retry_after_until IS NULL OR retry_after_until <= now())
  ORDER BY last_served_at NULLS FIRST, mailbox_id LIMIT :lanes FOR UPDATE SKIP LOCKED),
share AS (
  SELECT r.mailbox_id, r.zone, r.last_served_at,
    CASE WHEN r.sent_on = (now() AT TIME ZONE r.zone)::date THEN r.daily_cap - r.sent_today ELSE r.daily_cap END AS cap,
    least(:slots - b.slots,
      floor(least(:capacity, r.tokens + :rate * greatest(0, extract(epoch FROM now() - r.refilled_at)))) - b.unpaid) AS take
  -- Lane by lane: as a join Postgres may count what all have in flight once for each lane, while it holds them all.
  FROM ready r CROSS JOIN LATERAL (
    SELECT count(*) AS slots, count(*) FILTER (WHERE state <> 'sending') AS unpaid FROM deliveries
    WHERE mailbox_id = r.mailbox_id AND state IN ('queued', 'preparing', 'drafted', 'sending')) b),
due AS MATERIALIZED (
  SELECT d.id, s.mailbox_id, s.last_served_at,
    row_number() OVER (PARTITION BY s.mailbox_id ORDER BY d.due_at, d.id) AS turn
  FROM share s CROSS JOIN LATERAL (
    SELECT id, due_at FROM deliveries WHERE mailbox_id = s.mailbox_id AND state = 'pending' AND NOT held
      AND due_at <= now() ORDER BY due_at LIMIT greatest(0, least(s.take, s.cap)) FOR UPDATE SKIP LOCKED) d),
-- Each lane's first before any lane's second, so that the room is shared, and because neighbours of one lane would wait for
-- its lock, each with a worker's thread.
picked AS MATERIALIZED (
  SELECT id, mailbox_id, turn FROM due ORDER BY turn, last_served_at NULLS FIRST, mailbox_id
  LIMIT (SELECT free FROM room)),
queued AS (
  UPDATE deliveries d SET {_QUEUE.set}, dispatch_no = dispatch_no + 1, queued_at = now(), reason = NULL
  WHERE d.id = ANY(ARRAY(SELECT id FROM picked)) RETURNING d.id, d.dispatch_no),
-- A lane for which no room was left keeps its place in the line.
served AS (
  UPDATE lanes l SET last_served_at = CASE WHEN l.mailbox_id IN (SELECT mailbox_id FROM due)
      AND l.mailbox_id NOT IN (SELECT mailbox_id FROM picked) THEN l.last_served_at ELSE now() END, next_due_at =
    CASE WHEN s.cap <= 0 THEN ((now() AT TIME ZONE s.zone)::date + 1)::timestamp AT TIME ZONE s.zone
    ELSE (SELECT n.due_at FROM deliveries n WHERE n.mailbox_id = l.mailbox_id AND n.state = 'pending' AND NOT n.held
            AND n.id NOT IN (SELECT id FROM picked) ORDER BY n.due_at LIMIT 1) END
  FROM share s WHERE l.mailbox_id = s.mailbox_id)
SELECT id, dispatch_no FROM queued JOIN picked USING (id) ORDER BY turn, mailbox_id
""")


def queue_due(tx: Transaction, *, lanes: int = 200, bound: int = MAX_QUEUED) -> list[SendStep]:
    """C0: queue what is due, lanes in turn. Ring only after this transaction has committed."""
    rows = tx.execute(
        _DUE,
        {
            "bound": bound,
            "lanes": lanes,
            "slots": SEND_SLOTS,
            "capacity": CAPACITY,
            "rate": PER_SECOND,
        },
    ).all()
    return [SendStep(row.id, row.dispatch_no) for row in rows]


def enqueue_again(tx: Transaction, limit: int = MAX_QUEUED) -> list[SendStep]:
    """The sweeper: enqueue again what no worker took for a minute (a lost message, an emptied Redis)."""
    rows = tx.execute(
        text(
            "UPDATE deliveries SET dispatch_no = dispatch_no + 1, queued_at = clock_timestamp() WHERE id IN ("
            " SELECT id FROM deliveries WHERE state = 'queued' AND queued_at < now() - :again"
            " ORDER BY queued_at LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING id, dispatch_no"
        ),
        {"again": ENQUEUE_AGAIN_AFTER, "limit": limit},
    ).all()
    return [SendStep(row.id, row.dispatch_no) for row in rows]


@dataclass(frozen=True, slots=True)
class Expired:
    """How many leases of lost workers were taken back."""

    unsent: int
    in_doubt: int


def expire_leases(tx: Transaction, *, grace: timedelta, limit: int = 200) -> Expired:
    """Take back what lost workers held: before the gate it waits again, after the gate it is looked for."""
    mailbox_ids = (
        tx.execute(
            text(
                "SELECT mailbox_id FROM lanes WHERE mailbox_id IN (SELECT mailbox_id FROM deliveries"
                "  WHERE state IN ('preparing', 'drafted', 'sending') AND lease_until < now() - :slack)"
                " ORDER BY mailbox_id LIMIT :limit FOR UPDATE SKIP LOCKED"
            ),
            {"slack": LEASE_SLACK, "limit": limit},
        )
        .scalars()
        .all()
    )
    if not mailbox_ids:
        return Expired(0, 0)
    row = tx.execute(
        text(
            "WITH lost AS (UPDATE deliveries SET"
            f"   state = CASE WHEN {_IN_DOUBT.where()} THEN {_IN_DOUBT.value} ELSE {_LOST.value} END, reason = 'worker_lost',"
            "   due_at = CASE WHEN state = 'sending' THEN clock_timestamp() ELSE due_at END,"
            "   grace_until = CASE WHEN state = 'sending' THEN clock_timestamp() + :grace END,"
            "   reconcile_attempts = 0, lease_token = NULL, lease_until = NULL"
            "   WHERE state IN ('preparing', 'drafted', 'sending') AND lease_until < now() - :slack"
            "     AND mailbox_id = ANY(:mailbox_ids) RETURNING mailbox_id, state, due_at),"
            " woken AS (UPDATE lanes l SET next_due_at = least(coalesce(l.next_due_at, x.due_at), x.due_at)"
            "   FROM (SELECT mailbox_id, min(due_at) AS due_at FROM lost WHERE state = 'pending' GROUP BY mailbox_id) x"
            "   WHERE l.mailbox_id = x.mailbox_id)"
            " SELECT count(*) FILTER (WHERE state = 'pending') AS unsent,"
            "   count(*) FILTER (WHERE state = 'in_doubt') AS in_doubt FROM lost"
        ),
        {"slack": LEASE_SLACK, "grace": grace, "mailbox_ids": mailbox_ids},
    ).one()
    return Expired(row.unsent, row.in_doubt)


def plan_attempts(tx: Transaction, limit: int = 100) -> list[ReconcileDelivery]:
    """Deliveries in doubt whose next reconcile attempt is due, one a mailbox at a time; again in a minute if no worker takes it."""
    rows = tx.execute(
        text(
            "WITH first AS (SELECT DISTINCT ON (mailbox_id) id FROM deliveries WHERE state = 'in_doubt'"
            "   AND due_at <= clock_timestamp() ORDER BY mailbox_id, due_at)"
            " UPDATE deliveries SET dispatch_no = dispatch_no + 1, due_at = clock_timestamp() + :again WHERE id IN ("
            "   SELECT id FROM deliveries WHERE id IN (SELECT id FROM first) LIMIT :limit FOR UPDATE SKIP LOCKED)"
            " AND state = 'in_doubt' RETURNING id, dispatch_no"
        ),
        {"again": ENQUEUE_AGAIN_AFTER, "limit": limit},
    ).all()
    return [ReconcileDelivery(row.id, row.dispatch_no) for row in rows]


def refresh_lanes(tx: Transaction) -> int:
    """Recompute when each open lane next has work, where the answer differs; returns how many did.

    A safety net: the transactions that add or free work tell the lane themselves.
    """
    return tx.execute(
        text(
            "UPDATE lanes l SET next_due_at = x.due_at FROM (SELECT o.mailbox_id, (SELECT n.due_at FROM deliveries n"
            "   WHERE n.mailbox_id = o.mailbox_id AND n.state = 'pending' AND NOT n.held ORDER BY n.due_at LIMIT 1) AS due_at"
            "   FROM lanes o WHERE o.open ORDER BY o.mailbox_id FOR UPDATE SKIP LOCKED) x"
            " WHERE l.mailbox_id = x.mailbox_id AND x.due_at IS NOT NULL"
            "   AND (l.next_due_at IS NULL OR l.next_due_at > x.due_at)"
            # Not one that waits for its next day under its cap.
            "   AND NOT (l.sent_on = (clock_timestamp() AT TIME ZONE l.zone)::date AND l.sent_today >= l.daily_cap)"
        )
    ).rowcount
