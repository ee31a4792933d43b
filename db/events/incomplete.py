"""People whose next email would have an empty field: found up to two days ahead, held, and the sequence's owner notified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.sending.gate import lock_lane
from domain.event_payloads import PeopleBlocked
from domain.merge import fields_in

_AT_ONCE = 500  # people per transaction
_COLUMNS = {
    **{name: f"c.{name}" for name in ("first_name", "last_name", "company", "title", "location")},
    "full_name": "c.first_name || c.last_name",
}
_NEVER_EMPTY = {"email", "sender_name", "sender_first_name", "sender_email"}


@dataclass(frozen=True, slots=True)
class Needed:
    """A step of a running sequence that uses a field without a fallback."""

    organization_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    sender: str
    step_id: UUID
    version: int
    field: str


class _Template(NamedTuple):
    organization_id: UUID
    sequence_id: UUID
    mailbox_id: UUID
    address: str
    step_id: UUID
    version: int
    template: str


_SQL = SqlFile(__name__)
_TEMPLATES = _SQL.statement("templates", _Template)
_FOUND = {field: Statement(_SQL.fragment("found", value=value), UUID) for field, value in _COLUMNS.items()}
_FOUND_BY_FIELD = Statement(_SQL.fragment("found", value="c.fields ->> :field"), UUID)
_HOLD, _PAUSE = _SQL.statement("hold", UUID), _SQL.statement("pause")


def needed_fields(tx: Transaction) -> Sequence[Needed]:
    """Return every step and required field of all running sequences."""
    return [
        Needed(
            row.organization_id, row.sequence_id, row.mailbox_id, row.address, row.step_id, row.version, name
        )
        for row in _TEMPLATES.all(tx)
        for name in sorted(
            {each.name for each in fields_in(row.template) if not each.fallback} - _NEVER_EMPTY
        )
    ]


def hold_incomplete(tx: Transaction, needed: Needed, *, ahead: timedelta) -> int:
    """Hold people whose field is empty and whose email is due within ``ahead``; returns how many."""
    found = _FOUND.get(needed.field, _FOUND_BY_FIELD).all(
        tx,
        sequence_id=needed.sequence_id,
        step_id=needed.step_id,
        field=needed.field,
        ahead=ahead,
        at_once=_AT_ONCE,
    )
    if not found:
        return 0
    lock_lane(tx, needed.mailbox_id)
    reason = f"missing_merge_field: {needed.field}"
    held = _HOLD.all(tx, reason=reason, ids=found)
    _PAUSE.run(tx, reason=reason, ids=held)
    for enrollment_id in held:
        audit.write(
            tx,
            needed.organization_id,
            "onbehalf",
            "person_blocked",
            f"enrollment:{enrollment_id}",
            {"reason": reason},
        )
    if held:
        # The same cause as at the gate (``db/events/problems.py``), so the owner is notified once.
        events.record(
            tx,
            needed.organization_id,
            PeopleBlocked(
                mailbox=needed.sender,
                sequence_id=needed.sequence_id,
                field=needed.field,
                blocked_reason=reason,
            ),
            f"merge_field:{needed.step_id}:{needed.version}:{needed.field}",
            "onbehalf",
        )
    return len(held)
