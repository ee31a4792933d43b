"""Rows of an Excel workbook (.xlsx), read by calamine. We first limit its unpacked size and the extent of its sheets."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

import python_calamine

from importing.problems import ImportRejected, Problem
from importing.tables import Row, find_header

_MAX_UNPACKED = 500 * 1024 * 1024  # bytes
_MAX_CELLS = 20_000_000  # per sheet, from its first cell to its last; empty ones take memory too
_PART = 1024 * 1024
_REFERENCE = re.compile(rb'\br="([A-Z]{0,3})(\d{1,7})"')
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password",
    b"%PDF": "a PDF",
    b"{\\rtf": "a text document",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"\x1f\x8b": "a compressed file",
}


def is_workbook(file: str, raw: bytes) -> bool:
    """Is it a workbook rather than text? Raises ``ImportRejected`` if it is neither."""
    for start, kind in _OTHERS.items():
        if raw.startswith(start):
            raise ImportRejected(
                file, [Problem(0, 0, f"this is {kind}", "Save it as CSV UTF-8 or as .xlsx.")]
            )
    return raw.startswith(b"PK\x03\x04")


def read_sheet(file: str, raw: bytes, mapped: frozenset[str]) -> tuple[Row, Iterator[Row]]:
    """Return the header and rows of the first visible sheet with a column of addresses. Raises ``ImportRejected``."""
    _check(file, raw)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(raw))
        sheets = [
            each.name
            for each in workbook.sheets_metadata
            if each.visible == python_calamine.SheetVisibleEnum.Visible
        ]
        refused: ImportRejected | None = None
        for name in sheets:
            rows = _rows(workbook.get_sheet_by_name(name))
            try:
                header, seen = find_header(f"{file} ({name})" if len(sheets) > 1 else file, rows, mapped)
            except ImportRejected as error:
                refused = refused or error
                continue
            return header, _chained(seen, rows)
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        what = f"the workbook cannot be read ({str(error)[:120]})"
        raise ImportRejected(
            file, [Problem(0, 0, what, "Save it again as .xlsx, or as CSV UTF-8.")]
        ) from None
    raise refused or ImportRejected(
        file, [Problem(0, 0, "the workbook has no sheet", "It needs a header line and people.")]
    )


def first_rows(file: str, raw: bytes, most: int = 60) -> list[Row]:
    """Return the first rows of the first visible sheet that has any. Raises ``ImportRejected``."""
    _check(file, raw)
    try:
        workbook = python_calamine.load_workbook(io.BytesIO(raw))
        for each in workbook.sheets_metadata:
            if each.visible == python_calamine.SheetVisibleEnum.Visible:
                rows = list(islice(_rows(workbook.get_sheet_by_name(each.name)), most))
                if any(cell.strip() for row in rows for cell in row.cells):
                    return rows
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        what = f"the workbook cannot be read ({str(error)[:120]})"
        raise ImportRejected(
            file, [Problem(0, 0, what, "Save it again as .xlsx, or as CSV UTF-8.")]
        ) from None
    return []


def _chained(first: list[Row], then: Iterator[Row]) -> Iterator[Row]:
    yield from first
    yield from then


def _rows(sheet: Any) -> Iterator[Row]:
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        yield Row(number, [_text(cell) for cell in cells])


def _text(cell: object) -> str:
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime():
            return cell.isoformat(sep=" ", timespec="minutes")
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return str(cell)


def _check(file: str, raw: bytes) -> None:
    """Unpack the archive once and count, because its own sizes need not be true."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
            if "xl/workbook.xml" not in names:
                what = "this is an archive, but no Excel workbook"
                raise ImportRejected(file, [Problem(0, 0, what, "Save it as CSV UTF-8 or as .xlsx.")])
            left = _MAX_UNPACKED
            for name in names:
                left -= _check_part(file, archive, name, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        what = f"the workbook is damaged or protected ({str(error)[:120]})"
        raise ImportRejected(
            file, [Problem(0, 0, what, "Save it again as .xlsx, or as CSV UTF-8.")]
        ) from None


def _check_part(file: str, archive: zipfile.ZipFile, name: str, left: int) -> int:
    size, rows, columns, before = 0, 0, 0, b""
    is_sheet = name.startswith("xl/worksheets/")
    with archive.open(name) as part:
        while chunk := part.read(_PART):
            size += len(chunk)
            if size > left:
                what = f"the workbook unpacks to more than {_MAX_UNPACKED // (1024 * 1024)} MiB"
                raise ImportRejected(file, [Problem(0, 0, what, "Split it.")])
            if not is_sheet:
                continue
            for letters, digits in _REFERENCE.findall(before + chunk):
                rows = max(rows, int(digits))
                columns = max(columns, _column(letters))
            before = chunk[-16:]
    if rows * columns > _MAX_CELLS:
        what = f"a sheet reaches to row {rows} and column {columns}, far beyond any people"
        fix = "Delete the empty rows and columns behind the people, or save it as CSV UTF-8."
        raise ImportRejected(file, [Problem(0, 0, what, fix)])
    return size


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
