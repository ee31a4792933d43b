"""Mail that comes into mailboxes: any MIME, at any time, into any folder, moved or deleted later; what recipients answer."""

import email.utils
import heapq
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from lab.emulator.answers import answer
from lab.emulator.gmail_items import thread_of
from lab.emulator.parsing import item_of
from lab.emulator.properties import ORIGINAL_ID
from lab.emulator.records import Arrival, LedgerEntry, Pending
from lab.emulator.showing import mime
from lab.emulator.world import LISTED, Mailbox, Message, World, folder_id

_ONE_EACH = {"auto_reply", "left_company"}  # Exchange answers each sender once


class Incoming:
    """Brings mail. One per world; nothing of it lives outside the world."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.mail = self

    def accept(self, mailbox: Mailbox, values: dict[str, Any]) -> str:
        """Take an item for a mailbox; returns its id. ``values``:

        ``raw`` (MIME, each character a byte) or ``from``, ``from_name``, ``to``, ``cc``, ``subject``, ``text``, ``html``,
        ``in_reply_to``, ``references``, ``message_id``, ``headers`` (name to value), ``attachments`` (name to text);
        ``folder``, ``received_at`` (ISO; usually the moment of arrival, or ``late`` seconds before it), ``conversation_id``, ``message_class``, ``hidden``,
        ``drops_headers``, ``properties``; ``after`` seconds it arrives; then ``moved_after`` seconds it moves to ``moved_to``, and
        ``deleted_after`` seconds it is gone for good; ``kind``, ``answers``, ``person``: for the ledger of arrivals.
        Raises ``ValueError`` and ``KeyError`` that say what is wrong.
        """
        if unknown := set(values) - _KNOWN:
            raise ValueError(f"mail has no field {min(unknown)}; there are {', '.join(sorted(_KNOWN))}")
        for name in ("folder", "moved_to"):
            if values.get(name, "inbox") not in LISTED:
                raise ValueError(f"no such folder: {values[name]}; there are {', '.join(LISTED)}")
        if "raw" not in values:
            values["raw"] = composed(mailbox, values)
        if values.get("received_at"):
            datetime.fromisoformat(values["received_at"])
        at, item = time.monotonic() + float(values.get("after", 0.0)), self._world.new_item_id(mailbox)
        self._later(at, mailbox, "arrive", item, values)
        if "moved_after" in values:
            self._later(at + float(values["moved_after"]), mailbox, "move", item, values)
        if "deleted_after" in values:
            self._later(at + float(values["deleted_after"]), mailbox, "delete", item, values)
        self._world.changed = True
        self.bring()
        return item

    def left(self, mailbox: Mailbox, message: Message, entry: LedgerEntry) -> None:
        """Take one of our emails to its recipients: into mailboxes here, and to addresses that do something by themselves."""
        for address in entry.to:
            person = self._world.mailboxes.get(address)
            if entry.via in ("graph", "gmail") and person is not None:
                received = {"raw": _as_received(message, entry)}
                if not (mailbox.google or person.google):
                    received["conversation_id"] = entry.conversation_id
                self._later(entry.at, person, "arrive", self._world.new_item_id(person), received)
            self._behave(mailbox, address, entry)
        self.bring()

    def bring(self) -> None:
        """Do what is due."""
        pending, now = self._world.pending, time.monotonic()
        while pending and pending[0].at <= now:
            self._do(heapq.heappop(pending))

    def _behave(self, mailbox: Mailbox, address: str, entry: LedgerEntry) -> None:
        # Answers go to the address that the email names, if that has a mailbox here.
        back = self._world.mailboxes.get(entry.reply_to.lower() or entry.sender.lower(), mailbox)
        person = self._world.mailboxes.get(address)
        domain = address.rpartition("@")[2]
        own_tenant = domain == back.address.rpartition("@")[2] or (
            person is not None and person.tenant_id == back.tenant_id
        )
        behaviours = self._world.behaviours.get(address) or self._world.behaviours.get(f"*@{domain}") or []
        for each in behaviours or self._world.behaviours.get("*", []):
            once = f"{address} {back.address}"
            if (each.times and each.used >= each.times) or once in each.answered:
                continue
            each.used += 1
            if each.kind in _ONE_EACH:
                each.answered.append(once)
            values = answer(each, address, back.address, entry, own_tenant=own_tenant)
            values |= {"kind": each.kind, "answers": entry.seq, "person": address, **each.values}
            self.accept(back, {**values, "after": entry.at + each.after - time.monotonic()})

    def _later(self, at: float, mailbox: Mailbox, act: str, item: str, values: dict[str, Any]) -> None:
        heapq.heappush(
            self._world.pending, Pending(at, next(self._world.ids), mailbox.address, act, item, values)
        )

    def _do(self, pending: Pending) -> None:
        mailbox = self._world.mailboxes.get(pending.mailbox)
        if mailbox is None:
            return
        match pending.act:
            case "arrive":
                self._arrive(mailbox, pending)
            case "move" if pending.item in mailbox.messages:
                message, folder = mailbox.messages[pending.item], pending.values.get("moved_to", "archive")
                message.folder, message.data["parentFolderId"] = folder, folder_id(mailbox, folder)
            case "delete":
                mailbox.messages.pop(pending.item, None)
        self._world.changed = True

    def _arrive(self, mailbox: Mailbox, pending: Pending) -> None:
        world, values = self._world, pending.values
        arrived = time.time() - (time.monotonic() - pending.at)
        given = values.get("received_at")
        received = datetime.fromisoformat(given).timestamp() if given else arrived - values.get("late", 0.0)
        message = item_of(
            mailbox, pending.item, values, received, keeps=world.switch(mailbox, "keeps_conversations")
        )
        if mailbox.google:
            message.hidden = message.drops_headers = False
            message.data["conversationId"] = thread_of(mailbox, message)
        message.hidden &= bool(world.switch(mailbox, "hides_own_tenants_replies"))
        if not world.switch(mailbox, "original_id_on_reports"):
            message.properties.pop(ORIGINAL_ID, None)
        mailbox.messages[message.id] = message
        world.mark(mailbox, message)
        world.arrivals.append(
            Arrival(
                len(world.arrivals) + 1,
                pending.at,
                datetime.fromtimestamp(arrived, UTC).isoformat(),
                mailbox.address,
                message.id,
                values.get("kind", ""),
                message.data["from"]["emailAddress"]["address"],
                message.data["subject"],
                message.data["internetMessageId"],
                message.data["conversationId"],
                message.data["receivedDateTime"],
                message.folder,
                message.hidden,
                values.get("answers", 0),
                values.get("person", ""),
            )
        )


_KNOWN = {
    "raw", "from", "from_name", "to", "cc", "subject", "text", "html", "in_reply_to", "references", "message_id",
    "headers", "attachments", "folder", "received_at", "conversation_id", "message_class", "hidden", "drops_headers",
    "properties", "after", "late", "moved_after", "moved_to", "deleted_after", "kind", "answers", "person",
}  # fmt: skip


def composed(mailbox: Mailbox, values: dict[str, Any]) -> str:
    """Return an email of these fields as MIME, each character a byte."""
    message = EmailMessage()
    author = str(values["from"])
    message["From"] = email.utils.formataddr((values.get("from_name", ""), author))
    message["To"] = ", ".join(values.get("to") or [mailbox.address])
    if values.get("cc"):
        message["Cc"] = ", ".join(values["cc"])
    message["Subject"] = values.get("subject", "")
    message["Date"] = email.utils.format_datetime(datetime.now(UTC))
    message["Message-ID"] = values.get("message_id") or email.utils.make_msgid(
        domain=author.rpartition("@")[2]
    )
    for name, field in (("In-Reply-To", "in_reply_to"), ("References", "references")):
        if values.get(field):
            message[name] = values[field]
    for name, value in (values.get("headers") or {}).items():
        message[name] = value
    message.set_content(values.get("text", ""))
    if values.get("html"):
        message.add_alternative(values["html"], subtype="html")
    for name, content in (values.get("attachments") or {}).items():
        message.add_attachment(
            content.encode(), maintype="application", subtype="octet-stream", filename=name
        )
    return message.as_bytes().decode("latin-1")


def _as_received(message: Message, entry: LedgerEntry) -> str:
    """Return one of our emails as MIME with all headers that its recipients receive."""
    if message.raw:
        return message.raw
    raw = mime(message).decode("latin-1")
    known = raw.partition("\n\n")[0].lower()
    more = "".join(
        f"{name}: {value}\n"
        for name, value in entry.headers.items()
        if f"\n{name.lower()}:" not in f"\n{known}"
    )
    return more + raw
