"""Rows as ``lab/tables.py`` returns them: how far mailboxes are read, and the incoming mail that concerns somebody."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from db.schema import inbox_models as inbox
from db.schema import listening_models as listening
from lab.records import Record


@dataclass(frozen=True, slots=True)
class MailboxRead(Record):
    """How far one mailbox is read."""

    table = listening.mailbox_reads
    mailbox_id: UUID
    watermark: datetime
    read_as_of: datetime | None
    next_read_at: datetime | None
    hinted_at: datetime | None
    round: int
    queued_at: datetime | None
    lease_until: datetime | None
    failures: int
    last_error: str | None
    failing_since: datetime | None
    seen: int
    matched: int
    log_read: str | None
    log_newest: str | None
    log_newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class IncomingMessage(Record):
    """An incoming email that concerns an email of ours or a person."""

    table = listening.incoming_messages
    id: UUID
    mailbox_id: UUID | None
    provider_id: str | None
    message_id: str | None
    sender: str
    subject: str
    received_at: datetime
    kind: str
    matched_by: str | None
    why: str
    delivery_id: UUID | None
    enrollment_id: UUID | None
    candidate_id: UUID | None
    bounce_class: str | None
    bounce_recipient: str | None
    return_on: date | None
    text: bytes | None
    html: bytes | None
    attachments: Any
    answer_class: str | None
    handled_at: datetime | None
    handled_by: str | None
    overruled_at: datetime | None
    status: str
    unassigned_reason: str | None


@dataclass(frozen=True, slots=True)
class ReceivedMail(Record):
    """A message that came to a default address by SMTP."""

    table = inbox.received_mail
    id: UUID
    organization_id: UUID
    address: str
    sender: str
    peer: str
    helo: str
    encrypted: bool
    raw: bytes | None
    size: int
    auth: Any
    received_at: datetime
    processed_at: datetime | None
    failures: int


@dataclass(frozen=True, slots=True)
class IncomingFile(Record):
    """A file of a message that came to a default address."""

    table = inbox.incoming_files
    id: UUID
    name: str
