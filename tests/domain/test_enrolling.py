"""Who may be enrolled: one table."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.enrolling import Keeps, Standing, check_days, check_reason, keeps_out
from domain.errors import InvalidInput, NotPermitted

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
JUST_NOW, LONG_AGO = NOW - timedelta(hours=1), NOW - timedelta(days=90)

# suppressed, in this sequence, in another one, last email | by the rule, by an admin's word
TABLE = [
    (False, False, "", None, None, None),
    (False, False, "", LONG_AGO, None, None),
    (False, False, "", LONG_AGO + timedelta(seconds=1), Keeps.CONTACTED, None),
    (False, False, "", JUST_NOW, Keeps.CONTACTED, None),
    (False, False, "Other", None, Keeps.ELSEWHERE, None),
    (False, False, "Other", JUST_NOW, Keeps.ELSEWHERE, None),
    (False, True, "", None, Keeps.ALREADY, Keeps.ALREADY),
    (False, True, "Other", JUST_NOW, Keeps.ALREADY, Keeps.ALREADY),
    (True, False, "", None, Keeps.SUPPRESSED, Keeps.SUPPRESSED),
    (True, True, "Other", JUST_NOW, Keeps.SUPPRESSED, Keeps.SUPPRESSED),
]


@pytest.mark.parametrize(("suppressed", "already", "elsewhere", "last", "ruled", "anyway"), TABLE)
def test_what_keeps_a_person_out(
    suppressed: bool,
    already: bool,
    elsewhere: str,
    last: datetime | None,
    ruled: Keeps | None,
    anyway: Keeps | None,
) -> None:
    standing = Standing(suppressed, already, elsewhere, last)
    assert keeps_out(standing, days=90, now=NOW) is ruled
    assert keeps_out(standing, days=90, now=NOW, anyway=True) is anyway


def test_without_a_window_nobody_was_written_to_lately() -> None:
    assert keeps_out(Standing(last_sent_at=JUST_NOW), days=0, now=NOW) is None
    assert [check_days(each) for each in (0, 3650)] == [0, 3650]
    for days in (-1, 3651):
        with pytest.raises(InvalidInput, match="Give 0"):
            check_days(days)


def test_only_admins_enroll_anyway_and_say_why() -> None:
    assert check_reason("  she  asked ", admin=True) == "she asked"
    assert check_reason(" ", admin=False) == ""
    with pytest.raises(NotPermitted, match="owner or admin"):
        check_reason("she asked", admin=False)
    with pytest.raises(InvalidInput, match="500"):
        check_reason("x" * 501, admin=True)
