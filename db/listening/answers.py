"""Before a follow-up: has the person answered, and is every mailbox read in which they may have?"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.schema.listening_models import CORRECTED, ENDS
from domain.connection import READABLE
from domain.listening.cadence import READ_AGAIN
from domain.preflight import Heard


class _Row(NamedTuple):
    ended_by: str | None
    readable: bool
    read_as_of: datetime | None
    unread: list[UUID]
    unprocessed: bool


_HEARD = SqlFile(__name__).statement(
    "heard",
    _Row,
    ends=ENDS,
    corrected=CORRECTED,
    can_read="b.status = 'connected' AND b.provider = ANY(:readable)",
)


def heard_of(tx: Transaction, enrollment_id: UUID) -> tuple[Heard, Sequence[UUID]]:
    """Return what is known of answers, and the mailboxes whose last reading is too old to send on."""
    row = _HEARD.one(tx, id=enrollment_id, readable=sorted(READABLE), again=READ_AGAIN)
    heard = Heard(
        readable=row.readable, read_as_of=row.read_as_of, ended_by=row.ended_by, unprocessed=row.unprocessed
    )
    return heard, tuple(row.unread)
