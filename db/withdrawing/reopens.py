"""Resume somebody whom a person stopped: back among the paused, with what was planned for them."""

from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.schema.listening_models import ENDS
from db.sending.moves import Move
from domain.delivery import State
from domain.errors import NotPermitted


class _Stopped(NamedTuple):
    person: str
    suppressed: bool
    answered: bool
    elsewhere: str | None
    delivery_id: UUID | None


_SQL = SqlFile(__name__)
_AGAIN = Move(State.PENDING, State.CLOSED)
_STOPPED = _SQL.statement("stopped", _Stopped, ends=ENDS)
_REOPEN = _SQL.statement("reopen", pending=_AGAIN.set, closed=_AGAIN.where("d."))


def reopen(tx: Transaction, enrollment_id: UUID) -> None:
    """Put somebody whom a person stopped back among the paused, with what was planned for them. The caller holds the lane.

    Raises ``NotPermitted`` where something else keeps them from it: an answer, a suppression, another sequence, or nothing is left.
    """
    row = _STOPPED.one_or_none(tx, id=enrollment_id)
    if row is None or row.delivery_id is None:
        raise NotPermitted("Nobody stopped this person by hand, or no email was planned then.")
    if row.suppressed:
        raise NotPermitted(f"{row.person} is on the suppression list.")
    if row.answered:
        raise NotPermitted(f"{row.person} has written since. Say on their page what that message is.")
    if row.elsewhere is not None:
        raise NotPermitted(f"{row.person} is in {row.elsewhere} now. Stop that sequence for them first.")
    _REOPEN.run(tx, delivery_id=row.delivery_id)
