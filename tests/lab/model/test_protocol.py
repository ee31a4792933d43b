"""The protocol, explored completely: no harm as it is, and harm as soon as one of its rules is removed."""

from dataclasses import fields
from pathlib import Path

import pytest

from domain.delivery import TRANSITIONS, State
from lab.model.protocol import walk
from lab.model.state import Rules

ROOT = Path(__file__).parents[3]

# Moves of the product that no actor of this model makes, and why that leaves no gap.
OUTSIDE = {
    (State.PENDING, State.CLOSED): "closing sends nothing",
    (State.QUEUED, State.CLOSED): "closing sends nothing",
    (State.PREPARING, State.CLOSED): "closing sends nothing",
    (State.DRAFTED, State.CLOSED): "closing sends nothing",
    (State.SENDING, State.CLOSED): "an answer that excludes acceptance; here every lost answer is doubt",
    (State.PENDING, State.REVIEW): "nothing is submitted, and a person decides",
    (State.REVIEW, State.SENT): "a person decides",
    (State.REVIEW, State.CLOSED): "a person decides",
    (State.REVIEW, State.PENDING): "a person decides",
    (State.CLOSED, State.PENDING): "a person decides, and only where acceptance is excluded",
}


def test_no_interleaving_of_two_workers_doubles_loses_or_sends_after_a_no() -> None:
    result = walk(Rules())
    assert result.harm == "", result.path
    assert result.stuck == 0
    assert result.states > 100_000
    assert set(TRANSITIONS) - result.moves == set(OUTSIDE)
    for page in ("README.md", "docs/reliability.md"):
        assert f"({result.states:,} states)" in (ROOT / page).read_text(), page


@pytest.mark.parametrize("rule", [each.name for each in fields(Rules)])
def test_each_rule_is_needed(rule: str) -> None:
    result = walk(Rules(**{rule: False}))
    print("\n".join(result.path))
    assert result.harm
