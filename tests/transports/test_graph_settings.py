"""A mailbox's settings, in every shape that Microsoft is known to use. What cannot be parsed is not set."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import ProviderUnavailable
from domain.send_window import Absence, SendWindow
from transports.base import MailboxFacts
from transports.graph_settings import mailbox_facts

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PERSON: dict[str, object] = {"id": "oid-1", "mail": "Rita@Acme.example"}


def facts(
    settings: dict[str, object], person: dict[str, object] = PERSON, token: str = "opaque"
) -> MailboxFacts:
    return mailbox_facts(person, settings, token, NOW)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Pacific Standard Time", "America/Los_Angeles"),
        ("Europe/Vienna", "Europe/Vienna"),
        ("UTC", "Etc/UTC"),
        ("Coordinated Universal Time", "Etc/UTC"),
        ("tzone://Microsoft/Utc", "Etc/UTC"),
        ("Mid-Atlantic Standard Time", "Etc/GMT+2"),
        ("Kamchatka Standard Time", "Asia/Kamchatka"),
        ("Armenian Standard Time", "Asia/Yerevan"),
        ("w. europe  standard time", "Europe/Berlin"),
        ("W. Europe Daylight Time", "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Etc/GMT-1"),
        ("(GMT-03:00) Brasilia", "Etc/GMT+3"),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", "Etc/UTC"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        # None: the organization's counts.
        ("Customized Time Zone", None),
        ("tzone://Microsoft/Custom", None),
        ("", None),
        (None, None),
        (7, None),
        ("../../etc/passwd", None),
    ],
)
def test_zones_by_any_name(name: object, zone: str | None) -> None:
    assert facts({"timeZone": name}).settings["zone"] == zone


@pytest.mark.parametrize(
    ("value", "purpose"),
    [
        ("user", "user"), ("Shared", "shared"), ({"value": "room"}, "room"), (None, "unknown"), ({}, "unknown"),
        (3, "unknown"), ({"value": 3}, "unknown"),
    ],
)  # fmt: skip
def test_the_purpose_as_text_or_object(value: object, purpose: str) -> None:
    assert facts({"userPurpose": value}).settings["purpose"] == purpose


def hours(**changes: Any) -> dict[str, Any]:
    return {
        "daysOfWeek": ["monday", "FRIDAY"],
        "startTime": "08:00:00.0000000",
        "endTime": "17:30:00.0000000",
        "timeZone": {"name": "Pacific Standard Time"},
        **changes,
    }


def test_working_hours_become_a_window() -> None:
    window = facts({"workingHours": hours()}).settings["window"]
    assert window == {
        "zone": "America/Los_Angeles", "days": ["mon", "fri"], "from": "08:00", "to": "17:30", "holidays": [],
    }  # fmt: skip
    assert SendWindow.from_json(window).to_json() == window


def test_a_custom_zone_falls_back_to_the_mailboxs_own() -> None:
    custom = {"@odata.type": "#microsoft.graph.customTimeZone", "bias": -200, "name": "Customized Time Zone"}
    said = facts({"timeZone": "Europe/Vienna", "workingHours": hours(timeZone=custom)})
    assert isinstance(said.settings["window"], dict)
    assert said.settings["window"]["zone"] == "Europe/Vienna"


@pytest.mark.parametrize(
    "name", ["Customized Time Zone", "tzone://Microsoft/Custom", "Nowhere Standard Time"]
)
def test_case_14_hours_in_a_zone_without_a_name_are_kept(name: str) -> None:
    said = facts({"timeZone": name, "workingHours": hours(timeZone={"name": name})})
    assert said.settings["zone"] is None
    assert said.settings["window"] == {
        "zone": None, "days": ["mon", "fri"], "from": "08:00", "to": "17:30", "holidays": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("bias", "zone"),
    [
        (-60, "Etc/GMT-1"),
        (300, "Etc/GMT+5"),
        (0, "Etc/UTC"),
        (-330, "Asia/Kolkata"),
        (-345, "Asia/Kathmandu"),
    ],
)
def test_case_14_a_custom_zone_counts_by_the_offset_it_carries(bias: int, zone: str) -> None:
    custom = {"@odata.type": "#microsoft.graph.customTimeZone", "bias": bias, "name": "Customized Time Zone"}
    said = facts({"timeZone": "Customized Time Zone", "workingHours": hours(timeZone=custom)})
    window = said.settings["window"]
    assert isinstance(window, dict)
    assert (said.settings["zone"], window["zone"], window["from"]) == (zone, zone, "08:00")
    assert said.settings["offset_minutes"] == -bias


@pytest.mark.parametrize("bias", [None, "x", 7, 100_000, True])
def test_case_14_an_offset_that_no_zone_has_leaves_it_to_the_organization(bias: object) -> None:
    said = facts(
        {"timeZone": "Customized Time Zone", "workingHours": hours(timeZone={"bias": bias, "name": "x"})}
    )
    window = said.settings["window"]
    assert isinstance(window, dict)
    assert (said.settings["zone"], window["zone"]) == (None, None)


@pytest.mark.parametrize("zone", ["tzone://Microsoft/Custom", "Coordinated Universal Time"])
def test_case_14_an_absence_in_a_zone_without_a_name_is_kept(zone: str) -> None:
    said = facts(
        replies("scheduled", moment("2026-12-01T00:00:00", zone), moment("2026-12-30T00:00:00", zone))
    )
    assert said.settings["absences"] == [
        {"starts": "2026-12-01T00:00:00+00:00", "ends": "2026-12-30T00:00:00+00:00"}
    ]


@pytest.mark.parametrize(
    "value",
    [
        None, 3, "x", [], {}, hours(daysOfWeek=[]), hours(daysOfWeek="monday"), hours(daysOfWeek=["someday", 3]),
        hours(startTime="25:00"), hours(startTime=None), hours(endTime="x"), hours(startTime="22:00", endTime="06:00"),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_said_in_one_window_count_as_not_set(value: object) -> None:
    assert facts({"workingHours": value}).settings["window"] is None


def replies(status: object, start: object = None, end: object = None) -> dict[str, object]:
    return {
        "automaticRepliesSetting": {
            "status": status,
            "scheduledStartDateTime": start,
            "scheduledEndDateTime": end,
        }
    }


def moment(text: object, zone: object = "UTC") -> dict[str, object]:
    return {"dateTime": text, "timeZone": zone}


def test_replies_always_on_are_an_absence_without_end() -> None:
    assert facts(replies("AlwaysEnabled")).settings["absences"] == [{"starts": NOW.isoformat(), "ends": None}]


@pytest.mark.parametrize("status", ["scheduled", "Scheduled"])
def test_scheduled_replies_are_an_absence_between_their_times(status: str) -> None:
    said = facts(
        replies(
            status,
            moment("2026-12-20T08:00:00.0000000", "Pacific Standard Time"),
            moment("2027-01-05T00:00:00.1234567"),
        )
    )
    absences = said.settings["absences"]
    assert isinstance(absences, list)
    (absence,) = absences
    assert absence == {"starts": "2026-12-20T16:00:00+00:00", "ends": "2027-01-05T00:00:00+00:00"}
    assert Absence.from_json(absence).ends == datetime(2027, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        {}, {"automaticRepliesSetting": None}, {"automaticRepliesSetting": "on"}, replies("disabled"), replies(None),
        replies("scheduled"), replies("scheduled", "x", "y"), replies("scheduled", moment("x"), moment("y")),
        replies("scheduled", moment("2026-12-01T00:00:00"), moment("2026-11-30T00:00:00")),
        replies("scheduled", moment("2026-01-01T00:00:00"), moment("2026-01-02T00:00:00")),
        replies("scheduled", moment("2026-13-01T00:00:00"), moment("2027-11-30T00:00:00")),
        replies("scheduled", moment("2026-12-01T00:00:00", "Nowhere"), moment("2027-11-30T00:00:00")),
    ],
)  # fmt: skip
def test_no_absence_where_none_is_said_or_it_is_over(value: dict[str, object]) -> None:
    assert facts(value).settings["absences"] == []


@pytest.mark.parametrize(
    ("audience", "holds"),
    [
        ("none", False),
        ("None", False),
        ("contactsOnly", True),
        ("all", True),
        (None, True),
        ("somethingNew", True),
    ],
)
def test_replies_for_colleagues_alone_are_no_absence_for_people_outside(
    audience: str | None, holds: bool
) -> None:
    said = {"status": "alwaysEnabled", "externalAudience": audience}
    assert bool(facts({"automaticRepliesSetting": said}).settings["absences"]) is holds


def test_addresses_are_the_mailboxs_own_primary_first() -> None:
    person: dict[str, object] = {
        "id": "oid",
        "mail": "Rita@Acme.example",
        "userPrincipalName": "rita_other.example#EXT#@acme.onmicrosoft.com",
        "proxyAddresses": [
            "smtp:R.Second@acme.example",
            "SMTP:rita@acme.example",
            "X500:/o=x",
            "sip:rita@acme.example",
            3,
        ],
    }
    assert facts({}, person).addresses == ["rita@acme.example", "r.second@acme.example"]
    assert facts({}, {"id": "oid", "userPrincipalName": "A@b.example", "mail": None}).addresses == [
        "a@b.example"
    ]


@pytest.mark.parametrize("person", [{}, {"id": ""}, {"id": 3}, {"id": None}])
def test_an_answer_without_an_account_is_no_answer(person: dict[str, object]) -> None:
    with pytest.raises(ProviderUnavailable):
        facts({}, person)


def jwt(claims: object) -> str:
    return "h." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".s"


@pytest.mark.parametrize(
    ("token", "tenant"),
    [
        (jwt({"tid": "t-1"}), "t-1"), ("opaque", ""), ("a.b.c", ""), ("a.ü.c", ""), (jwt([]), ""),
        (jwt({"tid": 3}), ""), ("..", ""),
    ],
)  # fmt: skip
def test_the_tenant_is_a_hint_that_may_be_missing(token: str, tenant: str) -> None:
    assert facts({}, token=token).tenant_id == tenant
