"""Problems of single deliveries: recorded with the event that tells the owner, one a cause however many people it touches."""

from uuid import UUID

from sqlalchemy import text

from db import audit, events, outcomes
from db.claims import Claim
from db.session import Transaction
from domain.delivery import State
from domain.events import EventKind

_BEFORE_SENT = (State.PREPARING, State.DRAFTED, State.SENDING)


def fail_step(tx: Transaction, claim: Claim, reason: str, explanation: str) -> bool:
    """It will never work for this person: close the step, end the enrollment, tell the owner once a day and reason."""
    closed = outcomes.close(
        tx,
        claim.delivery_id,
        "failed",
        reason,
        lease_token=claim.lease_token,
        actor="onbehalf",
        from_states=_BEFORE_SENT,
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


def block_person(tx: Transaction, claim: Claim, field: str) -> None:
    """A merge field is empty: this person waits, with a reason; the email never goes out with a hole."""
    reason = f"missing_merge_field: {field}"
    now = claim.facts.now
    back = outcomes.Handback(now, reason, held=True, unsent=claim.send_started_at is None)
    if not outcomes.hand_back(
        tx,
        claim.delivery_id,
        back,
        lease_token=claim.lease_token,
        from_states=_BEFORE_SENT,
    ):
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


def tell_of_review(tx: Transaction, delivery_id: UUID) -> None:
    """Record the event by which the owner hears of a delivery that only a person can settle."""
    row = tx.execute(
        text(
            "SELECT d.organization_id, d.sequence_id, d.mailbox_id, b.address, d.attempts,"
            " trim(c.first_name || ' ' || c.last_name) AS person"
            " FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id"
            " JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id WHERE d.id = :id"
        ),
        {"id": delivery_id},
    ).one()
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
        },
    )
