"""Problems of single deliveries: recorded with the event that tells the owner, one a cause however many people it touches."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.session import Transaction
from db.events import events
from db.mailboxes import mailboxes
from db.sending import gate, lanes, outcomes
from db.sending.claims import Claim
from db.sending.moves import at_rest
from db.sequences import steps
from domain.connection import REFUSED_BY
from domain.delivery import OUT_OF_REACH, State
from domain.events import EventKind, step_cause
from domain.notice import shown_at

_NOTIFIED_TOGETHER = timedelta(seconds=30)  # what happens within it is in the same email


def fail_step(tx: Transaction, claim: Claim, reason: str, explanation: str) -> bool:
    """It will never work for this person: close the step, end the enrollment, tell the owner once a day and reason."""
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
            EventKind.DELIVERIES_FAILED,
            f"failed:{claim.sequence_id}:{reason}:{claim.facts.now.date().isoformat()}",
            "onbehalf",
            {
                "mailbox": claim.content.sender,
                "sequence_id": str(claim.sequence_id),
                "reason": explanation,
                "failed_reason": reason,
            },
        )
    return closed


def refuse_step(tx: Transaction, claim: Claim, explanation: str) -> None:
    """The step's text can be sent to nobody: its people wait, the sequence pauses, its owner is notified once. Locks the lane.

    Edited since it was read, it is tried again as it is now.
    """
    gate.lock_lane(tx, claim.mailbox_id)  # an edit holds it too
    content = claim.content
    current = steps.version_of(tx, content.step_id) == content.version
    if current:
        cause = step_cause(content.step_id, content.version)
        payload = {
            "mailbox": content.sender,
            "sequence_id": str(claim.sequence_id),
            "step": str(content.position),
            "reason": explanation,
        }
        if not events.record(tx, claim.organization_id, EventKind.STEP_REFUSED, cause, "onbehalf", payload):
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
    """A merge field is empty: this person waits, with a reason; the email never goes out with a hole."""
    reason = f"missing_merge_field: {field}"
    now = claim.facts.now
    back = outcomes.Release(now, reason, held=True, unsent=claim.send_started_at is None)
    if not outcomes.release(tx, claim.delivery_id, back, claim.held):
        return
    tx.execute(
        text(
            "UPDATE enrollments SET status = 'paused', reason = :reason, paused_at = clock_timestamp()"
            " WHERE id = :id AND status = 'active'"
        ),
        {"id": claim.enrollment_id, "reason": reason},
    )
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
        EventKind.PEOPLE_BLOCKED,
        f"merge_field:{claim.content.step_id}:{claim.content.version}:{field}",
        "onbehalf",
        {
            "mailbox": claim.content.sender,
            "sequence_id": str(claim.sequence_id),
            "field": field,
            "blocked_reason": reason,
        },
    )


def notify_of_limit(tx: Transaction, claim: Claim, until: datetime, *, unexplained: bool = False) -> None:
    """The provider takes no emails for now: one notice, however often it is met while it lasts. Locks the lane.

    ``unexplained``: it refuses several people in a row and names no reason; else its sending limit is reached.
    """
    since = lanes.limited_since(tx, claim.mailbox_id)
    events.record(
        tx,
        claim.organization_id,
        EventKind.SENDING_LIMIT_REACHED,
        f"limit:{claim.mailbox_id}:{since.isoformat()}",
        "onbehalf",
        {
            "mailbox": claim.content.sender,
            "mailbox_id": str(claim.mailbox_id),
            "provider": REFUSED_BY[claim.facts.provider],
            "until": shown_at(until, mailboxes.zone_of(tx, claim.mailbox_id)),
            **({"unexplained": "yes"} if unexplained else {}),
        },
    )


def notify_of_review(tx: Transaction, delivery_id: UUID) -> None:
    """Record the event by which the owner hears of a delivery that only a person can settle.

    What comes of one cause is one notice: of one lost connection, or within an hour for the same reason in one mailbox.
    """
    row = tx.execute(
        text(
            "SELECT d.organization_id, d.sequence_id, d.mailbox_id, b.address, d.attempts, d.reason, b.connection_version,"
            " date_trunc('hour', clock_timestamp()) AS hour,"
            " trim(c.first_name || ' ' || c.last_name) AS person"
            " FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id"
            " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id WHERE d.id = :id"
        ),
        {"id": delivery_id},
    ).one()
    when = row.connection_version if row.reason == OUT_OF_REACH else row.hour.isoformat()
    events.record(
        tx,
        row.organization_id,
        EventKind.DELIVERY_IN_REVIEW,
        f"review:{delivery_id}:{row.attempts}",
        "onbehalf",
        {
            "mailbox": row.address,
            "mailbox_id": str(row.mailbox_id),
            "sequence_id": str(row.sequence_id),
            "delivery_id": str(delivery_id),
            "person": row.person or "a candidate",
            "review_reason": row.reason,
            "incident": f"review:{row.mailbox_id}:{row.reason}:{when}",
        },
        after=_NOTIFIED_TOGETHER,
    )


def give_up_searching(tx: Transaction, mailbox_id: UUID) -> None:
    """Where a mailbox's tokens are erased, what else is in doubt there is for a person too: at once, and in the same notice.

    The caller has locked the lane.
    """
    ids = tx.execute(
        text(
            "SELECT d.id FROM deliveries d WHERE d.mailbox_id = :id AND d.state = 'in_doubt' AND NOT EXISTS"
            " (SELECT FROM credentials c WHERE c.mailbox_id = d.mailbox_id AND c.renewable) ORDER BY d.id"
        ),
        {"id": mailbox_id},
    ).scalars()
    for each in ids.all():
        if outcomes.to_review(tx, each, OUT_OF_REACH, at_rest(State.IN_DOUBT)):
            notify_of_review(tx, each)


def notify_of_drafts(tx: Transaction, mailbox_id: UUID, newly: UUID) -> None:
    """Emails were accepted and have not left Drafts: one notice, while the oldest of them lies there. ``newly``: one of them."""
    row = tx.execute(
        text(
            "SELECT d.id, d.organization_id, b.address FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id"
            " WHERE d.mailbox_id = :id AND d.still_draft_at IS NOT NULL ORDER BY d.sent_at, d.id LIMIT 1"
        ),
        {"id": mailbox_id},
    ).one()
    events.record(
        tx,
        row.organization_id,
        EventKind.STILL_IN_DRAFTS,
        f"still_in_drafts:{newly}",
        "onbehalf",
        {
            "mailbox": row.address,
            "mailbox_id": str(mailbox_id),
            "incident": f"still_in_drafts:{mailbox_id}:{row.id}",
        },
        after=_NOTIFIED_TOGETHER,
    )
