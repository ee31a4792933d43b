"""A file of addresses and domains that nobody may write to, from another product or a colleague."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import InvalidInput
from domain.suppression import Entry, Reason, entry, reason_of
from importing.encodings import decode
from importing.problems import ImportRejected, Problem
from importing.tables import Row, read_rows

MAX_BYTES = 20 * 1024 * 1024
_VALUES = ("address", "email", "email address", "domain", "address or domain", "value")
_REASONS = ("reason", "why", "status", "type")
_SOURCES = ("source", "note", "comment")


@dataclass(frozen=True, slots=True)
class Suppressions:
    """``left_out``: lines that are no entry, each with the reason. ``repeated``: lines that name what an earlier one names."""

    entries: Sequence[Entry]
    left_out: Sequence[Problem]
    repeated: int


@dataclass(frozen=True, slots=True)
class _Columns:
    values: tuple[int, ...]
    reason: int | None
    source: int | None


def read_suppressions(file: str, raw: bytes) -> Suppressions:
    """Read a CSV: a column of addresses or domains and, if there are some, of reasons and sources. Without a header, the first column.

    A line that cannot be read is left out and listed: the others forbid all the same. Raises ``ImportRejected`` if none can be read.
    """
    rows = [row for row in read_rows(decode(file, raw).text) if any(cell.strip() for cell in row.cells)]
    columns, body = _header(rows)
    found: dict[tuple[str, str], Entry] = {}
    left_out: list[Problem] = []
    repeated = 0
    for row in body:
        try:
            read = _entry(row, columns)
        except InvalidInput as error:
            left_out.append(Problem(row.line, 1, error.what, error.fix))
            continue
        if (read.kind, read.value) in found:
            repeated += 1
        found.setdefault((read.kind, read.value), read)
    if not found:
        nothing = Problem(
            0,
            0,
            "the file holds no address and no domain",
            "It needs one in each line, in a column “address”.",
        )
        raise ImportRejected(file, left_out or [nothing])
    return Suppressions(list(found.values()), left_out, repeated)


def _header(rows: Sequence[Row]) -> tuple[_Columns, Sequence[Row]]:
    titles = [_title(cell) for cell in rows[0].cells] if rows else []
    values = tuple(n for n, title in enumerate(titles) if title in _VALUES)
    if not values:
        return _Columns((0,), 1, 2), rows
    return _Columns(values, _first(titles, _REASONS), _first(titles, _SOURCES)), rows[1:]


def _title(cell: str) -> str:
    return " ".join(cell.lower().replace("-", "").replace("_", " ").split())


def _first(titles: Sequence[str], names: Sequence[str]) -> int | None:
    return next((n for n, title in enumerate(titles) if title in names), None)


def _entry(row: Row, columns: _Columns) -> Entry:
    if row.broken:
        raise InvalidInput(row.broken, fix="Correct the line.")
    value = next((text for n in columns.values if (text := _cell(row, n))), "")
    words, source = _cell(row, columns.reason), _cell(row, columns.source)
    reason = reason_of(words)
    if reason is None:
        source = "; ".join(each for each in (words, source) if each)
    return entry(value, reason or Reason.IMPORTED, source)


def _cell(row: Row, column: int | None) -> str:
    return "" if column is None or column >= len(row.cells) else row.cells[column].strip()
