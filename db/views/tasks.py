"""Tasks that are due, those that came due first, and those of one person. Reads only."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.sending.content import values_of
from db.views.attention import TASK
from db.views.due import DueList
from domain import task
from domain.task import Said, Settled

PER_PAGE = 50


class Task(NamedTuple):
    """A task. ``due_at``: since when, or from when; ``owner``: of its sequence, who does it. ``outcome`` None: nobody has done it."""

    id: UUID
    enrollment_id: UUID
    candidate_id: UUID
    person: str
    sequence_id: UUID
    sequence: str
    owner_id: UUID
    owner: str
    position: int
    due_at: datetime
    outcome: str | None
    settled: Json | None
    body: str
    email: str
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: Json
    extra_fields: list[str]
    sender_name: str
    sender: str

    @property
    def said(self) -> Said:
        """What to do, with the person's fields."""
        return task.said(self.body, values_of(self))

    @property
    def done(self) -> Settled | None:
        """Who has done or skipped it, and when."""
        return None if self.settled is None else Settled.from_json(self.settled)

    @property
    def at(self) -> datetime:
        """When it was done or skipped or, while it is open, came due."""
        done = self.done
        return self.due_at if done is None else done.at


_SQL = SqlFile(__name__)
# Those that are due.
OPEN = DueList(
    _SQL.statement("open", Task, due=TASK), _SQL.statement("count", int, due=TASK), per_page=PER_PAGE
)
_ONE, _OF_PERSON = _SQL.statement("one", Task), _SQL.statement("of_person", Task, due=TASK)


def one(tx: Transaction, delivery_id: UUID) -> Task:
    """Return a task, whatever became of it."""
    return _ONE.one(tx, id=delivery_id)


def of_person(tx: Transaction, candidate_id: UUID, only_of: UUID | None, *, limit: int) -> list[Task]:
    """Return the person's tasks that are due, done or skipped, the newest first. ``only_of``: in this member's sequences."""
    return _OF_PERSON.all(tx, id=candidate_id, only_of=only_of, limit=limit)
