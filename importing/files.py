"""Read a file that somebody names, whatever it is. What we read is limited, not what its size claims."""

import os
import select
import stat
import sys
import time
from pathlib import Path

from domain.errors import InvalidInput

STDIN = Path("-")
_PART = 1024 * 1024  # bytes
_WAIT = 30.0  # seconds for the next bytes of a pipe


def read_file(path: Path, *, max_bytes: int, wait: float = _WAIT) -> bytes:
    """Return all bytes of a file, a pipe, or standard input (``-``). Raises ``InvalidInput``, also above ``max_bytes``.

    ``wait``: seconds for the next bytes of a pipe.

    A device or pipe reports size 0 and may never end; a pipe without a writer may never begin.
    """
    where = "standard input" if path == STDIN else str(path)
    try:
        raw = sys.stdin.buffer.read(max_bytes + 1) if path == STDIN else _read(path, where, max_bytes, wait)
    except FileNotFoundError:
        raise InvalidInput("there is no such file", where=where, fix="Check the path.") from None
    except IsADirectoryError:
        raise InvalidInput("this is a folder", where=where, fix="Name one file in it.") from None
    except PermissionError:
        raise InvalidInput("the file cannot be read", where=where, fix="Check its permissions.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(
            f"the file cannot be read ({reason})", where=where, fix="Check the path."
        ) from None
    if len(raw) > max_bytes:
        raise InvalidInput(
            f"the file is larger than {max_bytes // (1024 * 1024)} MiB", where=where, fix="Split it."
        )
    return raw


def _read(path: Path, where: str, max_bytes: int, wait: float) -> bytes:
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        kind = os.fstat(handle).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError
        waits = stat.S_ISFIFO(kind) or stat.S_ISCHR(kind) or stat.S_ISSOCK(kind)
        parts: list[bytes] = []
        left = max_bytes + 1
        while left > 0:
            if waits:
                _await_bytes(handle, where, wait)
            try:
                part = os.read(handle, min(_PART, left))
            except BlockingIOError:  # another reader took the bytes
                time.sleep(0.01)
                continue
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
    finally:
        os.close(handle)


def _await_bytes(handle: int, where: str, wait: float) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN | select.POLLHUP)
    if not poll.poll(wait * 1000):
        raise InvalidInput(
            f"nothing came for {wait:.0f} seconds", where=where, fix="Name a file, or write to this pipe."
        )
