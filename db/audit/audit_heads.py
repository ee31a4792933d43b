"""The heads of the audit chains, kept out of the database administrators' reach: list, export, and check them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit.audit_chain import ChainRow, rows_of, stored_of
from db.core.session import Database, Transaction
from db.core.statements import SqlFile, Statement
from domain.audit import GENESIS, Keys, Link, same
from domain.errors import InvalidInput


class _Link(NamedTuple):
    dropped_position: int
    dropped_hash: str
    head: int
    hash: str | None


@dataclass(frozen=True, slots=True)
class _Head(ChainRow):
    name: str
    begun: bool
    gone: bool


_SQL = SqlFile(__name__)
_LINK = _SQL.statement("link", _Link)
_HEADS = _SQL.statement("heads", _Head)
_PAGE = 500  # entries
_CHAIN = Statement("SELECT * FROM audit_chains WHERE organization_id = :id", ChainRow)


def contains(tx: Transaction, organization_id: UUID, link: Link) -> str:
    """Return an empty string if the history still holds ``link``, a former head; otherwise, what happened to it."""
    row = _LINK.one_or_none(tx, id=organization_id, position=link.position)
    if row is None:
        return "There is no chain any more."
    if link.position < row.dropped_position:
        return f"Entry {link.position} went with an old month. Compare with a newer head."
    if link.position > row.head:
        return f"The history ends at entry {row.head}, before entry {link.position}."
    here = row.dropped_hash if link.position == row.dropped_position else row.hash
    return "" if here is not None and same(here, link.hash) else f"Entry {link.position} is another one now."


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link of an organization's chain. ``genuine``: its record is unchanged."""

    organization_id: UUID
    organization: str
    link: Link
    genuine: bool


def heads(tx: Transaction, keys: Keys) -> list[Head]:
    """Return every organization's head. If its record is gone, the position is 0 and ``genuine`` is False."""
    return [
        Head(row.organization_id, row.name, Link(row.position, row.hash), _is_genuine(row, keys))
        for row in _HEADS.all(tx, none=GENESIS)
    ]


def _is_genuine(row: _Head, keys: Keys) -> bool:
    return stored_of(row, keys).genuine if row.begun else not row.gone


def export(database: Database, organization_id: UUID) -> Iterator[dict[str, object]]:
    """Yield one chain for storage out of the database administrators' reach: its record, then its sealed entries.

    Each page of entries is read in a transaction of its own, because whoever takes them may be slow. Raises ``InvalidInput`` if
    entries that are still to come go with an old month meanwhile.
    """
    with database.transaction() as tx:
        head = _CHAIN.one_or_none(tx, id=organization_id)
    if head is None:
        return
    yield {"kind": "head", **asdict(head)}
    for after in range(head.dropped_position, head.position, _PAGE):
        with database.transaction() as tx:
            sealed = list(rows_of(tx, organization_id, after, min(after + _PAGE, head.position)))
            now = _CHAIN.one(tx, id=organization_id)  # after them: what went before is known by then
        if now.dropped_position > after:
            raise InvalidInput(
                "entries went with an old month meanwhile", where="the export", fix="Begin it again."
            )
        yield from ({"kind": "entry", **each._asdict()} for each in sealed)


def as_line(line: Mapping[str, object]) -> str:
    """Return a line of ``export`` as JSON, with its line break."""
    return (
        json.dumps(line, default=lambda each: each.isoformat() if isinstance(each, datetime) else str(each))
        + "\n"
    )
