"""Giving a permission to send."""

from uuid import UUID

from sqlalchemy import text

from db import audit, events
from db.ids import new_id
from db.session import Transaction, database_now
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.events import EventKind
from domain.grant import UNBOUNDED, Bounds, Person, check_bounds, check_grant


def give(
    tx: Transaction,
    *,
    mailbox_id: UUID,
    grantor_id: UUID,
    grantee_id: UUID | None,
    actor: str,
    bounds: Bounds = UNBOUNDED,
) -> UUID:
    """Give ``grantee_id`` (None = everyone) permission; the one that stands already if it is the same.

    Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    check_bounds(bounds, database_now(tx))
    mailbox = tx.execute(
        text("SELECT organization_id, owner_id, address FROM mailboxes WHERE id = :id"),
        {"id": mailbox_id},
    ).one_or_none()
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    grantee = None if grantee_id is None else _person(tx, grantee_id)
    check_grant(
        mailbox_owner=_person(tx, mailbox.owner_id),
        grantor=_person(tx, grantor_id),
        grantee=grantee,
    )
    tx.execute(
        text("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE"),
        {"id": mailbox_id},
    )
    standing = tx.execute(
        text(
            "SELECT id, expires_at, sequence_ids, daily_limit FROM grants WHERE mailbox_id = :mailbox_id"
            " AND archived_at IS NULL AND grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)"
        ),
        {"mailbox_id": mailbox_id, "grantee_id": grantee_id},
    ).one_or_none()
    if standing is not None:
        named = None if standing.sequence_ids is None else frozenset(standing.sequence_ids)
        if bounds == Bounds(standing.expires_at, named, standing.daily_limit):
            found: UUID = standing.id
            return found
        who = "everyone" if grantee is None else grantee.email
        raise NotPermitted(
            f"A permission for {who} stands already, within other bounds. End it first, then give the new one."
        )
    _check_sequences(tx, mailbox_id, grantee_id, bounds)
    grant_id = new_id()
    tx.execute(
        text(
            "INSERT INTO grants (id, organization_id, mailbox_id, grantor_id, grantee_id, expires_at, sequence_ids, daily_limit)"
            " VALUES (:id, :organization_id, :mailbox_id, :grantor_id, :grantee_id, :expires_at, :sequence_ids, :daily_limit)"
        ),
        {
            "id": grant_id,
            "organization_id": mailbox.organization_id,
            "mailbox_id": mailbox_id,
            "grantor_id": grantor_id,
            "grantee_id": grantee_id,
            "expires_at": bounds.expires_at,
            "sequence_ids": None if bounds.sequence_ids is None else sorted(bounds.sequence_ids),
            "daily_limit": bounds.daily_limit,
        },
    )
    data = {
        "mailbox_id": str(mailbox_id),
        "grantee_id": "everyone" if grantee_id is None else str(grantee_id),
        "until": "" if bounds.expires_at is None else bounds.expires_at.isoformat(),
        "sequences": "all"
        if bounds.sequence_ids is None
        else " ".join(sorted(map(str, bounds.sequence_ids))),
        "a_day": bounds.daily_limit,
    }
    audit.write(tx, mailbox.organization_id, actor, "grant_given", f"grant:{grant_id}", data)
    payload = {
        "mailbox": mailbox.address,
        "mailbox_id": str(mailbox_id),
        "actor": actor,
        "grant_id": str(grant_id),
    }
    if grantee_id is not None:
        payload |= {"grantee_id": str(grantee_id), "tell": str(grantee_id)}
    events.record(
        tx,
        mailbox.organization_id,
        EventKind.GRANT_GIVEN,
        f"grant_given:{grant_id}",
        actor,
        payload,
    )
    return grant_id


def _check_sequences(tx: Transaction, mailbox_id: UUID, grantee_id: UUID | None, bounds: Bounds) -> None:
    if bounds.sequence_ids is None:
        return
    fitting = tx.execute(
        text(
            "SELECT count(*) FROM sequences WHERE id = ANY(:ids) AND mailbox_id = :mailbox_id AND status <> 'archived'"
            " AND (CAST(:grantee_id AS uuid) IS NULL OR owner_id = :grantee_id)"
        ),
        {"ids": list(bounds.sequence_ids), "mailbox_id": mailbox_id, "grantee_id": grantee_id},
    ).scalar_one()
    if fitting != len(bounds.sequence_ids):
        raise InvalidInput(
            "One of these is no sequence that this permission could be for.",
            where="sequences",
            fix="Name sequences of theirs that send from this mailbox.",
        )


def _person(tx: Transaction, member_id: UUID) -> Person:
    row = tx.execute(
        text("SELECT id, organization_id, email, active FROM members WHERE id = :id"),
        {"id": member_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such member.")
    return Person(row.id, row.organization_id, row.email, row.active)
