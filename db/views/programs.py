"""What other programs use: keys of the API, and the last calls of webhooks. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.errors import NotFound
from domain.event_types import EVENT_TYPES
from domain.events import EventKind

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the API, without the key itself. ``revoked_at``: when it ended."""

    id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    expires_at: datetime | None
    expired: bool
    former_until: datetime | None  # the key before it works until then


class _Called(NamedTuple):
    webhook_id: UUID
    event_id: UUID
    host: str
    kind: str
    state: str
    attempts: int
    answer: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """An event that a webhook was called for. ``type``: as the webhook names it. ``state``: waiting, taken or given_up."""

    webhook_id: UUID
    event_id: UUID
    host: str
    type: str
    state: str
    attempts: int
    answer: str | None
    created_at: datetime


_SQL = SqlFile(__name__)
_KEYS, _KEY = _SQL.statement("keys", Key), _SQL.statement("key", Key)
_CALLS = _SQL.statement("calls", _Called)


def keys(tx: Transaction, organization_id: UUID, *, provision: bool | None = None) -> list[Key]:
    """Return the keys, those in force first; at most 500. ``provision``: those of identity providers alone, or all others."""
    return _KEYS.all(tx, organization_id=organization_id, provision=provision)


def key(tx: Transaction, organization_id: UUID, key_id: UUID) -> Key:
    """Return one key. Raises ``NotFound``."""
    found = _KEY.one_or_none(tx, organization_id=organization_id, id=key_id)
    if found is None:
        raise NotFound("There is no such key.")
    return found


def calls(
    tx: Transaction,
    organization_id: UUID,
    *,
    webhook_id: UUID | None = None,
    before: tuple[UUID, UUID] | None = None,
    limit: int = PER_PAGE,
) -> list[Call]:
    """Return the calls of the last month, newest first. ``before``: event and webhook of the last one on the page before."""
    event_id, webhook = before or (None, None)
    rows = _CALLS.all(
        tx,
        organization_id=organization_id,
        webhook_id=webhook_id,
        before=event_id,
        before_webhook=webhook,
        limit=limit,
    )
    return [
        Call(
            row.webhook_id,
            row.event_id,
            row.host,
            _type(row.kind),
            row.state,
            row.attempts,
            row.answer,
            row.created_at,
        )
        for row in rows
    ]


def _type(kind: str) -> str:
    found = EVENT_TYPES[EventKind(kind)].webhook
    return kind if found is None else found.type
