"""The page of coverage matches the tests."""

import ast
import re

from lab.coverage.__main__ import PAGE, by_row, marked, page, rows


def test_no_test_is_marked_with_a_row_that_does_not_exist() -> None:
    assert set(by_row()) <= {row.id for row in rows()}


def test_the_page_lists_the_tests_as_they_are() -> None:
    def shape(text: str) -> list[str]:
        return [re.sub(r"\| (passed|failed|not run) \|$", "|", line) for line in text.splitlines()]

    assert shape(PAGE.read_text()) == shape(page(by_row(), {})), "run: make coverage"
    assert "| failed |" not in PAGE.read_text()


def test_rows_are_read_from_markers() -> None:
    (test,) = ast.parse('@pytest.mark.row("M22", "M23")\ndef test_it_works() -> None: ...').body
    assert isinstance(test, ast.FunctionDef)
    assert marked(test) == ["M22", "M23"]
