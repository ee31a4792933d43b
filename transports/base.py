"""What every mail provider offers, as types. ``Traceable`` is the half that SMTP does not have.

A transport serves one mailbox for one delivery: it is cheap to make, holds no state that outlives the
delivery, and is called from plain threads. It raises ``domain.errors.ProviderError`` and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from domain.message import OutgoingMessage

MAX_REFERENCES = 20  # Message-IDs in one header


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token. ``repr`` hides it, so that no log line or traceback can show it."""

    value: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"AccessToken(***, expires_at={self.expires_at.isoformat()})"


class TokenSource(Protocol):
    """Gives the mailbox owner's access token at the moment of the call, never from an older delivery.

    ``claims`` is the JSON text of a claims challenge: the answer must be a token newer than the refused one.
    """

    def token(self, claims: str | None = None) -> AccessToken:
        """A token that is good now. Raises ``ConnectionRefused`` or ``ProviderUnavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class Thread:
    """The email a follow-up answers: the correlation id it was sent with, and the subject for the case that it is gone.

    ``draft_id``: of the draft that was submitted, by which it is known while it has not left Drafts.
    ``internet_message_id``: its Message-ID, where it is known.
    """

    correlation_id: str
    subject: str
    draft_id: str
    internet_message_id: str = ""
    references: tuple[str, ...] = ()  # the Message-IDs of all emails of the thread, the oldest first

    @property
    def chain(self) -> str:
        """The value of References: the first email, those before the parent, the parent (RFC 5322, 3.6.4).

        A long thread keeps its first and its last ids, as RFC 5537 (3.4.4) says: servers limit headers.
        """
        before = [each for each in self.references if each != self.internet_message_id]
        return " ".join([*before[:1], *before[1:][-MAX_REFERENCES + 2 :], self.internet_message_id])


@dataclass(frozen=True, slots=True)
class Draft:
    """An email that stands ready in the mailbox and that nobody outside has seen."""

    id: str
    internet_message_id: str = ""
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One item that carries a correlation id. ``is_draft`` false = it left; true proves nothing (the copy leaves first)."""

    id: str
    is_draft: bool
    internet_message_id: str = ""
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the email (Graph: 202). ``request_id`` is the provider's, for their support."""

    request_id: str = ""


# What is not a person's own mailbox (Graph, ``userPurpose``), in words.
UNUSABLE = {"shared": "a shared mailbox", "room": "a room", "equipment": "equipment"}


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """What the provider says of a mailbox. ``settings`` is JSON for ``mailboxes.settings``:
    ``{"zone", "window": SendWindow json | null, "absences": [{"starts", "ends" | null}], "purpose"}``."""

    addresses: Sequence[str]
    account_id: str
    tenant_id: str
    settings: Mapping[str, object]


class Transport(Protocol):
    """Every provider can do this."""

    def verify(self) -> MailboxFacts:
        """Ask the provider who this mailbox is and how it is set. Raises ``ConnectionRefused`` kinds."""
        ...

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        """Create the draft with its correlation id; invisible outside, safe to repeat. ``thread``: answer that email."""
        ...

    def send(self, draft: Draft) -> Accepted:
        """Submit the draft, once, with no retry anywhere. Raises ``DeliveryUnknown`` for every answer that leaves it in doubt."""
        ...

    def close(self) -> None:
        """Give back what is held for this delivery: a draft that only this process has goes with it."""
        ...


@runtime_checkable
class Traceable(Transport, Protocol):
    """A provider that can be asked afterwards, so that doubt can be settled."""

    def find(self, correlation_id: str) -> Sequence[Found]:
        """All items of the mailbox that carry the correlation id, in every folder."""
        ...

    def update(self, draft: Draft, message: OutgoingMessage) -> Draft:
        """Give a certainly unsent draft new words (the step was edited)."""
        ...

    def recall(self, draft_id: str) -> bool:
        """Remove a draft from Drafts for good, so that a late request finds nothing to send.

        True: it was there and is gone. False: it was not in Drafts. Neither proves that nothing left.
        """
        ...


@runtime_checkable
class ListsDrafts(Protocol):
    """A provider at which an accepted email may stay in Drafts."""

    def drafts(self) -> frozenset[str]:
        """The ids of everything that lies in Drafts."""
        ...


@runtime_checkable
class Subscribes(Protocol):
    """A provider that calls us when something changes in a mailbox."""

    def subscribe(self, url: str, secret: str, until: datetime) -> str:
        """Have ``url`` called; returns the subscription's id. ``secret`` comes back with every call."""
        ...

    def renew_subscription(self, subscription_id: str, until: datetime) -> bool:
        """Let it live until then. False: it is gone."""
        ...


@runtime_checkable
class KnowsDomains(Protocol):
    """A provider that has made sure which domains its customers own."""

    def verified_domains(self, tenant_id: str) -> frozenset[str]:
        """The domains of the tenant of this mailbox; none when it is of another one."""
        ...
