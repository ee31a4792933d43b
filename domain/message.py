"""The email that leaves: one recipient, a one-line subject, sanitised HTML and its text. No header can be injected."""

import hashlib
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.address import Address, parse_address, unprintable
from domain.errors import MessageRejected
from domain.markup import is_html, paragraphs, tidy_html
from domain.merge import fill

MAX_SUBJECT = 255  # characters
MAX_BODY = 512 * 1024  # characters


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A finished email to one person."""

    recipient: Address
    subject: str
    html: str
    text: str


def compose(
    *,
    subject: str | None,
    body: str,
    values: Mapping[str, str],
    recipient: Address,
    reply_subject: str | None,
    sanitise: Callable[[str], str],
    to_text: Callable[[str], str],
) -> OutgoingMessage:
    """Fill a step's template for one person.

    ``subject`` None: the email replies in the thread that ``reply_subject`` (also a template) began. White space
    around a subject is removed; inside it everything stays. ``body`` is HTML if it has a tag that HTML knows.
    Otherwise it is plain text, and the text part keeps it as written. Raises ``MessageRejected``
    (``MissingField`` for an empty field).
    """
    address = parse_address(recipient.email, where="recipient", international=True)
    name = recipient.name
    if unprintable(name):
        name = ""  # a broken name must not stop the email; the address is what counts
    template = subject if subject is not None else reply_subject or ""
    line = fill(template, values, escape=str, as_sent=subject is None).strip()
    if bad := unprintable(line):
        raise MessageRejected(f"The subject holds {bad}, which no email header may.", code="bad_subject")
    if subject is None and not line.lower().startswith("re:"):
        line = f"Re: {line}"
    if subject is None and len(line) <= MAX_SUBJECT + len("Re: "):
        line = line[:MAX_SUBJECT].rstrip()  # the longest subject must have an answer too
    if not line or len(line) > MAX_SUBJECT:
        raise MessageRejected(
            f"The subject must have 1 to {MAX_SUBJECT} characters.",
            code="bad_subject",
        )
    written = None if is_html(body) else _as_written(fill(body, values, escape=str))
    filled = fill(tidy_html(body), values, escape=html.escape) if written is None else paragraphs(written)
    if len(filled) > MAX_BODY:
        raise MessageRejected(
            f"The text has more than {MAX_BODY // 1024} KiB.",
            code="message_too_large",
        )
    clean = sanitise(filled)
    text = to_text(clean) if written is None else written
    if not text.strip():
        raise MessageRejected("The email has no text.", code="empty_message")
    return OutgoingMessage(Address(address.email, name), line, clean, text)


def reply_subject(subject: str) -> str:
    """Put ``Re: `` before a subject that does not begin with it."""
    return subject if re.match(r"\s*re\s*:", subject, re.IGNORECASE) else f"Re: {subject}"


def template_version(subject: str | None, body: str) -> str:
    """Return 16 hex digits that change with the template."""
    return hashlib.sha256(f"{subject}\x00{body}".encode()).hexdigest()[:16]


def _as_written(text: str) -> str:
    """Plain text with its lines as they are. Control characters become spaces; white space around it is removed."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    return "\n".join(
        "".join(" " if unprintable(each) and each != "\t" else each for each in line).rstrip()
        for line in lines
    )
