"""The events of a hand-over that somebody asks for. A finished one is ``SequenceHandedOver``."""

from dataclasses import dataclass
from uuid import UUID

from domain.events import EventKind, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverAsked(Payload):
    """Somebody (``actor``) asks a member to take a sequence over. ``reason``: in their own words."""

    kind = EventKind.HANDOVER_ASKED
    request_id: UUID
    sequence: str
    actor: str
    reason: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDeclined(Payload):
    """A member (``actor``) does not take a sequence over. ``recipient``: who had asked."""

    kind = EventKind.HANDOVER_DECLINED
    sequence_id: UUID
    sequence: str
    actor: str
    recipient: UUID
