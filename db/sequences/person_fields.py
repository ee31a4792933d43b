"""A person's fields, as merge fields name them."""

from typing import NamedTuple
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.errors import NotFound

COLUMNS = ("first_name", "last_name", "company", "title", "location")


class _Person(NamedTuple):
    id: UUID
    organization_id: UUID
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: Json
    used: list[str]


class Blocked(NamedTuple):
    """An enrollment that waits for a field. ``running``: is its sequence?"""

    id: UUID
    running: bool


_SQL = SqlFile(__name__)
_LANES, _LOCK = _SQL.statement("lanes"), _SQL.statement("lock")
_PERSON, _BLOCKED = _SQL.statement("person", _Person), _SQL.statement("blocked", Blocked)


def lock(tx: Transaction, candidate_id: UUID) -> None:
    """Hold the lanes of what could be filled with the person's fields, then the person."""
    _LANES.run(tx, id=candidate_id)
    _LOCK.run(tx, id=candidate_id)


def fields_of(tx: Transaction, candidate_id: UUID) -> dict[str, str]:
    """Return all fields that the person has or a sequence of theirs uses, by name; empty ones too. Raises ``NotFound``."""
    row = _PERSON.one_or_none(tx, id=candidate_id)
    if row is None:
        raise NotFound("There is no such person.")
    own = {name: str(getattr(row, name)) for name in COLUMNS}
    others = sorted(({*row.fields, *row.used}) - own.keys())
    return own | {name: str(row.fields.get(name, "")) for name in others}


def blocked(tx: Transaction, candidate_id: UUID, reasons: list[str]) -> list[Blocked]:
    """Return the person's enrollments that are paused for one of these reasons."""
    return _BLOCKED.all(tx, id=candidate_id, reasons=reasons)
