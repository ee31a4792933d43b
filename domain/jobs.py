"""The typed arguments of every actor.

A job, its module and its actor share a name: ``SendStep`` = ``workers/send_step.py`` = ``send_step``.

A message carries ids only. It does no harm if it is lost, duplicated or delivered a day late.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SendStep:
    """Send one delivery, if ``dispatch_no`` is still the one it was queued with."""

    actor: ClassVar[str] = "send_step"
    queue: ClassVar[str] = "send"
    delivery_id: UUID
    dispatch_no: int


@dataclass(frozen=True, slots=True)
class ReconcileDelivery:
    """Search for an email that is in doubt."""

    actor: ClassVar[str] = "reconcile_delivery"
    queue: ClassVar[str] = "reconcile"
    delivery_id: UUID
    dispatch_no: int


@dataclass(frozen=True, slots=True)
class ReadMailbox:
    """Read what arrived in a mailbox, if ``round`` is still the one it was planned with."""

    actor: ClassVar[str] = "read_mailbox"
    queue: ClassVar[str] = "inbox"  # of its own: nothing that sends waits for it, and it for nothing
    mailbox_id: UUID
    round: int


@dataclass(frozen=True, slots=True)
class FanOut:
    """Turn one event into one pause for each sequence, and have it announced."""

    actor: ClassVar[str] = "fan_out"
    queue: ClassVar[str] = "events"
    event_id: UUID


@dataclass(frozen=True, slots=True)
class PauseSequence:
    """Pause one sequence for one event."""

    actor: ClassVar[str] = "pause_sequence"
    queue: ClassVar[str] = "events"
    event_id: UUID
    sequence_id: UUID


@dataclass(frozen=True, slots=True)
class Announce:
    """Once an event's pauses are made, turn it into one notice for each recipient and one call for each webhook."""

    actor: ClassVar[str] = "announce"
    queue: ClassVar[str] = "events"
    event_id: UUID


@dataclass(frozen=True, slots=True)
class NotifyOwner:
    """Notify one member of one event, once."""

    actor: ClassVar[str] = "notify_owner"
    queue: ClassVar[str] = "events"
    event_id: UUID
    owner_id: UUID


@dataclass(frozen=True, slots=True)
class NotifyChannel:
    """Say in a member's chat channel what their notice says, once."""

    actor: ClassVar[str] = "notify_channel"
    queue: ClassVar[str] = "webhooks"  # as slow as other people's servers
    event_id: UUID
    owner_id: UUID
    channel_id: UUID


@dataclass(frozen=True, slots=True)
class CheckMailbox:
    """Ask the provider whether a mailbox can still send. ``round`` distinguishes one planned check from the next."""

    actor: ClassVar[str] = "check_mailbox"
    queue: ClassVar[str] = "reconcile"
    mailbox_id: UUID
    round: str


@dataclass(frozen=True, slots=True)
class CheckDrafts:
    """Check that accepted emails have left a mailbox's Drafts.

    ``round`` distinguishes one planned check from the next.
    """

    actor: ClassVar[str] = "check_drafts"
    queue: ClassVar[str] = "reconcile"
    mailbox_id: UUID
    round: str


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Send one event to another program."""

    actor: ClassVar[str] = "call_webhook"
    queue: ClassVar[str] = "webhooks"  # its own queue: receivers may be slow, and nothing else waits for them
    event_id: UUID
    webhook_id: UUID


@dataclass(frozen=True, slots=True)
class RunErrand:
    """Do an errand for somebody who waits at a page (``domain/errands.py``)."""

    actor: ClassVar[str] = "run_errand"
    queue: ClassVar[str] = "errands"  # its own queue: people wait for it, and so do withdrawals
    errand_id: UUID


@dataclass(frozen=True, slots=True)
class ProcessMail:
    """Read one message that came to a default address: whose it is, what it is, what follows."""

    actor: ClassVar[str] = "process_mail"
    queue: ClassVar[str] = "inbox"
    received_mail_id: UUID


@dataclass(frozen=True, slots=True)
class ImportPeople:
    """Check or import a file of people, if ``round`` is still the one that was asked for."""

    actor: ClassVar[str] = "import_people"
    queue: ClassVar[str] = "imports"  # of its own: reading a large file takes a processor for a minute
    people_import_id: UUID
    round: str


# Jobs that go through the outbox: committed with the change that caused them, done when consumed.
OutboxJob: TypeAlias = (
    FanOut
    | PauseSequence
    | Announce
    | NotifyOwner
    | NotifyChannel
    | CheckMailbox
    | CheckDrafts
    | CallWebhook
    | RunErrand
    | ProcessMail
    | ImportPeople
)
Job: TypeAlias = SendStep | ReconcileDelivery | ReadMailbox | OutboxJob
OUTBOX_JOBS: tuple[type[OutboxJob], ...] = (
    FanOut,
    PauseSequence,
    Announce,
    NotifyOwner,
    NotifyChannel,
    CheckMailbox,
    CheckDrafts,
    CallWebhook,
    RunErrand,
    ProcessMail,
    ImportPeople,
)
QUEUES = ("send", "reconcile", "events", "webhooks", "errands", "inbox", "imports")
