"""``python -m lab.coverage``: run the tests that are marked with a row, and write docs/coverage.md.

The page lists row, behaviour, test and result.
"""

import ast
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage.md"


@dataclass(frozen=True, slots=True)
class Row:
    """A behaviour. ``later``: not covered yet, on purpose."""

    id: str
    says: str
    later: bool


def rows() -> list[Row]:
    """All rows, in order."""
    listed = tomllib.loads((Path(__file__).with_name("rows.toml")).read_text())
    return [
        Row(name, value, False) if isinstance(value, str) else Row(name, value["says"], value["later"])
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
    missing = [row.id for row in rows() if not row.later and row.id not in found]
    wanted = [row for row in rows() if not row.later]
    lines += [
        f"{len(wanted) - len(missing)} of {len(wanted)} rows have a test. Without one: {', '.join(missing) or 'none'}.",
        "",
        "| row | behaviour | test | result |",
        "|---|---|---|---|",
    ]
    for row in rows():
        if row.later:
            lines.append(f"| {row.id} | {row.says} | with receiving mail | |")
        for test in found.get(row.id, []):
            path, _, name = test.partition("::")
            lines.append(f"| {row.id} | {row.says} | `{name}` in {path} | {outcome.get(test, 'not run')} |")
        if row.id not in found and not row.later:
            lines.append(f"| {row.id} | {row.says} | **none yet** | |")
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
