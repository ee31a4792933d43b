"""Sending hours and limits by page, API and command line: who may, what is shown first, and that nobody's change is lost."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from db.mailboxes import mailboxes
from lab.access_records import Lane, Mailbox, Organization
from lab.records import AuditEntry, Delivery
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok
from tests.web.test_api import Api, client, is_problem, key_of
from tests.web.visitor import Visitor, email_of, known_account

__all__ = ["cli", "client"]
HERE = "/settings/organization"
DAY = f"{datetime.now(UTC) + timedelta(days=2):%a}".lower()
FORM: dict[str, Any] = {
    "zone": "UTC",
    "hours": "set",
    "days": [DAY],
    "opens": "09:00",
    "closes": "17:00",
    "holidays": "",
}


class Office:
    """Three of Rita's emails wait in her mailbox; Ada is an admin."""

    def __init__(self, stage: Stage) -> None:
        self.stage, world = stage, stage.world
        self.rita, self.ada = world.member("Rita Recruiter"), world.member("Ada Novak", role="admin")
        for each in (self.rita, self.ada):
            known_account(stage, email_of(stage, each))
        self.box = stage.mailbox(self.rita)
        world.enroll(world.sequence(self.rita, self.box), 3)
        self.organization = stage.only(Organization).name

    def visit(self, member: UUID, path: str) -> Visitor:
        return Visitor(self.stage).sign_in(email_of(self.stage, member)).get(path)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


@pytest.fixture
def limits(office: Office) -> str:
    return f"/settings/mailboxes/{office.box}/limits"


def test_an_admin_sees_how_many_emails_move_before_hours_are_saved(stage: Stage, office: Office) -> None:
    ada = office.visit(office.ada, HERE)
    ada.send(HERE, None, version=ada.hidden("version"), **FORM).follow()
    assert "3 planned emails get another time." in ada.text
    assert stage.only(Organization).sending is None
    where = ada.text.split('action="')[-1].split('"')[0]
    ada.send(where).follow()
    assert "Saved." in ada.text
    assert stage.only(Organization).sending["days"] == [DAY]
    assert {each.due_at.hour for each in stage.all(Delivery)} == {9}
    assert "They are saved already." in ada.get(where).text
    ada.send(where).follow()
    assert "Saved." in ada.text


def test_two_admins_at_once_lose_nothing(stage: Stage, office: Office) -> None:
    first, second = office.visit(office.ada, HERE), office.visit(office.ada, HERE)
    read = second.hidden("version")
    at_any_time = {"zone": "Europe/Berlin", "hours": "", "opens": "", "closes": "", "holidays": ""}
    first.send(HERE, None, version=read, **at_any_time).follow()
    assert "Saved." in first.text
    second.send(HERE, None, version=read, **FORM)
    assert second.status == 409
    assert "Somebody has changed these settings since you opened them. Nothing was saved." in second.text
    assert "Emails leave at any time now. Time zone: Europe/Berlin." in second.text
    assert stage.only(Organization).sending is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"zone": "Nowhere"}, "is not a time zone"),
        ({"days": []}, "Days must list some"),
        ({"opens": "18:00"}, "is not after from"),
        ({"holidays": "Christmas"}, "Holidays must be dates"),
    ],
)
def test_what_is_wrong_stays_with_what_was_typed(
    stage: Stage, office: Office, changed: dict[str, Any], said: str
) -> None:
    ada = office.visit(office.ada, HERE)
    ada.send(HERE, None, version=ada.hidden("version"), **(FORM | changed))
    assert (ada.status, said in ada.text) == (422, True)
    assert stage.only(Organization).sending is None


def test_a_weekday_has_other_hours_and_what_is_wrong_with_them_stands_beside_them(
    stage: Stage, office: Office
) -> None:
    ada = office.visit(office.ada, HERE)
    later = {f"from_{DAY}": "11:00", f"to_{DAY}": "13:00"}
    ada.send(HERE, None, version=ada.hidden("version"), **(FORM | later | {f"to_{DAY}": "10:00"}))
    assert (ada.status, "is not after from" in ada.text) == (422, True)
    assert f'id="to_{DAY}-error"' in ada.text
    assert 'value="11:00"' in ada.text
    ada.send(HERE, None, version=ada.hidden("version"), **(FORM | later)).follow()
    ada.send(ada.text.split('action="')[-1].split('"')[0]).follow()
    assert stage.only(Organization).sending["by_day"] == {DAY: {"from": "11:00", "to": "13:00"}}
    assert {each.due_at.hour for each in stage.all(Delivery)} == {11}
    assert 'value="11:00"' in ada.get(HERE).text
    others = [each for each in ("mon", "tue") if each != DAY]
    alone = FORM | {"days": others} | later  # the day is ticked no more: its hours count for nothing
    ada.send(HERE, None, version=ada.hidden("version"), **alone).follow()
    ada.send(ada.text.split('action="')[-1].split('"')[0]).follow()
    assert "by_day" not in stage.only(Organization).sending


@pytest.fixture
def hours(office: Office) -> str:
    return f"/settings/mailboxes/{office.box}/hours"


def test_an_owner_sets_hours_of_their_mailbox_and_a_reading_of_the_providers_keeps_them(
    stage: Stage, office: Office, limits: str, hours: str
) -> None:
    rita = office.visit(office.rita, limits)
    assert f'href="{hours}"' in rita.text
    rita.get(hours).send(hours, None, version=rita.hidden("version"), **FORM).follow()
    assert "3 planned emails get another time." in rita.text
    assert stage.only(Mailbox, office.box).own_hours is None
    where = rita.text.split('action="')[-1].split('"')[0]
    for _ in range(2):  # a second click
        rita.get(where).send(where).follow()
        assert "Saved." in rita.text
    assert stage.count(AuditEntry, action="mailbox_hours_changed") == 1
    assert {each.due_at.hour for each in stage.all(Delivery)} == {9}
    with stage.world.database.transaction() as tx:
        stated = {"zone": "UTC", "days": ["sun"], "from": "01:00", "to": "02:00"}
        version = stage.only(Mailbox, office.box).connection_version
        mailboxes.refresh_settings(tx, office.box, version, {"zone": "UTC", "window": stated, "absences": []})
    assert f"09:00 to 17:00, {DAY.capitalize()} (UTC), set here" in rita.get(limits).text
    assert "01:00 to 02:00, Sun (UTC)" in rita.get(hours).text
    rita.send(hours, None, version=rita.hidden("version"), hours="").follow()
    rita.send(rita.text.split('action="')[-1].split('"')[0]).follow()
    assert {each.due_at.hour for each in stage.all(Delivery)} == {1}
    assert stage.only(Mailbox, office.box).settings["window"]["days"] == ["sun"]


def test_hours_of_a_mailbox_are_its_owners_and_admins_and_nobodys_change_is_lost(
    stage: Stage, office: Office, hours: str
) -> None:
    rita, ada = office.visit(office.rita, hours), office.visit(office.ada, hours)
    read = ada.hidden("version")
    rita.send(hours, None, version=read, **FORM).follow()
    assert "3 planned emails get another time." in rita.text
    rita.send(rita.text.split('action="')[-1].split('"')[0]).follow()
    assert "Saved." in rita.text
    ada.send(hours, None, version=read, **(FORM | {"opens": "10:00"}))
    assert (ada.status, "Somebody has changed these hours" in ada.text) == (409, True)
    theo = stage.world.member("Theo Marsh")
    known_account(stage, email_of(stage, theo))
    visitor = office.visit(theo, hours)
    assert visitor.status == 404
    assert visitor.send(hours, None, **FORM).status == 404
    assert rita.get(f"{hours}/changes/{office.box}").status == 404


def test_programs_and_operators_set_hours_of_a_mailbox(
    stage: Stage, office: Office, client: httpx.Client, cli: Cli
) -> None:
    api = Api(client, key_of(stage.world, "read", "manage"))
    path, day = f"/mailboxes/{office.box}/hours", {"from": "11:00", "to": "13:00"}
    read = api.get(path).json()
    assert read["sending"] is None
    wanted = {"zone": "UTC", "days": [DAY], "from": "09:00", "to": "17:00", "by_day": {DAY: day}}
    asked = {"sending": wanted, "version": read["version"]}
    assert api.post(f"{path}/preview", asked).json()["emails"] == 3
    assert api.post(path, asked).json()["changed"]
    assert not api.post(path, asked).json()["changed"]
    assert api.get(path).json()["sending"]["by_day"] == {DAY: day}
    is_problem(api.post(path, asked | {"sending": None}), 409)
    is_problem(api.post(path, {"sending": wanted | {"days": ["sun"], "by_day": {"mon": day}}}), 422)
    is_problem(api.get(f"/mailboxes/{UUID(int=1)}/hours"), 404)
    address = stage.address(office.box)
    said = cli("mailbox", "hours", address).output
    assert (
        f"09:00 to 17:00, {DAY.capitalize()}, but {DAY.capitalize()} 11:00 to 13:00 (UTC): its own hours."
        in said
    )
    assert cli("mailbox", "hours", address, "--as-provider").exit_code == 2, "it asks first"
    assert ok(cli("mailbox", "hours", address, "--as-provider", "--yes", "--json"))["emails"] == 3
    assert cli("mailbox", "hours", address, "--on", "fri", "--yes").exit_code == 2
    set_again = ("--days", DAY, "--from", "09:00", "--to", "17:00", "--on", f"{DAY}=11:00-13:00", "--yes")
    assert "Saved." in cli("mailbox", "hours", address, *set_again).output
    assert stage.only(Mailbox, office.box).own_hours["by_day"] == {DAY: day}
    day_off = ("hours", address, "--day-off", "2026-12-24", "--yes")
    assert "Saved." in cli("mailbox", *day_off).output
    kept = stage.only(Mailbox, office.box).own_hours
    assert (kept["days"], kept["from"], kept["by_day"]) == ([DAY], "09:00", {DAY: day}), "what is not given"
    assert "Saved." in cli("mailbox", "hours", address, "--days", "all", "--yes").output
    assert "days" not in stage.only(Mailbox, office.box).own_hours
    name = office.organization
    ok(cli("organization", "hours", name, *set_again, "--json"))
    another = "mon" if DAY != "mon" else "tue"
    ok(cli("organization", "hours", name, "--days", another, "--yes", "--json"))
    assert "by_day" not in stage.only(Organization).sending, "a day without emails has no other hours"
    ok(cli("organization", "hours", name, *set_again, "--json"))
    assert stage.only(Organization).sending["by_day"] == {DAY: day}
    ok(cli("organization", "hours", name, "--evenly", "--yes", "--json"))
    assert "by_day" not in stage.only(Organization).sending


def test_members_who_do_not_manage_see_no_hours(office: Office) -> None:
    assert office.visit(office.rita, HERE).status == 403


def test_an_owner_raises_and_lowers_their_mailboxs_limit(stage: Stage, office: Office, limits: str) -> None:
    rita = office.visit(office.rita, "/settings/sequences")
    assert f'href="{limits}"' in rita.text
    rita.get(limits)
    assert "At most 4 at once, then 26 a minute." in rita.text
    rita.send(limits, daily_cap="2", was=rita.hidden("was")).follow()
    assert "Saved." in rita.text
    stage.send_due()
    assert len(stage.left()) == 2
    rita.send(limits, daily_cap="3", was=rita.hidden("was")).follow()
    assert "2 of 3" in rita.text
    stage.send_due()
    assert len(stage.left()) == 3
    rita.send(limits, daily_cap="0", was="3")
    assert (rita.status, "Give 1 to 10,000 emails." in rita.text) == (422, True)
    rita.send(limits, daily_cap="7", was="2")
    assert (rita.status, "to 3 since you opened it" in rita.text) == (409, True)
    assert stage.only(Lane, office.box).daily_cap == 3


def test_an_admin_sets_it_too_and_a_colleague_does_not_see_it(
    stage: Stage, office: Office, limits: str
) -> None:
    ada = office.visit(office.ada, "/settings/email")
    assert f'href="{limits}"' in ada.text
    ada.get(limits).send(limits, daily_cap="50", was=ada.hidden("was")).follow()
    assert stage.only(Lane, office.box).daily_cap == 50
    theo = stage.world.member("Theo Marsh")
    known_account(stage, email_of(stage, theo))
    visitor = office.visit(theo, limits)
    assert visitor.status == 404
    visitor.send(limits, daily_cap="1")
    assert visitor.status == 404
    assert stage.only(Lane, office.box).daily_cap == 50


def test_programs_read_preview_and_set_hours_and_limits(
    stage: Stage,
    office: Office,
    client: httpx.Client,
) -> None:
    api = Api(client, key_of(stage.world, "read", "manage"))
    read = api.get("/organization/hours").json()
    assert read["sending"] is None
    asked = {
        "time_zone": "UTC",
        "sending": {"zone": "UTC", "days": [DAY], "from": "09:00", "to": "17:00"},
        "version": read["version"],
    }
    assert api.post("/organization/hours/preview", asked).json()["emails"] == 3
    assert stage.only(Organization).sending is None
    done = api.post("/organization/hours", asked).json()
    assert (done["changed"], done["emails"], len(done["moved"])) == (True, 3, 1)
    assert not api.post("/organization/hours", asked).json()["changed"]
    is_problem(api.post("/organization/hours", asked | {"sending": None}), 409)
    is_problem(api.post("/organization/hours", {"time_zone": "Nowhere", "sending": None}), 422)
    limits = f"/mailboxes/{office.box}/limits"
    was = api.get(limits).json()["daily_cap"]
    assert api.post(limits, {"daily_cap": 80, "was": was}).json()["daily_cap"] == 80
    is_problem(api.post(limits, {"daily_cap": 90, "was": was}), 409)
    is_problem(api.post(limits, {"daily_cap": 10_001}), 422)
    is_problem(api.get(f"/mailboxes/{UUID(int=1)}/limits"), 404)
    reader = Api(client, key_of(stage.world, "read"))
    is_problem(reader.post(limits, {"daily_cap": 1}), 403)
    is_problem(reader.post("/organization/hours", {"time_zone": "UTC", "sending": None}), 403)
    assert stage.only(Lane, office.box).daily_cap == 80


def test_operators_show_and_set_hours_and_limits(stage: Stage, office: Office, cli: Cli) -> None:
    name, address = office.organization, stage.address(office.box)
    assert "Emails leave at any time." in cli("organization", "hours", name).output
    asked = ("organization", "hours", name, "--days", DAY, "--from", "09:00", "--to", "17:00")
    assert cli(*asked).exit_code == 2, "it asks first"
    assert stage.only(Organization).sending is None
    assert "Saved. 3 planned emails get another time." in cli(*asked, "--yes").output
    said = cli("organization", "hours", name).output
    assert f"17:00, {DAY.capitalize()} (UTC)." in said
    cli("organization", "hours", name, "--holiday", "2027-12-25", "--yes")
    assert stage.only(Organization).sending["holidays"] == ["2027-12-25"]
    cli("organization", "hours", name, "--zone", "Europe/Berlin", "--yes")
    assert stage.only(Organization).sending["zone"] == stage.only(Organization).time_zone == "Europe/Berlin"
    assert ok(cli("organization", "hours", name, "--any-time", "--yes", "--json"))["emails"] == 3
    assert stage.only(Organization).sending is None
    assert "sends at most 80 emails a day" in cli("mailbox", "limits", address, "--daily-cap", 80).output
    assert ok(cli("mailbox", "limits", address, "--json"))["daily_cap"] == 80
    assert cli("mailbox", "limits", address, "--daily-cap", 0).exit_code == 2
    assert stage.only(Lane, office.box).daily_cap == 80
