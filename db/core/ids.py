"""Ids that we generate: UUIDv7 where index order helps, and the delivery's id, derived from its enrollment and step."""

import os
import time
import uuid

_DELIVERIES = uuid.UUID("5b0c7b1e-5d3a-5c70-9d2c-0a7f6d0f4f11")


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, the rest random."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return uuid.UUID(int=value)


def delivery_id(enrollment_id: uuid.UUID, step_id: uuid.UUID) -> uuid.UUID:
    """Derive the id from the enrollment and step. It never changes, so the correlation id survives even a database restore."""
    return uuid.uuid5(_DELIVERIES, f"{enrollment_id}{step_id}")
