"""Key rotation: every stored token and every audit chain under the newest key, while everything runs."""

import base64

import structlog

from app.runtime import Runtime
from db.audit import audit, audit_chain
from db.core.crypto import KeyRing
from db.mailboxes import credentials
from domain.audit import Actor

log = structlog.get_logger()

_BATCH = 200


def of_web(secret_keys: tuple[bytes, ...]) -> dict[str, str]:
    """The variables of the web process that derive from SECRET_KEYS: its own keys, and the public one that it seals with."""
    ring = KeyRing(secret_keys)
    return {
        "WEB_SECRET_KEYS": ",".join(base64.b64encode(key).decode() for key in ring.web_keys()),
        "SEALING_PUBLIC_KEY": base64.b64encode(ring.public_key).decode(),
    }


def rotate(runtime: Runtime, *, actor: str) -> int:
    """Re-encrypt in batches until nothing is left under an older key; returns how many mailboxes. Safe to repeat.

    Audit entries keep the keys that sealed them: an old key that is taken out of the ring leaves them unproven.
    Raises ``OperatorMisconfigured`` when a needed old key is not in the ring.
    """
    rotated = 0
    while True:
        with runtime.database.transaction() as tx:
            done = credentials.rotate_keys(tx, runtime.keys, _BATCH)
        rotated += done.rotated
        if not done.left:
            with runtime.database.transaction() as tx:
                audit.write_for_all(tx, actor, "keys_rotated", {"count": rotated})
                audit_chain.renew(tx, runtime.keys.audit)
            log.info("keys_rotated", count=rotated, actor=Actor.of(actor).typed)
            return rotated
