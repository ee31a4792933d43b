"""Asking for a permission: who asked for which mailbox, and what its owner answered."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, text

from db.access import grants
from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.events import events
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind
from domain.grant import Bounds, Hand, check_words


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """An open request. ``person`` asks for ``address``, in ``words`` of theirs; a program that did it for them is named beside."""

    id: UUID
    person: str
    person_id: UUID
    address: str
    words: str
    created_at: datetime


def ask(
    tx: Transaction, *, mailbox: str, requester_id: UUID, words: str, actor: str, program: str = ""
) -> UUID:
    """Ask the owner of ``mailbox``, an address; the open request if there is one. ``program``: the API key that asks. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``."""
    check_words(words)
    row = tx.execute(
        text(
            "SELECT b.id, b.organization_id, b.owner_id, b.address, h.active AS mailbox_owner_active, m.name, m.active,"
            " EXISTS (SELECT FROM grants g WHERE g.mailbox_id = b.id AND g.archived_at IS NULL AND g.sequence_ids IS NULL"
            "   AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp() + :soon)"  # more time can be asked for
            "   AND (g.grantee_id = m.id OR g.grantee_id IS NULL)) AS granted"
            " FROM members m JOIN mailboxes b ON b.organization_id = m.organization_id JOIN members h ON h.id = b.owner_id"
            " WHERE m.id = :id AND b.address = lower(:address)"
        ),
        {"id": requester_id, "address": mailbox.strip(), "soon": grants.ENDS_SOON},
    ).one_or_none()
    if row is None or not row.mailbox_owner_active:
        raise NotFound(
            f"Nobody in your organization sends from {mailbox.strip() or 'an address without letters'}."
        )
    if row.owner_id == requester_id:
        raise NotPermitted(f"{row.address} is your own mailbox; you need no permission.")
    if not row.active:
        raise NotPermitted("Only active members can ask.")
    if row.granted:
        raise NotPermitted(f"You may send from {row.address} already.")
    request_id: UUID | None = tx.execute(
        text(
            "INSERT INTO grant_requests (id, organization_id, mailbox_id, requester_id, words, program)"
            " VALUES (:id, :organization_id, :mailbox_id, :requester_id, :words, :program)"
            " ON CONFLICT (mailbox_id, requester_id) WHERE status = 'open' DO NOTHING RETURNING id"
        ),
        {
            "id": new_id(),
            "organization_id": row.organization_id,
            "mailbox_id": row.id,
            "requester_id": requester_id,
            "words": words.strip(),
            "program": program,
        },
    ).scalar_one_or_none()
    if request_id is None:
        standing: UUID = tx.execute(
            text(
                "SELECT id FROM grant_requests WHERE mailbox_id = :box AND requester_id = :id AND status = 'open'"
            ),
            {"box": row.id, "id": requester_id},
        ).scalar_one()
        return standing
    audit.write(
        tx, row.organization_id, actor, "grant_asked", f"mailbox:{row.id}", {"request": str(request_id)}
    )
    payload = {
        "mailbox": row.address,
        "person": row.name,
        "program": program,
        "reason": words.strip(),
        "recipient": str(row.owner_id),
    }
    events.record(tx, row.organization_id, EventKind.GRANT_ASKED, f"grant_asked:{request_id}", actor, payload)
    return request_id


def organization_of(tx: Transaction, requester_id: UUID) -> UUID:
    """The requester's organization. Raises ``NotFound``."""
    found: UUID | None = tx.execute(
        text("SELECT organization_id FROM members WHERE id = :id"), {"id": requester_id}
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such member.")
    return found


def accept(
    tx: Transaction,
    request_id: UUID,
    *,
    mailbox_owner_id: UUID,
    actor: str,
    bounds: Bounds,
    by: Hand = "member",
) -> UUID:
    """Give what was asked for. ``by``: whose hand it is. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``."""
    request = _open_request(tx, request_id, mailbox_owner_id)
    grant_id = grants.give(
        tx,
        mailbox_id=request.mailbox_id,
        mailbox_owner_id=mailbox_owner_id,
        grantee_id=request.requester_id,
        actor=actor,
        bounds=bounds,
        by=by,
    )
    _settle(tx, request_id, "accepted", grant_id)
    return grant_id


def decline(tx: Transaction, request_id: UUID, *, mailbox_owner_id: UUID, actor: str) -> None:
    """Say no. Raises ``NotFound``."""
    request = _open_request(tx, request_id, mailbox_owner_id)
    _settle(tx, request_id, "declined", None)
    subject = f"mailbox:{request.mailbox_id}"
    audit.write(tx, request.organization_id, actor, "grant_declined", subject, {"request": str(request_id)})
    payload = {"mailbox": request.address, "actor": actor, "recipient": str(request.requester_id)}
    events.record(
        tx, request.organization_id, EventKind.GRANT_DECLINED, f"grant_declined:{request_id}", actor, payload
    )


def mailbox_of(tx: Transaction, request_id: UUID) -> UUID:
    """The mailbox that was asked for. Raises ``NotFound``."""
    found: UUID | None = tx.execute(
        text("SELECT mailbox_id FROM grant_requests WHERE id = :id"), {"id": request_id}
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("There is no such request.")
    return found


def answer_of(tx: Transaction, request_id: UUID, owner_id: UUID) -> str | None:
    """How the mailbox's owner answered: accepted or declined. None: there is no such request, or no answer yet."""
    found: str | None = tx.execute(
        text(
            "SELECT r.status FROM grant_requests r JOIN mailboxes b ON b.id = r.mailbox_id"
            " WHERE r.id = :id AND b.owner_id = :owner AND r.status <> 'open'"
        ),
        {"id": request_id, "owner": owner_id},
    ).scalar_one_or_none()
    return found


def for_owner(tx: Transaction, owner_id: UUID) -> list[GrantRequest]:
    """Open requests for a member's mailboxes, oldest first."""
    return _listed(tx, "b.owner_id = :id", owner_id)


def by_requester(tx: Transaction, requester_id: UUID) -> list[GrantRequest]:
    """Open requests that a member has made, oldest first."""
    return _listed(tx, "r.requester_id = :id", requester_id)


def _listed(tx: Transaction, condition: str, member_id: UUID) -> list[GrantRequest]:
    rows = tx.execute(
        text(
            "SELECT r.id, m.name || CASE r.program WHEN '' THEN '' ELSE ' (by the program ' || r.program || ')' END,"
            " m.id, b.address, r.words, r.created_at FROM grant_requests r"
            " JOIN mailboxes b ON b.id = r.mailbox_id JOIN members m ON m.id = r.requester_id"
            f" WHERE r.status = 'open' AND m.active AND {condition} ORDER BY r.created_at, r.id"
        ),
        {"id": member_id},
    ).all()
    return [GrantRequest(*row) for row in rows]


def _open_request(tx: Transaction, request_id: UUID, mailbox_owner_id: UUID) -> Row[tuple[object, ...]]:
    row = tx.execute(
        text(
            "SELECT r.organization_id, r.mailbox_id, r.requester_id, b.address FROM grant_requests r"
            " JOIN mailboxes b ON b.id = r.mailbox_id WHERE r.id = :id AND b.owner_id = :owner AND r.status = 'open'"
            " FOR UPDATE OF r"
        ),
        {"id": request_id, "owner": mailbox_owner_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such request for your mailbox any more.")
    return row


def _settle(tx: Transaction, request_id: UUID, status: str, grant_id: UUID | None) -> None:
    tx.execute(
        text(
            "UPDATE grant_requests SET status = :status, grant_id = :grant_id, settled_at = clock_timestamp() WHERE id = :id"
        ),
        {"id": request_id, "status": status, "grant_id": grant_id},
    )
