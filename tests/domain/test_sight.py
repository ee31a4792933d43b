"""Who sees a person."""

import pytest

from domain.sight import Sight, sight


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("why", ["manages", "enrolled", "theirs_alone"])
def test_whoever_manages_enrolled_or_brought_in_the_person_sees_everything(*, why: str, known: bool) -> None:
    because = {each: each == why for each in ("manages", "enrolled", "theirs_alone")}
    assert sight(**because, known=known) is Sight.EVERYTHING


def test_whoever_knows_them_sees_their_own_mailbox_and_a_stranger_nothing() -> None:
    assert sight(manages=False, enrolled=False, theirs_alone=False, known=True) is Sight.OWN_MAILBOX
    assert sight(manages=False, enrolled=False, theirs_alone=False, known=False) is None
