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
# A test is named beside its file: ``path::test``, ``::another`` of the same line or, as coverage.md has it, `test` in path.
_TESTS_FILE = re.compile(r"tests/[\w/]+\.py")
_TEST = re.compile(r"(?<![\w/])(test_\w+)\b(?!\.py|/)")


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
    missing = []
    for number, line in enumerate((ROOT / page).read_text().splitlines(), start=1):
        there = "".join((ROOT / each).read_text() for each in _TESTS_FILE.findall(line))
        missing += [
            f"{number}: {name}" for name in _TEST.findall(line) if not re.search(rf"def {name}\b", there)
        ]
    assert missing == []


def _each(kind: str, *ids: str | range) -> set[str]:
    return {f"{kind} {one}" for each in ids for one in ([each] if isinstance(each, str) else each)}


# Every finding that docs/faults.md has to answer, by the name that begins its row.
FINDINGS = {
    "The send path": _each("send path", range(1, 16)),
    "Security": _each("security", range(1, 24)),
    "Pages": _each("pages", "B1", "B2", "B3", "B4", "B5")
    | _each("pages", *(f"M{number}" for number in range(1, 15) if number != 3))
    | _each("pages M3", *"abcdefg")
    | _each("pages minor", range(1, 24)),
    "Features": _each("features", *(f"X{number}" for number in range(1, 16))),
    "Operations": _each("operations", "2", "4", "5", "6", "7", "9"),
    "Inputs from the world": _each("case", *(f"{n:02}" for n in range(1, 28) if n not in (22, 26)))
    | _each("case 28", range(1, 9)),
}
KNOWN = {each for ids in FINDINGS.values() for each in ids}


def findings(cell: str) -> set[str]:
    """The findings that a row's first cell names."""
    return {each for each in KNOWN if re.search(rf"\b{each}\b", cell)}


def faults() -> list[tuple[str, list[str]]]:
    """The rows of docs/faults.md that are about findings, each with the heading it stands under."""
    rows = []
    for part in (ROOT / "docs/faults.md").read_text().split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        for line in text.splitlines():
            cells = [each.strip() for each in re.split(r"(?<!\\)\|", line)[1:-1]]
            if len(cells) == 4 and cells[0] != "finding" and not cells[0].startswith("---"):
                rows.append((heading, cells))
    return rows


@pytest.mark.parametrize("heading", FINDINGS)
def test_every_finding_has_a_row(heading: str) -> None:
    named = {each for _, cells in faults() for each in findings(cells[0])}
    assert sorted(FINDINGS[heading] - named) == []


def test_a_row_of_a_finding_stands_with_its_like() -> None:
    for heading, (first, *_) in faults():
        if heading in FINDINGS:
            assert findings(first) & FINDINGS[heading], first


def test_a_row_names_the_test_that_shows_it_or_says_why_there_is_none() -> None:
    without = [
        cells[0]
        for _, cells in faults()
        if not _TESTS_FILE.search(cells[3]) and not re.match(r"none: \w+ \w+", cells[3])
    ]
    assert without == []


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


def test_the_changelog_says_nothing_twice() -> None:
    entries = [
        line[:60] for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("- ")
    ]
    assert [each for each in entries if entries.count(each) > 1] == []
