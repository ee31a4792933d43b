"""What the pages for newcomers say about the code is true: the files they name are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "README.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_.]*\w)`", text))
    linked = set(re.findall(r"\]\((?!https?://|#)([^)#]+)", text))
    assert named
    assert [each for each in sorted(named | linked) if not (ROOT / each).exists()] == []


DECISIONS = ROOT / "docs" / "decisions"
_HEAD = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"\* Status: (?P<status>accepted|replaced by \[(?P<by>\d+)\]\((?P<file>\d{4}-[a-z-]+\.md)\))\n"
    r"\* Date: (?P<date>\d{4}-\d\d-\d\d)(, changed \d{4}-\d\d-\d\d)?\n\n"
)


def decisions() -> dict[str, re.Match[str] | None]:
    return {path.name: _HEAD.match(path.read_text()) for path in sorted(DECISIONS.glob("0*.md"))}


@pytest.mark.parametrize("name", list(decisions()))
def test_every_decision_has_its_number_a_status_and_a_date(name: str) -> None:
    head = decisions()[name]
    assert head is not None
    assert name.startswith(f"{int(head['number']):04}-")
    if head["file"]:
        assert decisions().get(head["file"]) is not None
        assert head["file"].startswith(f"{int(head['by']):04}-")


def test_the_index_lists_every_decision_as_it_is() -> None:
    rows = re.findall(
        r"^\| (\d+) \| \[(.+)\]\((.+)\) \| (.+) \| (.+) \|$",
        (DECISIONS / "README.md").read_text(),
        re.MULTILINE,
    )
    assert rows == [
        (head["number"], head["title"], name, head["status"], head["date"])
        for name, head in decisions().items()
        if head
    ]
