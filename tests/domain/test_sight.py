"""Who sees a person."""

import pytest

from domain.sight import Sight, sight


@pytest.mark.parametrize("in_mailbox", [False, True])
@pytest.mark.parametrize(("manages", "enrolled"), [(True, False), (False, True), (True, True)])
def test_owners_admins_and_who_enrolled_the_person_see_everything(
    *, manages: bool, enrolled: bool, in_mailbox: bool
) -> None:
    assert sight(manages=manages, enrolled=enrolled, in_mailbox=in_mailbox) is Sight.EVERYTHING


def test_whose_mailbox_wrote_to_them_sees_what_is_in_it_and_a_stranger_nothing() -> None:
    assert sight(manages=False, enrolled=False, in_mailbox=True) is Sight.OWN_MAILBOX
    assert sight(manages=False, enrolled=False, in_mailbox=False) is None
