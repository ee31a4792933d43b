"""The audit trail as owners and admins read it, with what people call each entry's subject, and how its chain stands."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.views import search
from db.views.messages import Viewer

PER_PAGE = 50
_MEANT = 50  # people, and sequences, whom words can mean
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 30)


class Listed(NamedTuple):
    """An entry. ``position`` None: it waits for its seal. ``about``: its subject's name, None if it has none any more."""

    id: UUID
    at: datetime
    actor_kind: str
    actor: str
    action: str
    subject: str
    data: Json
    position: int | None
    hash: str | None
    about: str | None

    @property
    def place(self) -> str:
        """Where the page after it begins (``Wanted.before``)."""
        return str(self.id if self.position is None else self.position)


class Happened(NamedTuple):
    """What somebody did to a sequence."""

    id: UUID
    at: datetime
    actor_kind: str
    actor: str
    action: str
    data: Json


class State(NamedTuple):
    """How the chain stands. ``waiting``: entries without a seal yet, up to 1,000. ``answer``: of the last check, within a day."""

    position: int
    entries: int
    kept_from: datetime | None
    waiting: int
    checked_at: datetime | None
    answer: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries. ``actions`` None: all. ``since``, ``until``: days in ``zone``, both included. ``about``: the beginning of a person's
    name, company or address, or words of a sequence's name. ``before``: the last entry's ``place`` on the page before.
    """

    who: str = ""
    actions: tuple[str, ...] | None = None
    since: date | None = None
    until: date | None = None
    zone: str = "UTC"
    before: str = ""
    about: str = ""


_SQL = SqlFile(__name__)
_OF_SEQUENCE = _SQL.statement("of_sequence", Happened)
_PAGE, _STATE = _SQL.statement("page", Listed), _SQL.statement("state", State)


def page(tx: Transaction, organization_id: UUID, wanted: Wanted, *, limit: int = PER_PAGE) -> list[Listed]:
    """Return entries, newest first."""
    first = last = None
    if wanted.since or wanted.until:
        first = _begins(wanted.since or _FIRST, wanted.zone)
        last = _begins((wanted.until or _LAST) + timedelta(days=1), wanted.zone)
    viewer, about = Viewer(organization_id, None), wanted.about.strip()
    sealed = int(wanted.before) if wanted.before.isdigit() else None
    return _PAGE.all(
        tx,
        organization_id=organization_id,
        who=wanted.who,
        actions=None if wanted.actions is None else list(wanted.actions),
        first=first,
        last=last,
        narrowed=bool(about),
        people=[each.id for each in search.people(tx, viewer, about, most=_MEANT)] if about else [],
        sequences=[each.id for each in search.sequences(tx, viewer, about, most=_MEANT)] if about else [],
        before=sealed,
        unsealed_before=UUID(wanted.before) if wanted.before and sealed is None else None,
        limit=limit,
    )


def of_sequence(
    tx: Transaction,
    organization_id: UUID,
    sequence_id: UUID,
    *,
    before: UUID | None = None,
    limit: int = PER_PAGE + 1,
) -> list[Happened]:
    """Return what was done to a sequence, newest first. ``before``: the last entry of the page before."""
    return _OF_SEQUENCE.all(
        tx, organization_id=organization_id, subject=f"sequence:{sequence_id}", before=before, limit=limit
    )


def state(tx: Transaction, organization_id: UUID) -> State:
    """Return how the organization's chain stands."""
    return _STATE.one(tx, organization_id=organization_id)


def _begins(day: date, zone: str) -> UUID:
    """The first id of a day: a UUIDv7 begins with its millisecond, by which the table is partitioned."""
    at = datetime.combine(day, datetime.min.time(), ZoneInfo(zone))
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)
