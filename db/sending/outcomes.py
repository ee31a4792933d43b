"""The send path's way out: what became of a delivery. Every write is a compare-and-set; False means somebody else settled it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import Statement
from db.sending import lanes
from db.sending.enrollments import AFTER, go_on, insert_next_step, lock_lane_of
from db.sending.moves import EXPECTED, Expected, Move, move
from domain.audit import digest
from domain.connection import TRACEABLE
from domain.delivery import LEFT_AFTER, State

# The lane is locked before the delivery, as everywhere: the CTE's lock is taken while the join is made, the outer one on its result.
_IN_FLIGHT = Statement(
    "WITH lane AS MATERIALIZED (SELECT mailbox_id FROM lanes"
    "   WHERE mailbox_id = (SELECT mailbox_id FROM deliveries WHERE id = :id) FOR UPDATE)"
    " SELECT d.organization_id, d.mailbox_id, d.enrollment_id, d.step_id, d.authority, d.epoch, d.draft_id,"
    " d.internet_message_id, d.conversation_id, d.send_started_at, b.address AS sender, b.provider, clock_timestamp() AS now"
    " FROM lane JOIN deliveries d ON d.mailbox_id = lane.mailbox_id JOIN mailboxes b ON b.id = d.mailbox_id"
    f" WHERE d.id = :id AND {EXPECTED.replace('state ||', 'd.state ||').replace('lease_token', 'd.lease_token')}"
    # A 202 for a draft that we had asked to remove: Exchange may have dropped the email with it.
    " AND (:known_by <> 'answer' OR d.recalled_draft IS DISTINCT FROM d.draft_id) FOR UPDATE OF d"
)
_SENT = Move(State.SENT, State.SENDING, State.PREPARING, State.IN_DOUBT, State.REVIEW)
_RECORD = Statement(
    "WITH stored AS (INSERT INTO receipts SELECT * FROM jsonb_populate_record(NULL::receipts, CAST(:receipt AS jsonb))),"
    f" audited AS ({audit.INSERT}),"
    f" moved AS (UPDATE deliveries SET {_SENT.set}, sent_at = :accepted_at, receipt_id = id,"
    "   lease_token = NULL, lease_until = NULL, grace_until = NULL, reason = NULL,"
    "   left_check_at = CASE WHEN :only_accepted THEN clock_timestamp() + CAST(:left_after AS interval) END,"
    "   internet_message_id = :internet_message_id, conversation_id = :conversation_id WHERE id = :id),"
    f" {AFTER} SELECT * FROM here"
)


@dataclass(frozen=True, slots=True)
class SentFacts:
    """What is known of an email that left. ``known_by``: answer (202), search (found in the mailbox) or person."""

    known_by: str
    message_id: str = ""
    internet_message_id: str = ""
    conversation_id: str = ""
    request_id: str = ""


def record_sent(
    tx: Transaction,
    delivery_id: UUID,
    sent: SentFacts,
    expected: Expected,
    *,
    actor: str,
) -> bool:
    """C4: sent, its receipt, the next step's row and the audit entry, in one transaction."""
    row = _IN_FLIGHT.one_or_none(
        tx,
        id=delivery_id,
        states=expected.sources(State.SENT),
        token=expected.token,
        known_by=sent.known_by,
    )
    if row is None or row.authority is None:
        return False
    receipt = {
        "delivery_id": str(delivery_id),
        "organization_id": str(row.organization_id),
        "owner_id": row.authority["owner_id"],
        "mailbox_id": str(row.mailbox_id),
        "sender": row.sender,
        "authority": row.authority["authority"],
        "grant_id": row.authority["grant_id"],
        "grant_version": row.authority["grant_version"],
        "connection_version": row.authority["connection_version"],
        "lane_epoch": row.epoch,
        "checks": row.authority["checks"],
        "template_version": f"{row.step_id} version {row.authority['step_version']}",
        "message_id": sent.message_id or row.draft_id,
        "internet_message_id": sent.internet_message_id or row.internet_message_id,
        "conversation_id": sent.conversation_id or row.conversation_id,
        "request_id": sent.request_id,
        "known_by": sent.known_by,
        "accepted_at": row.now if sent.known_by == "answer" else row.send_started_at,
    }
    details = {
        "receipt": digest(audit.signed_form(receipt)),
        "authority": receipt["authority"],
        "known_by": sent.known_by,
    }
    here = _RECORD.one_or_none(
        tx,
        id=delivery_id,
        receipt=dump_json(receipt),
        # Where it was found outside Drafts nobody has to look again.
        only_accepted=row.provider in TRACEABLE and sent.known_by != "search",
        left_after=LEFT_AFTER,
        **{name: receipt[name] for name in ("accepted_at", "internet_message_id", "conversation_id")},
        **audit.entry(row.organization_id, actor, "email_sent", f"delivery:{delivery_id}", details),
        enrollment_id=row.enrollment_id,
        after_step=row.step_id,
    )
    go_on(tx, here, now=row.now)
    return True


@dataclass(frozen=True, slots=True)
class Release:
    """How an attempt ends that certainly sent nothing."""

    due_at: datetime
    reason: str | None = None
    held: bool = False
    failed: bool = False  # counts towards giving up
    lane_waits_until: datetime | None = None
    wait_reason: str | None = None  # of the lane, beside "the provider asked to"
    unsent: bool = (
        False  # the submission at the gate is certainly not accepted, and no earlier one is in doubt
    )
    in_doubt: bool = False  # a submission stays in doubt: counts like a crash
    fresh: bool = False  # a person vouches for it: earlier crashes no longer count


def release(tx: Transaction, delivery_id: UUID, released: Release, expected: Expected) -> bool:
    """C5: back to pending; the lane learns when it next has work."""
    lock_lane_of(tx, delivery_id)
    row = move(
        tx,
        delivery_id,
        State.PENDING,
        expected,
        "due_at = :due_at, held = :held, reason = :reason, grace_until = NULL, reconcile_attempts = 0,"
        " recalled_draft = CASE WHEN :in_doubt THEN NULL ELSE recalled_draft END,"
        " releases = CASE WHEN :fresh THEN attempts WHEN :in_doubt THEN releases ELSE releases + 1 END,"
        " failures = failures + CASE WHEN :failed THEN 1 ELSE 0 END,"
        " first_failed_at = CASE WHEN :failed THEN coalesce(first_failed_at, clock_timestamp()) ELSE first_failed_at END,"
        " send_started_at = CASE WHEN :unsent THEN NULL ELSE send_started_at END",
        {
            "due_at": released.due_at,
            "held": released.held,
            "reason": released.reason,
            "failed": released.failed,
            "in_doubt": released.in_doubt,
            "fresh": released.fresh,
            "unsent": released.unsent,
        },
    )
    if row is None:
        return False
    tx.execute(
        text(
            "UPDATE lanes SET"
            " next_due_at = CASE WHEN :held THEN next_due_at ELSE least(coalesce(next_due_at, :due_at), :due_at) END"
            " WHERE mailbox_id = :mailbox_id"
        ),
        {
            "mailbox_id": row.mailbox_id,
            "held": released.held,
            "due_at": released.due_at,
        },
    )
    if released.lane_waits_until is not None:
        lanes.hold(tx, row.mailbox_id, released.lane_waits_until, released.wait_reason)
    return True


def close(
    tx: Transaction,
    delivery_id: UUID,
    outcome: str,
    reason: str,
    expected: Expected,
    *,
    actor: str,
    goes_on_from: datetime | None = None,
) -> bool:
    """C6: this step will not be sent. ``outcome``: skipped, failed or cancelled.

    The enrollment ends with it, unless ``goes_on_from``: then the next step follows, at its own delay from that moment.
    """
    lock_lane_of(tx, delivery_id)
    row = move(
        tx,
        delivery_id,
        State.CLOSED,
        expected,
        "outcome = :outcome, reason = :reason, held = false, grace_until = NULL",
        {"outcome": outcome, "reason": reason},
    )
    if row is None:
        return False
    if goes_on_from is not None:
        insert_next_step(tx, row.enrollment_id, after_step=row.step_id, now=goes_on_from)
    else:
        tx.execute(
            text(
                "UPDATE enrollments SET status = 'stopped', reason = :reason, paused_at = NULL"
                " WHERE id = :id AND status IN ('active', 'paused')"
            ),
            {"id": row.enrollment_id, "reason": reason},
        )
    audit.write(
        tx,
        row.organization_id,
        actor,
        f"delivery_{outcome}",
        f"delivery:{delivery_id}",
        {"reason": reason},
    )
    return True


def to_in_doubt(
    tx: Transaction,
    delivery_id: UUID,
    reason: str,
    expected: Expected,
    *,
    reconcile_at: datetime,
    grace: timedelta,
    lane_waits_until: datetime | None = None,
) -> bool:
    """R1: it may have left. From here it is only looked for. ``lane_waits_until``: nobody else of the mailbox sends before."""
    if lane_waits_until is not None:
        lock_lane_of(tx, delivery_id)
    row = move(
        tx,
        delivery_id,
        State.IN_DOUBT,
        expected,
        "reason = :reason, due_at = :reconcile_at, reconcile_attempts = 0, grace_until = greatest(clock_timestamp(), :reconcile_at) + :grace",
        {"reason": reason, "reconcile_at": reconcile_at, "grace": grace},
    )
    if row is not None and lane_waits_until is not None:
        lanes.hold(tx, row.mailbox_id, lane_waits_until)
    return row is not None


def to_review(tx: Transaction, delivery_id: UUID, reason: str, expected: Expected) -> UUID | None:
    """R4: only a person can settle it now. Returns the organization, or None when it was settled meanwhile."""
    row = move(
        tx, delivery_id, State.REVIEW, expected, "reason = :reason, grace_until = NULL", {"reason": reason}
    )
    if row is None:
        return None
    audit.write(
        tx,
        row.organization_id,
        "onbehalf",
        "delivery_in_review",
        f"delivery:{delivery_id}",
        {"reason": reason},
    )
    organization_id: UUID = row.organization_id
    return organization_id
