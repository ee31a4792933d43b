"""An email as SMTP transmits it."""

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from domain.address import Address, unprintable

_IDS = frozenset(
    {"message-id", "in-reply-to", "references", "list-unsubscribe"}
)  # and addresses in angle brackets
_LINE = 76  # characters, without the line ending


class _WirePolicy(EmailPolicy):
    """Python's policy for SMTP, except for headers that it would change (seen with 3.11 to 3.13).

    Message ids are never encoded (RFC 5322, 3.6.4: mail programs compare them literally) and fold only between ids. A subject
    arrives as written, including repeated spaces, text that looks encoded, and letters beyond ASCII.
    """

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _IDS:
            return "".join(_ids(name, str(value)))
        if name.lower() == "subject":
            return "".join(_subject(name, str(value), utf8=self.utf8))
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _IDS or name.lower() == "subject":
            return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "replace")
        return super().fold_binary(name, value)

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        """Keep ids and subjects unparsed: parsing would decode text that only looks encoded."""
        if name.lower() in _IDS or name.lower() == "subject":
            if any(unprintable(letter) for letter in value):
                raise ValueError(f"{name} holds a character that no header may")
            return name, value
        return super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        return (
            value
            if name.lower() in _IDS or name.lower() == "subject"
            else super().header_fetch_parse(name, value)
        )


# 7bit, so that the server need not support 8BITMIME.
_POLICY = _WirePolicy(
    **{name: getattr(SMTP_POLICY, name) for name in ("linesep", "raise_on_defect")}, cte_type="7bit"
)
_INTERNATIONAL = _POLICY.clone(utf8=True)  # RFC 6532: headers in UTF-8; the session has asked for SMTPUTF8


def build_email(
    sender: Address,
    recipient: Address,
    subject: str,
    text: str,
    html: str | None,
    *,
    message_id: str,
    headers: Mapping[str, str],
) -> EmailMessage:
    """Build an email. ``headers``: besides From, To, Subject, Date and Message-ID. Drops names that no header may hold."""
    ascii_only = sender.email.isascii() and recipient.email.isascii()
    message = EmailMessage(policy=_POLICY if ascii_only else _INTERNATIONAL)
    message["From"] = _header(sender)
    message["To"] = _header(recipient)
    message["Subject"] = "".join(" " if unprintable(letter) else letter for letter in subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = message_id
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _header(address: Address) -> HeaderAddress:
    # Built from parts, because the parser of ``addr_spec`` takes no letters outside ASCII.
    username, _, domain = address.email.rpartition("@")
    return HeaderAddress("" if unprintable(address.name) else address.name, username, domain)


def _ids(name: str, value: str) -> Iterator[str]:
    """Fold between ids: an id is never broken, and the first one follows the header's name."""
    line = f"{name}:"
    for number, each in enumerate(value.split()):
        if number and len(line) + len(each) >= _LINE:
            yield f"{line}\r\n"
            line = ""
        line += f" {each}"
    yield f"{line}\r\n"


def _subject(name: str, value: str, *, utf8: bool) -> Iterator[str]:
    """Fold at single spaces unchanged if possible; otherwise use encoded words (RFC 2047) of whole characters."""
    line = f"{name}:"
    if (utf8 or value.isascii()) and "=?" not in value and "  " not in value and value == value.strip():
        for word in value.split(" "):
            if len(line) + len(word) >= _LINE and line != f"{name}:":
                yield f"{line}\r\n"
                line = ""
            line += f" {word}"
        yield f"{line}\r\n"
        return
    chunk = b""
    for each in [*(letter.encode() for letter in value), None]:
        if (
            each is None or len(chunk) + len(each) > 42
        ):  # 56 letters of base64, with "=?utf-8?b?" and "?=", stay below 76
            yield f"{line} =?utf-8?b?{base64.b64encode(chunk).decode()}?=\r\n"
            line, chunk = "", b""
        chunk += each or b""
