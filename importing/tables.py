"""Rows of a text file: its separator, notes before its header, and invalid lines, each with its place."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from importing.headers import is_somebody_elses, meaning
from importing.problems import ImportRejected, Problem

SEPARATORS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'^"?sep=(.)"?[,;\t|]*\r?\n?$', re.IGNORECASE)
_BEFORE_HEADER = 60  # lines in which we look for the header
_WRAPPED_HEAD = 100  # characters
_LINES_OF_A_ROW = 1000  # a longer row has an unclosed quote
_NAMED = 5  # columns in an advice
_UNCLOSED = "a quote is not closed"
# A cell may be as large as the file. The module's default limit would abort the whole read.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Row:
    """``line`` counts from 1. ``broken``: why the row is invalid (``cells`` holds its text), or ""."""

    line: int
    cells: list[str]
    broken: str = ""


Recognized = Callable[[Sequence[str]], bool]


def read_rows(text: str, mapped: frozenset[str] = frozenset()) -> Iterator[Row]:
    """Yield every row from the first line on, including empty ones. ``mapped``: see ``find_header``."""
    text = _unwrapped(text, mapped)
    lines = list(io.StringIO(text, newline=""))
    start = 0
    found = _SEP_LINE.match(lines[0]) if lines else None
    if found:
        start, separator = 1, found[1]
    else:
        separator = _separator(lines, mapped)
    while start < len(lines):
        # Not a slice, which would copy a file of broken lines for each of them.
        rest = (lines[number] for number in range(start, len(lines))) if start else iter(lines)
        reader = csv.reader(rest, delimiter=separator, strict=True)
        at = 0  # lines consumed
        try:
            for cells in reader:
                if reader.line_num - at > _LINES_OF_A_ROW:
                    why = _UNCLOSED
                    break
                yield Row(start + at + 1, cells)
                at = reader.line_num
            else:
                return
        except csv.Error as error:
            why = _UNCLOSED if "end of data" in str(error) else str(error)
        start += at
        yield Row(start + 1, [lines[start].rstrip("\r\n")], f"this is not CSV: {why}")
        start += 1


def _unwrapped(text: str, mapped: frozenset[str]) -> str:
    """Unwrap a file that was exported twice: each line is one quoted cell that holds a line of CSV."""
    if not text[:_WRAPPED_HEAD].lstrip("\ufeff\r\n ").startswith('"'):
        return text
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            if len(row) > 1 or any("\n" in cell or "\r" in cell for cell in row):
                return text
            rows.append(row)
    except csv.Error:
        return text
    filled = [row for row in rows if row]
    head = [row[0] for row in filled[:_BEFORE_HEADER]]
    for separator in SEPARATORS:
        if any(
            len(cells) > 1 and _is_header(cells, mapped) for cells in csv.reader(head, delimiter=separator)
        ):
            return "\n".join(row[0] if row else "" for row in rows)
    return text


def find_header(file: str, rows: Iterator[Row], mapped: frozenset[str]) -> tuple[Row, list[Row]]:
    """Return the header, and the rows read after it in the search. ``mapped``: titles with a meaning from the caller.

    Exports may begin with notes: the header is the first row with a column of addresses. A file of only addresses has
    none. Raises ``ImportRejected``.
    """
    seen: list[Row] = []
    for row in rows:
        seen.append(row)
        if not row.broken and _is_header(row.cells, mapped):
            return row, []
        if len(seen) >= _BEFORE_HEADER:
            break
    filled = [row for row in seen if any(cell.strip() for cell in row.cells)]
    if not filled:
        raise ImportRejected(file, [Problem(0, 0, "the file is empty", "It needs a header line and people.")])
    if all(len(row.cells) == 1 for row in filled) and "@" in filled[0].cells[0]:
        return Row(0, ["Email"]), seen
    header = max(filled[:10], key=lambda row: len([cell for cell in row.cells if cell.strip()]))
    raise ImportRejected(file, [_unknown(header, [row for row in filled if row.line > header.line])])


def _unknown(header: Row, below: Sequence[Row]) -> Problem:
    """Say which columns hold addresses, and never advise to write to those who recruit or send."""
    titles = [cell.strip() for cell in header.cells]
    holding = [
        title
        for n, title in enumerate(titles)
        if title and any("@" in cell for row in below for cell in row.cells[n : n + 1])
    ]
    others = [title for title in holding if is_somebody_elses(title)]
    options = [f'--map "{title}=email"' for title in holding if title not in others] or [
        '--map "COLUMN=email"'
    ]
    what = f"no title names the people's e-mail addresses (there are {_listed(titles)}"
    what += f"; by their titles somebody else's: {_listed(others)})" if others else ")"
    fix = f"Say which column it is: {' or '.join(options[:_NAMED])}. Or name one of them: Email."
    return Problem(header.line, 1, what, fix)


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(repr(title[:60]) for title in titles[:20])


def _is_header(cells: Sequence[str], mapped: frozenset[str]) -> bool:
    if mapped:
        return any(" ".join(cell.split()).casefold() in mapped for cell in cells)
    # A row with an address in it is a person.
    return any(meaning(cell) == "email" for cell in cells) and not any("@" in cell for cell in cells)


def _separator(lines: Sequence[str], mapped: frozenset[str]) -> str:
    """Return the separator that makes a header of some line, or else the most frequent one."""
    head = lines[:_BEFORE_HEADER]
    best, most = "", 0
    for separator in SEPARATORS:
        try:
            rows = list(csv.reader(head, delimiter=separator))
        except csv.Error:
            continue
        width = max((len(row) for row in rows if _is_header(row, mapped)), default=0)
        if width > most:
            best, most = separator, width
    if best:
        return best
    counts = {separator: sum(line.count(separator) for line in head) for separator in SEPARATORS}
    return max(counts, key=lambda separator: counts[separator])
