"""What was asked of the product, when each call began and when it returned: the callers' half of the evidence.

Times are monotonic seconds of this host, the emulator's clock too, so "after the call returned" can be judged.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson


@dataclass(slots=True)
class Call:
    """One call. ``forbids`` and ``permits``: keys such as ``sequence:<id>`` whose emails it forbids or permits again.

    ``returned_at`` None: it has not returned. ``error``: it raised, so it has promised nothing; what it permits may
    still have come true. ``in_doubt``: deliveries that a withdrawal named as in doubt.
    """

    verb: str
    forbids: tuple[str, ...] = ()
    permits: tuple[str, ...] = ()
    called_at: float = 0.0
    returned_at: float | None = None
    error: str = ""
    in_doubt: list[str] = field(default_factory=list)
    stopped: int = 0
    already_sent: int = 0

    @property
    def done(self) -> bool:
        """Has it returned without an error?"""
        return self.returned_at is not None and not self.error


class Journal:
    """All calls of one run, in memory and, where a path is given, line by line on disk."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    @contextmanager
    def call(self, verb: str, *, forbids: Sequence[str] = (), permits: Sequence[str] = ()) -> Iterator[Call]:
        """Journal what happens in the block. An exception is noted and passes."""
        entry = Call(verb, tuple(forbids), tuple(permits), time.monotonic())
        with self._lock:
            self.calls.append(entry)
        try:
            yield entry
        except BaseException as error:
            entry.error = f"{type(error).__name__}: {error}"[:200]
            raise
        finally:
            entry.returned_at = time.monotonic()
            self.note(asdict(entry))

    def note(self, value: object) -> None:
        """One more line on disk, of anything that helps to understand a run afterwards."""
        if self._path is not None:
            with self._lock, self._path.open("ab") as file:
                file.write(orjson.dumps(value, default=str) + b"\n")
