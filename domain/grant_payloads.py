"""What the events of permissions carry: given, asked for, and ended."""

from dataclasses import dataclass
from uuid import UUID

from domain.event_payloads import ActOnMailbox
from domain.events import EventKind, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantEnded(ActOnMailbox):
    """A permission ended. ``grant_id`` None: noticed at the gate, for one sequence's owner."""

    grant_id: UUID | None = None
    grantee_id: UUID | None = None  # None: everyone
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRevoked(GrantEnded):
    """Somebody ended a permission."""

    kind = EventKind.GRANT_REVOKED


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantExpired(GrantEnded):
    """A permission reached its end."""

    kind = EventKind.GRANT_EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantMissing(ActOnMailbox):
    """There never was a permission."""

    kind = EventKind.GRANT_MISSING
    grantee_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantGiven(ActOnMailbox):
    """Somebody gave a permission. ``grantee_id``, ``recipient``: None for everyone."""

    kind = EventKind.GRANT_GIVEN
    grant_id: UUID
    grantee_id: UUID | None = None
    recipient: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantEndsSoon(ActOnMailbox):
    """A permission ends soon. ``grantee_id``: None for everyone."""

    kind = EventKind.GRANT_ENDS_SOON
    grant_id: UUID
    grantee_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantAsked(Payload):
    """Somebody asks for a permission. ``reason``: in the requester's words.

    ``program``: the program that asked in the requester's place; empty if they asked themselves.
    """

    kind = EventKind.GRANT_ASKED
    request_id: UUID
    mailbox: str
    person: str
    program: str
    reason: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantDeclined(Payload):
    """A mailbox's owner declined a request. ``recipient``: who had asked."""

    kind = EventKind.GRANT_DECLINED
    mailbox: str
    actor: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantToConfirm(ActOnMailbox):
    """Somebody gave a permission in the mailbox owner's name. ``person``: the addresses of those who may send."""

    kind = EventKind.GRANT_TO_CONFIRM
    person: str
    recipient: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstEmailWaiting(Payload):
    """The first email on a permission waits for the mailbox's owner. ``person``: whose sequence it is."""

    kind = EventKind.FIRST_EMAIL_WAITING
    grant_id: UUID
    mailbox: str
    person: str
    sequence: str
    recipient: UUID
