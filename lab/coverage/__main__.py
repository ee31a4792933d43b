"""``python -m lab.coverage``: run the tests that are marked with a row, and write docs/coverage.md.

The page lists row, behaviour, state, test and result, and counts states by group.
"""

import ast
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage.md"


_GROUPS = {
    "what the product replaces does (H, M, P)": "HMP",
    "what others do beyond that (A, B, E, F)": "ABEF",
    "more of theirs about answers, bounces and opt-out (N)": "N",
}


class State(StrEnum):
    """How far the product has a behaviour, for those who would use it."""

    WORKS = "works"
    PARTLY = "partly"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Row:
    """A behaviour. ``note``: what is missing of it."""

    id: str
    says: str
    state: State
    note: str

    @property
    def stated(self) -> str:
        """Its state as the page shows it."""
        return f"{self.state}: {self.note}" if self.note else self.state.value


def rows() -> list[Row]:
    """All rows, in order. Raises ``KeyError`` and ``ValueError`` for one without a state or a note."""
    listed = tomllib.loads((Path(__file__).with_name("rows.toml")).read_text())
    return [
        Row(name, value, State.WORKS, "")
        if isinstance(value, str)
        else Row(name, value["says"], State(value["state"]), value["note"])
        for name, value in listed.items()
    ]


def marked(test: ast.FunctionDef) -> list[str]:
    """The rows of a test's marker: ``@pytest.mark.row("M14", "M16")``."""
    return [
        argument.value
        for each in test.decorator_list
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "pytest.mark.row"
        for argument in each.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def by_row() -> dict[str, list[str]]:
    """``path::name`` of every test, by the rows it is marked with."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for row in marked(node):
                    found[row].append(f"{path.relative_to(ROOT)}::{node.name}")
    return found


def results(tests: list[str]) -> dict[str, str]:
    """Run the tests. Returns ``passed`` or ``failed`` for each, all its parameters together."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "4", f"--junitxml={report}", *tests],
            cwd=ROOT,
            check=False,
        )
        outcome: dict[str, str] = {}
        for case in ET.parse(report).iter("testcase"):
            test = (
                f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').partition('[')[0]}"
            )
            good = not any(case.find(tag) is not None for tag in ("failure", "error", "skipped"))
            outcome[test] = "passed" if good and outcome.get(test) != "failed" else "failed"
    return outcome


def page(found: dict[str, list[str]], outcome: dict[str, str]) -> str:
    """Format the document."""
    lines = [
        "# Which behaviour is covered by which test",
        "",
        "Written by `make coverage` from the tests themselves: `@pytest.mark.row(…)`.",
        "",
    ]
    lines += ["| | rows | works | partly | not |", "|---|---|---|---|---|"]
    for title, letters in _GROUPS.items():
        states = [row.state for row in rows() if row.id[0] in letters]
        counts = " | ".join(str(states.count(state)) for state in State)
        lines.append(f"| {title} | {len(states)} | {counts} |")
    lines += [
        "",
        "What only an operator can do, by a file or a command, does not count as working where it is a recruiter's or an",
        "administrator's to do. Each row that works has a test.",
        "",
        "| row | behaviour | state | test | result |",
        "|---|---|---|---|---|",
    ]
    for row in rows():
        for test in found.get(row.id, []):
            path, _, name = test.partition("::")
            result = outcome.get(test, "not run")
            lines.append(f"| {row.id} | {row.says} | {row.stated} | `{name}` in {path} | {result} |")
        if row.id not in found:
            lines.append(f"| {row.id} | {row.says} | {row.stated} | none | |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the tests, write the page, print the result."""
    found = by_row()
    outcome = results(sorted({test for tests in found.values() for test in tests}))
    PAGE.write_text(page(found, outcome))
    failed = sorted(test for test, result in outcome.items() if result == "failed")
    print("\n".join([*failed, f"{PAGE.relative_to(ROOT)} is written."]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
