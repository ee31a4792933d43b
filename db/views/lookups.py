"""Find things by the names people use, and say what was meant when there is no such name."""

import difflib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from db.access.authority import BY_HAND_OF
from db.core.session import Transaction
from domain.errors import InvalidInput, NotFound

_NAMED = {
    "organization": "SELECT id, name FROM organizations o",
    "sequence": "SELECT x.id, x.name, o.name AS organization FROM sequences x JOIN organizations o ON o.id = x.organization_id",
    "mailbox": "SELECT x.id, x.address AS name, o.name AS organization FROM mailboxes x JOIN organizations o ON o.id = x.organization_id",
    "member": "SELECT x.id, x.email AS name, o.name AS organization FROM members x JOIN organizations o ON o.id = x.organization_id",
    "candidate": "SELECT x.id, x.email AS name, o.name AS organization FROM candidates x JOIN organizations o ON o.id = x.organization_id",
}
_COLUMN = {
    "organization": "o.name",
    "sequence": "x.name",
    "mailbox": "x.address",
    "member": "x.email",
    "candidate": "x.email",
}


def by_name(tx: Transaction, kind: str, name: str, *, organization: str | None = None) -> UUID:
    """The id of a ``kind`` (organization, sequence, mailbox, member, candidate) by its name, without case, or by its id.

    Raises ``NotFound`` with the nearest names, ``InvalidInput`` when several organizations have it.
    """
    try:
        as_id: UUID | None = UUID(name)
    except ValueError:
        as_id = None
    where = " AND (CAST(:organization AS text) IS NULL OR lower(o.name) = lower(:organization))"
    parameters: Mapping[str, object] = {"name": name, "organization": organization}
    if as_id is not None and kind != "organization":
        found = tx.execute(text(f"{_NAMED[kind]} WHERE x.id = :id"), {"id": as_id}).all()
    else:
        found = tx.execute(
            text(f"{_NAMED[kind]} WHERE lower({_COLUMN[kind]}) = lower(:name){where}"), parameters
        ).all()
    if len(found) == 1:
        found_id: UUID = found[0].id
        return found_id
    if found:
        places = ", ".join(sorted(row.organization for row in found))
        raise InvalidInput(
            f"{name!r} is in several organizations ({places})", fix="Say which with --organization."
        )
    names = tx.execute(text(f"{_NAMED[kind]} LIMIT 2000")).all()
    near = difflib.get_close_matches(name.lower(), [row.name.lower() for row in names], n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise NotFound(f"There is no {kind} {name!r}.{hint}")


def enrollments_of(tx: Transaction, text_or_id: str) -> list[UUID]:
    """Enrollments by their id, or by the person's address."""
    try:
        wanted = UUID(text_or_id)
    except ValueError:
        return list(
            tx.execute(
                text(
                    "SELECT e.id FROM enrollments e JOIN candidates c ON c.id = e.candidate_id"
                    " WHERE c.email = lower(:email) ORDER BY e.created_at"
                ),
                {"email": text_or_id},
            ).scalars()
        )
    return list(tx.execute(text("SELECT id FROM enrollments WHERE id = :id"), {"id": wanted}).scalars())


def listing(tx: Transaction, kind: str) -> list[dict[str, Any]]:
    """All sequences, mailboxes, members, grants, requests, keys or organizations, as plain values for a table."""
    return [dict(row._mapping) for row in tx.execute(text(_LISTS[kind])).all()]


def situation(tx: Transaction, enrollment_id: UUID) -> Row[tuple[Any, ...]] | None:
    """Everything that decides whether the next email of one enrollment goes, in one row."""
    return tx.execute(
        text(
            "SELECT e.status, e.reason, e.sequence_id, c.email, s.name AS sequence, s.status AS sequence_status, s.paused_reason,"
            " s.paused_at, b.address, d.id AS delivery_id, d.state,"
            " d.reason AS delivery_reason, d.held, d.due_at, d.sent_at, d.attempts, t.position, w.email AS owner,"
            " l.retry_after_until, l.wait_reason, l.zone, b.provider, d.still_draft_at, clock_timestamp() AS now, p.reason AS suppressed,"
            " (SELECT max(y.position) FROM deliveries x JOIN steps y ON y.id = x.step_id WHERE x.enrollment_id = e.id"
            "   AND x.still_draft_at IS NOT NULL) AS stuck_step,"
            " (SELECT count(*) FROM deliveries x WHERE x.enrollment_id = e.id AND x.state = 'sent') AS sent,"
            " (SELECT max(x.sent_at) FROM deliveries x WHERE x.enrollment_id = e.id) AS last_sent"
            " FROM enrollments e JOIN candidates c ON c.id = e.candidate_id JOIN sequences s ON s.id = e.sequence_id"
            " JOIN mailboxes b ON b.id = s.mailbox_id JOIN lanes l ON l.mailbox_id = b.id"
            " JOIN members w ON w.id = s.owner_id"
            " LEFT JOIN suppressions p ON p.organization_id = e.organization_id AND p.email = c.email"
            " LEFT JOIN LATERAL (SELECT x.* FROM deliveries x"
            "   WHERE x.enrollment_id = e.id ORDER BY x.created_at DESC LIMIT 1) d ON true"
            " LEFT JOIN steps t ON t.id = d.step_id WHERE e.id = :id"
        ),
        {"id": enrollment_id},
    ).one_or_none()


def receipt(tx: Transaction, delivery_id: UUID) -> dict[str, Any] | None:
    """A delivery's receipt with the names behind its ids, or None."""
    row = tx.execute(
        text(
            "SELECT r.*, d.still_draft_at, w.email AS owner, s.name AS sequence, t.position AS step,"
            " g.given_at AS grant_given_at, h.email AS granted_by, g.given_by_kind AS grant_given_by_kind,"
            f" g.given_by AS grant_given_by, {BY_HAND_OF} AS grant_by_hand_of, g.confirmed_at AS grant_confirmed_at FROM receipts r"
            " JOIN members w ON w.id = r.owner_id JOIN deliveries d ON d.id = r.delivery_id"
            " JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id"
            " LEFT JOIN grants g ON g.id = r.grant_id LEFT JOIN members h ON h.id = g.mailbox_owner_id"
            " WHERE r.delivery_id = :id"
        ),
        {"id": delivery_id},
    ).one_or_none()
    return None if row is None else dict(row._mapping)


_LISTS = {
    "organization": "SELECT id, name, time_zone FROM organizations ORDER BY name",
    "sequence": (
        "SELECT s.id, o.name AS organization, s.name, s.status, coalesce(s.paused_reason, '') AS reason,"
        " w.email AS owner, b.address AS sender,"
        " (SELECT count(*) FROM enrollments e WHERE e.sequence_id = s.id) AS people,"
        " (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'sent') AS sent,"
        " (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending') AS waiting"
        " FROM sequences s JOIN organizations o ON o.id = s.organization_id JOIN members w ON w.id = s.owner_id"
        " JOIN mailboxes b ON b.id = s.mailbox_id ORDER BY o.name, s.name"
    ),
    "mailbox": (
        "SELECT b.id, o.name AS organization, b.address, m.email AS owner, b.status,"
        " coalesce(b.status_reason, '') AS reason, b.connection_version, array_to_string(b.scopes, ' ') AS scopes"
        " FROM mailboxes b JOIN organizations o ON o.id = b.organization_id LEFT JOIN members m ON m.id = b.owner_id"
        " ORDER BY o.name, b.address"
    ),
    "member": (
        "SELECT m.id, o.name AS organization, m.name, m.email, m.role, m.active FROM members m"
        " JOIN organizations o ON o.id = m.organization_id ORDER BY o.name, m.email"
    ),
    "api_key": (
        "SELECT o.name AS organization, k.name, array_to_string(k.scopes, ' ') AS scopes, k.created_at, k.used_at, k.revoked_at"
        " FROM api_keys k JOIN organizations o ON o.id = k.organization_id ORDER BY o.name, k.revoked_at NULLS FIRST, k.name"
    ),
    "request": (
        "SELECT r.id, m.email AS asked_by, b.address AS mailbox, r.words, r.status, r.created_at, r.settled_at"
        " FROM grant_requests r JOIN members m ON m.id = r.requester_id JOIN mailboxes b ON b.id = r.mailbox_id"
        " ORDER BY r.settled_at NULLS FIRST, r.created_at"
    ),
    "grant": (
        "SELECT g.id, b.address AS mailbox, coalesce(e.email, 'everyone') AS given_to, r.email AS mailbox_owner, g.given_by_kind,"
        " coalesce(nullif(g.given_by, ''), r.email) AS given_by, g.confirmed_at, g.version, g.given_at, g.expires_at, g.daily_limit, (SELECT string_agg(s.name, ', ' ORDER BY s.name) FROM sequences s"
        "   WHERE s.id = ANY(g.sequence_ids)) AS only_for, g.archived_at, coalesce(g.archived_reason, '') AS archived_reason"
        " FROM grants g"
        " JOIN mailboxes b ON b.id = g.mailbox_id JOIN members r ON r.id = g.mailbox_owner_id"
        " LEFT JOIN members e ON e.id = g.grantee_id ORDER BY g.archived_at NULLS FIRST, b.address"
    ),
}


def organization_of(tx: Transaction, sequence_id: UUID) -> UUID:
    """The organization of a sequence."""
    found: UUID = tx.execute(
        text("SELECT organization_id FROM sequences WHERE id = :id"), {"id": sequence_id}
    ).scalar_one()
    return found


def ids_of(tx: Transaction, table: str, column: str, organization_id: UUID) -> dict[str, UUID]:
    """Ids of an organization's members or mailboxes by their address."""
    rows = tx.execute(
        text(f"SELECT id, {column} AS name FROM {table} WHERE organization_id = :id"), {"id": organization_id}
    ).all()
    return {row.name: row.id for row in rows}


def standing_grant(tx: Transaction, mailbox_id: UUID, grantee_id: UUID | None) -> bool:
    """Does this very permission stand?"""
    return (
        tx.execute(
            text(
                "SELECT 1 FROM grants WHERE mailbox_id = :mailbox_id AND archived_at IS NULL"
                " AND grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)"
            ),
            {"mailbox_id": mailbox_id, "grantee_id": grantee_id},
        ).one_or_none()
        is not None
    )
