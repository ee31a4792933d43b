"""Giving a permission to send."""

from uuid import UUID

from sqlalchemy import text

from db import audit, events
from db.ids import new_id
from db.session import Transaction
from domain.errors import NotFound
from domain.events import EventKind
from domain.grant import Person, check_grant


def give(
    tx: Transaction,
    *,
    mailbox_id: UUID,
    grantor_id: UUID,
    grantee_id: UUID | None,
    actor: str,
) -> UUID:
    """Give ``grantee_id`` (None = everyone) permission; the one that stands already if it does.

    Raises ``NotFound``, ``NotPermitted``.
    """
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
    standing: UUID | None = tx.execute(
        text(
            "SELECT id FROM grants WHERE mailbox_id = :mailbox_id AND archived_at IS NULL"
            " AND grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)"
        ),
        {"mailbox_id": mailbox_id, "grantee_id": grantee_id},
    ).scalar_one_or_none()
    if standing is not None:
        return standing
    grant_id = new_id()
    tx.execute(
        text(
            "INSERT INTO grants (id, organization_id, mailbox_id, grantor_id, grantee_id)"
            " VALUES (:id, :organization_id, :mailbox_id, :grantor_id, :grantee_id)"
        ),
        {
            "id": grant_id,
            "organization_id": mailbox.organization_id,
            "mailbox_id": mailbox_id,
            "grantor_id": grantor_id,
            "grantee_id": grantee_id,
        },
    )
    data = {
        "mailbox_id": str(mailbox_id),
        "grantee_id": "everyone" if grantee_id is None else str(grantee_id),
    }
    audit.write(tx, mailbox.organization_id, actor, "grant_given", f"grant:{grant_id}", data)
    payload = {
        "mailbox": mailbox.address,
        "mailbox_id": str(mailbox_id),
        "actor": actor,
    }
    if grantee_id is not None:
        payload["grantee_id"] = str(grantee_id)
    events.record(
        tx,
        mailbox.organization_id,
        EventKind.GRANT_GIVEN,
        f"grant_given:{grant_id}",
        actor,
        payload,
    )
    return grant_id


def _person(tx: Transaction, member_id: UUID) -> Person:
    row = tx.execute(
        text("SELECT id, organization_id, email, active FROM members WHERE id = :id"),
        {"id": member_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such member.")
    return Person(row.id, row.organization_id, row.email, row.active)
