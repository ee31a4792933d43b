"""Who may change whose role, and end whose access."""

import pytest

from domain.errors import NotPermitted
from domain.team import MEANINGS, Role, check_leaving, check_role, choices


def test_only_owners_and_programs_name_owners_and_admins() -> None:
    assert choices(Role.OWNER) == choices(None) == tuple(Role)
    assert choices(Role.ADMIN) == (Role.MEMBER,)
    assert set(MEANINGS) == set(Role)


@pytest.mark.parametrize(
    ("by", "before", "after", "others", "allowed"),
    [
        (Role.OWNER, Role.MEMBER, Role.ADMIN, 0, True),
        (Role.OWNER, Role.ADMIN, Role.OWNER, 0, True),
        (Role.OWNER, Role.OWNER, Role.ADMIN, 1, True),
        (Role.OWNER, Role.OWNER, Role.ADMIN, 0, False),
        (None, Role.OWNER, Role.MEMBER, 0, False),
        (Role.ADMIN, Role.MEMBER, Role.ADMIN, 1, False),
        (Role.ADMIN, Role.OWNER, Role.MEMBER, 1, False),
    ],
)
def test_a_role_is_changed_by_owners_and_one_of_them_stays(
    by: Role | None, before: Role, after: Role, others: int, allowed: bool
) -> None:
    if allowed:
        check_role(by=by, before=before, after=after, other_owners=others)
        return
    with pytest.raises(NotPermitted):
        check_role(by=by, before=before, after=after, other_owners=others)


@pytest.mark.parametrize(
    ("by", "role", "same", "others", "allowed"),
    [
        (Role.ADMIN, Role.MEMBER, False, 0, True),
        (Role.ADMIN, Role.ADMIN, False, 0, True),
        (Role.ADMIN, Role.OWNER, False, 1, False),
        (Role.OWNER, Role.OWNER, False, 1, True),
        (Role.OWNER, Role.OWNER, False, 0, False),
        (Role.ADMIN, Role.ADMIN, True, 0, False),
    ],
)
def test_nobody_ends_their_own_access_an_owners_as_an_admin_or_the_last_owners(
    by: Role, role: Role, same: bool, others: int, allowed: bool
) -> None:
    if allowed:
        check_leaving(by=by, role=role, same=same, other_owners=others)
        return
    with pytest.raises(NotPermitted):
        check_leaving(by=by, role=role, same=same, other_owners=others)
