"""An incoming email, an email of ours that it may be about, and the match of the two. Providers and parsers fill these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient of a report (RFC 3464, section 2.3).

    ``address``: lower case. ``action``: failed, delayed, delivered, relayed, expanded, or "". ``status``: RFC 3463, such as
    "5.1.1", or "". ``diagnostic``: what the server said, without its type, white space folded.
    """

    address: str
    action: str = ""
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A machine's report about an email.

    ``kind``: the report-type (RFC 6522) in lower case: ``delivery-status``, ``disposition-notification``, ``feedback-report``;
    ``text`` for a report that only its words, its headers or its sender give away. ``original_ids``: Message-IDs of the email it
    is about, without angle brackets. ``original_text``: what the report quotes of that email's headers and text.
    """

    kind: str
    recipients: tuple[ReportedRecipient, ...] = ()
    original_ids: tuple[str, ...] = ()
    original_sender: str = ""
    original_text: str = ""
    feedback: str = ""  # the Feedback-Type of RFC 5965


@dataclass(frozen=True, slots=True)
class Incoming:
    """One email that came, whatever brought it.

    Message-IDs are without angle brackets, addresses in lower case ("" for none), header names in lower case. ``provider_id``: the
    mailbox's own id of it. ``conversation_id``: the provider's, or that of a ``Thread-Index`` header. ``text``: plain and decoded,
    with what it quotes; HTML is text already; "" if there is none or it was not read. ``message_class``: Exchange's item class.
    ``calendar``: the METHOD of a calendar part (RFC 5546), in upper case.
    """

    sender: str
    received_at: datetime
    provider_id: str | None = None
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    conversation_id: str | None = None
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""
    report: Report | None = None
    message_class: str | None = None
    calendar: str | None = None

    def header(self, name: str) -> str:
        """The first header of that lower-case name, white space folded, or ""."""
        return " ".join((self.headers.get(name) or ("",))[0].split())


@dataclass(frozen=True, slots=True)
class Sent:
    """One email of ours. ``message_id`` and ``conversation_id`` as read back from the mailbox, ids without angle brackets.

    ``recipient_addresses``: all that the candidate is known by, the recipient among them. ``references``: ids in our own In-Reply-To
    and References. ``token``: of the opt-out address and link. ``text``: what we wrote, if at hand: its lines in an answer are quotes.
    """

    delivery_id: UUID
    message_id: str | None
    conversation_id: str | None
    recipient: str
    sender: str
    sent_at: datetime
    recipient_addresses: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    token: str | None = None
    text: str = ""


class MatchedBy(StrEnum):
    """How an incoming email was found to concern one of ours; the surest first."""

    MESSAGE_ID = "message_id"
    CONVERSATION = "conversation"
    ADDRESS = "address"
    THREAD_STRANGER = "thread_stranger"


@dataclass(frozen=True, slots=True)
class Match:
    """An incoming email concerns ``sent``. ``why``: one sentence for a person."""

    sent: Sent
    matched_by: MatchedBy
    why: str


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message. ``content`` None: it is too large to keep. ``size``: bytes."""

    name: str
    content_type: str
    size: int
    content: bytes | None
