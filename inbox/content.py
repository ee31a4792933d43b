"""What is asked of a message's bytes before it is taken: its lines, its way here, and whether it came before."""

import hashlib
import re
from collections.abc import Iterator

from domain.message import SENT_BY_US

MAX_HOPS = 50  # Received headers; RFC 5321, section 6.3, asks for 100 or less that no honest way needs
_STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
# What servers add on the way, and may add differently when they deliver again.
_ON_THE_WAY = frozenset(
    [
        b"received", b"return-path", b"delivered-to", b"x-original-to", b"envelope-to", b"delivery-date", b"x-received",
        b"received-spf", b"authentication-results", b"dkim-signature", b"arc-seal", b"arc-message-signature",
        b"arc-authentication-results",
    ]
)  # fmt: skip
_OURS = SENT_BY_US.lower().encode()


def refusal(content: bytes) -> str | None:
    """Return the reply that refuses a message for good, or None. The message has its line ends as they came."""
    if _STRAY.search(content):
        # Whoever forwards such lines may take one for the end of a message, and what follows for another message.
        return "550 5.6.0 Lines must end with CR LF; this message has a bare CR or LF"
    names = [name for name, _ in _fields(content)]
    if names.count(b"received") > MAX_HOPS:
        return f"554 5.4.6 Too many hops: more than {MAX_HOPS} Received headers, so it goes round in circles"
    if _OURS in names:
        return "554 5.4.6 This email left from here and was sent back: it goes round in circles"
    return None


def digest(content: bytes) -> bytes:
    """SHA-256 of a message without what servers on its way add: the same when it is delivered again, Message-ID and all."""
    found = hashlib.sha256()
    for name, field in _fields(content):
        if name not in _ON_THE_WAY:
            found.update(field)
    found.update(content[_end_of_head(content) :])
    return found.digest()


def _fields(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The header's fields: the name in lower case, and the whole field with its folded lines."""
    name, kept = b"", b""
    for line in content[: _end_of_head(content)].splitlines(keepends=True):
        if line[:1] in (b" ", b"\t") and kept:
            kept += line
            continue
        if kept:
            yield name, kept
        match = _FIELD.match(line)
        name, kept = (match[1].lower() if match else b""), line
    if kept:
        yield name, kept


def _end_of_head(content: bytes) -> int:
    if content.startswith(b"\r\n"):
        return 0
    at = content.find(b"\r\n\r\n")
    return len(content) if at < 0 else at + 2
