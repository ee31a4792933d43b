"""Takes a raw message apart, within limits: what lies beyond them is left out, and nothing is ever raised.

The standard library's parser recurses per level and asks every open boundary at every line, so a few kilobytes can exhaust it.
This one cuts by boundaries, a level at a time, and stops at a depth, a number of parts and a number of bytes.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from inbox.charsets import decoded, unbase64, unfolded

MAX_BYTES = 8_000_000  # of a message that are read; its headers and text come first
MAX_DEPTH = 12
MAX_PARTS = 120
MAX_HEADERS = 400  # fields of one part
MAX_HEADER = 20_000  # characters of one field
MAX_HEADER_BYTES = 400_000  # of one part's header
MAX_TEXT = 400_000  # bytes of one text part

_FIELD = re.compile(rb"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_END = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
_FOLD = re.compile(rb"\r\n(?![ \t])|\n(?![ \t])|\r(?![\n \t])")


@dataclass(frozen=True, slots=True)
class Part:
    """One part that holds no others, or a message within. ``above``: the content types that it stands in, outermost first."""

    headers: dict[str, tuple[str, ...]]
    content_type: str
    parameters: dict[str, str]
    body: bytes
    above: tuple[str, ...]

    @property
    def depth(self) -> int:
        """0 for the message itself."""
        return len(self.above)

    @property
    def attached(self) -> bool:
        """Is it a file, rather than text of the message?"""
        disposition = "".join(self.headers.get("content-disposition", ("",))).lower()
        return disposition.startswith("attachment") or "filename" in disposition or "name" in self.parameters

    def content(self, limit: int = MAX_TEXT) -> bytes:
        """The body without its transfer encoding, ``limit`` bytes of it at most."""
        return _untransferred(
            self.body[: limit * 2], "".join(self.headers.get("content-transfer-encoding", ("",)))
        )[:limit]

    def text(self) -> str:
        """The body as text, in whatever charset it says or seems to be in."""
        return decoded(self.content(), self.parameters.get("charset", "")).replace("\x00", "")


def split(raw: bytes) -> tuple[dict[str, tuple[str, ...]], bytes]:
    """The header fields by lower-case name, in their order, and the body."""
    head, body = _cut(raw)
    return _fields(head), body


def parts(raw: bytes, *, most: int = MAX_BYTES) -> list[Part]:
    """All parts, in their order; parts beyond the limits are left out. A part of type message/rfc822 is one part.

    ``most``: bytes that are read.
    """
    found: list[Part] = []
    waiting: list[tuple[bytes, tuple[str, ...], str]] = [(raw[:most], (), "text/plain")]
    while waiting and len(found) < MAX_PARTS:
        source, above, otherwise = waiting.pop()
        headers, body = split(source)
        content_type, parameters = _typed(headers, otherwise)
        boundary = parameters.get("boundary", "")
        if content_type.startswith("multipart/") and boundary and len(above) < MAX_DEPTH:
            inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
            room = MAX_PARTS - len(found) - len(waiting)
            pieces = list(_pieces(body, boundary.encode("utf-8", "replace"), max(room, 0)))
            waiting += [(piece, (*above, content_type), inner) for piece in reversed(pieces)]
        elif not content_type.startswith("multipart/") or not boundary:
            # A multipart without a boundary is the text it seems to be.
            kind = "text/plain" if content_type.startswith("multipart/") else content_type
            found.append(Part(headers, kind, parameters, body, above))
    return found


def _cut(raw: bytes) -> tuple[bytes, bytes]:
    if raw[:1] in (b"\n", b"\r"):  # a part without a header
        return b"", raw.lstrip(b"\r\n")
    ends = _END.search(raw, 0, MAX_HEADER_BYTES)
    if ends is None:
        return raw[:MAX_HEADER_BYTES], b""
    return raw[: ends.start()], raw[ends.end() :]


def _fields(head: bytes) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for count, line in enumerate(_FOLD.split(head)):
        if count >= MAX_HEADERS:
            break
        if field := _FIELD.fullmatch(line):
            name = field[1].decode("ascii").lower()
            fields[name] = (*fields.get(name, ()), unfolded(field[2][:MAX_HEADER]))
    return fields


def _typed(headers: dict[str, tuple[str, ...]], otherwise: str) -> tuple[str, dict[str, str]]:
    value = headers.get("content-type", ("",))[0][:4000]
    if not value:
        return otherwise, {}
    carrier = Message()
    carrier["content-type"] = " ".join(value.split())
    parameters: dict[str, str] = {}
    try:
        for name, given in carrier.get_params([], unquote=True)[1:]:
            parameters.setdefault(name.lower().rstrip("*"), given if isinstance(given, str) else given[2])
    except (ValueError, LookupError):
        return carrier.get_content_type(), {}
    return carrier.get_content_type(), parameters


def _pieces(body: bytes, boundary: bytes, room: int) -> Iterator[bytes]:
    mark = b"--" + boundary
    begun: int | None = None
    at = body.find(mark)
    while at >= 0 and room > 0:
        ends = at + len(mark)
        rest = body[ends : ends + 4]
        if (at == 0 or body[at - 1] in b"\r\n") and (rest[:1] in b" \t\r\n" or rest[:2] == b"--"):
            if begun is not None:
                yield _line_after(body[begun:at])
                room -= 1
            begun = None if rest[:2] == b"--" else ends
        at = body.find(mark, ends)
    if begun is not None and room > 0:
        yield _line_after(body[begun:])


def _line_after(piece: bytes) -> bytes:
    """What follows the boundary's own line, without the line break that belongs to the next boundary."""
    for ending in (b"\r\n", b"\n", b"\r"):
        if piece.endswith(ending):
            piece = piece[: -len(ending)]
            break
    piece = piece.lstrip(b" \t")
    return piece[2:] if piece.startswith(b"\r\n") else piece[1:]


def _untransferred(body: bytes, encoding: str) -> bytes:
    match encoding.strip().lower():
        case "base64":
            return unbase64(body)
        case "quoted-printable":
            return binascii.a2b_qp(body)
    return body
