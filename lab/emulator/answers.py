"""What the recipients of an email answer by themselves, by kind (``Behaviour.kind``)."""

import email.utils
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

from lab.emulator.records import Behaviour, LedgerEntry
from lab.emulator.reports import bounce, receipt

OOF = "IPM.Note.Rules.OofTemplate.Microsoft"
_MAILTO = re.compile(r"<mailto:[^?>]+\?subject=([^>&]+)")
_AWAY = "I am out of the office until 14 December and will read your email after my return."
_LEFT = "I no longer work for this company. This mailbox is not monitored."
_CALENDAR = """BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nSUMMARY:Call\r\n\
DTSTART:20270104T090000Z\r\nDTEND:20270104T093000Z\r\nORGANIZER:mailto:{sender}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"""


class _Asked:
    """One email of ours, and who answers it. ``back``: the address that answers go to."""

    def __init__(
        self, behaviour: Behaviour, person: str, back: str, entry: LedgerEntry, *, own_tenant: bool
    ) -> None:
        self.behaviour, self.person, self.back, self.entry, self.own_tenant = (
            behaviour, person, back, entry, own_tenant,
        )  # fmt: skip
        self.name, _, self.domain = person.rpartition("@")

    def write(
        self, text: str, *, sender: str = "", subject: str = "", thread: bool = True, quotes: bool = True
    ) -> EmailMessage:
        """Write an email to ``back``. ``thread``: it names the one it answers."""
        author, entry = sender or self.person, self.entry
        message = EmailMessage()
        message["From"], message["To"] = author, self.back
        answers = entry.subject if entry.subject.lower().startswith("re:") else f"Re: {entry.subject}"
        message["Subject"] = subject or answers
        message["Date"] = email.utils.format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{secrets.token_hex(12)}@{author.rpartition('@')[2]}>"
        if thread and entry.internet_message_id:
            message["In-Reply-To"] = entry.internet_message_id
            message["References"] = f"{entry.references} {entry.internet_message_id}".strip()
        body = self.behaviour.text or text
        if quotes:
            quoted = "\n".join(f"> {line}" for line in entry.body.splitlines())
            body = f"{body}\n\nOn {entry.wall[:10]} {entry.sender} wrote:\n{quoted}\n"
        message.set_content(body)
        return message


def _machine(asked: _Asked, text: str, subject: str) -> dict[str, Any]:
    message = asked.write(text, subject=subject, quotes=False)
    message["Auto-Submitted"] = "auto-generated" if asked.own_tenant else "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    # Between mailboxes of one tenant the class tells, and lists leave such items out (observed 2026-10).
    return _raw(message) | ({"message_class": OOF, "hidden": True} if asked.own_tenant else {})


def _reply(asked: _Asked) -> dict[str, Any]:
    return _raw(asked.write("Thank you, that sounds interesting. Please call me."))


def _reply_new_thread(asked: _Asked) -> dict[str, Any]:
    return _raw(
        asked.write("I read your email. Let us talk.", subject="Your email", thread=False, quotes=False)
    )


def _reply_from_alias(asked: _Asked) -> dict[str, Any]:
    alias = asked.behaviour.sender or f"{asked.name}@private.example"
    return _raw(asked.write("I write from my private address: yes, please call me.", sender=alias))


def _reply_from_colleague(asked: _Asked) -> dict[str, Any]:
    colleague = asked.behaviour.sender or f"colleague@{asked.domain}"
    return _raw(asked.write("Your email was forwarded to me; I am the better contact.", sender=colleague))


def _auto_reply(asked: _Asked) -> dict[str, Any]:
    return _machine(asked, _AWAY, f"Automatic reply: {asked.entry.subject}")


def _left_company(asked: _Asked) -> dict[str, Any]:
    return _machine(asked, _LEFT, f"Automatic reply: {asked.entry.subject}")


def _opt_out(asked: _Asked) -> dict[str, Any]:
    return _raw(asked.write("Please remove me from your list and do not contact me again."))


def _opt_out_by_token(asked: _Asked) -> dict[str, Any]:
    """Answer as a mail program does when somebody presses "Unsubscribe" (RFC 2369): to the header's address, with its subject."""
    offered = _MAILTO.search(asked.entry.headers.get("List-Unsubscribe", ""))
    subject = unquote(offered[1]) if offered else "unsubscribe"
    return _raw(asked.write("", subject=subject, thread=False, quotes=False))


def _unclear(asked: _Asked) -> dict[str, Any]:
    # Nothing says that a machine wrote it, but nobody writes from that address.
    sender = asked.behaviour.sender or f"noreply@{asked.domain}"
    return _raw(asked.write("You reach our team by the form on our website.", sender=sender, quotes=False))


def _calendar(asked: _Asked) -> dict[str, Any]:
    message = asked.write("A call", subject="Call", thread=False, quotes=False)
    text = _CALENDAR.format(uid=secrets.token_hex(8), sender=asked.person)
    message.add_alternative(text, subtype="calendar", params={"method": "REQUEST"})
    return _raw(message)


def _same_subject(asked: _Asked) -> dict[str, Any]:
    # A stranger's email that shares the subject and even the conversation (microsoft-graph-docs issue 869).
    stranger = asked.behaviour.sender or "stranger@elsewhere.example"
    message = asked.write("This is about something else.", sender=stranger, thread=False, quotes=False)
    return _raw(message) | {"conversation_id": asked.entry.conversation_id}


def _receipt(asked: _Asked) -> dict[str, Any]:
    return {"raw": receipt(asked.person, asked.back, asked.entry)}


def _bounce(status: str) -> Callable[[_Asked], dict[str, Any]]:
    def answered(asked: _Asked) -> dict[str, Any]:
        given = asked.behaviour
        wanted = given.status or status
        raw = bounce(given.style, wanted, asked.person, asked.back, asked.entry, delayed=given.delayed)
        return {"raw": raw}

    return answered


KINDS: dict[str, Callable[[_Asked], dict[str, Any]]] = {
    "reply": _reply,
    "reply_new_thread": _reply_new_thread,
    "reply_from_alias": _reply_from_alias,
    "reply_from_colleague": _reply_from_colleague,
    "auto_reply": _auto_reply,
    "left_company": _left_company,
    "bounce": _bounce("5.1.1"),
    "bounce_soft": _bounce("4.4.7"),
    "bounce_sender": _bounce("5.1.8"),
    "opt_out": _opt_out,
    "opt_out_by_token": _opt_out_by_token,
    "unclear": _unclear,
    "receipt": _receipt,
    "calendar": _calendar,
    "same_subject": _same_subject,
}


def answer(
    behaviour: Behaviour, person: str, back: str, entry: LedgerEntry, *, own_tenant: bool
) -> dict[str, Any]:
    """Return what ``person`` answers to an email, as values of ``Incoming.accept``. ``own_tenant``: they share the sender's."""
    return KINDS[behaviour.kind](_Asked(behaviour, person, back, entry, own_tenant=own_tenant))


def _raw(message: EmailMessage) -> dict[str, Any]:
    return {"raw": message.as_bytes().decode("latin-1")}
