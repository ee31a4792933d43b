"""What a mailbox's other emails say about a refusal without a reason."""

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.sending.claims import Claim
from domain.refusals import GIVEN_UP, UNEXPLAINED, Others

_OTHERS = SqlFile(__name__).statement("others", Others)


def others(tx: Transaction, claim: Claim) -> Others:
    """Return the facts of the mailbox's other deliveries. The caller has locked its lane, so that two refusals see each other."""
    return _OTHERS.one(
        tx,
        mailbox_id=claim.mailbox_id,
        id=claim.delivery_id,
        since=claim.first_failed_at,
        reason=UNEXPLAINED,
        given_up=GIVEN_UP,
    )
