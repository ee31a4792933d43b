"""Requests for permission: who asked for which mailbox, and how its owner answered."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access import grants
from db.access.authority import authorized
from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from domain.errors import NotFound, NotPermitted
from domain.grant import Bounds, Hand, check_words
from domain.grant_payloads import GrantAsked, GrantDeclined


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """An open request: ``person`` asks for ``address`` in their own ``words``.

    A program that asked for them is named after them.
    """

    id: UUID
    person: str
    person_id: UUID
    address: str
    words: str
    created_at: datetime


class _Context(NamedTuple):
    id: UUID
    organization_id: UUID
    owner_id: UUID
    address: str
    mailbox_owner_active: bool
    name: str
    active: bool
    granted: bool


class _Open(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID
    requester_id: UUID
    address: str


_SQL = SqlFile(__name__)
_CONTEXT = _SQL.statement(
    "context",
    _Context,
    granted=authorized(mailbox="b.id", member="m.id", sequence="NULL::uuid", at="clock_timestamp() + :soon"),
)
_ADD = _SQL.statement("add", UUID)
_OPEN_ALREADY = Statement(
    "SELECT id FROM grant_requests WHERE mailbox_id = :box AND requester_id = :id AND status = 'open'", UUID
)
_ORGANIZATION = Statement("SELECT organization_id FROM members WHERE id = :id", UUID)
_MAILBOX = Statement("SELECT mailbox_id FROM grant_requests WHERE id = :id", UUID)
_OWNER = Statement(
    "SELECT b.owner_id FROM grant_requests r JOIN mailboxes b ON b.id = r.mailbox_id WHERE r.id = :id", UUID
)
_STATUS = Statement(
    "SELECT r.status FROM grant_requests r JOIN mailboxes b ON b.id = r.mailbox_id"
    " WHERE r.id = :id AND b.owner_id = :owner AND r.status <> 'open'",
    str,
)
_FOR_OWNER = _SQL.statement("listed", GrantRequest, whose="b.owner_id = :id")
_BY_REQUESTER = _SQL.statement("listed", GrantRequest, whose="r.requester_id = :id")
_OPEN_REQUEST = _SQL.statement("open_request", _Open)
_SETTLE = Statement(
    "UPDATE grant_requests SET status = :status, grant_id = :grant_id, settled_at = clock_timestamp() WHERE id = :id"
)


def ask(
    tx: Transaction, *, mailbox: str, requester_id: UUID, words: str, actor: str, program: str = ""
) -> UUID:
    """Ask the owner of the mailbox with the address ``mailbox``; returns the request, or the one already open.

    ``program``: the API key that asks. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    check_words(words)
    row = _CONTEXT.one_or_none(tx, id=requester_id, address=mailbox.strip(), soon=grants.ENDS_SOON)
    if row is None or not row.mailbox_owner_active:
        raise NotFound(f"Nobody in your organization sends from {mailbox.strip() or 'an empty address'}.")
    if row.owner_id == requester_id:
        raise NotPermitted(f"{row.address} is your own mailbox; you need no permission.")
    if not row.active:
        raise NotPermitted("Only active members can ask.")
    if row.granted:
        raise NotPermitted(f"You may send from {row.address} already.")
    request_id = _ADD.one_or_none(
        tx,
        id=new_id(),
        organization_id=row.organization_id,
        mailbox_id=row.id,
        requester_id=requester_id,
        words=words.strip(),
        program=program,
    )
    if request_id is None:
        return _OPEN_ALREADY.one(tx, box=row.id, id=requester_id)
    audit.write(
        tx, row.organization_id, actor, "grant_asked", f"mailbox:{row.id}", {"request": str(request_id)}
    )
    payload = GrantAsked(
        request_id=request_id,
        mailbox=row.address,
        person=row.name,
        program=program,
        reason=words.strip(),
        recipient=row.owner_id,
    )
    events.record(tx, row.organization_id, payload, f"grant_asked:{request_id}", actor)
    return request_id


def organization_of(tx: Transaction, requester_id: UUID) -> UUID:
    """Return the requester's organization. Raises ``NotFound``."""
    found = _ORGANIZATION.one_or_none(tx, id=requester_id)
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
    """Accept a request and give the grant. ``by``: who gives it. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``."""
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
    """Decline a request. Raises ``NotFound``."""
    request = _open_request(tx, request_id, mailbox_owner_id)
    _settle(tx, request_id, "declined", None)
    subject = f"mailbox:{request.mailbox_id}"
    audit.write(tx, request.organization_id, actor, "grant_declined", subject, {"request": str(request_id)})
    payload = GrantDeclined(mailbox=request.address, actor=actor, recipient=request.requester_id)
    events.record(tx, request.organization_id, payload, f"grant_declined:{request_id}", actor)


def mailbox_of(tx: Transaction, request_id: UUID) -> UUID:
    """Return the requested mailbox. Raises ``NotFound``."""
    found = _MAILBOX.one_or_none(tx, id=request_id)
    if found is None:
        raise NotFound("There is no such request.")
    return found


def owner_of(tx: Transaction, request_id: UUID) -> UUID:
    """Return the owner of the requested mailbox. Raises ``NotFound``."""
    found = _OWNER.one_or_none(tx, id=request_id)
    if found is None:
        raise NotFound("There is no such request.")
    return found


def answer_of(tx: Transaction, request_id: UUID, owner_id: UUID) -> str | None:
    """Return the mailbox owner's answer, accepted or declined, or None if there is no such request or no answer yet."""
    return _STATUS.one_or_none(tx, id=request_id, owner=owner_id)


def for_owner(tx: Transaction, owner_id: UUID) -> list[GrantRequest]:
    """Return open requests for a member's mailboxes, oldest first."""
    return _FOR_OWNER.all(tx, id=owner_id)


def by_requester(tx: Transaction, requester_id: UUID) -> list[GrantRequest]:
    """Return a member's own open requests, oldest first."""
    return _BY_REQUESTER.all(tx, id=requester_id)


def _open_request(tx: Transaction, request_id: UUID, mailbox_owner_id: UUID) -> _Open:
    row = _OPEN_REQUEST.one_or_none(tx, id=request_id, owner=mailbox_owner_id)
    if row is None:
        raise NotFound("This request for your mailbox no longer exists.")
    return row


def _settle(tx: Transaction, request_id: UUID, status: str, grant_id: UUID | None) -> None:
    _SETTLE.run(tx, id=request_id, status=status, grant_id=grant_id)
