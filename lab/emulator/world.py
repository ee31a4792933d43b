"""Everything the emulator knows: users, mailboxes, tokens, switches, and the ledger of what recipients would receive."""

import base64
import hashlib
import itertools
import secrets
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.emulator.switches import SWITCHES

FOLDERS = ("inbox", "drafts", "sentitems", "deleteditems")


@dataclass(slots=True)
class Message:
    """An item of a mailbox. ``data`` is what Graph shows; times are monotonic seconds."""

    id: str
    folder: str
    data: dict[str, Any]
    properties: dict[str, str] = field(default_factory=dict)  # normalised id -> value
    accepted_at: float | None = None
    copied_at: float | None = None
    in_reply_to: str = ""
    sent_with: str = ""
    references: str = ""
    stuck: str = ""  # accepted, and never leaves Drafts: kept (nothing leaves) or copied
    refused: bool = False  # carried out, and answered that it was not: to ask again is no fault


@dataclass(slots=True)
class Mailbox:
    """A user and the mailbox of that user."""

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
    moving: dict[str, None] = field(default_factory=dict)  # accepted items on their way, by id
    marked: dict[str, list[str]] = field(default_factory=dict)  # ids by extended property, to be checked
    refusal: str = ""  # an AADSTS code that every refresh of this user gets
    granted: str | None = None  # scopes the user consents to; None = all asked for
    consented: str = ""  # scopes that the user or the tenant's administrator has consented to; any refresh token gives them
    user_principal_name: str = ""  # the sign-in name, where it is not the address
    aliases: list[str] = field(default_factory=list)
    guest_of: str = ""  # the identity provider of a guest, who is not of this tenant

    @property
    def sign_in_name(self) -> str:
        """What the account signs in with."""
        return self.user_principal_name or self.address


@dataclass(slots=True)
class Token:
    """An access or refresh token."""

    address: str
    scopes: str
    expires_at: float
    audience: str = "https://graph.microsoft.com"
    revoked: bool = False
    family: str = ""
    used: bool = False
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One email that left a mailbox, as its recipients would receive it. ``at``: monotonic seconds of this host.

    ``accepted_at``: when the provider took it, after which nobody can hold it back; the same clock.
    """

    seq: int
    at: float
    wall: str
    mailbox: str
    via: str
    sender: str
    to: list[str]
    subject: str
    body: str
    body_hash: str
    internet_message_id: str
    conversation_id: str
    in_reply_to: str
    correlation_id: str
    token: str
    item: str
    accepted_at: float = 0.0
    sender_name: str = ""
    reply_to: str = ""
    references: str = ""


class World:
    """The state behind every route. Used from one event loop."""

    def __init__(self) -> None:
        self.secret = "demo-secret"
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
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

    def switch(self, mailbox: Mailbox, name: str) -> Any:
        """A switch's value for a mailbox."""
        return mailbox.switches.get(name, self.switches[name])

    def add_mailbox(self, address: str, **values: Any) -> Mailbox:
        """A user with a mailbox; the same address again changes the given values."""
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
        """The account that signs in with this name, or has it as an address."""
        wanted = name.lower()
        for mailbox in self.mailboxes.values():
            if wanted in {mailbox.address, mailbox.sign_in_name.lower(), *map(str.lower, mailbox.aliases)}:
                return mailbox
        return None

    def new_item_id(self) -> str:
        """An id as Graph's: long, case-sensitive, with characters that must be escaped in a path."""
        raw = b"\x00" * 6 + next(self.ids).to_bytes(6, "big") + secrets.token_bytes(24)
        return "AAMk" + base64.b64encode(raw).decode()

    def over_rate(self, mailbox: Mailbox) -> int:
        """Count a request; seconds to wait if there were too many in ten minutes, else 0."""
        now = time.monotonic()
        if now >= mailbox.window_began + 600:
            mailbox.window_began, mailbox.window_count = now, 0
        mailbox.window_count += 1
        if mailbox.window_count <= self.switch(mailbox, "requests_in_ten_minutes"):
            return 0
        return int(mailbox.window_began + 600 - now) + 1

    def settle(self, mailbox: Mailbox) -> None:
        """Let the transport's clock catch up: copies that are due leave, items that are due move to Sent Items."""
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
        """The 202: from here the transport's clock runs."""
        message.accepted_at = time.monotonic()
        message.sent_with = token
        mailbox.accepted.append(message.accepted_at)
        in_a_minute = len(mailbox.accepted) - bisect_right(mailbox.accepted, message.accepted_at - 60)
        if in_a_minute == self.switch(mailbox, "emails_a_minute") + 1:
            self.violations.append(f"{mailbox.address}: {in_a_minute} emails in a minute")
        mailbox.moving[message.id] = None
        self.accepted_total += 1
        self.changed = True
        self.settle(mailbox)

    def leave(self, mailbox: Mailbox, message: Message, via: str, token: str) -> None:
        """An email that leaves at once (SMTP, a duplicate)."""
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
        correlation_id = next((value for name, value in message.properties.items() if " name " in name), "")
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
                correlation_id,
                hashlib.sha256(message.sent_with.encode()).hexdigest()[:16],
                message.id,
                at if message.accepted_at is None else message.accepted_at,
                author.get("name", ""),
                ", ".join(reply_to),
                message.references,
            )
        )
        self.changed = True
        for each in recipients:
            if via == "graph" and each in self.mailboxes:
                self._deliver(self.mailboxes[each], data)

    def _deliver(self, mailbox: Mailbox, data: dict[str, Any]) -> None:
        inbox, item_id = folder_id(mailbox, "inbox"), self.new_item_id()
        copy = {**data, "id": item_id, "isDraft": False, "receivedDateTime": _now(), "parentFolderId": inbox}
        mailbox.messages[item_id] = Message(item_id, "inbox", copy)

    def _move_to_sent(self, mailbox: Mailbox, message: Message) -> None:
        message.folder = "sentitems"
        message.data.update(
            isDraft=False, sentDateTime=_now(), parentFolderId=folder_id(mailbox, "sentitems")
        )
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
        """Remember by which extended properties an item may be searched."""
        for name, value in message.properties.items():
            ids = mailbox.marked.setdefault(f"{name}={value.lower()}", [])
            if message.id not in ids:
                ids.append(message.id)


def folder_id(mailbox: Mailbox, folder: str) -> str:
    """The opaque id of a well-known folder."""
    return "AQMk" + hashlib.sha256(f"{mailbox.user_id}:{folder}".encode()).hexdigest()[:40]


def _guid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
