"""Settle by hand what only a person can know: did this email leave? Audited, and final."""

from typing import Literal
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.audit import audit
from db.core.session import database_now
from db.sending import outcomes, reviews
from db.sending.moves import at_rest
from db.sending.outcomes import SentFacts
from domain.delivery import State
from domain.errors import InvalidInput, NotFound, NotPermitted

log = structlog.get_logger()

Verdict = Literal["sent", "not_sent", "skip"]


def settle(runtime: Runtime, delivery_id: UUID, *, verdict: Verdict, actor: str, because: str) -> None:
    """``sent``: it is in Sent Items; the next step follows. ``not_sent``: it did not leave; it goes through the gate
    again. ``skip``: let it be; the person gets no further steps. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    if not because.strip():
        raise InvalidInput(
            "A reason is needed.",
            where="because",
            fix="Say in a few words how you know.",
        )
    with runtime.database.transaction() as tx:
        review = reviews.load(tx, delivery_id)
        if review is None:
            raise NotFound("There is no such delivery.")
        if review.state != State.REVIEW:
            raise NotPermitted(f"This delivery is {review.state}; only one in review can be settled by hand.")
        audit.write(
            tx,
            review.organization_id,
            actor,
            "review_settled",
            f"delivery:{delivery_id}",
            {"verdict": verdict, "because": because},
        )
        expected = at_rest(State.REVIEW)
        match verdict:
            case "sent":
                if not review.passed_gate:
                    raise NotPermitted(
                        "This email never passed the gate, so there is no authority to write a receipt for; skip it."
                    )
                facts = SentFacts("person")
                outcomes.record_sent(
                    tx,
                    delivery_id,
                    facts,
                    expected,
                    actor=actor,
                )
            case "not_sent":
                # The person vouches for it: the doubt is over, and the draft, if it is still there, is sent as it is.
                back = outcomes.Release(database_now(tx), unsent=True, fresh=True)
                outcomes.release(tx, delivery_id, back, expected)
            case "skip":
                outcomes.close(
                    tx,
                    delivery_id,
                    "skipped",
                    "settled_by_hand",
                    expected,
                    actor=actor,
                )
    log.info("review_settled", delivery_id=str(delivery_id), verdict=verdict)
