"""Read an uploaded file (multipart/form-data) into memory, within limits of size and time. Nothing of it is ever on a disk.

The endpoint knows who sends it before the body is read: ``web/intake.py`` leaves these requests to it. An organization sends one
at a time, so that slow ones keep nobody else's away.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from app.limiter import Room
from domain.errors import InvalidInput, TooMany

READ_WITHIN = 180.0  # seconds
_AT_ONCE = 8  # organizations whose uploads a process reads at the same time: its memory is small
_MAX_FIELDS = 8 * 1024  # bytes of everything but the file
_AGAIN = 60  # seconds
_all, _own = asyncio.Semaphore(_AT_ONCE), Room(1)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, and the fields that came with it."""

    name: str
    content: bytes
    fields: Mapping[str, str]


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    header: tuple[bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray()))
    data: bytearray = field(default_factory=bytearray)


class _Parts:
    """Collects the parts of a body."""

    def __init__(self, boundary: bytes, most: int) -> None:
        self.parts: list[_Part] = []
        self._most, self._left = most, most + _MAX_FIELDS
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_header_field": lambda data, start, end: self._header(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._header(1, data[start:end]),
                "on_header_end": self._header_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            raise _too_large(self._most)
        self._parser.write(chunk)

    def end(self) -> None:
        self._parser.finalize()

    def _begin(self) -> None:
        if len(self.parts) >= 20:
            raise FormParserError("too many parts")
        self.parts.append(_Part())

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data += data[start:end]

    def _header(self, which: int, data: bytes) -> None:
        self.parts[-1].header[which].extend(data)

    def _header_end(self) -> None:
        part = self.parts[-1]
        name, value = part.header
        part.headers[bytes(name).lower()] = bytes(value)
        part.header = bytearray(), bytearray()


async def receive(request: Request, organization_id: UUID, *, most: int) -> Upload:
    """Return the upload of somebody in that organization. ``most``: bytes of the file. Raises ``InvalidInput`` (place: file), ``TooMany``."""
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > most + _MAX_FIELDS:
        raise _too_large(most)
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise InvalidInput("no file came", where="file", fix="Choose a CSV file or an Excel workbook.")
    if _all.locked():
        raise TooMany("Many files are being uploaded.", retry_after=_AGAIN)
    if not _own.enter(organization_id):
        raise TooMany("Another file of your organization is being uploaded.", retry_after=_AGAIN)
    try:
        async with _all:
            return _upload(await _read(request, _Parts(boundary, most)), most)
    finally:
        _own.leave(organization_id)


async def _read(request: Request, parts: _Parts) -> list[_Part]:
    try:
        async with asyncio.timeout(READ_WITHIN):
            async for chunk in request.stream():
                parts.feed(chunk)
        parts.end()
    except TimeoutError:
        raise InvalidInput(
            "the file did not arrive in time", where="file", fix="Try again, or split it."
        ) from None
    except (FormParserError, ClientDisconnect):
        raise InvalidInput("the file did not arrive whole", where="file", fix="Try again.") from None
    return parts.parts


def _upload(parts: list[_Part], most: int) -> Upload:
    fields: dict[str, str] = {}
    found: tuple[str, bytes] | None = None
    for part in parts:
        _, options = parse_options_header(part.headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode(errors="replace")
        if name == "file" and b"filename" in options:
            found = options[b"filename"].decode(errors="replace"), bytes(part.data)
        else:
            fields[name] = part.data.decode(errors="replace").replace("\0", "")
    if found is None or not found[0]:
        raise InvalidInput("no file is chosen", where="file", fix="Choose a CSV file or an Excel workbook.")
    if len(found[1]) > most:
        raise _too_large(most)
    return Upload(*found, fields)


def _too_large(most: int) -> InvalidInput:
    return InvalidInput(f"the file is larger than {most // (1024 * 1024)} MB", where="file", fix="Split it.")
