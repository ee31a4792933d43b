"""The people in one sequence, and where each of them stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views.people import STATE

PER_PAGE = 50
MAX_COUNTED = 10_000


class PersonLine(NamedTuple):
    """Somebody in a sequence. What is of their latest email is None if there is none yet.

    ``standing``: one of ``db.views.people.STATES``. ``away_until``: only while they are.
    """

    id: UUID
    candidate_id: UUID
    name: str
    email: str
    company: str
    status: str
    reason: str | None
    standing: str
    delivery_id: UUID | None
    state: str | None
    delivery_reason: str | None
    due_at: datetime | None
    sent_at: datetime | None
    position: int | None
    away_until: datetime | None

    @property
    def missing(self) -> str:
        """The field that they wait for, in words."""
        return (self.reason or "").partition(": ")[2].replace("_", " ").capitalize()


class StepResults(NamedTuple):
    """How many people a step was the last one for, because they answered or their address takes no emails."""

    id: UUID
    answered: int
    bounced: int


_SQL = SqlFile(__name__)
_PAGE = _SQL.statement("page", PersonLine, state=STATE)
_RESULTS = _SQL.statement("results", StepResults)
_COUNT = _SQL.statement("count", int, state=STATE)


def page(
    tx: Transaction,
    sequence_id: UUID,
    *,
    search: str = "",
    state: str = "",
    step: int = 0,
    after: UUID | None = None,
    limit: int = PER_PAGE + 1,
) -> list[PersonLine]:
    """Return people who match, those who joined first. ``step``: of their latest email, 0 = any. ``after``: the last one seen."""
    return _PAGE.all(
        tx, id=sequence_id, search=search, state=state, step=step, after=after, only=None, limit=limit
    )


def chosen(tx: Transaction, sequence_id: UUID, enrollment_ids: Sequence[UUID]) -> list[PersonLine]:
    """Return those of them who are in the sequence."""
    return _PAGE.all(
        tx,
        id=sequence_id,
        search="",
        state="",
        step=0,
        after=None,
        only=list(enrollment_ids),
        limit=len(enrollment_ids),
    )


def count(tx: Transaction, sequence_id: UUID, *, search: str = "", state: str = "", step: int = 0) -> int:
    """Count people who match, up to ``MAX_COUNTED`` and one."""
    return _COUNT.one(tx, id=sequence_id, search=search, state=state, step=step, after=None)


def results(tx: Transaction, sequence_id: UUID) -> dict[UUID, StepResults]:
    """Return the results of the steps that have any."""
    return {each.id: each for each in _RESULTS.all(tx, id=sequence_id)}
