"""Keys of the JSON API (per organization, hashed, scoped, shown once), and answers kept for repeated requests."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.audit import Actor, ActorKind
from domain.errors import InvalidInput, NotFound

# ``addresses`` covers what company sequences are sent from. It can reroute them, so ``manage`` does not include it.
SCOPES = ("read", "manage", "addresses")
# Of an identity provider's key, alone: it sees and changes members by SCIM, and nothing of the API.
PROVISION = "provision"
_PREFIX = "ob_"
_TOUCH_EVERY = timedelta(minutes=5)
FORMER_STAYS = timedelta(days=1)  # a key that was replaced
_KEPT = timedelta(hours=24)
# If no answer is stored by then, the process has died. Every endpoint is safe to repeat.
_GIVEN_UP_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of the API: a key, with the name an operator gave it."""

    organization_id: UUID
    name: Actor
    scopes: frozenset[str]

    @property
    def key(self) -> str:
        """The key's name, as the operator chose it."""
        return str(self.name).removeprefix("api:")


class _Key(NamedTuple):
    id: UUID
    organization_id: UUID
    name: str
    scopes: list[str]
    rested: bool


class Replaced(NamedTuple):
    """``former_until``: how long the key before it works."""

    id: UUID
    former_until: datetime


class _Answered(NamedTuple):
    status: int | None
    answer: Any  # an object or a list
    request_hash: bytes


_SQL = SqlFile(__name__)
_MAKE = Statement(
    "INSERT INTO api_keys (id, organization_id, name, key_hash, scopes, expires_at)"
    " VALUES (:id, :organization_id, :name, :hash, :scopes, CAST(:expires_at AS timestamptz))"
    " ON CONFLICT (organization_id, name) DO NOTHING RETURNING id",
    UUID,
)
_REVOKE = Statement(
    "UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp())"
    " WHERE organization_id = :organization_id AND name = :name RETURNING id",
    UUID,
)
_CALLER = Statement(
    "SELECT id, organization_id, name, scopes, coalesce(used_at < clock_timestamp() - :touch, true) AS rested"
    " FROM api_keys WHERE (key_hash = :hash OR former_hash = :hash AND former_until > clock_timestamp())"
    " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())",
    _Key,
)
_REPLACE = Statement(
    "UPDATE api_keys SET former_hash = key_hash, former_until = clock_timestamp() + CAST(:stays AS interval), key_hash = :hash"
    " WHERE organization_id = :organization_id AND name = :name AND revoked_at IS NULL"
    " AND (expires_at IS NULL OR expires_at > clock_timestamp()) RETURNING id, former_until",
    Replaced,
)
_TOUCH = Statement("UPDATE api_keys SET used_at = clock_timestamp() WHERE id = :id")
_RESERVE = _SQL.statement("reserve", str)
_ANSWERED = Statement(
    "SELECT status, answer, request_hash FROM idempotency_keys WHERE organization_id = :organization_id AND key = :key",
    _Answered,
)
_FINISH = Statement(
    "UPDATE idempotency_keys SET status = :status, answer = CAST(:answer AS jsonb)"
    " WHERE organization_id = :organization_id AND key = :key"
)
_FORGET = Statement(
    "DELETE FROM idempotency_keys WHERE organization_id = :organization_id AND key = :key AND status IS NULL"
)
_PURGE = Statement(
    "DELETE FROM idempotency_keys WHERE created_at < clock_timestamp() - CAST(:kept AS interval)"
)


def make(
    tx: Transaction,
    organization_id: UUID,
    name: str,
    scopes: list[str],
    *,
    expires_at: datetime | None = None,
    actor: str,
) -> str:
    """Create a key and return it; we store only its hash. ``expires_at`` None: no end. Raises ``InvalidInput``."""
    unknown = sorted(set(scopes) - {*SCOPES, PROVISION})
    if unknown or not scopes:
        raise InvalidInput(
            f"{', '.join(unknown) or 'nothing'} is not a scope.",
            where="scopes",
            fix=f"Choose from {', '.join(SCOPES)} or, alone, {PROVISION}.",
        )
    if PROVISION in scopes and len(set(scopes)) > 1:
        raise InvalidInput(
            f"{PROVISION} goes with no other scope.", where="scopes", fix="Make a key for each program."
        )
    if not 0 < len(name.strip()) <= 80:
        raise InvalidInput(
            "A key needs a name of at most 80 characters.", where="name", fix="Say who will use it."
        )
    key = _PREFIX + secrets.token_urlsafe(32)
    made = _MAKE.one_or_none(
        tx,
        id=new_id(),
        organization_id=organization_id,
        name=name.strip(),
        hash=_hash(key),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    if made is None:
        raise InvalidInput(
            f"There is, or was, a key called {name.strip()!r}.", where="name", fix="Choose another name."
        )
    audit.write(
        tx,
        organization_id,
        actor,
        "api_key_made",
        f"api_key:{made}",
        {"scopes": sorted(set(scopes)), "expires_at": None if expires_at is None else expires_at.isoformat()},
    )
    return key


def replace(tx: Transaction, organization_id: UUID, name: str, *, actor: str) -> tuple[str, datetime]:
    """Make a key for the same program and return it, and until when the one before it works too. Raises ``NotFound``: it has ended."""
    key = _PREFIX + secrets.token_urlsafe(32)
    done = _REPLACE.one_or_none(
        tx, organization_id=organization_id, name=name, hash=_hash(key), stays=FORMER_STAYS
    )
    if done is None:
        raise NotFound(f"There is no key called {name!r}, or it has ended.")
    audit.write(tx, organization_id, actor, "api_key_replaced", f"api_key:{done.id}", {})
    return key, done.former_until


def revoke(tx: Transaction, organization_id: UUID, name: str, *, actor: str) -> None:
    """Revoke the key with immediate effect. Raises ``NotFound``."""
    revoked = _REVOKE.one_or_none(tx, organization_id=organization_id, name=name)
    if revoked is None:
        raise NotFound(f"There is no key called {name!r}.")
    audit.write(tx, organization_id, actor, "api_key_revoked", f"api_key:{revoked}", {})


def caller_of(tx: Transaction, key: str) -> Caller | None:
    """Return the caller this key belongs to, or None if the key is unknown or revoked."""
    row = _CALLER.one_or_none(tx, hash=_hash(key), touch=_TOUCH_EVERY)
    if row is None:
        return None
    if row.rested:
        _TOUCH.run(tx, id=row.id)
    name = Actor(ActorKind.API_KEY, row.id, f"api:{row.name}")
    return Caller(row.organization_id, name, frozenset(row.scopes))


@dataclass(frozen=True, slots=True)
class Answered:
    """An earlier request with the same key.

    ``status`` is None while it is being answered; ``same``: the requests are identical.
    """

    status: int | None
    answer: Any
    same: bool


def begin(tx: Transaction, ring: KeyRing, organization_id: UUID, key: str, request: bytes) -> Answered | None:
    """Reserve ``key`` for ``request`` (its method, path and body). Returns None if it is new: handle it, then ``finish``.

    We keep a keyed hash of the request. It may hold a password, and a plain hash would let somebody guess that.
    """
    keys = {"organization_id": organization_id, "key": key}
    codes = ring.codes("requests", organization_id.bytes + request)
    taken = _RESERVE.one_or_none(tx, **keys, hash=codes[0], known=codes, given_up=_GIVEN_UP_AFTER)
    if taken is not None:
        return None
    row = _ANSWERED.one(tx, **keys)
    return Answered(row.status, row.answer, row.request_hash in codes)


def finish(
    tx: Transaction,
    organization_id: UUID,
    key: str,
    status: int,
    answer: Mapping[str, object] | Sequence[object],
) -> None:
    """Store the answer for repeats of the request."""
    _FINISH.run(tx, organization_id=organization_id, key=key, status=status, answer=dump_json(answer))


def forget(tx: Transaction, organization_id: UUID, key: str) -> None:
    """Drop the key after a failure of ours, so that a repeat counts as a new request."""
    _FORGET.run(tx, organization_id=organization_id, key=key)


def purge(tx: Transaction) -> None:
    """Delete answers older than a day."""
    _PURGE.run(tx, kept=_KEPT)


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
