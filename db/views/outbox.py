"""The outbox: emails that are planned, by time; those that wait for a decision apart. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views.attention import APPROVAL, BLOCK, TASK
from domain.waiting import Need

PER_PAGE = 50
MOST = 1000  # counted of a day


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which emails. ``only_of``: of this member's sequences. ``held``: those that wait for a decision, instead of those with a time.

    ``people``: only to these; ``reasons``: only those that wait for one of them; ``need``: only those that need this first, of which
    tasks that are due are one kind. None: whatever it is.
    """

    organization_id: UUID
    only_of: UUID | None = None
    held: bool = False
    mailbox_id: UUID | None = None
    sequence_id: UUID | None = None
    people: Sequence[UUID] | None = None
    reasons: Sequence[str] | None = None
    need: Need | None = None

    @property
    def whole(self) -> bool:
        """Does nothing narrow it within the organization?"""
        return (self.only_of, self.mailbox_id, self.sequence_id, self.people) == (None, None, None, None)


class PlannedEmail(NamedTuple):
    """An email that is planned, or a task that is due. ``steps``: of its sequence. ``own_text``: somebody edited it alone; ``approved``: or approved it, perhaps before it changed. ``reason``: None once it is over.

    ``hold``: what keeps its mailbox from sending, as ``domain.holds.SendingHold`` reads it.
    """

    id: UUID
    enrollment_id: UUID
    candidate_id: UUID
    person: str
    sequence_id: UUID
    sequence: str
    kind: str
    owner_id: UUID
    sequence_status: str
    paused_reason: str | None
    position: int
    sender: str
    due_at: datetime
    not_before: datetime | None
    held: bool
    reason: str | None
    own_text: bool
    approved: bool
    enrollment_status: str
    enrollment_reason: str | None
    steps: int | None
    hold: Json | None


class Choice(NamedTuple):
    """A sender or sequence to filter by."""

    id: UUID
    name: str


_SQL = SqlFile(__name__)
_WHOLE, _OF_SEQUENCES, _OF_PEOPLE = (
    _SQL.statement("whole", PlannedEmail),
    _SQL.statement("of_sequences", PlannedEmail),
    _SQL.statement("of_people", PlannedEmail),
)
_NEEDING = {
    Need.APPROVAL: _SQL.statement("of_approval", PlannedEmail, approval=APPROVAL),
    Need.TASK: _SQL.statement("of_task", PlannedEmail, task=TASK),
    Need.FIELD: _SQL.statement("of_field", PlannedEmail, block=BLOCK),
}
_COUNT_WHOLE, _COUNT = _SQL.statement("count_whole", int), _SQL.statement("count_of_sequences", int)
_SENDERS, _SEQUENCES = _SQL.statement("senders", Choice), _SQL.statement("sequences", Choice)


class Placed(Protocol):
    """What has a place in a list by time: of what is planned, or since when something waits for somebody."""

    @property
    def id(self) -> UUID:
        """Its own."""

    @property
    def due_at(self) -> datetime:
        """When."""


def place_of(email: Placed) -> str:
    """Return a place in the list, for a link or a program: ``read_place`` reads it."""
    return f"{email.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}~{email.id}"


def read_place(text: str) -> tuple[datetime, UUID] | None:
    """Return the time and id of a place, or None if the text is none."""
    moment, _, key = text[:100].partition("~")
    try:
        at, found = datetime.fromisoformat(moment), UUID(key)
    except ValueError:
        return None
    return (at, found) if at.tzinfo is not None and 2000 <= at.year < 2200 else None


def planned(
    tx: Transaction, wanted: Wanted, *, after: tuple[datetime, UUID] | None = None, limit: int = PER_PAGE
) -> list[PlannedEmail]:
    """Return a page of planned emails, the first ones first. ``after``: time and id of the last one of the page before."""
    people = None if wanted.people is None else list(wanted.people)
    place: dict[str, object] = {
        "after_at": after and after[0],
        "after_id": after and after[1],
        "limit": limit,
    }
    if wanted.need is not None:
        return _NEEDING[wanted.need].all(tx, **_narrowed(wanted), **place, people=people)
    reasons = None if wanted.reasons is None else list(wanted.reasons)
    at: dict[str, object] = {**place, "held": wanted.held, "reasons": reasons}
    if wanted.whole:
        return _WHOLE.all(tx, organization_id=wanted.organization_id, **at)
    if people is None:
        return _OF_SEQUENCES.all(tx, **_narrowed(wanted), **at)
    return _OF_PEOPLE.all(tx, **_narrowed(wanted), people=people, **at)


def count(tx: Transaction, wanted: Wanted, spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """Count planned emails of each span of time, up to ``MOST``; ``people`` does not narrow it."""
    times = {"begins": [begins for begins, _ in spans], "ends": [ends for _, ends in spans]}
    if wanted.whole:
        return _COUNT_WHOLE.all(
            tx, organization_id=wanted.organization_id, held=wanted.held, most=MOST, **times
        )
    return _COUNT.all(tx, **_narrowed(wanted), held=wanted.held, most=MOST, **times)


def choices(
    tx: Transaction, organization_id: UUID, only_of: UUID | None
) -> tuple[list[Choice], list[Choice]]:
    """Return the senders and the sequences that one can filter by."""
    of = {"organization_id": organization_id, "only_of": only_of}
    return _SENDERS.all(tx, **of), _SEQUENCES.all(tx, **of)


def _narrowed(wanted: Wanted) -> dict[str, object]:
    return {
        "organization_id": wanted.organization_id,
        "only_of": wanted.only_of,
        "mailbox_id": wanted.mailbox_id,
        "sequence_id": wanted.sequence_id,
    }
