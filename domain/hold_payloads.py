"""What the events of holds carry. A drain is no event: it is the operators' own, and short."""

from dataclasses import dataclass
from uuid import UUID

from domain.event_payloads import ActOnMailbox
from domain.events import EventKind, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxHeld(ActOnMailbox):
    """Somebody stopped all sending from a mailbox. ``reason``: in their own words. ``level``: whose hold it is. ``until``: in words."""

    kind = EventKind.MAILBOX_HELD
    hold_id: UUID
    reason: str
    level: str
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationHeld(Payload):
    """Somebody stopped all sending of an organization. The rest as in ``MailboxHeld``."""

    kind = EventKind.ORGANIZATION_HELD
    actor: str
    hold_id: UUID
    reason: str
    level: str
    until: str | None = None
