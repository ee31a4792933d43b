"""Problems of single deliveries: recorded with the event that notifies the owner, one per cause."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from db.mailboxes import mailboxes
from db.sending import gate, lanes, outcomes
from db.sending.claims import Claim
from db.sending.moves import at_rest
from db.sequences import steps
from domain.connection import REFUSED_BY
from domain.delivery import OUT_OF_REACH, State
from domain.event_payloads import (
    DeliveriesFailed,
    DeliveryInReview,
    PeopleBlocked,
    SendingLimitReached,
    StepRefused,
    StillInDrafts,
)
from domain.events import step_cause
from domain.notice import shown_at

_NOTIFIED_TOGETHER = timedelta(seconds=30)  # incidents within this time share an email


class _Review(NamedTuple):
    organization_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    address: str
    attempts: int
    reason: str
    connection_version: int
    hour: datetime
    person: str


class _InDrafts(NamedTuple):
    id: UUID
    organization_id: UUID
    address: str


_SQL = SqlFile(__name__)
_BLOCK_PERSON = _SQL.statement("block_person")
_REVIEW = _SQL.statement("review", _Review)
_OUT_OF_REACH = _SQL.statement("out_of_reach", UUID)
_OLDEST_IN_DRAFTS = _SQL.statement("oldest_in_drafts", _InDrafts)


def fail_step(tx: Transaction, claim: Claim, reason: str, explanation: str) -> bool:
    """Fail a step permanently for this person: close it, stop the enrollment, notify the owner once per day and reason."""
    closed = outcomes.close(
        tx,
        claim.delivery_id,
        "failed",
        reason,
        claim.held,
        actor="onbehalf",
    )
    if closed:
        events.record(
            tx,
            claim.organization_id,
            DeliveriesFailed(
                mailbox=claim.content.sender,
                sequence_id=claim.sequence_id,
                reason=explanation,
                failed_reason=reason,
            ),
            f"failed:{claim.sequence_id}:{reason}:{claim.facts.now.date().isoformat()}",
            "onbehalf",
        )
    return closed


def refuse_step(tx: Transaction, claim: Claim, explanation: str) -> None:
    """Refuse a step whose text can be sent to nobody: its people wait, the sequence pauses, its owner is notified once.

    Locks the lane. If the step was edited since we read it, the delivery is retried with the new text.
    """
    gate.lock_lane(tx, claim.mailbox_id)  # edits lock it too
    content = claim.content
    current = steps.version_of(tx, content.step_id) == content.version
    if current:
        cause = step_cause(content.step_id, content.version)
        payload = StepRefused(
            mailbox=content.sender,
            sequence_id=claim.sequence_id,
            step=content.position,
            step_id=content.step_id,
            reason=explanation,
        )
        if not events.record(tx, claim.organization_id, payload, cause, "onbehalf"):
            events.pause_too(tx, claim.organization_id, cause, claim.sequence_id)
    outcomes.release(
        tx,
        claim.delivery_id,
        outcomes.Release(
            claim.facts.now,
            "bad_template" if current else "edited_meanwhile",
            held=current,
            unsent=claim.send_started_at is None,
        ),
        claim.held,
    )


def block_person(tx: Transaction, claim: Claim, field: str) -> None:
    """Hold a person whose merge field is empty, and say why. We never send an email with the field missing."""
    reason = f"missing_merge_field: {field}"
    now = claim.facts.now
    back = outcomes.Release(now, reason, held=True, unsent=claim.send_started_at is None)
    if not outcomes.release(tx, claim.delivery_id, back, claim.held):
        return
    _BLOCK_PERSON.run(tx, id=claim.enrollment_id, reason=reason)
    audit.write(
        tx,
        claim.organization_id,
        "onbehalf",
        "person_blocked",
        f"enrollment:{claim.enrollment_id}",
        {"reason": reason},
    )
    events.record(
        tx,
        claim.organization_id,
        PeopleBlocked(
            mailbox=claim.content.sender, sequence_id=claim.sequence_id, field=field, blocked_reason=reason
        ),
        f"merge_field:{claim.content.step_id}:{claim.content.version}:{field}",
        "onbehalf",
    )


def notify_of_limit(tx: Transaction, claim: Claim, until: datetime, *, unexplained: bool = False) -> None:
    """Notify the owner that the provider takes no emails for now: one notice per incident. Locks the lane.

    ``unexplained``: it refused several people in a row without a reason; otherwise its sending limit is reached.
    """
    since = lanes.limited_since(tx, claim.mailbox_id)
    events.record(
        tx,
        claim.organization_id,
        SendingLimitReached(
            mailbox=claim.content.sender,
            mailbox_id=claim.mailbox_id,
            provider=REFUSED_BY[claim.facts.provider],
            until=shown_at(until, mailboxes.zone_of(tx, claim.mailbox_id)),
            unexplained=unexplained,
        ),
        f"limit:{claim.mailbox_id}:{since.isoformat()}",
        "onbehalf",
    )


def notify_of_review(tx: Transaction, delivery_id: UUID) -> None:
    """Record the event that notifies the owner of a delivery only a person can settle.

    Deliveries with the same cause share a notice: one lost connection, or the same reason in one mailbox within an hour.
    """
    row = _REVIEW.one(tx, id=delivery_id)
    when = row.connection_version if row.reason == OUT_OF_REACH else row.hour.isoformat()
    events.record(
        tx,
        row.organization_id,
        DeliveryInReview(
            mailbox=row.address,
            mailbox_id=row.mailbox_id,
            sequence_id=row.sequence_id,
            delivery_id=delivery_id,
            person=row.person or "a candidate",
            review_reason=row.reason,
            incident=f"review:{row.mailbox_id}:{row.reason}:{when}",
        ),
        f"review:{delivery_id}:{row.attempts}",
        "onbehalf",
        after=_NOTIFIED_TOGETHER,
    )


def give_up_searching(tx: Transaction, mailbox_id: UUID) -> None:
    """Send a mailbox's remaining deliveries in doubt to review if its tokens are erased: at once, and in the same notice.

    The caller has locked the lane.
    """
    for each in _OUT_OF_REACH.all(tx, id=mailbox_id):
        if outcomes.to_review(tx, each, OUT_OF_REACH, at_rest(State.IN_DOUBT)):
            notify_of_review(tx, each)


def notify_of_drafts(tx: Transaction, mailbox_id: UUID, newly: UUID) -> None:
    """Notify the owner of accepted emails still in Drafts: one notice while the oldest of them is there.

    ``newly``: one of them.
    """
    row = _OLDEST_IN_DRAFTS.one(tx, id=mailbox_id)
    events.record(
        tx,
        row.organization_id,
        StillInDrafts(
            mailbox=row.address,
            mailbox_id=mailbox_id,
            incident=f"still_in_drafts:{mailbox_id}:{row.id}",
        ),
        f"still_in_drafts:{newly}",
        "onbehalf",
        after=_NOTIFIED_TOGETHER,
    )
