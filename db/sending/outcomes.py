"""The outcomes of a delivery. Every write is a compare-and-set; False means that another process has settled it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.sending import lanes
from db.sending.enrollments import AFTER, Here, go_on, insert_next_step, lock_lane_of
from db.sending.moves import Expected, Move, expected_at, move, moving
from domain.audit import digest
from domain.connection import LEAVES_AFTER_ANSWER
from domain.delivery import LEFT_AFTER, State
from domain.handover import SENDER_CHANGED


class _InFlight(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID
    enrollment_id: UUID
    step_id: UUID
    authority: Json | None
    epoch: int | None
    draft_id: str | None
    internet_message_id: str | None
    conversation_id: str | None
    send_started_at: datetime | None
    sender: str
    provider: str
    now: datetime


_SENT = Move(State.SENT, State.SENDING, State.PREPARING, State.IN_DOUBT, State.REVIEW)
_SQL = SqlFile(__name__)
_IN_FLIGHT = _SQL.statement("in_flight", _InFlight, expected=expected_at("d."))
_RECORD = _SQL.statement("record", Here, audit_entry=audit.INSERT, sent=_SENT.set, after=AFTER)
_RELEASE, _IN_DOUBT = moving(_SQL.fragment("release")), moving(_SQL.fragment("in_doubt"))
_CLOSE = moving("outcome = :outcome, reason = :reason, held = false, grace_until = NULL")
_REVIEW = moving("reason = :reason, held = false, grace_until = NULL")
_FOLLOW = _SQL.statement("follow", UUID)
_WAKE_LANE, _STOP = _SQL.statement("wake_lane"), _SQL.statement("stop")


@dataclass(frozen=True, slots=True)
class SentFacts:
    """What we know of an email that left. ``known_by``: answer (202), search (found in the mailbox) or person."""

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
    """C4: record the email as sent, with its receipt, the next step's delivery and the audit entry, in one transaction."""
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
        "template_version": _text_of(row.step_id, row.authority),
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
    here = _RECORD.one(
        tx,
        id=delivery_id,
        receipt=dump_json(receipt),
        # An email found outside Drafts needs no further check.
        only_accepted=row.provider in LEAVES_AFTER_ANSWER and sent.known_by != "search",
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
    wait_reason: str | None = None  # why the lane waits; None: a short wait the provider asked for
    unsent: bool = False  # this submission was certainly not accepted, and no earlier one is in doubt
    in_doubt: bool = False  # a submission remains in doubt; counts like a crash
    fresh: bool = False  # a person vouches for it, so earlier crashes no longer count


def _text_of(step_id: UUID, authority: Json) -> str:
    """Which text it was: a version of its step or, by its digest, one that only this email had."""
    own = authority.get("own_text")
    version = f"{step_id} version {authority['step_version']}"
    if signed := authority.get("signature_version"):
        version += f" with signature version {signed}"
    return version if own is None else f"{version}, edited for this email: {own}"


def release(tx: Transaction, delivery_id: UUID, released: Release, expected: Expected) -> bool:
    """C5: return the delivery to pending and update when its lane next has work.

    What certainly did not leave follows a sequence that was handed over. Its new lane comes second, against the order of ids:
    a deadlock with another hand-over of it would end one of the two, which then repeats.
    """
    lock_lane_of(tx, delivery_id)
    row = move(
        tx,
        delivery_id,
        State.PENDING,
        expected,
        _RELEASE,
        due_at=released.due_at,
        held=released.held,
        reason=released.reason,
        failed=released.failed,
        in_doubt=released.in_doubt,
        fresh=released.fresh,
        unsent=released.unsent,
    )
    if row is None:
        return False
    follows = released.unsent or released.reason == SENDER_CHANGED
    lane = _FOLLOW.one_or_none(tx, id=delivery_id) if follows else None
    _WAKE_LANE.run(tx, mailbox_id=lane or row.mailbox_id, held=released.held, due_at=released.due_at)
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

    The enrollment stops, unless ``goes_on_from`` is set: then the next step follows, with its own delay from that moment.
    """
    lock_lane_of(tx, delivery_id)
    row = move(tx, delivery_id, State.CLOSED, expected, _CLOSE, outcome=outcome, reason=reason)
    if row is None:
        return False
    if goes_on_from is not None:
        insert_next_step(tx, row.enrollment_id, after_step=row.step_id, now=goes_on_from)
    else:
        _STOP.run(tx, id=row.enrollment_id, reason=reason)
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
    """R1: it may have left. From here on we only look for it. ``lane_waits_until``: the mailbox sends nothing before then."""
    if lane_waits_until is not None:
        lock_lane_of(tx, delivery_id)
    row = move(
        tx,
        delivery_id,
        State.IN_DOUBT,
        expected,
        _IN_DOUBT,
        reason=reason,
        reconcile_at=reconcile_at,
        grace=grace,
    )
    if row is not None and lane_waits_until is not None:
        lanes.hold(tx, row.mailbox_id, lane_waits_until)
    return row is not None


def to_review(tx: Transaction, delivery_id: UUID, reason: str, expected: Expected) -> UUID | None:
    """R4: only a person can settle it now. Returns the organization, or None if it was already settled."""
    row = move(tx, delivery_id, State.REVIEW, expected, _REVIEW, reason=reason)
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
    return row.organization_id
