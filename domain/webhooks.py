"""How calls of webhooks are signed and repeated: the "Standard Webhooks" specification, with symmetric signatures.

``webhook-id`` is the event's id: a receiver that has seen the id has seen the event.
"""

import base64
import hashlib
import hmac
from datetime import timedelta

PREFIX = "whsec_"
TEST = "webhook.test"  # the type of an event that means nothing, for trying a receiver
_WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``. ``secret``: as people see it, ``whsec_`` and base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def next_attempt(attempts: int) -> timedelta | None:
    """The wait after the ``attempts``-th failure, or None to give up."""
    return _WAITS[attempts - 1] if attempts <= len(_WAITS) else None
