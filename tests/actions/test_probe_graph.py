"""The probe of Exchange is judged by what arrives in the mailbox's own Inbox."""

import pytest

from actions import probe_graph
from lab.stage import Stage


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_graph, "_SECOND_COPY", 0.5)
    monkeypatch.setattr(probe_graph, "_PATIENCE", 3.0)


def probed(stage: Stage) -> dict[str, probe_graph.Finding]:
    box = stage.mailbox(stage.world.member())
    return {each.assumption: each for each in probe_graph.probe(stage.runtime, box)}


@pytest.mark.parametrize(
    ("second", "holds"), [("404", True), ("400", True), ("202", True), ("duplicate", False)]
)
def test_a_second_submission_is_judged_by_what_it_brings_and_not_by_its_answer(
    stage: Stage, second: str, holds: bool
) -> None:
    stage.emulator.control.switch(second_send=second)
    found = probed(stage)["A1"]
    assert found.holds is holds
    assert "in its own Inbox" in found.seen


def test_where_nothing_arrives_there_is_no_answer(stage: Stage) -> None:
    stage.emulator.control.switch(copy_leaves=False)
    assert probed(stage)["A1"].holds is None
