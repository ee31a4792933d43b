"""Listening, explored completely: no harm as it is, and harm as soon as one of its rules is removed."""

from dataclasses import fields

import pytest

from lab.model.reader import Rules, walk


def test_no_interleaving_loses_or_doubles_an_answer_or_lets_a_follow_up_leave_after_it() -> None:
    result = walk(Rules())
    assert result.harm == "", result.path
    assert result.stuck == 0
    assert result.states > 30_000


@pytest.mark.parametrize("rule", [each.name for each in fields(Rules)])
def test_each_rule_is_needed(rule: str) -> None:
    result = walk(Rules(**{rule: False}))
    print(result.harm, "\n".join(result.path))
    assert result.harm
