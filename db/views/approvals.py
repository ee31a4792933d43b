"""Emails that wait for an approval, those that came due first. Reads only."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.statements import SqlFile
from db.views.attention import APPROVAL
from db.views.due import DueList

PER_PAGE = 10  # each is shown whole


class Waiting(NamedTuple):
    """An email that waits. ``due_at``: since when; ``owner_id``: of its sequence."""

    id: UUID
    candidate_id: UUID
    person: str
    sequence_id: UUID
    sequence: str
    owner_id: UUID
    position: int
    due_at: datetime


_SQL = SqlFile(__name__)
WAITING = DueList(
    _SQL.statement("waiting", Waiting, approval=APPROVAL),
    _SQL.statement("count", int, approval=APPROVAL),
    per_page=PER_PAGE,
)
