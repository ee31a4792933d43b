"""On whose authority sequences send: the facts for ``domain.authority``, and the same rule as SQL for many rows at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from domain.authority import MemberFacts, Sender, missing
from domain.blockers import sentence
from domain.connection import SCOPES
from domain.grant import Bounds, Grant


def authorized(besides: str = "true") -> str:
    """Over a sequence ``s``: does a grant ``g`` stand that lets its owner send from its mailbox? ``besides``: one more condition."""
    return (
        "EXISTS (SELECT FROM grants g WHERE g.mailbox_id = s.mailbox_id AND g.archived_at IS NULL"
        " AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp())"
        " AND (g.grantee_id = s.owner_id OR g.grantee_id IS NULL)"
        f" AND (g.sequence_ids IS NULL OR s.id = ANY(g.sequence_ids)) AND {besides})"
    )


def cannot_send() -> str:
    """Over a sequence ``s``, its mailbox ``b``, that one's owner ``h`` and its own owner ``w``: is anything ``domain.authority.missing``?"""
    lacking = " ".join(
        f"WHEN '{provider}' THEN NOT b.scopes @> ARRAY[{', '.join(repr(scope) for scope in sorted(scopes))}]::text[]"
        for provider, scopes in SCOPES.items()
    )
    return (
        f"(b.status <> 'connected' OR CASE b.provider {lacking} END OR h.active IS FALSE OR NOT w.active"
        f" OR (s.owner_id <> b.owner_id AND NOT {authorized()}))"
    )


# Over a grant ``g``: by whose hand it was given, in words; NULL: by the mailbox owner's own.
BY_HAND_OF = (
    "CASE g.given_by_kind WHEN 'operator' THEN 'an operator (' || g.given_by || ')'"
    " WHEN 'import' THEN 'an operator''s file (' || g.given_by || ')' END"
)


# The permissions of a sequence's owner ``s.owner_id`` on its mailbox, as of the mailbox's day ``l.zone`` counts.
GRANTS = (
    "(SELECT jsonb_agg(jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id,"
    " 'expires_at', g.expires_at, 'sequence_ids', g.sequence_ids, 'daily_limit', g.daily_limit,"
    " 'used_today', CASE WHEN g.used_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN g.used_today ELSE 0 END)) FROM grants g"
    " WHERE g.mailbox_id = b.id AND g.archived_at IS NULL AND (g.grantee_id = s.owner_id OR g.grantee_id IS NULL))"
)
_SENDERS = text(
    "SELECT s.id AS sequence_id, clock_timestamp() AS now, b.address, w.email AS owner_email, h.email AS mailbox_owner_email, b.id AS mailbox_id, b.status AS mailbox_status, b.status_reason,"
    " b.provider, b.scopes, b.connection_version, h.id AS mailbox_owner_id, h.active AS mailbox_owner_active,"
    " h.activity_version AS mailbox_owner_version, w.id AS owner_id, w.active AS owner_active, w.activity_version AS owner_version,"
    f" {GRANTS} AS grants,"
    " (SELECT jsonb_build_object('id', g.id, 'version', g.version, 'grantee_id', g.grantee_id) FROM grants g"
    "   WHERE g.mailbox_id = b.id AND g.archived_at IS NOT NULL AND (g.grantee_id = w.id OR g.grantee_id IS NULL)"
    "   ORDER BY g.archived_at DESC LIMIT 1) AS ended_grant"
    " FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id JOIN lanes l ON l.mailbox_id = b.id"
    " LEFT JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = s.owner_id WHERE s.id = ANY(:ids)"
)


def senders(tx: Transaction, sequence_ids: Sequence[UUID]) -> dict[UUID, Sender]:
    """Who would send each of these sequences from where, now."""
    rows = tx.execute(_SENDERS, {"ids": list(sequence_ids)}).all()
    return {row.sequence_id: Sender(**sender_of(row)) for row in rows}


def blockers(tx: Transaction, sequence_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """What keeps each of these sequences from sending, a sentence each; empty where nothing does."""
    rows = tx.execute(_SENDERS, {"ids": list(sequence_ids)}).all()
    return {
        row.sequence_id: [
            sentence(each, row.address, row.owner_email, row.mailbox_owner_email, row.owner_id)
            for each in missing(Sender(**sender_of(row)))
        ]
        for row in rows
    }


def read_grant(value: Mapping[str, object] | None) -> Grant | None:
    """A grant as SQL hands it over."""
    if value is None:
        return None
    grantee, expires_at = value["grantee_id"], value.get("expires_at")
    named, limit = value.get("sequence_ids"), value.get("daily_limit")
    return Grant(
        UUID(str(value["id"])),
        int(str(value["version"])),
        None if grantee is None else UUID(str(grantee)),
        Bounds(
            None if expires_at is None else datetime.fromisoformat(str(expires_at)),
            frozenset(UUID(each) for each in named) if isinstance(named, list) else None,
            None if limit is None else int(str(limit)),
        ),
        int(str(value.get("used_today", 0))),
    )


def sender_of(row: Any) -> dict[str, Any]:
    """The facts of a ``domain.authority.Sender``, from a row that has them by these names."""
    mailbox_owner = (
        None
        if row.mailbox_owner_id is None
        else MemberFacts(row.mailbox_owner_id, row.mailbox_owner_active, row.mailbox_owner_version)
    )
    return {
        "now": row.now,
        "sequence_id": row.sequence_id,
        "sequence_owner": MemberFacts(row.owner_id, row.owner_active, row.owner_version),
        "mailbox_id": row.mailbox_id,
        "mailbox_owner": mailbox_owner,
        "mailbox_status": row.mailbox_status,
        "mailbox_reason": row.status_reason,
        "provider": row.provider,
        "mailbox_scopes": frozenset(row.scopes),
        "connection_version": row.connection_version,
        "grants": [grant for value in row.grants or [] if (grant := read_grant(value)) is not None],
        "ended_grant": read_grant(row.ended_grant),
    }
