"""On whose authority sequences send: the facts for ``domain.authority``, and the same rule in SQL for many rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.approval import Approval
from domain.authority import MemberFacts, Sender, missing
from domain.blockers import sentence
from domain.connection import SCOPES, Provider
from domain.grant import Bounds, Grant


def in_force(at: str = "clock_timestamp()") -> str:
    """SQL over a grant ``g``: has it not ended, and will it not have by the moment ``at``?"""
    return f"g.archived_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > {at})"


def covers(member: str = "s.owner_id", sequence: str = "s.id") -> str:
    """SQL over a grant ``g``, as ``domain.grant.Grant.covers``. ``sequence``: NULL::uuid is one that no grant names."""
    return f"(g.grantee_id = {member} OR g.grantee_id IS NULL) AND (g.sequence_ids IS NULL OR {sequence} = ANY(g.sequence_ids))"


def authorized(
    besides: str = "true",
    *,
    mailbox: str = "s.mailbox_id",
    member: str = "s.owner_id",
    sequence: str = "s.id",
    at: str = "clock_timestamp()",
) -> str:
    """SQL: does a grant ``g`` let the owner of a sequence send from its mailbox? By default over a sequence ``s``.

    ``besides``: an extra condition.
    """
    return (
        f"EXISTS (SELECT FROM grants g WHERE g.mailbox_id = {mailbox} AND {in_force(at)}"
        f" AND {covers(member, sequence)} AND {besides})"
    )


def permitted(member: str = "s.owner_id", sequence: str = "s.id") -> str:
    """SQL over a mailbox ``b``: may this member send from it, as their own, as a sender address, or by a grant?

    Nothing of whether it is connected, or who is active: ``cannot_send``. Which sender address a member has: ``db.mailboxes.senders``.
    """
    granted = authorized(mailbox="b.id", member=member, sequence=sequence)
    return f"(b.owner_id IS NULL OR b.owner_id = {member} OR {granted})"


def cannot_send() -> str:
    """SQL that says whether a sequence cannot send: the same rule as ``domain.authority.missing``.

    Over a sequence ``s``, its owner ``w``, its mailbox ``b`` and the mailbox's owner ``h``.
    """
    lacking = " ".join(
        f"WHEN '{provider}' THEN NOT b.scopes @> ARRAY[{', '.join(repr(scope) for scope in sorted(scopes))}]::text[]"
        for provider, scopes in SCOPES.items()
    )
    return (
        f"(b.status <> 'connected' OR CASE b.provider {lacking} END OR h.active IS FALSE OR NOT w.active"
        f" OR NOT {permitted()})"
    )


# Over a grant ``g``: who gave it, in words; NULL if the mailbox owner did.
BY_HAND_OF = (
    "CASE g.given_by_kind WHEN 'operator' THEN 'an operator (' || g.given_by || ')'"
    " WHEN 'import' THEN 'an operator''s file (' || g.given_by || ')' END"
)


class _Sender(NamedTuple):
    sequence_id: UUID
    now: datetime
    address: str
    owner_email: str
    mailbox_owner_email: str | None
    mailbox_id: UUID
    mailbox_status: str
    status_reason: str | None
    provider: str
    scopes: list[str]
    connection_version: int
    tenant_wide: Json | None
    mailbox_owner_id: UUID | None
    mailbox_owner_active: bool | None
    mailbox_owner_version: int | None
    owner_id: UUID
    owner_active: bool
    owner_version: int
    grants: list[Json] | None
    ended_grant: Json | None


_SQL = SqlFile(__name__)
# The grants for a sequence's owner ``s.owner_id`` on its mailbox. ``l.zone`` decides which day the mailbox has.
GRANTS = _SQL.fragment("grants")
_SENDERS = _SQL.statement("senders", _Sender)


def senders(tx: Transaction, sequence_ids: Sequence[UUID]) -> dict[UUID, Sender]:
    """Return who would send each of these sequences from which mailbox, as of now."""
    rows = _SENDERS.all(tx, ids=list(sequence_ids))
    return {row.sequence_id: Sender(**sender_of(row)) for row in rows}


def blockers(tx: Transaction, sequence_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return what keeps each of these sequences from sending, one sentence each; empty if nothing does."""
    rows = _SENDERS.all(tx, ids=list(sequence_ids))
    return {
        row.sequence_id: [
            sentence(each, row.address, row.owner_email, row.mailbox_owner_email, row.owner_id)
            for each in missing(Sender(**sender_of(row)))
        ]
        for row in rows
    }


def read_grant(value: Mapping[str, object] | None) -> Grant | None:
    """Read a grant from its JSON in SQL results."""
    if value is None:
        return None
    grantee, expires_at = value["grantee_id"], value.get("expires_at")
    named, limit = value.get("sequence_ids"), value.get("daily_limit")
    first = value.get("first_email")
    return Grant(
        UUID(str(value["id"])),
        int(str(value["version"])),
        None if grantee is None else UUID(str(grantee)),
        Bounds(
            None if expires_at is None else datetime.fromisoformat(str(expires_at)),
            frozenset(UUID(each) for each in named) if isinstance(named, list) else None,
            None if limit is None else int(str(limit)),
            first is not None,
        ),
        int(str(value.get("used_today", 0))),
        Approval.from_json(first) if isinstance(first, dict) and "by" in first else None,
    )


def sender_of(row: Any) -> dict[str, Any]:
    """Read the fields of a ``domain.authority.Sender`` from a row with columns of these names."""
    mailbox_owner = (
        None
        if row.mailbox_owner_id is None
        else MemberFacts(row.mailbox_owner_id, row.mailbox_owner_active, row.mailbox_owner_version)
    )
    in_tenant = row.tenant_wide if row.provider == Provider.TENANT and row.tenant_wide is not None else {}
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
        "lost_with_tenant": in_tenant.get("lost_with"),
        "consented_at": in_tenant.get("consented_at"),
    }
