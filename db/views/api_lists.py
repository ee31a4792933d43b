"""The lists of the JSON API: one page at a time, ordered by id, limited to the caller's organization."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import Statement
from domain.errors import NotFound


class _Mailbox(NamedTuple):
    id: UUID
    address: str
    owner_id: UUID | None
    provider: str
    status: str
    status_reason: str | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    scopes: list[str]


class _Member(NamedTuple):
    id: UUID
    name: str
    email: str
    role: str
    active: bool


class _Grant(NamedTuple):
    id: UUID
    mailbox_id: UUID
    mailbox_owner_id: UUID
    grantee_id: UUID | None
    given_at: datetime
    expires_at: datetime | None
    daily_limit: int | None
    sequence_ids: list[UUID] | None
    archived_at: datetime | None
    archived_reason: str | None
    given_by_kind: str
    given_by: str
    confirmed_at: datetime | None
    first_email: dict[str, str] | None


class _GrantRequest(NamedTuple):
    id: UUID
    mailbox_id: UUID
    requester_id: UUID
    words: str
    status: str
    grant_id: UUID | None
    created_at: datetime
    settled_at: datetime | None


class _Sequence(NamedTuple):
    id: UUID
    name: str
    owner_id: UUID
    mailbox_id: UUID
    status: str
    paused_reason: str | None
    paused_at: datetime | None


class _Enrollment(NamedTuple):
    id: UUID
    sequence_id: UUID
    candidate_id: UUID
    email: str
    status: str
    reason: str | None


_PAGE = (
    "WHERE x.organization_id = :organization_id AND (CAST(:after AS uuid) IS NULL OR x.id > :after)"
    " ORDER BY x.id LIMIT :limit"
)
_PAGES: dict[str, Statement[Any]] = {
    **{
        kind: Statement(f"SELECT * FROM {source} x {_PAGE}", row)
        for kind, source, row in (
            ("mailboxes", "mailboxes", _Mailbox),
            ("members", "members", _Member),
            ("grants", "grants", _Grant),
            ("grant_requests", "grant_requests", _GrantRequest),
            ("sequences", "(SELECT * FROM sequences WHERE kind = 'sequence')", _Sequence),
        )
    },
    "enrollments": Statement(
        f"SELECT x.*, c.email FROM enrollments x JOIN candidates c ON c.id = x.candidate_id {_PAGE}",
        _Enrollment,
    ),
}
_IS_OWNED = {
    kind: Statement(f"SELECT 1 FROM {kind} WHERE id = :id AND organization_id = :organization_id", int)
    for kind in (*_PAGES, "candidates", "deliveries")
}


def page(
    tx: Transaction, kind: str, organization_id: UUID, *, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return at most ``limit`` rows with ids after ``after``."""
    rows = _PAGES[kind].all(tx, organization_id=organization_id, after=after, limit=limit)
    return [row._asdict() for row in rows]


def check_owned(tx: Transaction, kind: str, row_id: UUID, organization_id: UUID) -> None:
    """Raise ``NotFound`` unless the row belongs to this organization, so that callers learn nothing of others' rows."""
    if _IS_OWNED[kind].one_or_none(tx, id=row_id, organization_id=organization_id) is None:
        raise NotFound(f"None of your {kind.replace('_', ' ')} has this id.")
