"""The page of coverage is as the tests are now."""

import re

from lab.coverage.__main__ import PAGE, by_row, named, page, rows


def test_no_test_names_a_row_that_does_not_exist() -> None:
    assert set(by_row()) <= {row.id for row in rows()}


def test_the_page_lists_the_tests_as_they_are() -> None:
    def shape(text: str) -> list[str]:
        return [re.sub(r"\| (passed|failed|not run) \|$", "|", line) for line in text.splitlines()]

    assert shape(PAGE.read_text()) == shape(page(by_row(), {})), "run: make coverage"
    assert "| failed |" not in PAGE.read_text()


def test_rows_are_read_from_names_and_docstrings() -> None:
    assert list(named("test_m22_to_m25_it_works", "")) == ["M22", "M23", "M24", "M25"]
    assert list(named("test_h1_m8_it_works", "P4, P5: and more. M9 not.")) == ["H1", "M8", "P4", "P5"]
    assert list(named("test_plain", "")) == []
