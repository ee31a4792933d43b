"""Lists of people who must not be written to, as other products export them."""

import pytest

from domain.errors import InvalidInput
from domain.suppression import Entry, Reason, entry
from importing.problems import ImportRejected
from importing.suppressions import read_suppressions


def read(text: str) -> list[tuple[str, str, str, str]]:
    return [
        (each.kind, each.value, each.reason.value, each.source)
        for each in read_suppressions("list.csv", text.encode()).entries
    ]


def test_a_file_with_a_header_is_read_by_its_titles() -> None:
    text = "Name;E-mail;Reason;Note\nJo;JO@Example.org;Unsubscribed;\nAnn;ann@example.org;asked by phone;in May\n"
    assert read(text) == [
        ("address", "jo@example.org", "opt_out", ""),
        ("address", "ann@example.org", "imported", "asked by phone; in May"),
    ]


def test_a_file_without_a_header_has_one_in_each_line() -> None:
    assert read("jo@example.org\n@Brightwell.example\n*.falk.example\nbücher.example\n") == [
        ("address", "jo@example.org", "imported", ""),
        ("domain", "brightwell.example", "imported", ""),
        ("domain", "falk.example", "imported", ""),
        ("domain", "xn--bcher-kva.example", "imported", ""),
    ]


def test_what_it_exports_it_reads_again() -> None:
    text = "address or domain,reason,source,since,by\njo@example.org,bounced,550 5.1.1,2026-01-01T00:00:00+00:00,x\n"
    assert read(text) == [("address", "jo@example.org", "bounced", "550 5.1.1")]


def test_lines_that_are_no_entry_are_named_and_the_others_count() -> None:
    sheet = read_suppressions(
        "list.csv", b"email,reason\njo@example.org,\nn/a,\njo@,\nJO@example.org,bounced\n"
    )
    assert sheet.entries == [Entry("address", "jo@example.org", Reason.IMPORTED)]
    assert [(each.line, each.what) for each in sheet.left_out] == [
        (3, "'n/a' is neither an address nor a domain"),
        (4, "'jo@' is not one address (There must be something after the @-sign)"),
    ]
    assert sheet.repeated == 1


@pytest.mark.parametrize("text", ["", "email\n", "n/a\n-\n"])
def test_a_file_without_any_entry_is_refused(text: str) -> None:
    with pytest.raises(ImportRejected):
        read(text)


@pytest.mark.parametrize("text", ["", "a b", "example", "jo@x", "jo@example.org\nx", "127.0.0.1", "x" * 300])
def test_what_is_no_address_and_no_domain_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        entry(text, Reason.BY_HAND)
