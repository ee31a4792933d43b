"""Candidates as recruiters export them: CSV in any common encoding, with any common separator and header names."""

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from domain.address import parse_address
from domain.errors import InvalidInput
from importing.problems import LISTED_AT_MOST, ImportRejected, Problem

FIELD_AT_MOST = 1000  # characters
_EVERY = 1000  # rows between two reports of progress

_HEADERS = {
    "email": "email e-mail mail emailaddress e-mailaddress emailadresse e-mailadresse e-mail-adresse mailadresse adresseemail adressee-mail courriel correo",
    "first_name": "firstname givenname vorname prenom nombre forename",
    "last_name": "lastname surname familyname nachname name nom apellido apellidos",
    "company": "company employer organization organisation firma unternehmen arbeitgeber entreprise societe empresa currentcompany",
    "title": "title jobtitle position titel poste funktion currenttitle puesto",
    "location": "location city ort stadt standort ville lieu ciudad",
}
_KNOWN = {re.sub(r"[^a-z]", "", word): name for name, words in _HEADERS.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """One person. ``fields``: the file's other columns, by slug."""

    email: str
    line: int
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    location: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def decode(file: str, raw: bytes) -> str:
    """The file's text: by its byte order mark, else UTF-8, else what Excel writes in western Europe (cp1252)."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError as error:
                raise ImportRejected(
                    file, [Problem(0, 0, f"the text is damaged at byte {error.start}", "Export it again.")]
                ) from None
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ImportRejected(file, [Problem(0, 0, "the text is in no encoding we know", "Save it as UTF-8.")])


def read_candidates(
    file: str, raw: bytes, progress: Callable[[int], None] | None = None
) -> list[CandidateSpec]:
    """Read a CSV file. Raises ``ImportRejected`` with every problem of the file."""
    text = decode(file, raw)
    if not text.strip():
        raise ImportRejected(file, [Problem(0, 0, "the file is empty", "It needs a header line and people.")])
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ImportRejected(
            file, [Problem(line, 1, "the file holds NUL characters", "Export it again as CSV.")]
        )
    problems: list[Problem] = []
    people: list[CandidateSpec] = []
    seen: dict[str, int] = {}
    rows = _rows(file, text)
    header_line, header = next(rows)
    columns = _columns(file, header_line, header)
    for done, (line, row) in enumerate(rows, start=1):
        if progress is not None and done % _EVERY == 0:
            progress(done)
        if len(problems) > 10 * LISTED_AT_MOST:
            break  # enough to see that this is not the file that was meant
        if not any(cell.strip() for cell in row):
            continue
        person = _person(line, header, columns, row, problems)
        if person is None:
            continue
        if person.email in seen:
            what = f"{person.email} stands already on line {seen[person.email]}"
            problems.append(Problem(line, 1, what, "Keep one of the two lines."))
        seen.setdefault(person.email, line)
        people.append(person)
    if problems:
        raise ImportRejected(file, problems)
    if not people:
        raise ImportRejected(
            file, [Problem(0, 0, "there is nobody in it", "It needs lines below the header.")]
        )
    return people


def _rows(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.splitlines()[0]
    separator = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRejected(
                file,
                [
                    Problem(
                        reader.line_num,
                        1,
                        f"this is not CSV: {error}",
                        "Look for a quote that is not closed.",
                    )
                ],
            ) from None
        yield line, row
        line = reader.line_num + 1


def _columns(file: str, line: int, header: list[str]) -> list[str]:
    names: list[str] = []
    problems = []
    for number, title in enumerate(header, start=1):
        name = _KNOWN.get(re.sub(r"[^a-z]", "", _ascii(title)), "") or slug(title)
        if not name:
            problems.append(
                Problem(line, number, f"column {number} has no name", "Give every column a name.")
            )
        elif name in names:
            problems.append(
                Problem(
                    line,
                    number,
                    f"column {number} ({title.strip()!r}) means {name} again",
                    "Keep one of them.",
                )
            )
        names.append(name)
    if "email" not in names:
        titles = ", ".join(repr(title.strip()) for title in header[:20])
        problems.append(
            Problem(
                line, 1, f"no column holds e-mail addresses (there are {titles})", "Name one of them: Email."
            )
        )
    if problems:
        raise ImportRejected(file, problems)
    return names


def _person(
    line: int, header: list[str], columns: list[str], row: list[str], problems: list[Problem]
) -> CandidateSpec | None:
    if len(row) != len(columns):
        what = f"the line has {len(row)} values, the header {len(columns)}"
        problems.append(Problem(line, 1, what, "Quote values that hold the separator."))
        return None
    values: dict[str, str] = {}
    good = True
    for number, (name, cell) in enumerate(zip(columns, row, strict=True), start=1):
        value = cell.strip()
        bad = next(
            (each for each in value if unicodedata.category(each) in ("Cc", "Cs") and each not in "\r\n\t"),
            None,
        )
        if bad is not None:
            problems.append(
                Problem(line, number, f"{header[number - 1].strip()!r} holds U+{ord(bad):04X}", "Remove it.")
            )
            good = False
        if len(value) > FIELD_AT_MOST:
            what = f"{header[number - 1].strip()!r} has more than {FIELD_AT_MOST} characters"
            problems.append(Problem(line, number, what, "Shorten it."))
            good = False
        # Quoted line breaks are fine in an export; in an email's subject or greeting they are one space.
        values[name] = re.sub(r"\s+", " ", value)
    at = columns.index("email") + 1
    try:
        email = parse_address(row[at - 1].strip()).email
    except InvalidInput as error:
        problems.append(Problem(line, at, error.what, error.fix))
        return None
    if not good:
        return None
    standard = {
        name: values.get(name, "") for name in ("first_name", "last_name", "company", "title", "location")
    }
    extra = {name: value for name, value in values.items() if name not in standard and name != "email"}
    return CandidateSpec(email, line, **standard, fields=extra)


def slug(title: str) -> str:
    """A column's title as a merge field's name: ``Years of experience`` is ``years_of_experience``."""
    name = re.sub(r"[^a-z0-9]+", "_", _ascii(title)).strip("_")[:64]
    return f"_{name}".lstrip("_") if name[:1].isalpha() else f"x_{name}" if name else ""


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.strip().lower())
    return "".join(itertools.filterfalse(unicodedata.combining, folded))
