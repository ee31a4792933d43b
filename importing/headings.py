"""The columns of a file as a person maps them: their titles, first values, and what we take them for."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from domain.merge import STANDARD_FIELDS
from importing.encodings import decode
from importing.headers import REJECT_COLUMNS, SETTABLE, meaning, plain, slug
from importing.problems import ImportRejected
from importing.tables import Row, find_header, read_rows
from importing.workbooks import first_rows, is_workbook, read_sheet

_SAMPLES = 3
_LONGEST = 60  # characters of a sample
MOST = 100  # columns that a page shows


@dataclass(frozen=True, slots=True)
class Heading:
    """A column. ``field``: what it becomes, "" = left out. ``how``: chosen, known, own or unused."""

    title: str
    samples: list[str]
    field: str
    how: str


def headings(file: str, raw: bytes, mapping: Mapping[str, str]) -> list[Heading]:
    """Return the columns that have a title. Raises ``ImportRejected`` if the file cannot be read at all."""
    mapped = frozenset(plain(title) for title, name in mapping.items() if name == "email")
    try:
        header, rows = _header(file, raw, mapped)
    except ImportRejected:
        header, rows = _first_line(file, raw)
    chosen = {plain(title): name for title, name in mapping.items()}
    found = []
    for number, written in enumerate(header.cells):
        title = written.strip()
        if title and title not in REJECT_COLUMNS:
            cells = [row.cells[number].strip() for row in rows if number < len(row.cells)]
            samples = [cell[:_LONGEST] for cell in cells if cell][:_SAMPLES]
            found.append(Heading(title, samples, *_becomes(title, chosen)))
    return found[:MOST]


def digest(titles: Sequence[str]) -> bytes:
    """Return what files with the same titles, in any order, have in common."""
    return hashlib.sha256("\n".join(sorted({plain(title) for title in titles})).encode()).digest()


def fields_of(every: Sequence[Heading]) -> list[str]:
    """Return what a column can become: standard fields, and one of its own for each title."""
    own = {slug(each.title) for each in every} | {each.field for each in every}
    return [*SETTABLE, *sorted(own - {"", *SETTABLE} - STANDARD_FIELDS)]


def guess(title: str) -> str:
    """Return what we take a column for, by its title alone."""
    return _becomes(title, {})[0]


def _becomes(title: str, chosen: Mapping[str, str]) -> tuple[str, str]:
    if plain(title) in chosen:
        name = chosen[plain(title)]
        return name, "chosen" if name else "unused"
    if name := meaning(title):
        return name, "known"
    own = slug(title)
    return (own, "own") if own and own not in STANDARD_FIELDS else ("", "unused")


def _header(file: str, raw: bytes, mapped: frozenset[str]) -> tuple[Row, list[Row]]:
    if is_workbook(file, raw):
        header, rows = read_sheet(file, raw, mapped)
        return header, list(islice(rows, 50))
    every = read_rows(decode(file, raw).text, mapped)
    header, seen = find_header(file, every, mapped)
    return header, [*seen, *islice(every, 50)][:50]


def _first_line(file: str, raw: bytes) -> tuple[Row, list[Row]]:
    """Return the widest of the first lines as the header: a person says what it means."""
    if is_workbook(file, raw):
        rows = first_rows(file, raw)
    else:
        rows = list(islice(read_rows(decode(file, raw).text), 60))
    filled = [row for row in rows if not row.broken and any(cell.strip() for cell in row.cells)]
    if not filled:
        return Row(1, []), []
    header = max(filled[:10], key=lambda row: sum(bool(cell.strip()) for cell in row.cells))
    return header, [row for row in filled if row.line > header.line]
