"""An organization's webhooks, what each receives of an event, and the results of the calls."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from db.audit import audit
from db.core.crypto import KeyRing, Place, Sealer
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events.events import Event
from domain.errors import NotFound, NotPermitted
from domain.webhooks import PREFIX

DISABLED = "disabled"  # why a call was given up
MAX_WEBHOOKS = 5  # per organization
MAX_CALLS = 2  # per organization, at the same time
_LEASE = timedelta(seconds=30)  # a call takes ten at most
SECRET_COLUMN, _URL = "webhook_secret", "webhook_url"
_KEEP_CALLS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An active webhook. ``secret`` as it was shown once. ``next_secret``: signs too, until somebody confirms that it is known."""

    id: UUID
    organization_id: UUID
    url: str = field(repr=False)
    secret: str = field(repr=False)
    next_secret: str | None = field(default=None, repr=False)


class Busy(StrEnum):
    """Why a call cannot be made now."""

    CALLED = "it is being called for this event already"
    ORGANIZATION = "as many calls of the organization run as may"


class _Registered(NamedTuple):
    standing: int
    same: int


class _Stored(NamedTuple):
    id: UUID
    organization_id: UUID
    url: str | None
    sealed_url: bytes | None
    secret: bytes
    next_secret: bytes | None
    disabled_at: datetime | None


class _Listed(NamedTuple):
    id: UUID
    host: str
    created_at: datetime
    events: list[str] | None
    disabled_at: datetime | None
    replacing: bool
    taken: int
    waiting: int
    given_up: int
    last_answer: str | None


class _Paused(NamedTuple):
    id: UUID
    name: str


_SQL = SqlFile(__name__)
_LOCK_ORGANIZATION = Statement("SELECT 1 FROM organizations WHERE id = :id FOR UPDATE")
_REGISTERED = _SQL.statement("registered", _Registered)
_ADD, _REMOVE = _SQL.statement("add"), _SQL.statement("remove", UUID)
_LISTING = _SQL.statement("listing", _Listed)
_STANDING = Statement(
    "SELECT id FROM webhooks WHERE organization_id = :id AND removed_at IS NULL ORDER BY id", UUID
)
_HEARING = Statement(
    "SELECT id FROM webhooks WHERE organization_id = :id AND removed_at IS NULL AND disabled_at IS NULL"
    " AND (events IS NULL OR CAST(:type AS text) = ANY(events)) ORDER BY id",
    UUID,
)
_GIVE_UP = _SQL.statement("give_up")
_WEBHOOK = Statement("SELECT * FROM webhooks WHERE id = :id AND removed_at IS NULL", _Stored)
_LOCK_CALLS = Statement("SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || :id, 0))")
_RUNNING = Statement(
    "SELECT count(*) FROM webhook_calls WHERE organization_id = :id AND lease_until > clock_timestamp()", int
)
_BEGIN_CALL, _END_CALL = _SQL.statement("begin_call", int), _SQL.statement("end_call", UUID)
_CALL = Statement("SELECT state FROM webhook_calls WHERE webhook_id = :id AND event_id = :event", str)
_PAUSED = _SQL.statement("paused", _Paused)
_TAKE_OLDER, _COUNT_OLDER = _SQL.statement("take_older", _Stored), _SQL.statement("count_older", int)
_ENCRYPT_AGAIN = Statement(
    "UPDATE webhooks SET secret = :secret, next_secret = :next_secret, sealed_url = :url, url = NULL, url_code = :code WHERE id = :id"
)
_TAKE_PLAIN = _SQL.statement("take_plain", _Stored)
_SEAL = Statement("UPDATE webhooks SET sealed_url = :url, url = NULL, url_code = :code WHERE id = :id")
_PURGE = Statement("DELETE FROM webhook_calls WHERE created_at < clock_timestamp() - CAST(:kept AS interval)")


def add(
    tx: Transaction, sealer: Sealer, web_keys: KeyRing, organization_id: UUID, url: str, *, actor: str
) -> tuple[UUID, str]:
    """Add a webhook with a validated URL; returns its id and its secret, which is shown only this once.

    Raises ``NotPermitted`` if the URL is already registered or there are too many.
    """
    _LOCK_ORGANIZATION.run(tx, id=organization_id)
    codes = web_keys.codes(_URL, organization_id.bytes + url.encode())
    registered = _REGISTERED.one(tx, id=organization_id, codes=codes)
    if registered.standing >= MAX_WEBHOOKS:
        raise NotPermitted(f"An organization may have {MAX_WEBHOOKS} webhooks. Remove one first.")
    if registered.same:
        raise NotPermitted("That URL is already registered.")
    webhook_id, secret = new_id(), PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    host = urlsplit(url).netloc
    _ADD.run(
        tx,
        id=webhook_id,
        organization_id=organization_id,
        url=sealer.encrypt(url, Place(organization_id, webhook_id, _URL)),
        code=codes[0],
        host=host,
        secret=sealer.encrypt(secret, Place(organization_id, webhook_id, SECRET_COLUMN)),
    )
    audit.write(tx, organization_id, actor, "webhook_added", f"webhook:{webhook_id}", {"host": host})
    return webhook_id, secret


def _url(ring: KeyRing, row: _Stored) -> str:
    if row.sealed_url is None:
        return str(row.url)
    return ring.decrypt(row.sealed_url, Place(row.organization_id, row.id, _URL))


def _code(ring: KeyRing, row: _Stored) -> bytes:
    # Must match the web process's code.
    web_keys = KeyRing(ring.web_keys())
    return web_keys.codes(_URL, row.organization_id.bytes + _url(ring, row).encode())[0]


def remove(tx: Transaction, organization_id: UUID, webhook_id: UUID, *, actor: str) -> None:
    """Stop all calls to the webhook, including waiting ones. Raises ``NotFound``."""
    removed = _REMOVE.one_or_none(tx, id=webhook_id, organization_id=organization_id)
    if removed is None:
        raise NotFound("There is no such webhook.")
    audit.write(tx, organization_id, actor, "webhook_removed", f"webhook:{webhook_id}", {})


def listing(tx: Transaction, organization_id: UUID) -> list[dict[str, Any]]:
    """Return active webhooks, with the numbers of last month's calls that were taken, wait, or were given up."""
    return [row._asdict() for row in _LISTING.all(tx, id=organization_id)]


def standing(tx: Transaction, organization_id: UUID) -> list[UUID]:
    """Return the ids of an organization's active webhooks."""
    return _STANDING.all(tx, id=organization_id)


def hearing(tx: Transaction, organization_id: UUID, event_type: str) -> list[UUID]:
    """Return the ids of the webhooks that are called for events of this type."""
    return _HEARING.all(tx, id=organization_id, type=event_type)


def open_one(tx: Transaction, ring: KeyRing, webhook_id: UUID) -> Webhook | None:
    """Return an active webhook, or None if it was removed."""
    row = _WEBHOOK.one_or_none(tx, id=webhook_id)
    return None if row is None else _opened(ring, row)


def _opened(ring: KeyRing, row: _Stored) -> Webhook:
    place = Place(row.organization_id, row.id, SECRET_COLUMN)
    coming = None if row.next_secret is None else ring.decrypt(row.next_secret, place)
    return Webhook(row.id, row.organization_id, _url(ring, row), ring.decrypt(row.secret, place), coming)


def begin_call(
    tx: Transaction, ring: KeyRing, webhook_id: UUID, event_id: UUID
) -> tuple[Webhook, int] | Busy | None:
    """Count an attempt; returns the webhook and the attempt's number, or None if it was removed or disabled, or the call is settled.

    The caller holds a lease on the call until ``end_call``, so nobody else makes it.
    """
    row = _WEBHOOK.one_or_none(tx, id=webhook_id)
    if row is None:
        return None
    if row.disabled_at is not None:
        _GIVE_UP.run(tx, id=webhook_id, event=event_id, organization=row.organization_id, answer=DISABLED)
        return None
    # Serializes calls of one organization, so that the count below is right.
    _LOCK_CALLS.run(tx, id=str(row.organization_id))
    if _RUNNING.one(tx, id=row.organization_id) >= MAX_CALLS:
        return Busy.ORGANIZATION
    attempt = _BEGIN_CALL.one_or_none(
        tx, id=webhook_id, event=event_id, organization=row.organization_id, lease=_LEASE
    )
    if attempt is None:
        state = _CALL.one(tx, id=webhook_id, event=event_id)
        return Busy.CALLED if state == "waiting" else None
    return _opened(ring, row), attempt


def end_call(
    tx: Transaction, webhook_id: UUID, event_id: UUID, attempt: int, state: str, answer: str
) -> bool:
    """Record the result. ``state``: taken, waiting or given_up. Returns False if the lease ran out and another attempt began."""
    ended = _END_CALL.one_or_none(
        tx, id=webhook_id, event=event_id, state=state, answer=answer, attempt=attempt
    )
    return ended is not None


def payload(tx: Transaction, event: Event) -> Mapping[str, Any]:
    """The payload of an event: ids and words that its organization knows, and the sequences that it paused."""
    if event.type.webhook is None:
        raise ValueError(f"no program hears of {event.kind}")
    paused = _PAUSED.all(tx, id=event.id)
    return {
        **{name: event.payload[name] for name in event.type.webhook.fields if event.payload.get(name)},
        "actor": event.payload.get("actor", event.actor),
        "paused": [{"sequence_id": str(row.id), "name": row.name} for row in paused],
    }


def rotate_keys(tx: Transaction, ring: KeyRing, limit: int) -> tuple[int, int]:
    """Re-encrypt secrets and URLs of up to ``limit`` webhooks under the newest key; returns how many, and how many are left."""
    rows = _TAKE_OLDER.all(tx, newest=ring.newest_id, limit=limit)
    for row in rows:
        place = Place(row.organization_id, row.id, SECRET_COLUMN)
        _ENCRYPT_AGAIN.run(
            tx,
            id=row.id,
            code=_code(ring, row),
            secret=ring.encrypt(ring.decrypt(row.secret, place), place),
            next_secret=None
            if row.next_secret is None
            else ring.encrypt(ring.decrypt(row.next_secret, place), place),
            url=ring.encrypt(_url(ring, row), Place(row.organization_id, row.id, _URL)),
        )
    return len(rows), _COUNT_OLDER.one(tx, newest=ring.newest_id)


def seal_urls(tx: Transaction, ring: KeyRing, limit: int = 200) -> int:
    """Encrypt URLs that an earlier release stored in plain text, and add missing codes; returns how many."""
    rows = _TAKE_PLAIN.all(tx, limit=limit)
    for row in rows:
        sealed = ring.encrypt(_url(ring, row), Place(row.organization_id, row.id, _URL))
        _SEAL.run(tx, id=row.id, url=sealed, code=_code(ring, row))
    return len(rows)


def purge(tx: Transaction) -> None:
    """Delete old calls."""
    _PURGE.run(tx, kept=_KEEP_CALLS)
