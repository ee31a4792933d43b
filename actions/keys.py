"""Key rotation: put everything that is stored encrypted, and audit chains, under the newest key, without downtime."""

import base64

import structlog

from app.runtime import Runtime
from db.audit import audit, audit_chain
from db.core import rotation
from db.core.crypto import KeyRing
from db.mailboxes import credentials
from domain.audit import Actor

log = structlog.get_logger()

_BATCH = 200  # rows in a transaction


def of_web(secret_keys: tuple[bytes, ...]) -> dict[str, str]:
    """Return the web process's variables, derived from SECRET_KEYS: its own keys, and the public key it seals with."""
    ring = KeyRing(secret_keys)
    return {
        "WEB_SECRET_KEYS": ",".join(base64.b64encode(key).decode() for key in ring.web_keys()),
        "SEALING_PUBLIC_KEY": base64.b64encode(ring.public_key).decode(),
    }


def rotate(runtime: Runtime, *, actor: str, batch: int = _BATCH) -> int:
    """Re-encrypt in batches until nothing is left under an older key; returns how many rows. Safe to repeat.

    Audit entries keep the keys that sealed them: without an old key in the ring, they are unproven. Raises
    ``OperatorMisconfigured`` if a needed old key is not in the ring.
    """
    rotated = _tokens(runtime, batch) + sum(_column(runtime, column, batch) for column in rotation.COLUMNS)
    with runtime.database.transaction() as tx:
        audit.write_for_all(tx, actor, "keys_rotated", {"count": rotated})
        audit_chain.renew(tx, runtime.keys.audit)
    log.info("keys_rotated", count=rotated, actor=Actor.of(actor).typed)
    return rotated


def _tokens(runtime: Runtime, batch: int) -> int:
    rotated = 0
    while True:
        with runtime.database.transaction() as tx:
            done = credentials.rotate_keys(tx, runtime.keys, batch)
        rotated += done.rotated
        if not done.left:
            return rotated


def _column(runtime: Runtime, column: rotation.Encrypted, batch: int) -> int:
    ring = runtime.web_keys if column.web else runtime.keys
    rotated, after = 0, column.first
    while True:
        with runtime.database.transaction() as tx:
            done = rotation.rotate(tx, ring, column, after, batch)
            if done.last is None and not rotation.left(tx, ring, column):
                return rotated
        rotated += done.rotated
        after = column.first if done.last is None else done.last  # from the start: somebody held rows
