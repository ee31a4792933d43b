"""Excel workbooks: read like any other file, with limits before they are opened."""

import io
import zipfile
from datetime import datetime

import openpyxl
import pytest

from importing.candidates import read_candidates
from importing.problems import ImportRejected


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_the_first_sheet_with_addresses_is_read_with_the_lines_of_the_sheet() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "How to use this"
    sheet = book.create_sheet("People")
    sheet["B2"] = "Exported on Monday"
    for column, title in zip("BCDEF", ("Email", "First Name", "Years", "Since", "Score"), strict=True):
        sheet[f"{column}4"] = title
    for column, value in zip(
        "BCDEF", ("ann@example.org", "Řehoř", 7, datetime(2026, 1, 1), 1.5), strict=True
    ):
        sheet[f"{column}5"] = value
    sheet["B7"], sheet["C7"] = "bob@example.org", "#N/A"
    sheet["C8"] = "Nobody"
    found = read_candidates("people.xlsx", saved(book))
    assert [(each.email, each.first_name, each.line) for each in found.people] == [
        ("ann@example.org", "Řehoř", 5),
        ("bob@example.org", "", 7),
    ]
    assert found.people[0].fields == {"years": "7", "since": "2026-01-01", "score": "1.5"}
    assert [(each.line, each.why) for each in found.left_out] == [(8, "there is no address")]


def test_a_workbook_is_known_by_its_content_not_its_name() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Email"])
    book.active.append(["ann@example.org"])
    assert read_candidates("people.csv", saved(book)).people[0].email == "ann@example.org"


def test_a_hidden_sheet_is_not_read() -> None:
    book = openpyxl.Workbook()
    book.active.append(["nothing"])
    hidden = book.create_sheet("Old")
    hidden.append(["Email"])
    hidden.append(["ann@example.org"])
    hidden.sheet_state = "hidden"
    with pytest.raises(ImportRejected, match="no title names"):
        read_candidates("people.xlsx", saved(book))


def test_a_sheet_that_reaches_to_the_last_cell_is_refused_before_it_takes_the_memory() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Email"])
    book.active.append(["ann@example.org"])
    book.active["XFD1048576"] = "x"
    with pytest.raises(ImportRejected, match="row 1048576"):
        read_candidates("people.xlsx", saved(book))


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from importing import workbooks

    monkeypatch.setattr(workbooks, "_MAX_UNPACKED", 10 * 1024 * 1024)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", b"\0" * 50 * 1024 * 1024)
    assert len(file.getvalue()) < 100_000
    with pytest.raises(ImportRejected, match="unpacks to more"):
        read_candidates("people.xlsx", file.getvalue())


@pytest.mark.parametrize(
    "raw",
    [
        b"PK\x03\x04",
        b"PK\x03\x04" + b"x" * 100,
        b"%PDF-1.7",
        b"\xd0\xcf\x11\xe0" + b"\0" * 600,
        b"\x89PNG\r\n",
        b"\x1f\x8b\x08",
    ],
)
def test_what_is_no_workbook_and_no_text_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(ImportRejected, match=r"Save it (again )?as"):
        read_candidates("people.xlsx", raw)


def test_an_archive_without_a_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("people.csv", "Email\nann@example.org\n")
    with pytest.raises(ImportRejected, match="no Excel workbook"):
        read_candidates("people.zip", file.getvalue())
