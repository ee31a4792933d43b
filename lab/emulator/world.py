"""Everything the emulator knows: users, mailboxes, tokens, switches, and the ledger of what recipients would receive."""

import base64
import hashlib
import itertools
import secrets
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from lab.emulator.properties import correlation_id_of, headers_of
from lab.emulator.records import Arrival, Behaviour, LedgerEntry, Pending, Token
from lab.emulator.switches import SWITCHES

__all__ = ["FOLDERS", "LISTED", "LedgerEntry", "Mail", "Mailbox", "Message", "Token", "World", "folder_id"]

FOLDERS = ("inbox", "drafts", "sentitems", "deleteditems")
LISTED = (*FOLDERS, "junkemail", "archive")  # what /me/messages shows


@dataclass(slots=True)
class Message:
    """An item in a mailbox. ``data`` is what Graph shows; times are monotonic seconds."""

    id: str
    folder: str
    data: dict[str, Any]
    properties: dict[str, str] = field(default_factory=dict)  # normalized id -> value
    accepted_at: float | None = None
    copied_at: float | None = None
    in_reply_to: str = ""
    sent_with: str = ""
    references: str = ""
    stuck: str = ""  # accepted, but never leaves Drafts: kept (nothing leaves) or copied
    refused: bool = False  # executed, but answered with a refusal, so asking again is right
    received: float = 0.0  # as Exchange compares it, in seconds since 1970; Graph shows whole ones
    raw: str = ""  # as it came, each character a byte
    text: str = ""
    unique: str = ""  # the text without what it quotes
    attachments: list[dict[str, Any]] = field(default_factory=list)
    hidden: bool = False  # left out of lists
    drops_headers: bool = False
    draft_id: str = ""  # Gmail's, which stays while the draft's message changes


@dataclass(slots=True)
class Mailbox:
    """A user and their mailbox."""

    address: str
    name: str
    user_id: str
    tenant_id: str
    password: str = "demo-password"
    purpose: str = "user"
    enabled: bool = True
    has_mailbox: bool = True
    time_zone: str = "UTC"
    working_hours: dict[str, Any] | None = None
    automatic_replies: dict[str, Any] = field(default_factory=lambda: {"status": "disabled"})
    switches: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    purged: list[Message] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    window_began: float = 0.0  # of the request rate
    window_count: int = 0
    accepted: list[float] = field(default_factory=list)
    moving: dict[str, None] = field(default_factory=dict)  # accepted items in transit, by id
    marked: dict[str, dict[str, None]] = field(
        default_factory=dict
    )  # ids by extended property, which may be out of date
    refusal: str = ""  # an AADSTS code for every refresh of this user
    granted: str | None = None  # scopes the user consents to; None = all requested
    consented: str = ""  # scopes consented to by the user or an administrator; any refresh token yields them
    user_principal_name: str = ""  # the sign-in name, if it is not the address
    aliases: list[str] = field(default_factory=list)
    guest_of: str = ""  # a guest's identity provider, outside this tenant
    google: bool = False  # at Gmail instead of Exchange
    vacation: dict[str, Any] = field(default_factory=lambda: {"enableAutoReply": False})  # Gmail's
    signature: str = ""
    watched: dict[str, Any] = field(default_factory=dict)  # what Gmail publishes changes to
    consumed: dict[str, None] = field(default_factory=dict)  # ids of Gmail drafts that were sent

    @property
    def sign_in_name(self) -> str:
        """The account's sign-in name."""
        return self.user_principal_name or self.address


class Mail(Protocol):
    """What reaches mailboxes: ``lab/emulator/incoming.py``."""

    def bring(self) -> None:
        """Do what is due."""

    def left(self, mailbox: Mailbox, message: Message, entry: LedgerEntry) -> None:
        """Take an email to its recipients."""


class World:
    """The state behind every route. For use from one event loop."""

    def __init__(self) -> None:
        self.secret = "demo-secret"
        self.mail: Mail | None = None
        self.reset()

    def reset(self) -> None:
        """Reset everything."""
        self.mailboxes: dict[str, Mailbox] = {}
        self.access: dict[str, Token] = {}
        self.refresh: dict[str, Token] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.switches: dict[str, Any] = dict(SWITCHES)
        self.ledger: list[LedgerEntry] = []
        self.requests: dict[str, int] = {}
        self.violations: list[str] = []
        self.accepted_total = 0
        self.changed = True
        self.ids = itertools.count(1)
        self.behaviours: dict[str, list[Behaviour]] = {}
        self.pending: list[Pending] = []
        self.arrivals: list[Arrival] = []
        self.app_access: dict[str, Any] = {}  # by tenant: ``lab/emulator/app_only.py``

    def switch(self, mailbox: Mailbox, name: str) -> Any:
        """Return a switch's value for a mailbox."""
        return mailbox.switches.get(name, self.switches[name])

    def add_mailbox(self, address: str, **values: Any) -> Mailbox:
        """Add a user with a mailbox; for a known address, change the given values."""
        key = address.lower()
        if key not in self.mailboxes:
            stable = hashlib.sha256(key.encode()).hexdigest()
            tenant = hashlib.sha256(key.partition("@")[2].encode()).hexdigest()
            self.mailboxes[key] = Mailbox(
                key, values.get("name", key.partition("@")[0]), _guid(stable), _guid(tenant)
            )
        mailbox = self.mailboxes[key]
        for name, value in values.items():
            setattr(mailbox, name, value)
        self.changed = True
        return mailbox

    def account_of(self, name: str) -> Mailbox | None:
        """Return the account with this sign-in name or address, or None."""
        wanted = name.lower()
        for mailbox in self.mailboxes.values():
            if wanted in {mailbox.address, mailbox.sign_in_name.lower(), *map(str.lower, mailbox.aliases)}:
                return mailbox
        return None

    def new_item_id(self, mailbox: Mailbox | None = None) -> str:
        """Return an id like Graph's: long, case-sensitive, with characters that must be escaped in a path.

        For a mailbox at Gmail, one like Gmail's: 16 hexadecimal digits.
        """
        if mailbox is not None and mailbox.google:
            return f"{0x19A0000000000000 + next(self.ids):x}"
        raw = b"\x00" * 6 + next(self.ids).to_bytes(6, "big") + secrets.token_bytes(24)
        return "AAMk" + base64.b64encode(raw).decode()

    def over_rate(self, mailbox: Mailbox) -> int:
        """Count a request; returns the seconds to wait if there were too many in ten minutes, else 0."""
        now = time.monotonic()
        if now >= mailbox.window_began + 600:
            mailbox.window_began, mailbox.window_count = now, 0
        mailbox.window_count += 1
        if mailbox.window_count <= self.switch(mailbox, "requests_in_ten_minutes"):
            return 0
        return int(mailbox.window_began + 600 - now) + 1

    def settle(self, mailbox: Mailbox) -> None:
        """Bring the mailbox up to date: copies that are due leave, and items that are due move to Sent Items."""
        if self.mail is not None:
            self.mail.bring()
        now = time.monotonic()
        for item_id in list(mailbox.moving):
            message = mailbox.messages.get(item_id)
            if message is None:
                del mailbox.moving[item_id]
                continue
            accepted = message.accepted_at or 0.0
            if (
                message.copied_at is None
                and self.switch(mailbox, "copy_leaves")
                and message.stuck != "kept"
                and now >= accepted + self.switch(mailbox, "copy_delay")
            ):
                message.copied_at = max(accepted + self.switch(mailbox, "copy_delay"), accepted)
                self._leave(mailbox, message, message.copied_at, "graph")
            moves_at = accepted + self.switch(mailbox, "drafts_delay")
            if (
                not message.stuck
                and self.switch(mailbox, "leaves_drafts")
                and message.folder in ("drafts", "moving")
            ):
                if now >= moves_at + self.switch(mailbox, "sent_gap"):
                    self._move_to_sent(mailbox, message)
                elif now >= moves_at:
                    message.folder = "moving"
            del mailbox.moving[item_id]
            if message.copied_at is None or message.folder in ("drafts", "moving"):
                mailbox.moving[message.id] = None

    def settle_all(self) -> None:
        """``settle`` for every mailbox."""
        for mailbox in self.mailboxes.values():
            self.settle(mailbox)

    def accept(self, mailbox: Mailbox, message: Message, token: str, via: str = "graph") -> None:
        """Accept an item (202), which starts its transport."""
        self._count(mailbox, message, token)
        mailbox.moving[message.id] = None
        self.settle(mailbox)

    def submit(self, mailbox: Mailbox, message: Message, token: str) -> None:
        """Accept an item at Gmail, which leaves and is in Sent at once."""
        self._count(mailbox, message, token)
        message.copied_at = message.accepted_at
        self._leave(mailbox, message, time.monotonic(), "gmail")
        self.settle(mailbox)

    def _count(self, mailbox: Mailbox, message: Message, token: str) -> None:
        message.accepted_at = time.monotonic()
        message.sent_with = token
        mailbox.accepted.append(message.accepted_at)
        in_a_minute = len(mailbox.accepted) - bisect_right(mailbox.accepted, message.accepted_at - 60)
        if in_a_minute == self.switch(mailbox, "emails_a_minute") + 1:
            self.violations.append(f"{mailbox.address}: {in_a_minute} emails in a minute")
        self.accepted_total += 1
        self.changed = True

    def leave(self, mailbox: Mailbox, message: Message, via: str, token: str) -> None:
        """Let an email leave at once (SMTP, a duplicate)."""
        message.sent_with = token
        self._leave(mailbox, message, time.monotonic(), via)

    def _leave(self, mailbox: Mailbox, message: Message, at: float, via: str) -> None:
        data = message.data
        body = data.get("body", {}).get("content", "")
        recipients = [
            each["emailAddress"]["address"].lower()
            for kind in ("toRecipients", "ccRecipients", "bccRecipients")
            for each in data.get(kind, [])
        ]
        headers = headers_of(
            message.properties,
            unsubscribe=self.switch(mailbox, "unsubscribe_arrives"),
            named=self.switch(mailbox, "named_headers_arrive"),
        )
        author = data.get("from", {}).get("emailAddress", {})
        sender = author.get("address", mailbox.address)
        reply_to = [each["emailAddress"]["address"] for each in data.get("replyTo", [])]
        self.ledger.append(
            LedgerEntry(
                len(self.ledger) + 1,
                at,
                datetime.now(UTC).isoformat(),
                mailbox.address,
                via,
                sender,
                recipients,
                data.get("subject", ""),
                body,
                hashlib.sha256(body.encode()).hexdigest(),
                data.get("internetMessageId", ""),
                data.get("conversationId", ""),
                message.in_reply_to,
                correlation_id_of(message.properties),
                hashlib.sha256(message.sent_with.encode()).hexdigest()[:16],
                message.id,
                at if message.accepted_at is None else message.accepted_at,
                author.get("name", ""),
                ", ".join(reply_to),
                message.references,
                {each["name"]: each["value"] for each in data.get("internetMessageHeaders") or []} | headers,
            )
        )
        self.changed = True
        if self.mail is not None:
            self.mail.left(mailbox, message, self.ledger[-1])

    def _move_to_sent(self, mailbox: Mailbox, message: Message) -> None:
        now, message.folder, message.received = _now(), "sentitems", time.time()
        message.data.update(isDraft=False, sentDateTime=now, receivedDateTime=now)
        message.data["parentFolderId"] = folder_id(mailbox, "sentitems")
        if not self.switch(mailbox, "correlation_id_survives"):
            message.properties.clear()
        if not self.switch(mailbox, "keeps_internet_message_id"):
            message.data["internetMessageId"] = f"<{secrets.token_hex(12)}@prod.outlook.com>"
        if not self.switch(mailbox, "immutable_id_survives"):
            del mailbox.messages[message.id]
            message.id = message.data["id"] = self.new_item_id()
            mailbox.messages[message.id] = message
            self.mark(mailbox, message)
        self.changed = True

    def mark(self, mailbox: Mailbox, message: Message) -> None:
        """Index an item by its extended properties, for searches."""
        for name, value in message.properties.items():
            mailbox.marked.setdefault(f"{name}={value.lower()}", {})[message.id] = None


def folder_id(mailbox: Mailbox, folder: str) -> str:
    """Return the opaque id of a well-known folder."""
    return "AQMk" + hashlib.sha256(f"{mailbox.user_id}:{folder}".encode()).hexdigest()[:40]


def _guid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
