"""What the mailbox's other emails say of a refusal that names no reason."""

from sqlalchemy import text

from db.core.session import Transaction
from db.sending.claims import Claim
from domain.refusals import UNEXPLAINED, Others


def others(tx: Transaction, claim: Claim) -> Others:
    """Of the same mailbox, but for this delivery. The caller has locked its lane, so that two refusals see each other."""
    row = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM deliveries d WHERE d.mailbox_id = :mailbox_id AND d.state = 'sent'"
            "   AND d.sent_at > CAST(:since AS timestamptz)) AS accepted, count(*) AS refused, min(first_failed_at) AS since"
            " FROM deliveries WHERE mailbox_id = :mailbox_id AND state = 'pending' AND reason = :reason AND id <> :id"
        ),
        {
            "mailbox_id": claim.mailbox_id,
            "id": claim.delivery_id,
            "since": claim.first_failed_at,
            "reason": UNEXPLAINED,
        },
    ).one()
    return Others(row.accepted, row.refused, row.since)
