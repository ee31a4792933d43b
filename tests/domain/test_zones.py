"""Zones of mailboxes whose provider names none: the organization's zone counts, and working hours stay."""

from datetime import UTC, datetime

import pytest

from domain.zones import in_zones, standard_offset

NOW = datetime(2026, 7, 1, tzinfo=UTC)
HOURS = {"days": ["mon"], "from": "09:00", "to": "17:00", "holidays": []}


def settings(zone: object, hours_zone: object, offset: object = None) -> dict[str, object]:
    return {"zone": zone, "offset_minutes": offset, "window": {"zone": hours_zone, **HOURS}, "absences": []}


def test_a_named_zone_stays() -> None:
    found = in_zones(settings("Europe/Vienna", "Europe/Paris"), "Asia/Tokyo", NOW)
    assert found == {"zone": "Europe/Vienna", "window": {"zone": "Europe/Paris", **HOURS}, "absences": []}


@pytest.mark.parametrize(
    ("of_the_hours", "kept"),
    [
        pytest.param(None, "Europe/Berlin", id="without a name"),
        pytest.param("Asia/Tokyo", "Asia/Tokyo", id="with one of their own"),
    ],
)
def test_a_zone_without_a_name_is_the_organizations_and_the_hours_keep_theirs(
    of_the_hours: str | None, kept: str
) -> None:
    found = in_zones(settings(None, of_the_hours), "Europe/Berlin", NOW)
    assert (found["zone"], found["window"]) == ("Europe/Berlin", {"zone": kept, **HOURS})


@pytest.mark.parametrize(
    ("fixed", "minutes", "home", "expected"),
    [
        ("Etc/GMT-1", 60, "Europe/Berlin", "Europe/Berlin"),  # the organization's own, with its summer time
        ("Etc/GMT+5", -300, "America/New_York", "America/New_York"),
        ("Australia/Darwin", 570, "Australia/Adelaide", "Australia/Adelaide"),
        ("Etc/GMT-1", 60, "America/New_York", "Etc/GMT-1"),
        ("Asia/Kolkata", 330, "Europe/Berlin", "Asia/Kolkata"),
        (None, 7, "Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_an_offset_is_the_organizations_zone_where_that_has_it(
    fixed: str | None, minutes: int, home: str, expected: str
) -> None:
    found = in_zones(settings(fixed, fixed, minutes), home, NOW)
    assert (found["zone"], found["window"]) == (expected, {"zone": expected, **HOURS})


def test_a_mailbox_without_hours_has_none_afterwards() -> None:
    assert in_zones({"zone": None, "window": None}, "Europe/Berlin", NOW) == {
        "zone": "Europe/Berlin",
        "window": None,
    }


@pytest.mark.parametrize("zone", ["Europe/Dublin", "Australia/Sydney", "Etc/UTC"])
def test_the_standard_offset_is_that_outside_summer_time(zone: str) -> None:
    hours = {"Europe/Dublin": 0, "Australia/Sydney": 10, "Etc/UTC": 0}[zone]
    assert standard_offset(zone, 2026).total_seconds() == hours * 3600
