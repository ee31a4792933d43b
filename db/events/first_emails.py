"""The first email on a permission waits: the mailbox's owner hears of it, once for each time that they ask to read one."""

from db.access import first_emails
from db.core.session import Transaction
from db.events import events
from domain.grant_payloads import FirstEmailWaiting


def notify(tx: Transaction) -> int:
    """Notify the owners of mailboxes from which a first email is to leave; returns how many have not heard of it before."""
    notified = 0
    for each in first_emails.waiting(tx):
        payload = FirstEmailWaiting(
            grant_id=each.grant_id,
            mailbox=each.mailbox,
            person=each.person,
            sequence=each.sequence,
            recipient=each.mailbox_owner_id,
        )
        cause = f"first_email:{each.grant_id}:{each.asked_since}"
        notified += events.record(tx, each.organization_id, payload, cause, "onbehalf") is not None
    return notified
