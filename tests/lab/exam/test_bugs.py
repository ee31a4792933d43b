"""Every planted bug can still be planted: its text is in the product exactly once, and the copy still compiles."""

from pathlib import Path

import pytest

from lab.exam.__main__ import ROOT, plant
from lab.exam.bugs import BUGS, Bug


def test_there_are_at_least_twenty_bugs_with_names_of_their_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 20


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_changes_the_product_as_it_is_now(bug: Bug, tmp_path: Path) -> None:
    plant(bug, tmp_path)
    for change in bug.changes:
        changed = (tmp_path / change.file).read_text()
        assert changed != (ROOT / change.file).read_text()
        compile(changed, change.file, "exec")
