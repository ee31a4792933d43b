"""Incidents of a sequence that was handed over: its new owner's from now on, and the former owner's no longer."""

from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.events import events, notices
from domain.event_types import EVENT_TYPES
from domain.events import EventKind
from domain.incidents import Recovery

# They end with what they say of a mailbox, whoever sends from it.
_OF_A_MAILBOX = [
    kind.value
    for kind, each in EVENT_TYPES.items()
    if each.recovery not in (None, Recovery.RESUMED) and kind is not EventKind.ORGANIZATION_HELD
]


class _Incident(NamedTuple):
    id: UUID
    event_id: UUID
    stays: bool
    goes_on: bool


_SQL = SqlFile(__name__)
_OF_SEQUENCE = _SQL.statement("of_sequence", _Incident)
_CLOSE = _SQL.statement("close")


def hand_on(
    tx: Transaction, sequence_id: UUID, *, former_id: UUID, former_mailbox_id: UUID, name: str, owner: str
) -> None:
    """Close the former owner's incidents that were about this sequence alone, and notify the new owner of those that go on.

    Call it once the sequence has its new owner. What keeps the former mailbox from sending goes on if the sequence still sends from it.
    """
    for each in _OF_SEQUENCE.all(
        tx, id=sequence_id, former=former_id, mailbox=former_mailbox_id, of_mailbox=_OF_A_MAILBOX
    ):
        if not each.stays:
            _CLOSE.run(tx, id=each.id, sentence=f"{name} is {owner}'s now, and so is this.")
        event = events.load(tx, each.event_id)
        if each.goes_on and event is not None:
            notices.bring_up_to_date(tx, event, events.recipient_for(tx, sequence_id))
