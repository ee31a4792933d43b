"""What every mail provider offers, as types. SMTP does not offer ``Traceable``.

A transport serves one mailbox for one delivery. It is cheap to create, keeps no state beyond the delivery, and is called
from plain threads. It raises only ``domain.errors.ProviderError``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from domain.message import OutgoingMessage

MAX_REFERENCES = 20  # Message-IDs in one header
MAX_RAW = 1024 * 1024  # bytes of an email as MIME; a report comes before the email that it returns


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token. ``repr`` hides the value, so that no log line or traceback can show it."""

    value: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"AccessToken(***, expires_at={self.expires_at.isoformat()})"


class TokenSource(Protocol):
    """Returns the mailbox owner's access token as of the call, never one from an earlier delivery."""

    @property
    def organization(self) -> str:
        """Whose mailbox it is, for what one mailbox shows of all; empty: unknown."""
        ...

    def token(self, claims: str | None = None) -> AccessToken:
        """Return a token that is valid now; with ``claims``, a challenge's JSON text, a newer one than the refused.

        Raises ``ConnectionRefused`` or ``ProviderUnavailable``.
        """
        ...


@dataclass(frozen=True, slots=True)
class User:
    """Whose mailbox it is, of a tenant to which the application has access as a whole."""

    tenant_id: str
    account_id: str
    address: str


@runtime_checkable
class AppTokens(TokenSource, Protocol):
    """The application's own tokens for one mailbox."""

    def user(self) -> User:
        """Return whose mailbox it is. Raises ``MailboxDisconnected``, ``ProviderUnavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class Thread:
    """The email that another one answers: its correlation id, and its subject in case the email is gone.

    ``draft_id``: the submitted draft, which identifies it until it has left Drafts. ``internet_message_id``, ``conversation_id``: its
    own, if known. ``item_id``: of what somebody else wrote, which has no correlation id. ``left``: it is known to have left Drafts.
    """

    correlation_id: str
    subject: str
    draft_id: str
    internet_message_id: str = ""
    references: tuple[str, ...] = ()  # Message-IDs of all emails in the thread, oldest first
    item_id: str = ""
    conversation_id: str = ""
    left: bool = False

    @property
    def chain(self) -> str:
        """The value of References: the first email, those before the parent, the parent (RFC 5322, 3.6.4).

        A long thread keeps its first and last ids, as RFC 5537 (3.4.4) says, because servers limit headers.
        """
        before = [each for each in self.references if each != self.internet_message_id]
        return " ".join([*before[:1], *before[1:][-MAX_REFERENCES + 2 :], self.internet_message_id])


@dataclass(frozen=True, slots=True)
class Draft:
    """An email that is ready in the mailbox and that nobody outside has seen."""

    id: str
    internet_message_id: str = ""
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An item with a correlation id. ``is_draft`` False: it left. True proves nothing, because the copy leaves first."""

    id: str
    is_draft: bool
    internet_message_id: str = ""
    conversation_id: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the email (Graph: 202). ``request_id`` is the provider's, for its support."""

    request_id: str = ""


# Kinds of mailboxes that are not a person's own (Graph, ``userPurpose``), in words.
UNUSABLE = {"shared": "a shared mailbox", "room": "a room", "equipment": "equipment"}


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """What the provider says about a mailbox. ``settings`` is JSON for ``mailboxes.settings``:
    ``{"zone", "window": SendWindow json | null, "absences": [{"starts", "ends" | null}], "purpose"}``.

    ``addresses``: the account's own first. ``sends_as_any``: an email may name each of them as its sender, not only the first.
    """

    addresses: Sequence[str]
    account_id: str
    tenant_id: str
    settings: Mapping[str, object]
    sends_as_any: bool = False

    def sends_as(self, address: str) -> str:
        """Return the address from which a mailbox sends that was listed under this one."""
        return address if self.sends_as_any and address in self.addresses else self.addresses[0]


@dataclass(frozen=True, slots=True)
class Header:
    """An item in a mailbox, whoever wrote it, without its text. Drafts and what the owner sent are items too.

    Message-IDs have no angle brackets; addresses and header names are in lower case. ``provider_id`` stays the same when the item
    moves. ``headers``: as received; none if the provider has dropped them, in which case ``in_reply_to`` and ``references`` may
    be known all the same. ``correlation_id``: ours, on what we wrote; "" on everything else, such as what the owner wrote by hand.
    ``message_class``: Exchange's item class, "" if unknown. ``original_message_id``: of the email that a report is about, if known.
    """

    provider_id: str
    received_at: datetime
    internet_message_id: str = ""
    conversation_id: str = ""
    sender: str = ""
    sender_name: str = ""
    recipients: tuple[str, ...] = ()  # To, then Cc
    subject: str = ""
    is_draft: bool = False
    in_sent_items: bool = False
    correlation_id: str = ""
    message_class: str = ""
    original_message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of an email, by name. ``size``: bytes, as the provider counts them."""

    name: str
    size: int
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What an email says.

    ``text``: plain, with what it quotes. ``new_text``: without it, where the provider can tell; otherwise the same. ``html``: as
    received, so unsafe to show. ``cut``: it was too long, so there is only its beginning, and no HTML.
    """

    text: str
    new_text: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    cut: bool = False


class Transport(Protocol):
    """What every provider can do."""

    def verify(self) -> MailboxFacts:
        """Ask the provider for the mailbox's identity and settings. Raises subclasses of ``ConnectionRefused``."""
        ...

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        """Create the draft with its correlation id. It is invisible outside and safe to repeat. ``thread``: answer that email."""
        ...

    def send(self, draft: Draft) -> Accepted:
        """Submit the draft once, without any retry. Raises ``DeliveryInDoubt`` for every answer that leaves it in doubt."""
        ...

    def close(self) -> None:
        """Release everything held for this delivery, including a draft that only this process has."""
        ...


@runtime_checkable
class Traceable(Transport, Protocol):
    """A provider that can search its mailboxes, so that doubt can be settled."""

    def find(self, correlation_id: str) -> Sequence[Found]:
        """Return all items with the correlation id, in every folder."""
        ...

    def update(self, draft: Draft, message: OutgoingMessage) -> Draft:
        """Replace the content of a certainly unsent draft, because the step was edited."""
        ...

    def recall(self, draft_id: str) -> bool:
        """Delete a draft from Drafts permanently, so that a late request finds nothing to send.

        True: it was there and is gone. False: it was not in Drafts. Neither proves that nothing left.
        """
        ...


@runtime_checkable
class Reads(Protocol):
    """A provider whose mailboxes can be read."""

    def incoming(self, since: datetime) -> Iterator[Sequence[Header]]:
        """Yield pages of what was received at ``since`` or later, oldest first, over all folders. No page is empty.

        An item may come twice. What arrives during the iteration may be left out, even behind what arrived later, so the next
        one has to begin earlier than this one ended. Asks the provider, and raises, as the iteration goes on.
        """
        ...

    def message(self, provider_id: str) -> Content | None:
        """Return what an item says. None: it is gone."""
        ...

    def raw(self, provider_id: str) -> bytes | None:
        """Return an item as MIME: its first ``MAX_RAW`` bytes. None: it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Added:
    """What came into a mailbox since a bookmark, and where its log stood before the first page was asked for."""

    stands: str
    pages: Iterator[Sequence[Header]]


@runtime_checkable
class KeepsLog(Reads, Protocol):
    """A provider that keeps a log of what comes into a mailbox, for a while. Bookmarks are good for one connection's account."""

    def stands(self) -> str:
        """Return a bookmark of where the log stands now."""
        ...

    def added(self, since: str) -> Added | None:
        """Return what the log has since a bookmark, as ``incoming`` but in no order. None: it does not say for sure, so read by time."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A provider that lets a mailbox ask only so much a minute, for reading and sending together."""

    def gives_way(self) -> timedelta:
        """Return how long the mailbox's emails should wait for what was read since the last call."""
        ...


@runtime_checkable
class HidesReplies(Reads, Protocol):
    """A provider at which ``incoming`` leaves out some automatic replies (Exchange: those of the same organization)."""

    def written_by(self, address: str) -> Sequence[Header]:
        """Return the newest items from an address, with those that ``incoming`` leaves out."""
        ...


@runtime_checkable
class ListsDrafts(Protocol):
    """A provider at which an accepted email may stay in Drafts."""

    def drafts(self) -> frozenset[str]:
        """The ids of everything that lies in Drafts."""
        ...


@runtime_checkable
class KnowsDomains(Protocol):
    """A provider that has made sure which domains its customers own."""

    def verified_domains(self, tenant_id: str) -> frozenset[str]:
        """The domains of the tenant of this mailbox; none when it is of another one."""
        ...
