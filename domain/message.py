"""The email that leaves: one recipient, a one-line subject, sanitised HTML and its text. No header can be injected."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from domain.address import Address, parse_address, unprintable
from domain.errors import InvalidInput, MessageRejected
from domain.markup import is_html, paragraphs, tidy_html
from domain.merge import fill
from domain.signature import ends

MAX_SUBJECT = 255  # characters
MAX_BODY = 512 * 1024  # characters
# A header of what leaves by the default mail service. What comes to its addresses with it was sent back to us.
SENT_BY_US = "X-Onbehalf-Sent"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """How the recipient opts out: by a page, by an email, or both. Raises ``InvalidInput``.

    ``url``: https (http to this machine, for a demo); a POST to it opts out (RFC 8058). ``mailto``: what follows ``mailto:``, such as
    ``rita@acme.example?subject=opt-out%20abc``. ``one_click_header``: the mailbox's Exchange lets ``List-Unsubscribe-Post`` through,
    as ``probe-graph`` found; over SMTP it always arrives.
    """

    url: str = ""
    mailto: str = ""
    one_click_header: bool = False

    def __post_init__(self) -> None:
        if not (self.url or self.mailto):
            raise InvalidInput("An opt-out needs a page or an address.")
        if self.url and not _PAGE.fullmatch(self.url):
            raise InvalidInput("it is no https address that a header can hold", where="url")
        if self.mailto and not _MAILTO.fullmatch(self.mailto):
            raise InvalidInput("it is no address that a header can hold", where="mailto")

    @property
    def ways(self) -> str:
        """The value of ``List-Unsubscribe`` (RFC 2369): what is preferred comes first."""
        mailto = f"mailto:{self.mailto}" if self.mailto else ""
        return ", ".join(f"<{each}>" for each in (self.url, mailto) if each)


ONE_CLICK = "List-Unsubscribe=One-Click"  # the value of List-Unsubscribe-Post (RFC 8058)
# Printable ASCII without what ends an entry of the header.
_PLAIN = r"[!-+\--;=?-~]"
_PAGE = re.compile(rf"(?:https://|http://(?:localhost|127\.0\.0\.1|\[::1\])[:/]){_PLAIN}{{1,900}}")
_MAILTO = re.compile(rf"{_PLAIN}+@{_PLAIN}{{1,900}}")


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A finished email to one person."""

    recipient: Address
    subject: str
    html: str
    text: str
    unsubscribe: Unsubscribe | None = None


def compose(
    *,
    subject: str | None,
    body: str,
    values: Mapping[str, str],
    recipient: Address,
    reply_subject: str | None,
    sanitise: Callable[[str], str],
    to_text: Callable[[str], str],
    signature: str = "",
) -> OutgoingMessage:
    """Fill a step's template for one person.

    ``subject`` None: the email replies in the thread that ``reply_subject`` (also a template) began. White space
    around a subject is removed; inside it everything stays. ``body`` is HTML if it has a tag that HTML knows.
    Otherwise it is plain text, and the text part keeps it as written. ``signature``: what it ends with; its braces are no fields. Raises ``MessageRejected``
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
    if signature:
        clean, text = ends(
            clean, text, signature, plain=written is not None, sanitise=sanitise, to_text=to_text
        )
    return OutgoingMessage(Address(address.email, name), line, clean, text)


def reply_subject(subject: str) -> str:
    """Put ``Re: `` before a subject that does not begin with it."""
    return subject if re.match(r"\s*re\s*:", subject, re.IGNORECASE) else f"Re: {subject}"


def _as_written(text: str) -> str:
    """Plain text with its lines as they are. Control characters become spaces; white space around it is removed."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    return "\n".join(
        "".join(" " if unprintable(each) and each != "\t" else each for each in line).rstrip()
        for line in lines
    )
