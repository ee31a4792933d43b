"""Ids made by us: UUIDv7 where index order helps, and the delivery's id, which is a function of what it delivers."""

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
    """The same for ever for one step of one enrollment, so its correlation id is too, even in a database restored from backup."""
    return uuid.uuid5(_DELIVERIES, f"{enrollment_id}{step_id}")
