"""What each kind of incoming email means for the person's emails."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.listening.consequences import (
    Away,
    Ends,
    Later,
    Proposed,
    SenderWaits,
    Unclear,
    away_until,
    consequence,
)
from domain.listening.kinds import Bounce, BounceClass, Kind

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
SOFT = Bounce(BounceClass.SOFT, "ada@example.org", "4.4.7")
OF_SENDER = Bounce(BounceClass.SENDER, "ada@example.org", "5.7.1")


def of(kind: Kind, **more: Any) -> object:
    given: dict[str, Any] = {"now": NOW, "received_at": NOW, "zone": "Europe/Berlin", "away_days": 5} | more
    return consequence(kind, **given)


@pytest.mark.parametrize(
    ("kind", "more", "follows"),
    [
        (Kind.ANSWER, {}, Ends("answered")),
        (Kind.LEFT_COMPANY, {}, Ends("left_company")),
        (Kind.SENDER_WROTE, {}, Ends("sender_wrote")),
        (Kind.OPT_OUT, {}, Ends("opted_out", everywhere=True, suppresses="opt_out")),
        (Kind.OPT_OUT, {"complained": True}, Ends("opted_out", everywhere=True, suppresses="complained")),
        (Kind.OPT_OUT, {"opt_out_words": "no more, please"}, Proposed()),
        (Kind.UNCLEAR, {}, Unclear(NOW + timedelta(days=1))),
        (Kind.OTHER, {}, None),
        (
            Kind.BOUNCE,
            {"bounce": Bounce(BounceClass.HARD, "ada@example.org", "5.1.1")},
            Ends("bounced", everywhere=True, suppresses="bounced"),
        ),
        (Kind.BOUNCE, {"bounce": SOFT}, Later(NOW + timedelta(hours=1))),
        (Kind.BOUNCE, {"bounce": OF_SENDER}, SenderWaits(NOW + timedelta(hours=1))),
    ],
)
def test_each_kind_has_its_consequence(kind: Kind, more: dict[str, Any], follows: object) -> None:
    assert of(kind, **more) == follows


def test_soft_bounces_wait_longer_each_time_and_the_fourth_ends() -> None:
    waits = [of(Kind.BOUNCE, bounce=SOFT, soft_before=before) for before in range(4)]
    assert waits == [*(Later(NOW + timedelta(hours=each)) for each in (1, 4, 24)), Ends("bounced")]


def test_an_old_report_about_the_sender_holds_no_mailbox() -> None:
    assert of(Kind.BOUNCE, bounce=OF_SENDER, received_at=NOW - timedelta(days=1)) is None


def test_every_kind_has_one() -> None:
    for kind in Kind:
        of(kind)


@pytest.mark.row("E3", "N4")
def test_an_automatic_reply_makes_the_person_away_until_the_business_day_after_their_return() -> None:
    # Back on Friday 13 March: emails may leave from Monday on, at the day's start in the organization's zone.
    back = of(Kind.AUTO_REPLY, return_on=date(2026, 3, 13))
    assert back == Away(datetime(2026, 3, 15, 23, tzinfo=UTC), guessed=False)


def test_without_a_day_of_return_the_person_is_away_for_the_organizations_business_days() -> None:
    assert of(Kind.AUTO_REPLY) == Away(datetime(2026, 3, 8, 23, tzinfo=UTC), guessed=True)
    assert away_until(NOW, "UTC", None, 1) == datetime(2026, 3, 3, tzinfo=UTC)


def test_an_absence_that_is_over_when_it_is_read_holds_nobody() -> None:
    assert of(Kind.AUTO_REPLY, received_at=NOW - timedelta(days=20), return_on=date(2026, 2, 12)) is None
