"""Measure the main jobs and write what they take into docs/pages.md: ``make jobs``.

The clicks are counted and the seconds measured by the tests of a day, in a real Chromium.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypedDict

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "pages.md"
TESTS = ("tests/web/test_a_day.py", "tests/web/test_more_days.py")
RECORD = "MAIN_JOBS"  # the setting of a run: where it notes what each job took
How = Literal["desk", "phone", "without scripts"]
WAYS: tuple[How, ...] = ("desk", "phone", "without scripts")
# What the page calls each job, and how many clicks it took before there were pages for it.
JOBS: dict[str, tuple[str, str]] = {
    "build and start": ("build and start a sequence of three steps for 50 people of a CSV file", "not on a page"),
    "why somebody got nothing": ("why somebody got nothing", "not on a page"),
    "what somebody received": ("what somebody received and answered", "not on a page"),
    "end a permission": ("end a permission", "2"),
    "connect again and resume": (
        "connect again, once at Microsoft, and resume five sequences",
        "2 for each sequence besides",
    ),
    "an admin's day": (
        "add somebody, end the access of somebody who leaves, hand over their sequences, suppress a domain, read the audit",
        "not on a page",
    ),
}  # fmt: skip
_BETWEEN = re.compile(r"(?<=<!-- make jobs -->\n).*?(?=<!-- end of jobs -->)", re.DOTALL)


class Took(TypedDict):
    """What one job took."""

    job: str
    how: How
    clicks: int
    seconds: float


def note(job: str, how: How, clicks: int, seconds: float) -> None:
    """Say what a job took, and keep it if this run is a measurement."""
    print(f"{job}, {how}: {clicks} clicks, {seconds:.1f} s")
    if file := os.environ.get(RECORD):
        with Path(file).open("a", encoding="utf-8") as kept:
            kept.write(json.dumps(Took(job=job, how=how, clicks=clicks, seconds=seconds)) + "\n")


def table(found: Mapping[tuple[str, str], Took]) -> str:
    """The jobs as a table of the page."""
    lines = [
        "| job | clicks: desktop, phone | seconds: desktop, phone, without scripts | clicks before |",
        "|---|---|---|---|",
    ]
    for job, (words, before) in JOBS.items():
        clicks = ", ".join(str(found[job, how]["clicks"]) for how in WAYS[:2])
        seconds = ", ".join(f"{found[job, how]['seconds']:.1f}" for how in WAYS)
        lines.append(f"| {words} | {clicks} | {seconds} | {before} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the tests of a day, one after the other, and write the table. Ends with pytest's code if one fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "jobs"
        command = [sys.executable, "-m", "pytest", "-n", "0", "-q", *TESTS]
        code = subprocess.run(
            command, cwd=ROOT, env={**os.environ, RECORD: str(file)}, check=False
        ).returncode
        if code:
            sys.exit(code)
        took: list[Took] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        _BETWEEN.sub(table({(each["job"], each["how"]): each for each in took}), text), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
