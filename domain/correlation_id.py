"""The correlation id, by which an email of ours is found in its mailbox again: an HMAC of the delivery's id.

It is derived, not random, so that a database restored from a backup finds what it sent before. It reveals nothing
to anybody else.
"""

import hashlib
import hmac
from uuid import UUID


def correlation_id(key: bytes, delivery_id: UUID) -> str:
    """Return 32 hex digits."""
    return hmac.new(key, b"delivery correlation_id:" + delivery_id.bytes, hashlib.sha256).hexdigest()[:32]
