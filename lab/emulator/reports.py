"""Reports that mail servers write about an email of ours: undelivered (RFC 3464, and those who keep to no RFC), delayed, read (RFC 8098)."""

import email
import email.policy
import email.utils
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage

from lab.emulator.records import LedgerEntry

# The local part is fixed; the domain is the tenant's.
_EXCHANGE = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"
_TEXTS = {
    "5.1.1": "550 5.1.1 The email account that you tried to reach does not exist",
    "5.1.10": "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "5.2.2": "552 5.2.2 Mailbox full",
    "4.4.7": "550 4.4.7 QUEUE.Expired; message expired",
    "5.1.8": "550 5.1.8 Access denied, bad outbound sender",
    "5.7.705": "550 5.7.705 Access denied, tenant has exceeded threshold",
}
_Report = Callable[[str, str, str, LedgerEntry, bool], EmailMessage]


def bounce(
    style: str, status: str, person: str, back: str, entry: LedgerEntry, *, delayed: bool = False
) -> str:
    """Return a report that the email to ``person`` was not delivered (or is delayed), to ``back``, as MIME."""
    return STYLES[style](status, person, back, entry, delayed).as_bytes().decode("latin-1")


def receipt(person: str, back: str, entry: LedgerEntry) -> str:
    """Return a report that ``person`` has opened the email, as MIME."""
    message = _head(person, back, f"Read: {entry.subject}")
    said = f"Final-Recipient: rfc822; {person}\nOriginal-Message-ID: {entry.internet_message_id}\n"
    said += "Disposition: manual-action/MDN-sent-manually; displayed\n"
    status = _part("message", "disposition-notification", said)
    text = f"Your message\n\n   To: {person}\n   Subject: {entry.subject}\n\nwas read.\n"
    message["In-Reply-To"] = message["References"] = entry.internet_message_id
    return _report(message, "disposition-notification", text, status).as_bytes().decode("latin-1")


def _exchange(status: str, person: str, back: str, entry: LedgerEntry, delayed: bool) -> EmailMessage:
    domain = back.rpartition("@")[2]
    subject = f"{'Delivery delayed' if delayed else 'Undeliverable'}: {entry.subject}"
    message = _head(f'"Microsoft Outlook" <{_EXCHANGE}@{domain}>', back, subject)
    message["Auto-Submitted"] = "auto-replied"
    message["In-Reply-To"] = message["References"] = entry.internet_message_id
    message["X-MS-Exchange-Message-Is-Ndr"] = ""
    text = f"Your message to {person} couldn't be delivered.\n\n{_said(status)}\n"
    reporting = "Reporting-MTA: dns;AM0PR01MB0001.eurprd01.prod.exchangelabs.com\n"
    return _report(
        message, "delivery-status", text, _status(reporting, status, person, delayed), _headers(entry, person)
    )


def _postfix(status: str, person: str, back: str, entry: LedgerEntry, delayed: bool) -> EmailMessage:
    subject = "Delayed Mail (still being retried)" if delayed else "Undelivered Mail Returned to Sender"
    message = _head("MAILER-DAEMON@mx.example (Mail Delivery System)", back, subject)
    message["Auto-Submitted"] = "auto-replied"
    text = (
        f"This is the mail system at host mx.example.\n\n<{person}>: host mx.example said: {_said(status)}\n"
    )
    reporting = f"Reporting-MTA: dns; mx.example\nX-Postfix-Sender: rfc822; {back}\n"
    return _report(
        message,
        "delivery-status",
        text,
        _status(reporting, status, person, delayed),
        _original(entry, person),
    )


def _gmail(status: str, person: str, back: str, entry: LedgerEntry, delayed: bool) -> EmailMessage:
    subject = f"Delivery Status Notification ({'Delay' if delayed else 'Failure'})"
    message = _head("Mail Delivery Subsystem <mailer-daemon@googlemail.com>", back, subject)
    message["Auto-Submitted"] = "auto-replied"
    message["X-Failed-Recipients"] = person
    message["In-Reply-To"] = message["References"] = entry.internet_message_id
    text = f"** Address not found **\n\nYour message wasn't delivered to {person}.\n\n{_said(status)}\n"
    reporting = f"Reporting-MTA: dns; googlemail.com\nX-Original-Message-ID: {entry.internet_message_id}\n"
    return _report(
        message,
        "delivery-status",
        text,
        _status(reporting, status, person, delayed),
        _original(entry, person),
    )


def _exim(status: str, person: str, back: str, entry: LedgerEntry, delayed: bool) -> EmailMessage:
    # Exim before 4.80, and hosts set up like it: plain text that quotes the headers.
    what = "delayed 24 hours" if delayed else "failed: returning message to sender"
    message = _head("Mail Delivery System <Mailer-Daemon@mx.example>", back, f"Mail delivery {what}")
    message["X-Failed-Recipients"] = person
    message["Auto-Submitted"] = "auto-replied"
    quoted = f"Message-ID: {entry.internet_message_id}\nFrom: {entry.sender}\nTo: {person}\nSubject: {entry.subject}"
    message.set_content(
        "This message was created automatically by mail delivery software.\n\n"
        f"A message that you sent could not be delivered to:\n\n  {person}\n    {_said(status)}\n\n"
        f"------ This is a copy of the message, including all the headers. ------\n\n{quoted}\n"
    )
    return message


STYLES: dict[str, _Report] = {"exchange": _exchange, "postfix": _postfix, "gmail": _gmail, "exim": _exim}


def _head(sender: str, back: str, subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, back, subject
    message["Date"] = email.utils.format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{secrets.token_hex(16)}@mx.example>"
    return message


def _said(status: str) -> str:
    return _TEXTS.get(status, f"550 {status} The message was not accepted")


def _status(reporting: str, status: str, person: str, delayed: bool) -> EmailMessage:
    action, code = ("delayed", "4.4.7") if delayed else ("failed", status)
    about = f"Final-Recipient: rfc822;{person}\nAction: {action}\nStatus: {code}\n"
    return _part("message", "delivery-status", f"{reporting}\n{about}Diagnostic-Code: smtp;{_said(status)}\n")


def _headers(entry: LedgerEntry, person: str) -> EmailMessage:
    return _part("text", "rfc822-headers", _quoted(entry, person))


def _original(entry: LedgerEntry, person: str) -> EmailMessage:
    return _part("message", "rfc822", f"{_quoted(entry, person)}\n{entry.body}\n")


def _quoted(entry: LedgerEntry, person: str) -> str:
    # Long lines are folded, as on the wire.
    return (
        f"From: {entry.sender}\nTo: {person}\nSubject: {entry.subject}\nMessage-ID:\n {entry.internet_message_id}\n"
        + (f"In-Reply-To: {entry.in_reply_to}\n" if entry.in_reply_to else "")
    )


def _part(main: str, sub: str, content: str) -> EmailMessage:
    ascii_only = content.encode("ascii", "replace").decode()
    return email.message_from_string(
        f"Content-Type: {main}/{sub}\n\n{ascii_only}", policy=email.policy.default
    )


def _report(message: EmailMessage, kind: str, text: str, *parts: EmailMessage) -> EmailMessage:
    message.set_content(text)
    message.make_mixed()
    for part in parts:
        message.attach(part)
    message.replace_header(
        "Content-Type", f'multipart/report; report-type={kind}; boundary="={secrets.token_hex(8)}"'
    )
    return message
