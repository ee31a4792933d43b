"""Candidates as recruiters export them. A bad row never refuses the rest: it is left out, with its line and reason."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from domain.address import Address
from domain.errors import InvalidInput
from domain.person_name import complete_name, is_title
from importing import values
from importing.declined import Declined
from importing.encodings import decode
from importing.headers import REJECT_COLUMNS, Columns, read_columns, unquoted
from importing.problems import ImportRejected, Problem
from importing.tables import Row, find_header, read_rows
from importing.workbooks import is_workbook, read_sheet

MAX_FIELD = 1000  # characters
_EVERY = 1000  # rows between progress reports


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """One person. ``fields``: the file's other columns, by slug. A blank value changes nothing."""

    email: str
    line: int
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    location: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that was not imported. ``repeated``: the person appears further up. ``declined``: the address, if the file says that it
    gets no email.
    """

    line: int
    why: str
    fix: str
    cells: list[str]
    repeated: bool = False
    declined: str = ""

    def problem(self) -> Problem:
        """Return it as a problem of the file."""
        return Problem(self.line, 1, self.why, self.fix)


@dataclass(slots=True)
class Sheet:
    """The content of a file. ``titles``: its header. ``warnings``: what a person should check."""

    titles: list[str]
    people: list[CandidateSpec] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)  # title -> field


def read_candidates(
    file: str,
    raw: bytes,
    progress: Callable[[int], None] | None = None,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    keep: frozenset[str] = frozenset(),
    strict: bool = False,
) -> Sheet:
    """Read CSV, Excel's "Unicode text" or a workbook. Raises ``ImportRejected`` if it has nobody to import.

    ``mapping``: columns by title, for titles we do not know. ``keep``: merge fields that must not be merged into a standard field
    of the same meaning. ``strict``: one bad row refuses the file.
    """
    mapping = mapping or {}
    mapped = frozenset(
        " ".join(title.split()).casefold() for title, name in mapping.items() if name == "email"
    )
    warnings: list[str] = []
    if is_workbook(file, raw):
        if encoding is not None:
            warnings.append("A workbook says its own encoding; --encoding was not used.")
        header, rows = read_sheet(file, raw, mapped)
    else:
        decoded = decode(file, raw, encoding)
        warnings += [decoded.warning] if decoded.warning else []
        every = read_rows(decoded.text, mapped)
        header, seen = find_header(file, every, mapped)
        rows = _chained(seen, every)
    if set(REJECT_COLUMNS) <= set(header.cells):  # a file of ours (importing/rejects.py)
        header = replace(header, cells=[unquoted(cell) for cell in header.cells])
        rows = (replace(row, cells=[unquoted(cell) for cell in row.cells]) for row in rows)
    columns = read_columns(header.cells, mapping, keep)
    if "email" not in columns.known:
        titles = ", ".join(repr(each) for each in columns.titles[:20])
        what = f"no title names the people's e-mail addresses (there are {titles})"
        raise ImportRejected(file, [Problem(header.line, 1, what, 'Say which: --map "COLUMN=email".')])
    sheet = _Rows(columns, header, warnings, Declined(header.cells, mapping)).read(rows, progress)
    bad = [each.problem() for each in sheet.left_out]
    if strict and bad:
        raise ImportRejected(file, bad)
    if not sheet.people:
        nobody = Problem(0, 0, "the file lists nobody", "It needs lines below the header.")
        raise ImportRejected(file, bad or [nobody])
    return sheet


def _chained(first: list[Row], then: Iterator[Row]) -> Iterator[Row]:
    yield from first
    yield from then


class _Rows:
    """Turns rows into people, one by one."""

    def __init__(self, columns: Columns, header: Row, warnings: list[str], declined: Declined) -> None:
        self._columns, self._header, self._declined = columns, header, declined
        self._sheet = Sheet(list(header.cells), warnings=warnings)
        self._seen: dict[str, int] = {}
        self._no_email: dict[str, tuple[int, str]] = {}  # address -> the line that says so, what to do
        self._several = 0
        self._too_long: Counter[str] = Counter()
        self._unnamed: set[int] = set()

    def read(self, rows: Iterator[Row], progress: Callable[[int], None] | None) -> Sheet:
        for done, row in enumerate(rows, start=1):
            if progress is not None and done % _EVERY == 0:
                progress(done)
            if row.broken:
                self._leave_out(row, row.broken, "Look for quotes that are not closed or not doubled.")
            elif any(cell.strip() for cell in row.cells) and row.cells != self._header.cells:
                self._person(row)
        self._obey_later_rows()
        self._warn()
        return self._sheet

    def _person(self, row: Row) -> None:
        width = self._columns.width
        if any(cell.strip() for cell in row.cells[width:]):
            what = f"the line has {len(row.cells)} values, the header {width}"
            self._leave_out(row, what, "Quote values that hold the separator.")
            return
        cells = [
            *row.cells[:width],
            *[""] * (width - len(row.cells)),
        ]  # Excel omits empty cells at the end
        try:
            address = self._address(cells)
        except InvalidInput as error:
            self._leave_out(row, error.what, error.fix)
            return
        if address is None:
            self._leave_out(row, "there is no address", "Add one, or leave the person out.")
            return
        if declined := self._declined.of(cells):
            self._leave_out(row, *declined, declined=address.email)
            self._no_email.setdefault(address.email, (row.line, declined[1]))
            return
        if address.email in self._no_email:
            line, fix = self._no_email[address.email]
            self._leave_out(row, f"line {line} says that they get no email", fix, declined=address.email)
            return
        if address.email in self._seen:
            what = f"{address.email} is already on line {self._seen[address.email]}"
            self._leave_out(row, what, "The first one counts.", repeated=True)
            return
        try:
            person = self._filled(row.line, address, cells)
        except InvalidInput as error:
            self._leave_out(row, error.what, error.fix)
            return
        self._seen[address.email] = row.line
        self._sheet.people.append(person)
        self._unnamed.update(
            n for n, title in enumerate(self._columns.titles) if not title and cells[n].strip()
        )

    def _address(self, cells: list[str]) -> Address | None:
        """Return the first column's address. Raises ``InvalidInput`` if there is text but no address."""
        refused: InvalidInput | None = None
        for number in self._columns.known["email"]:
            try:
                found, count = values.first_address(cells[number])
            except InvalidInput as error:
                refused = refused or error
                continue
            if found is not None:
                self._several += count > 1
                return found
        if refused is not None:
            raise refused
        return None

    def _filled(self, line: int, address: Address, cells: list[str]) -> CandidateSpec:
        known = {
            name: next((value for number in numbers if (value := self._standard(number, name, cells))), "")
            for name, numbers in self._columns.known.items()
            if name != "email"
        }
        first, last = known.get("first_name", ""), known.get("last_name", "")
        whole = known.get("full_name", "")
        if not first + last + whole:
            whole = values.clean_name(address.name)  # Ann Adler <ann@example.org>
        first, last = complete_name(first, last, whole)
        extra = {}
        for number, name in self._columns.extra.items():
            value = self._checked(number, values.clean(cells[number]))
            if len(value) > MAX_FIELD:
                self._too_long[self._columns.titles[number]] += 1
            elif value and name not in extra:
                extra[name] = value
        return CandidateSpec(
            address.email,
            line,
            first,
            last,
            known.get("company", ""),
            known.get("title", ""),
            known.get("location", ""),
            fields=extra,
        )

    def _standard(self, number: int, name: str, cells: list[str]) -> str:
        value = self._checked(number, values.clean_name(cells[number]))
        if len(value) > MAX_FIELD:
            what = f"{self._columns.titles[number]!r} has more than {MAX_FIELD} characters"
            raise InvalidInput(what, fix="Shorten it.")
        return "" if name == "title" and is_title(value) else value

    def _checked(self, number: int, value: str) -> str:
        if (not value.isascii() or not value.isprintable()) and (bad := values.forbidden(value)):
            raise InvalidInput(f"{self._columns.titles[number]!r} holds {bad}", fix="Remove it.")
        return value

    def _obey_later_rows(self) -> None:
        """Leave out people of whom a later row says that they get no email."""
        sheet = self._sheet
        for each in sheet.people if self._no_email else ():
            if each.email in self._no_email:
                line, fix = self._no_email[each.email]
                cells = [""] * self._columns.width
                cells[self._columns.known["email"][0]] = each.email
                why = f"line {line} says that they get no email"
                sheet.left_out.append(LeftOut(each.line, why, fix, cells, declined=each.email))
        sheet.people = [each for each in sheet.people if each.email not in self._no_email]
        sheet.left_out.sort(key=lambda each: each.line)

    def _leave_out(self, row: Row, why: str, fix: str, *, repeated: bool = False, declined: str = "") -> None:
        self._sheet.left_out.append(LeftOut(row.line, why, fix, row.cells, repeated, declined))

    def _warn(self) -> None:
        columns, warnings = self._columns, self._sheet.warnings
        for standard, places in columns.known.items():
            self._sheet.columns |= {columns.titles[number]: standard for number in places}
        for number, name in columns.extra.items():
            self._sheet.columns.setdefault(columns.titles[number], name)
        warnings += self._declined.warnings()
        if self._several:
            warnings.append(
                f"{_count(self._several)} several addresses in one cell: the first one was taken."
            )
        for title, count in self._too_long.items():
            warnings.append(
                f"{title!r} is longer than {MAX_FIELD} characters on {count} rows: it was left empty there."
            )
        for title, name in columns.renamed.items():
            warnings.append(
                f"The column {title!r} is kept as {{{{{name}}}}}: Onbehalf fills {{{{{name.removeprefix('column_')}}}}} itself."
            )
        if columns.ignored:
            titles = ", ".join(repr(each) for each in columns.ignored)
            warnings.append(
                f'Not imported, because no field can have such a name: {titles}. To keep one: --map "COLUMN=field".'
            )
        if self._unnamed:
            numbers = ", ".join(str(number + 1) for number in sorted(self._unnamed))
            warnings.append(f"Not imported, because they have no title: column {numbers}.")
        outside = sum(not each.email.isascii() for each in self._sheet.people)
        if outside:
            warnings.append(
                f"{_count(outside)} letters outside ASCII before the @ of the address. Microsoft 365 delivers to them; other mail"
                " servers must offer SMTPUTF8, or these emails are refused before they leave."
            )


def _count(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"
