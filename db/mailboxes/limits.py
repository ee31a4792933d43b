"""How much a mailbox sends a day: read, and changed while emails wait."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.errors import NotFound


class Limits(NamedTuple):
    """``owner_id`` None: a sender address. ``zone``: whose midnight starts a new day. ``hours``: those set here (``own``), or that the provider names."""

    id: UUID
    organization_id: UUID
    owner_id: UUID | None
    owner: str
    address: str
    provider: str
    daily_cap: int
    sent_today: int
    zone: str
    hours: Json | None
    own: bool
    organization_hours: Json | None
    tomorrow: datetime
    waiting: int  # emails that wait for tomorrow because today's limit is used up


_SQL = SqlFile(__name__)
_OF = _SQL.statement("of", Limits)
_LOCK = Statement("SELECT daily_cap FROM lanes WHERE mailbox_id = :id FOR UPDATE", int)
_SET = Statement("UPDATE lanes SET daily_cap = :cap WHERE mailbox_id = :id")
_LET_GO = _SQL.statement("let_go")
_WAKE = _SQL.statement("wake")


def of(tx: Transaction, mailbox_id: UUID) -> Limits:
    """Return a mailbox's limits. Raises ``NotFound``."""
    found = _OF.one_or_none(tx, id=mailbox_id)
    if found is None:
        raise NotFound("There is no such mailbox.")
    return found


def lock(tx: Transaction, mailbox_id: UUID) -> int:
    """Let nothing pass the mailbox's gate until this transaction ends; returns its daily cap. Raises ``NotFound``."""
    cap = _LOCK.one_or_none(tx, id=mailbox_id)
    if cap is None:
        raise NotFound("There is no such mailbox.")
    return cap


def set_cap(tx: Transaction, mailbox_id: UUID, cap: int) -> None:
    """Set how many emails leave a day. What waited for tomorrow goes on today. The caller holds ``lock``."""
    _SET.run(tx, id=mailbox_id, cap=cap)
    # All that waited are due again; the gate lets through as many as the day has left.
    _LET_GO.run(tx, id=mailbox_id)
    _WAKE.run(tx, id=mailbox_id)
