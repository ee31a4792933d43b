"""The page of coverage matches the tests."""

import ast
import re

from lab.coverage.__main__ import PAGE, State, by_row, marked, page, rows


def numbered(letter: str, last: int) -> set[str]:
    return {f"{letter}{number}" for number in range(1, last + 1)}


def test_no_row_is_left_out() -> None:
    replaced = numbered("H", 23) | numbered("M", 31) | numbered("P", 48)
    assert len(replaced) == 102
    others = {"A8", "B8"} | numbered("E", 5) | numbered("F", 4) | numbered("N", 21)
    assert {row.id for row in rows()} == replaced | others


def test_what_works_has_a_test_and_what_does_not_says_what_is_missing() -> None:
    shown = by_row()
    assert [row.id for row in rows() if row.state is not State.NOT and row.id not in shown] == []
    assert [row.id for row in rows() if row.state is State.NOT and row.id in shown] == []
    assert [row.id for row in rows() if (row.state is State.WORKS) == bool(row.note)] == []


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
