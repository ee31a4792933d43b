"""The typed arguments of every actor. One name, four places: ``SendStep`` = ``workers/send_step.py`` = actor ``send_step``.

A message carries ids only. Losing it, doubling it or delivering it a day late does no harm.
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
    """Look for an email whose acceptance is in doubt."""

    actor: ClassVar[str] = "reconcile_delivery"
    queue: ClassVar[str] = "reconcile"
    delivery_id: UUID
    dispatch_no: int


@dataclass(frozen=True, slots=True)
class FanOut:
    """Turn one event into one pause per sequence, and have it announced."""

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
    """Once its pauses are made, turn one event into one notice per recipient and one call per webhook."""

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
class CheckMailbox:
    """Ask the provider whether a mailbox can still send. ``round`` tells one planned check from the next."""

    actor: ClassVar[str] = "check_mailbox"
    queue: ClassVar[str] = "reconcile"
    mailbox_id: UUID
    round: str


@dataclass(frozen=True, slots=True)
class CheckDrafts:
    """See whether what was accepted has left a mailbox's Drafts. ``round`` tells one planned check from the next."""

    actor: ClassVar[str] = "check_drafts"
    queue: ClassVar[str] = "reconcile"
    mailbox_id: UUID
    round: str


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Send one event to another program."""

    actor: ClassVar[str] = "call_webhook"
    queue: ClassVar[str] = "webhooks"  # of its own: receivers may be slow, and nothing else waits for them
    event_id: UUID
    webhook_id: UUID


@dataclass(frozen=True, slots=True)
class RunErrand:
    """Do what somebody waits for at a page (``domain/errands.py``)."""

    actor: ClassVar[str] = "run_errand"
    queue: ClassVar[str] = "errands"  # of its own: people wait for it, and withdrawals do
    errand_id: UUID


# Jobs that go through the outbox: committed with the change that caused them, done when consumed.
OutboxJob: TypeAlias = (
    FanOut | PauseSequence | Announce | NotifyOwner | CheckMailbox | CheckDrafts | CallWebhook | RunErrand
)
Job: TypeAlias = SendStep | ReconcileDelivery | OutboxJob
OUTBOX_JOBS: tuple[type[OutboxJob], ...] = (
    FanOut,
    PauseSequence,
    Announce,
    NotifyOwner,
    CheckMailbox,
    CheckDrafts,
    CallWebhook,
    RunErrand,
)
QUEUES = ("send", "reconcile", "events", "webhooks", "errands")
