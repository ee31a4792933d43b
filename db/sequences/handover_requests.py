"""Requests to take a sequence over: who is asked, by whom, and how they answered. One sequence has one open request."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events
from domain.errors import NotFound
from domain.handover_payloads import HandoverAsked, HandoverDeclined


class HandoverRequest(NamedTuple):
    """A request. ``asked_by``: a name; ``asked_by_id`` None: a program or an operator."""

    id: UUID
    organization_id: UUID
    sequence_id: UUID
    sequence: str
    owner_id: UUID
    to_owner_id: UUID
    to_owner: str
    asked_by_id: UUID | None
    asked_by: str
    words: str
    status: str
    created_at: datetime
    settled_at: datetime | None
    settled_by: str | None


_SQL = SqlFile(__name__)
_ADD = _SQL.statement("add", UUID)
_LOAD = _SQL.statement("one", HandoverRequest)
_OPEN_OF, _OPEN_FOR = _SQL.statement("open_of", HandoverRequest), _SQL.statement("open_for", HandoverRequest)
_OF_ORGANIZATION = _SQL.statement("of_organization", HandoverRequest)
_SETTLE = _SQL.statement("settle", UUID)
_CANCEL_OPEN = _SQL.statement("cancel_open")


def ask(
    tx: Transaction,
    organization_id: UUID,
    sequence_id: UUID,
    sequence: str,
    to_owner_id: UUID,
    *,
    words: str,
    asked_by_id: UUID | None,
    actor: str,
) -> UUID | None:
    """Ask a member, and notify them. Returns the request, or None if somebody is asked already."""
    request_id = _ADD.one_or_none(
        tx,
        id=new_id(),
        organization_id=organization_id,
        sequence_id=sequence_id,
        to_owner_id=to_owner_id,
        asked_by_id=asked_by_id,
        asked_by=str(actor),
        words=words,
    )
    if request_id is None:
        return None
    data = {"request": str(request_id), "to_owner_id": str(to_owner_id)}
    audit.write(tx, organization_id, actor, "handover_asked", f"sequence:{sequence_id}", data)
    payload = HandoverAsked(
        request_id=request_id, sequence=sequence, actor=str(actor), reason=words, recipient=to_owner_id
    )
    events.record(tx, organization_id, payload, f"handover_asked:{request_id}", actor)
    return request_id


def load(tx: Transaction, request_id: UUID) -> HandoverRequest:
    """Return a request. Raises ``NotFound``."""
    found = _LOAD.one_or_none(tx, id=request_id)
    if found is None:
        raise NotFound("There is no such request.")
    return found


def open_of(tx: Transaction, sequence_id: UUID) -> HandoverRequest | None:
    """Return the open request of a sequence, or None."""
    return _OPEN_OF.one_or_none(tx, id=sequence_id)


def open_for(tx: Transaction, member_id: UUID) -> list[HandoverRequest]:
    """Return the open requests to a member, oldest first; at most 50."""
    return _OPEN_FOR.all(tx, id=member_id)


def of_organization(tx: Transaction, organization_id: UUID) -> list[HandoverRequest]:
    """Return the newest requests of an organization; at most 200."""
    return _OF_ORGANIZATION.all(tx, id=organization_id)


def settle(tx: Transaction, request: HandoverRequest, status: str, *, actor: str) -> bool:
    """Answer an open request. ``status``: accepted, declined or cancelled. Returns False if it is answered already."""
    if _SETTLE.one_or_none(tx, id=request.id, status=status, by=str(actor)) is None:
        return False
    if status != "accepted":  # a hand-over has its own entry
        subject, data = f"sequence:{request.sequence_id}", {"request": str(request.id)}
        audit.write(tx, request.organization_id, actor, f"handover_{status}", subject, data)
    if status == "declined" and request.asked_by_id is not None:
        payload = HandoverDeclined(
            sequence_id=request.sequence_id,
            sequence=request.sequence,
            actor=str(actor),
            recipient=request.asked_by_id,
        )
        events.record(tx, request.organization_id, payload, f"handover_declined:{request.id}", actor)
    return True


def cancel_open(tx: Transaction, sequence_id: UUID, *, by: str) -> None:
    """Cancel the open request of a sequence, if any: it has another owner or sender now."""
    _CANCEL_OPEN.run(tx, id=sequence_id, by=str(by))
