"""What the JSON API lists, a page at a time, in the order of ids, and only of the caller's organization."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from domain.errors import NotFound

# Each over a table x whose id and organization_id are asked for below.
_LISTS = {
    "mailboxes": (
        "SELECT x.id, x.address, x.owner_id, x.provider, x.status, x.status_reason, x.connected_at, x.disconnected_at,"
        " x.scopes FROM mailboxes x"
    ),
    "members": "SELECT x.id, x.name, x.email, x.role, x.active FROM members x",
    "grants": (
        "SELECT x.id, x.mailbox_id, x.mailbox_owner_id, x.grantee_id, x.given_at, x.expires_at, x.daily_limit, x.sequence_ids,"
        " x.archived_at, x.archived_reason, x.given_by_kind, x.given_by, x.confirmed_at FROM grants x"
    ),
    "grant_requests": (
        "SELECT x.id, x.mailbox_id, x.requester_id, x.words, x.status, x.grant_id, x.created_at, x.settled_at"
        " FROM grant_requests x"
    ),
    "sequences": (
        "SELECT x.id, x.name, x.owner_id, x.mailbox_id, x.status, x.paused_reason, x.paused_at FROM sequences x"
    ),
    "enrollments": (
        "SELECT x.id, x.sequence_id, x.candidate_id, c.email, x.status, x.reason FROM enrollments x"
        " JOIN candidates c ON c.id = x.candidate_id"
    ),
}
_TABLES = {*_LISTS, "candidates", "deliveries"}


def page(
    tx: Transaction, kind: str, organization_id: UUID, *, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """At most ``limit`` of them, those after the id ``after``."""
    rows = tx.execute(
        text(
            f"{_LISTS[kind]} WHERE x.organization_id = :organization_id"
            " AND (CAST(:after AS uuid) IS NULL OR x.id > :after) ORDER BY x.id LIMIT :limit"
        ),
        {"organization_id": organization_id, "after": after, "limit": limit},
    ).all()
    return [dict(row._mapping) for row in rows]


def check_owned(tx: Transaction, kind: str, row_id: UUID, organization_id: UUID) -> None:
    """Raise ``NotFound`` unless the row is of this organization; what others have does not exist for it."""
    if kind not in _TABLES:
        raise KeyError(kind)
    found = tx.execute(
        text(f"SELECT 1 FROM {kind} WHERE id = :id AND organization_id = :organization_id"),
        {"id": row_id, "organization_id": organization_id},
    ).one_or_none()
    if found is None:
        raise NotFound(f"There is nothing of that id among your {kind.replace('_', ' ')}.")
