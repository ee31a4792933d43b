"""Every bug can still be planted: its places are in the product, its change changes something, and every name it uses exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.exam.__main__ import ROOT
from lab.exam.bugs import BUGS
from lab.exam.planting import Bug, planted

_HOLES = re.compile(r"\{\w+\}")


def test_there_are_at_least_twenty_bugs_with_names_of_their_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_changes_the_product_as_it_is_now(bug: Bug) -> None:
    for name, source in planted(bug.changes, ROOT).items():
        if name.endswith(".sql"):  # whose holes the module fills
            assert set(_HOLES.findall(source)) == set(_HOLES.findall((ROOT / name).read_text()))
        else:
            compile(source, name, "exec")


def test_planted_code_uses_no_name_that_does_not_exist(tmp_path: Path) -> None:
    for number, bug in enumerate(BUGS):
        for name, source in planted(bug.changes, ROOT).items():
            (tmp_path / f"{number:02} {name.replace('/', ' ')}").write_text(source)
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821,F823", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
