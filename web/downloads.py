"""Files that members take away, a few of an organization at a time.

Whoever takes one may read slowly, or not at all: what it is made of yields nothing while a transaction is open. A connection that
stands still is closed (``web/wire.py``).
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from uuid import UUID

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.runtime import Runtime

_PIECE = 64 * 1024  # characters that are sent at once


class _Download(StreamingResponse):
    """A file, which keeps its room until it is sent or cut off."""

    def __init__(self, pieces: Iterator[str], room: ExitStack, *, name: str, kind: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(pieces, media_type=kind, headers=headers)
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._room:
            await super().__call__(scope, receive, send)


def download(
    runtime: Runtime, organization_id: UUID, lines: Iterator[str], *, name: str, kind: str
) -> StreamingResponse:
    """Return ``lines`` as a file. Raises ``TooMany``, and what the first of them raise.

    ``kind``: its media type. A generator does nothing before there is room for it.
    """
    with ExitStack() as stack:
        stack.enter_context(runtime.limiter.download(organization_id))
        pieces = _joined(lines)
        first = next(pieces, "")
        return _Download(_from(first, pieces), stack.pop_all(), name=name, kind=kind)


def as_csv(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield rows as lines of CSV."""
    for row in rows:
        out = io.StringIO()
        csv.writer(out).writerow(row)
        yield out.getvalue()


def _joined(lines: Iterator[str]) -> Iterator[str]:
    piece, size = [], 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(piece)
            piece, size = [], 0
    yield "".join(piece)


def _from(first: str, more: Iterator[str]) -> Iterator[str]:
    yield first
    yield from more
