"""Ids that we generate: UUIDv7 where index order helps, and the delivery's id, derived from its enrollment and step."""

import os
import threading
import time
import uuid

_DELIVERIES = uuid.UUID("5b0c7b1e-5d3a-5c70-9d2c-0a7f6d0f4f11")


class _Order:
    """Milliseconds since 1970 and 12 bits of their fraction; each is later than the one before it."""

    def __init__(self) -> None:
        self._lock, self._last = threading.Lock(), 0

    def next(self) -> int:
        """Return the next one."""
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        with self._lock:
            self._last = max(self._last + 1, milliseconds << 12 | (rest << 12) // 1_000_000)
            return self._last


_ORDER = _Order()


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, section 6.2, method 3): 48 bits of milliseconds, 12 of their fraction, the rest random.

    Those of one process are in the order in which they were made: what a transaction writes is sealed and listed in order.
    """
    now = _ORDER.next()
    value = (now >> 12) << 80 | 7 << 76 | (now & 0xFFF) << 64 | 2 << 62 | int.from_bytes(os.urandom(8)) >> 2
    return uuid.UUID(int=value)


def delivery_id(enrollment_id: uuid.UUID, step_id: uuid.UUID) -> uuid.UUID:
    """Derive the id from the enrollment and step. It never changes, so the correlation id survives even a database restore."""
    return uuid.uuid5(_DELIVERIES, f"{enrollment_id}{step_id}")
