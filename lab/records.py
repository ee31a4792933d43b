"""Rows as ``lab/tables.py`` returns them: sequences, deliveries, and what is recorded of them.

One record per table, with the columns that tests use. Organizations, members and mailboxes are in ``lab/access_records.py``,
incoming mail is in ``lab/listening_records.py``.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, Table

from db.schema import audit_models as audit
from db.schema import delivery_models as sending
from db.schema import sequence_models as outreach


class Record:
    """One row of ``table``; its fields are columns."""

    __slots__ = ()
    table: ClassVar[Table]


def columns_of(kind: type[Record]) -> list[Column[Any]]:
    """Return the columns of a record, in the order of its fields."""
    return [kind.table.c[each.name] for each in fields(kind)]  # type: ignore[arg-type]  # every subclass is a dataclass


@dataclass(frozen=True, slots=True)
class Sequence(Record):
    """A sequence of emails to many people."""

    table = outreach.sequences
    id: UUID
    owner_id: UUID
    mailbox_id: UUID
    name: str
    status: str
    paused_reason: str | None
    set_back_at: datetime | None
    set_back_by: str | None
    kind: str
    stop_scope: str | None
    opt_out_line: str | None
    with_signature: bool
    sending: Any
    fields: list[str]


@dataclass(frozen=True, slots=True)
class HandoverRequest(Record):
    """Somebody is asked to take a sequence over."""

    table = outreach.handover_requests
    id: UUID
    sequence_id: UUID
    to_owner_id: UUID
    status: str


@dataclass(frozen=True, slots=True)
class Step(Record):
    """One email of a sequence, as a template."""

    table = outreach.steps
    id: UUID
    position: int
    delay: str
    at: str | None
    subject: str | None
    body: str
    kind: str
    version: int
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate(Record):
    """A person that emails are for."""

    table = outreach.candidates
    id: UUID
    email: str
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: Any
    away_until: datetime | None
    away_since: datetime | None
    away_message_id: UUID | None
    unclear_until: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Enrollment(Record):
    """A candidate in a sequence."""

    table = outreach.enrollments
    id: UUID
    sequence_id: UUID
    candidate_id: UUID
    status: str
    reason: str | None
    run: int

    @property
    def standing(self) -> tuple[str, str | None]:
        """Return its status and the reason."""
        return self.status, self.reason


@dataclass(frozen=True, slots=True)
class Delivery(Record):
    """One step for one candidate."""

    table = sending.deliveries
    id: UUID
    enrollment_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    attempts: int
    releases: int
    state: str
    outcome: str | None
    reason: str | None
    due_at: datetime
    held: bool
    failures: int
    correlation_id: str | None
    draft_id: str | None
    recalled_draft: str | None
    grace_until: datetime | None
    sent_at: datetime | None
    sent_to: str | None
    not_before: datetime | None
    own_subject: str | None
    own_body: str | None
    approval: Any

    @property
    def standing(self) -> tuple[str, str | None]:
        """Return its state and the reason."""
        return self.state, self.reason


@dataclass(frozen=True, slots=True)
class Receipt(Record):
    """The record of an email that was sent, and by whose permission."""

    table = sending.receipts
    delivery_id: UUID
    sender: str
    authority: str
    grant_id: UUID | None
    internet_message_id: str | None
    known_by: str
    template_version: str
    accepted_at: datetime
    checks: Any

    def detail(self, check: str) -> str | None:
        """Return what it says of one check."""
        return next((each["detail"] for each in self.checks if each["check"] == check), None)


@dataclass(frozen=True, slots=True)
class Event(Record):
    """What happened, with a typed payload."""

    table = sending.events
    id: UUID
    kind: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Pause(Record):
    """A sequence that an event paused."""

    table = sending.pauses
    sequence_id: UUID
    event_id: UUID
    cause_key: str
    people: int


@dataclass(frozen=True, slots=True)
class Notice(Record):
    """A notice to one member on one channel."""

    table = sending.notices
    id: UUID
    owner_id: UUID
    cause_key: str
    channel: str
    title: str
    body: str
    links: Any
    mail_state: str | None
    read_at: datetime | None
    opened_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    escalated_at: datetime | None
    closed_at: datetime | None
    in_summary: bool | None


@dataclass(frozen=True, slots=True)
class OutboxJob(Record):
    """A job for a worker."""

    table = sending.outbox
    id: UUID
    available_at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry(Record):
    """One line of the audit log."""

    table = audit.audit_entries
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject: str
    data: Any
    position: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Suppression(Record):
    """An address or a domain that gets no more emails."""

    table = outreach.suppressions
    id: UUID
    kind: str
    value: str | None
    reason: str
    source: str
    created_by: str
    lifted_at: datetime | None
