"""Webhooks of an organization, what each gets of an event, and what came of it."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Row, text

from db.audit import audit
from db.core.crypto import KeyRing, Place, Sealer
from db.core.ids import new_id
from db.core.session import Transaction
from db.events.events import Event
from domain.errors import NotFound, NotPermitted
from domain.webhooks import PREFIX

MAX_WEBHOOKS = 5  # of one organization
MAX_CALLS = 2  # of one organization at the same time
_LEASE = timedelta(seconds=30)  # a call is over after ten
_COLUMN, _URL = "webhook_secret", "webhook_url"
_KEEP_CALLS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One that stands. ``secret`` as it was shown once."""

    id: UUID
    organization_id: UUID
    url: str = field(repr=False)
    secret: str = field(repr=False)


class Busy(StrEnum):
    """Why a call cannot be made now."""

    CALLED = "it is being called for this event already"
    ORGANIZATION = "as many calls of the organization run as may"


def add(
    tx: Transaction, sealer: Sealer, web_keys: KeyRing, organization_id: UUID, url: str, *, actor: str
) -> tuple[UUID, str]:
    """Keep a webhook whose URL has been checked; returns its id and its secret, which is shown this once.

    Raises ``NotPermitted``: that URL is registered already, or there are too many.
    """
    tx.execute(text("SELECT 1 FROM organizations WHERE id = :id FOR UPDATE"), {"id": organization_id})
    codes = web_keys.codes(_URL, organization_id.bytes + url.encode())
    standing, registered = tx.execute(
        text(
            "SELECT count(*), count(*) FILTER (WHERE url_code = ANY(:codes)) FROM webhooks"
            " WHERE organization_id = :id AND removed_at IS NULL"
        ),
        {"id": organization_id, "codes": codes},
    ).one()
    if standing >= MAX_WEBHOOKS:
        raise NotPermitted(f"An organization may have {MAX_WEBHOOKS} webhooks. Remove one first.")
    if registered:
        raise NotPermitted("That URL is already registered.")
    webhook_id, secret = new_id(), PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    host = urlsplit(url).netloc
    tx.execute(
        text(
            "INSERT INTO webhooks (id, organization_id, sealed_url, url_code, host, secret)"
            " VALUES (:id, :organization_id, :url, :code, :host, :secret)"
        ),
        {
            "id": webhook_id,
            "organization_id": organization_id,
            "url": sealer.encrypt(url, Place(organization_id, webhook_id, _URL)),
            "code": codes[0],
            "host": host,
            "secret": sealer.encrypt(secret, Place(organization_id, webhook_id, _COLUMN)),
        },
    )
    audit.write(tx, organization_id, actor, "webhook_added", f"webhook:{webhook_id}", {"host": host})
    return webhook_id, secret


def _url(ring: KeyRing, row: Row[tuple[Any, ...]]) -> str:
    if row.sealed_url is None:
        return str(row.url)
    return ring.decrypt(bytes(row.sealed_url), Place(row.organization_id, row.id, _URL))


def _code(ring: KeyRing, row: Row[tuple[Any, ...]]) -> bytes:
    # As the web process makes it.
    web_keys = KeyRing(ring.web_keys())
    return web_keys.codes(_URL, row.organization_id.bytes + _url(ring, row).encode())[0]


def remove(tx: Transaction, organization_id: UUID, webhook_id: UUID, *, actor: str) -> None:
    """Tell it nothing any more, what waits included. Raises ``NotFound``."""
    removed = tx.execute(
        text(
            "UPDATE webhooks SET removed_at = clock_timestamp() WHERE id = :id AND organization_id = :organization_id"
            " AND removed_at IS NULL RETURNING id"
        ),
        {"id": webhook_id, "organization_id": organization_id},
    ).one_or_none()
    if removed is None:
        raise NotFound("There is no such webhook.")
    audit.write(tx, organization_id, actor, "webhook_removed", f"webhook:{webhook_id}", {})


def listing(tx: Transaction, organization_id: UUID) -> list[dict[str, Any]]:
    """Those that stand, and how many calls of the last month were taken, wait, or were given up."""
    rows = tx.execute(
        text(
            "SELECT w.id, w.host, w.created_at, count(c.event_id) FILTER (WHERE c.state = 'taken') AS taken,"
            " count(c.event_id) FILTER (WHERE c.state = 'waiting') AS waiting,"
            " count(c.event_id) FILTER (WHERE c.state = 'given_up') AS given_up,"
            " (SELECT x.answer FROM webhook_calls x WHERE x.webhook_id = w.id AND x.answer IS NOT NULL"
            "   ORDER BY x.created_at DESC LIMIT 1) AS last_answer"
            " FROM webhooks w LEFT JOIN webhook_calls c ON c.webhook_id = w.id"
            " WHERE w.organization_id = :id AND w.removed_at IS NULL GROUP BY w.id ORDER BY w.created_at"
        ),
        {"id": organization_id},
    ).all()
    return [dict(row._mapping) for row in rows]


def standing(tx: Transaction, organization_id: UUID) -> list[UUID]:
    """The ids of an organization's webhooks."""
    return list(
        tx.execute(
            text("SELECT id FROM webhooks WHERE organization_id = :id AND removed_at IS NULL ORDER BY id"),
            {"id": organization_id},
        ).scalars()
    )


def begin_call(
    tx: Transaction, ring: KeyRing, webhook_id: UUID, event_id: UUID
) -> tuple[Webhook, int] | Busy | None:
    """Count an attempt; returns the webhook and the attempt's number. None: it was removed, or this is settled.

    The call is leased to the caller until ``end_call``: nobody else makes it meanwhile.
    """
    row = tx.execute(
        text("SELECT * FROM webhooks WHERE id = :id AND removed_at IS NULL"), {"id": webhook_id}
    ).one_or_none()
    if row is None:
        return None
    # Whoever begins one of the same organization counts after this one.
    tx.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('webhooks ' || :id, 0))"),
        {"id": str(row.organization_id)},
    )
    running: int = tx.execute(
        text(
            "SELECT count(*) FROM webhook_calls WHERE organization_id = :id AND lease_until > clock_timestamp()"
        ),
        {"id": row.organization_id},
    ).scalar_one()
    if running >= MAX_CALLS:
        return Busy.ORGANIZATION
    attempt = tx.execute(
        text(
            "INSERT INTO webhook_calls (webhook_id, event_id, organization_id, attempts, lease_until)"
            " VALUES (:id, :event, :organization, 1, clock_timestamp() + CAST(:lease AS interval))"
            " ON CONFLICT (webhook_id, event_id) DO UPDATE SET attempts = webhook_calls.attempts + 1,"
            "   lease_until = clock_timestamp() + CAST(:lease AS interval)"
            " WHERE webhook_calls.state = 'waiting'"
            "   AND (webhook_calls.lease_until IS NULL OR webhook_calls.lease_until < clock_timestamp()) RETURNING attempts"
        ),
        {"id": webhook_id, "event": event_id, "organization": row.organization_id, "lease": _LEASE},
    ).scalar_one_or_none()
    if attempt is None:
        state = tx.execute(
            text("SELECT state FROM webhook_calls WHERE webhook_id = :id AND event_id = :event"),
            {"id": webhook_id, "event": event_id},
        ).scalar_one()
        return Busy.CALLED if state == "waiting" else None
    secret = ring.decrypt(bytes(row.secret), Place(row.organization_id, webhook_id, _COLUMN))
    return Webhook(row.id, row.organization_id, _url(ring, row), secret), attempt


def end_call(
    tx: Transaction, webhook_id: UUID, event_id: UUID, attempt: int, state: str, answer: str
) -> bool:
    """``state``: taken, waiting or given_up. False: the lease was over, and somebody else has begun it again."""
    ended = tx.execute(
        text(
            "UPDATE webhook_calls SET state = :state, answer = :answer, lease_until = NULL"
            " WHERE webhook_id = :id AND event_id = :event AND state = 'waiting' AND attempts = :attempt RETURNING event_id"
        ),
        {"id": webhook_id, "event": event_id, "state": state, "answer": answer, "attempt": attempt},
    ).one_or_none()
    return ended is not None


def payload(tx: Transaction, event: Event) -> Mapping[str, Any]:
    """The payload of an event: ids and words that its organization knows, and the sequences that it paused."""
    kept = (
        "mailbox",
        "mailbox_id",
        "member_id",
        "grant_id",
        "sequence_id",
        "delivery_id",
        "person",
        "reason",
    )
    paused = tx.execute(
        text(
            "SELECT s.id, s.name FROM pauses p JOIN sequences s ON s.id = p.sequence_id WHERE p.event_id = :id ORDER BY s.name"
        ),
        {"id": event.id},
    ).all()
    return {
        **{name: event.payload[name] for name in kept if event.payload.get(name)},
        "actor": event.payload.get("actor", event.actor),
        "paused": [{"sequence_id": str(row.id), "name": row.name} for row in paused],
    }


def rotate_keys(tx: Transaction, ring: KeyRing, limit: int) -> tuple[int, int]:
    """Re-encrypt secrets and URLs of up to ``limit`` webhooks under the newest key; returns how many, and how many are left."""
    older = "(substr(secret, 2, 8) <> :newest OR substr(sealed_url, 2, 8) <> :newest)"  # the key's id, see db/core/crypto.py
    rows = tx.execute(
        text(f"SELECT * FROM webhooks WHERE {older} ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"),
        {"newest": ring.newest_id, "limit": limit},
    ).all()
    for row in rows:
        place = Place(row.organization_id, row.id, _COLUMN)
        tx.execute(
            text(
                "UPDATE webhooks SET secret = :secret, sealed_url = :url, url = NULL, url_code = :code WHERE id = :id"
            ),
            {
                "id": row.id,
                "code": _code(ring, row),
                "secret": ring.encrypt(ring.decrypt(bytes(row.secret), place), place),
                "url": ring.encrypt(_url(ring, row), Place(row.organization_id, row.id, _URL)),
            },
        )
    left: int = tx.execute(
        text(f"SELECT count(*) FROM webhooks WHERE {older}"), {"newest": ring.newest_id}
    ).scalar_one()
    return len(rows), left


def seal_urls(tx: Transaction, ring: KeyRing, limit: int = 200) -> int:
    """Encrypt URLs that an earlier release kept in clear, and make codes of what has none; returns how many."""
    rows = tx.execute(
        text(
            "SELECT * FROM webhooks WHERE url IS NOT NULL OR (url_code IS NULL AND removed_at IS NULL)"
            " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"limit": limit},
    ).all()
    for row in rows:
        sealed = ring.encrypt(_url(ring, row), Place(row.organization_id, row.id, _URL))
        tx.execute(
            text("UPDATE webhooks SET sealed_url = :url, url = NULL, url_code = :code WHERE id = :id"),
            {"id": row.id, "url": sealed, "code": _code(ring, row)},
        )
    return len(rows)


def purge(tx: Transaction) -> None:
    """Forget calls of long ago."""
    tx.execute(
        text("DELETE FROM webhook_calls WHERE created_at < clock_timestamp() - CAST(:kept AS interval)"),
        {"kept": _KEEP_CALLS},
    )
