"""Keys of the JSON API: of one organization, hashed, scoped, shown once. And requests that may come twice."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from domain.audit import Actor, ActorKind
from domain.errors import InvalidInput, NotFound

# ``addresses``: what a company's emails are sent from. Whoever may change it can reroute them, so that manage is not enough.
SCOPES = ("read", "manage", "addresses")
_PREFIX = "ob_"
_TOUCH_EVERY = timedelta(minutes=5)
_KEPT = timedelta(hours=24)
# An answer that never came: its process has died, and all verbs may be asked again.
_GIVEN_UP_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API: a key, by the name that an operator gave it."""

    organization_id: UUID
    name: Actor
    scopes: frozenset[str]

    @property
    def key(self) -> str:
        """The name that an operator gave the key."""
        return str(self.name).removeprefix("api:")


def make(tx: Transaction, organization_id: UUID, name: str, scopes: list[str], *, actor: str) -> str:
    """A new key; returned once and stored nowhere. Raises ``InvalidInput``."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise InvalidInput(
            f"{', '.join(unknown) or 'nothing'} is no scope.",
            where="scopes",
            fix=f"Choose from {', '.join(SCOPES)}.",
        )
    if not 0 < len(name.strip()) <= 80:
        raise InvalidInput(
            "A key needs a name of at most 80 characters.", where="name", fix="Say who will use it."
        )
    key = _PREFIX + secrets.token_urlsafe(32)
    made = tx.execute(
        text(
            "INSERT INTO api_keys (id, organization_id, name, key_hash, scopes) VALUES (:id, :organization_id, :name, :hash, :scopes)"
            " ON CONFLICT (organization_id, name) DO NOTHING RETURNING id"
        ),
        {
            "id": new_id(),
            "organization_id": organization_id,
            "name": name.strip(),
            "hash": _hash(key),
            "scopes": sorted(set(scopes)),
        },
    ).one_or_none()
    if made is None:
        raise InvalidInput(
            f"There is, or was, a key called {name.strip()!r}.", where="name", fix="Choose another name."
        )
    audit.write(
        tx, organization_id, actor, "api_key_made", f"api_key:{made.id}", {"scopes": sorted(set(scopes))}
    )
    return key


def revoke(tx: Transaction, organization_id: UUID, name: str, *, actor: str) -> None:
    """From now on the key is refused. Raises ``NotFound``."""
    row = tx.execute(
        text(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())"
            " WHERE organization_id = :organization_id AND name = :name RETURNING id"
        ),
        {"organization_id": organization_id, "name": name},
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no key called {name!r}.")
    audit.write(tx, organization_id, actor, "api_key_revoked", f"api_key:{row.id}", {})


def caller_of(tx: Transaction, key: str) -> Caller | None:
    """Whose key this is, if it is good."""
    row = tx.execute(
        text(
            "SELECT id, organization_id, name, scopes, coalesce(used_at < clock_timestamp() - :touch, true) AS rested"
            " FROM api_keys WHERE key_hash = :hash AND revoked_at IS NULL"
        ),
        {"hash": _hash(key), "touch": _TOUCH_EVERY},
    ).one_or_none()
    if row is None:
        return None
    if row.rested:
        tx.execute(text("UPDATE api_keys SET used_at = clock_timestamp() WHERE id = :id"), {"id": row.id})
    name = Actor(ActorKind.API_KEY, row.id, f"api:{row.name}")
    return Caller(row.organization_id, name, frozenset(row.scopes))


@dataclass(frozen=True, slots=True)
class Answered:
    """What an earlier request with the same key came to. ``status`` None: it is being answered. ``same``: is it the same request?"""

    status: int | None
    answer: Any
    same: bool


def begin(tx: Transaction, ring: KeyRing, organization_id: UUID, key: str, request: bytes) -> Answered | None:
    """Take ``key`` for ``request`` (its method, path and body). None: it is new, go on and ``finish`` it.

    What is kept of the request is keyed: it may hold a password, which a plain hash of the rest would let be guessed.
    """
    keys = {"organization_id": organization_id, "key": key}
    codes = ring.codes("requests", organization_id.bytes + request)
    taken = tx.execute(
        text(
            "INSERT INTO idempotency_keys (organization_id, key, request_hash) VALUES (:organization_id, :key, :hash)"
            " ON CONFLICT (organization_id, key) DO UPDATE SET created_at = clock_timestamp()"
            "   WHERE idempotency_keys.status IS NULL AND idempotency_keys.request_hash = ANY(:known)"
            "   AND idempotency_keys.created_at < clock_timestamp() - CAST(:given_up AS interval) RETURNING key"
        ),
        {**keys, "hash": codes[0], "known": codes, "given_up": _GIVEN_UP_AFTER},
    ).one_or_none()
    if taken is not None:
        return None
    row = tx.execute(
        text(
            "SELECT status, answer, request_hash FROM idempotency_keys WHERE organization_id = :organization_id AND key = :key"
        ),
        keys,
    ).one()
    return Answered(row.status, row.answer, bytes(row.request_hash) in codes)


def finish(
    tx: Transaction,
    organization_id: UUID,
    key: str,
    status: int,
    answer: Mapping[str, object] | Sequence[object],
) -> None:
    """Keep the answer for whoever asks again."""
    tx.execute(
        text(
            "UPDATE idempotency_keys SET status = :status, answer = CAST(:answer AS jsonb)"
            " WHERE organization_id = :organization_id AND key = :key"
        ),
        {"organization_id": organization_id, "key": key, "status": status, "answer": dump_json(answer)},
    )


def forget(tx: Transaction, organization_id: UUID, key: str) -> None:
    """The request came to nothing that should be kept (we were at fault): the same one again is a new one."""
    tx.execute(
        text(
            "DELETE FROM idempotency_keys WHERE organization_id = :organization_id AND key = :key AND status IS NULL"
        ),
        {"organization_id": organization_id, "key": key},
    )


def purge(tx: Transaction) -> None:
    """Forget answers of a day ago."""
    tx.execute(
        text("DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - CAST(:kept AS interval)"),
        {"kept": _KEPT},
    )


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
