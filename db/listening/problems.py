"""What owners hear of a mailbox that cannot be read."""

from datetime import datetime

from db.core.session import Transaction
from db.events import events
from db.listening.reads import Reading
from db.mailboxes import mailboxes
from domain.connection import REFUSED_BY
from domain.event_payloads import MailboxNotRead
from domain.notice import shown_at


def notify_of_unread(tx: Transaction, reading: Reading, since: datetime) -> None:
    """Notify the owners whose follow-ups wait because the mailbox cannot be read: one notice per incident."""
    events.record(
        tx,
        reading.organization_id,
        MailboxNotRead(
            mailbox=reading.addresses[0],
            mailbox_id=reading.mailbox_id,
            provider=REFUSED_BY[reading.provider],
            since=shown_at(since, mailboxes.zone_of(tx, reading.mailbox_id)),
        ),
        f"not_read:{reading.mailbox_id}:{since.isoformat()}",
        "onbehalf",
    )
