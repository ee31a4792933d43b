"""The audit trail as owners and admins read it, with what people call each entry's subject, and how its chain stands."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile

PER_PAGE = 50


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
    """Which entries. ``actions`` None: all. ``day``: in ``zone``. ``before``: the last entry's ``place`` on the page before."""

    who: str = ""
    actions: tuple[str, ...] | None = None
    day: date | None = None
    zone: str = "UTC"
    before: str = ""


_SQL = SqlFile(__name__)
_PAGE, _STATE = _SQL.statement("page", Listed), _SQL.statement("state", State)


def page(tx: Transaction, organization_id: UUID, wanted: Wanted, *, limit: int = PER_PAGE) -> list[Listed]:
    """Return entries, newest first."""
    first, last = (None, None) if wanted.day is None else _span(wanted.day, wanted.zone)
    sealed = int(wanted.before) if wanted.before.isdigit() else None
    return _PAGE.all(
        tx,
        organization_id=organization_id,
        who=wanted.who,
        actions=None if wanted.actions is None else list(wanted.actions),
        first=first,
        last=last,
        before=sealed,
        unsealed_before=UUID(wanted.before) if wanted.before and sealed is None else None,
        limit=limit,
    )


def state(tx: Transaction, organization_id: UUID) -> State:
    """Return how the organization's chain stands."""
    return _STATE.one(tx, organization_id=organization_id)


def _span(day: date, zone: str) -> tuple[UUID, UUID]:
    """The ids of a day: a UUIDv7 begins with its millisecond, by which the table is partitioned."""
    begins = [
        datetime.combine(each, datetime.min.time(), ZoneInfo(zone)) for each in (day, day + timedelta(days=1))
    ]
    first, last = (UUID(int=max(0, int(each.timestamp() * 1000)) << 80) for each in begins)
    return first, last
