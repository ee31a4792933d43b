"""An exam that was broken off goes on where it was, as long as the version is the same."""

from pathlib import Path

import pytest

from lab.exam import __main__ as exam
from lab.exam.__main__ import Outcome, Record
from lab.exam.bugs import BUGS
from lab.exam.planting import Bug


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commit that is checked out: the last one."""
    made = ["a"]
    monkeypatch.setattr(exam, "version", lambda: made[-1])
    return made


def test_what_is_known_of_a_version_is_kept_for_that_version_alone(
    commits: list[str], tmp_path: Path
) -> None:
    file, (first, second) = tmp_path / "exam.jsonl", BUGS[:2]
    assert Record(file).known() == {}
    Record(file).keep(Outcome(first, 3, ("pace", "receipts"), 61.2))
    Record(file).keep(Outcome(second, None, (), 900.0))
    assert Record(file).known() == {first.name: 3, second.name: None}
    commits.append("b")
    assert Record(file).known() == {}
    Record(None).keep(Outcome(first, 1, (), 1.0))
    assert Record(None).known() == {}


def test_only_what_is_not_known_is_examined_and_a_miss_of_before_counts(
    commits: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, asked = tmp_path / "exam.jsonl", []
    bugs = list(BUGS[:3])
    monkeypatch.setattr(exam, "BUGS", bugs)

    def examine(bug: Bug, _seed: int) -> Outcome:
        asked.append(bug)
        return Outcome(bug, 1, ("pace",), 1.0)

    monkeypatch.setattr(exam, "examine", examine)
    monkeypatch.setattr("sys.argv", ["exam", "--record", str(file)])
    Record(file).keep(Outcome(bugs[0], None, (), 1.0))
    assert exam.main() == 1
    assert asked == bugs[1:]
    assert f"{len(bugs) - 1} of {len(bugs)} caught" in capsys.readouterr().out
    assert exam.main() == 1
    assert asked == bugs[1:], "all are known"
