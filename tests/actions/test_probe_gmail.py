"""The probe of Gmail says of each assumption whether it holds."""

from typing import Any

import pytest

from actions import probe_gmail
from actions.probes import Finding
from domain.errors import NotPermitted
from lab.stage import Stage


def probed(stage: Stage) -> dict[str, Finding]:
    box = stage.google_mailbox(stage.world.member())
    return {each.assumption: each for each in probe_gmail.probe(stage.runtime, box, wait=3)}


def test_what_our_tests_assume_holds_at_the_emulator(stage: Stage) -> None:
    found = probed(stage)
    assert sorted(found) == ["G1", "G2", "G3", "G4", "G5"]
    assert {name: each.holds for name, each in found.items()} == dict.fromkeys(found, True), found
    assert {name for name, each in found.items() if each.needed} == {"G1", "G2"}


@pytest.mark.parametrize(
    ("switches", "fails"),
    [
        ({"google_keeps_message_id": False}, {"G3": False, "G5": None}),
        ({"google_search_delay": 60.0}, {"G5": None}),
    ],
)
def test_a_gmail_that_behaves_otherwise_is_found_out(
    stage: Stage, switches: dict[str, Any], fails: dict[str, bool | None]
) -> None:
    stage.emulator.control.switch(None, **switches)
    found = probed(stage)
    assert {name: found[name].holds for name in fails} == fails


def test_a_mailbox_at_microsoft_is_not_probed(stage: Stage) -> None:
    with pytest.raises(NotPermitted, match="does not send by Gmail"):
        probe_gmail.probe(stage.runtime, stage.mailbox(stage.world.member()))
