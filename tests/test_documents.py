"""What the pages say about the code is true: the files and tests that they name exist."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")  # keepachangelog.com
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md")
DOCS = (*PAGES, *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
_FOLDER = re.compile(r"`((?:[a-z_]+/)+[a-z_]+)/?`")
_FILE = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)+[\w.-]*\.(?:css|html|lock|md|py|sh|sql|toml|txt|ya?ml))\b")
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
_PLACEHOLDER = re.compile(r"\b(DATE|NAME)")  # of a recipe
# ``path::test`` or, as coverage.md has it, `test` in path.
_TEST = re.compile(r"(tests/[\w/]+\.py)::(\w+)|`(test_\w+)` in (tests/[\w/]+\.py)")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_for_newcomers_names_files(page: str) -> None:
    assert _FILE.search((ROOT / page).read_text())


@pytest.mark.parametrize("page", DOCS)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = {each for each in _FOLDER.findall(text) + _FILE.findall(text) if not _PLACEHOLDER.search(each)}
    here = (ROOT / page).parent
    missing = {each for each in named if not (ROOT / each).exists() and not (here / each).exists()}
    missing |= {each for each in _LINK.findall(text) if not (here / each).exists()}
    assert sorted(missing) == []


@pytest.mark.parametrize("walk", ["Walk 1", "Walk 2", "Walk 5"])
def test_each_walk_counts_how_often_data_climbs(walk: str) -> None:
    (text,) = re.findall(
        rf"^## {walk}: .*?(?=^## )", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert re.findall(r"Data climbs (\d+) times", text) == [str(text.count("↑ | `"))]


@pytest.mark.parametrize("page", DOCS)
def test_every_test_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = {(path or other, name or first) for path, name, first, other in _TEST.findall(text)}
    assert [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not re.search(rf"def {name}\b", (ROOT / path).read_text())
    ] == []


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


def test_the_changelog_keeps_its_form_and_names_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    head, *releases = re.split(r"^## ", text, flags=re.MULTILINE)
    assert head.startswith("# Changelog\n")
    titles = [each.partition("\n")[0] for each in releases]
    assert titles[0] == "Unreleased"
    dated = [re.fullmatch(r"(\d+)\.(\d+)\.(\d+) - (\d{4}-\d\d-\d\d)", each) for each in titles[1:]]
    assert all(dated), titles
    ordered = [(tuple(map(int, each.groups()[:3])), each[4]) for each in dated if each]
    assert ordered == sorted(ordered, reverse=True)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert tuple(map(int, version.split("."))) == ordered[0][0]
    for title, release in zip(titles, releases, strict=True):
        kinds = re.findall(r"^### (.+)$", release, re.MULTILINE)
        assert kinds == [each for each in KINDS if each in kinds], title
        lines = [each for each in release.splitlines()[1:] if each and not each.startswith("### ")]
        assert [each for each in lines if not re.match(r"- \S.*[.:]$", each)] == [], title
