"""Preferences: how notices come, chat channels whose addresses are never shown, who stands in; on the page, by the API and by commands."""

import json
import re
from typing import Any
from uuid import UUID

import httpx
import pytest

from db.events import notice_channels, notice_preferences
from domain.notice_preferences import ByEmail, Category, Preferences
from lab.access_records import Member
from lab.records import AuditEntry
from lab.stage import Stage
from tests.web.test_api import Api, client, key_of  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

PAGE = "/settings/preferences"
SECRET = "TIiajkdnlazkcOXrIdevi7FQ"
URL = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{SECRET}"
EMAILS = {f"email_{each}": "at_once" for each in Category}


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return member(stage, "Rita Recruiter")


@pytest.fixture
def visitor(stage: Stage, rita: UUID) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, rita)).get(PAGE)


def kept(stage: Stage, member_id: UUID) -> Preferences:
    with stage.world.database.transaction() as tx:
        return notice_preferences.of_member(tx, member_id)


def channels(stage: Stage, member_id: UUID) -> list[notice_channels.Listed]:
    with stage.world.database.transaction() as tx:
        return notice_channels.listing(tx, member_id)


def test_what_is_chosen_is_kept_and_shown(stage: Stage, rita: UUID, visitor: Visitor) -> None:
    theo = stage.world.member("Theo Marsh")
    chosen = {**EMAILS, "email_answers": "daily", "quiet_from": "19:00", "quiet_until": "07:30"}
    visitor.send(f"{PAGE}/notices", None, **chosen, backup=str(theo)).follow()
    assert "Saved." in visitor.text
    found = kept(stage, rita)
    assert found.way(Category.ANSWERS).by_email is ByEmail.DAILY
    assert found.way(Category.STOPPED).by_email is ByEmail.AT_ONCE
    assert stage.only(Member, rita).backup_id == theo
    assert 'value="07:30"' in visitor.text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("quiet_from", "25:00", "That is no time of day"),
        ("email_news", "hourly", "Nothing is chosen"),
        ("backup", "nobody", "There is no such colleague"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    stage: Stage, rita: UUID, visitor: Visitor, field: str, value: str, said: str
) -> None:
    visitor.send(f"{PAGE}/notices", None, **{**EMAILS, "email_stopped": "never", field: value})
    assert visitor.status == 422
    assert said in visitor.text
    assert kept(stage, rita).way(Category.STOPPED).by_email is ByEmail.AT_ONCE


def test_a_refused_form_keeps_what_was_ticked(stage: Stage, rita: UUID, visitor: Visitor) -> None:
    visitor.send(f"{PAGE}/channels", None, name="Hiring", url=URL).follow()
    (added,) = channels(stage, rita)
    chosen = {**EMAILS, "email_news": "never", "quiet_from": "19:00"}
    visitor.send(f"{PAGE}/notices", None, **chosen, channels_answers=[str(added.id)])
    assert visitor.status == 422
    ticks = re.findall(rf'name="(channels_\w+)" value="{added.id}"( checked)?', visitor.text)
    assert dict(ticks) == {f"channels_{each}": " checked" if each == "answers" else "" for each in Category}


def test_nobody_of_another_organization_stands_in(stage: Stage, rita: UUID, visitor: Visitor) -> None:
    for stranger in (rita, stage.world.member("Left", active=False)):
        visitor.get(PAGE).send(f"{PAGE}/notices", None, **EMAILS, backup=str(stranger))
        assert visitor.status == 422
    assert kept(stage, rita).backup_id is None


def test_a_channel_is_added_chosen_and_removed_and_its_address_is_never_shown(
    stage: Stage, rita: UUID, visitor: Visitor
) -> None:
    for _ in range(2):  # a repeated post adds none
        visitor.get(PAGE).send(f"{PAGE}/channels", None, name="Hiring", url=URL).follow()
    assert "Hiring" in visitor.text
    (added,) = channels(stage, rita)
    visitor.send(f"{PAGE}/notices", None, **EMAILS, channels_answers=[str(added.id)]).follow()
    assert kept(stage, rita).way(Category.ANSWERS).channels == (added.id,)
    assert SECRET not in visitor.text
    assert SECRET not in json.dumps([each.data for each in stage.all(AuditEntry)])
    visitor.send(f"{PAGE}/channels/{added.id}/remove").follow()
    assert channels(stage, rita) == []
    assert kept(stage, rita).way(Category.ANSWERS).channels == ()


def test_an_address_that_leads_elsewhere_is_refused_and_not_shown_again(
    stage: Stage, rita: UUID, visitor: Visitor
) -> None:
    visitor.send(f"{PAGE}/channels", None, name="Hiring", url=f"https://127.0.0.1/{SECRET}")
    assert visitor.status == 422
    assert SECRET not in visitor.text
    assert 'value="Hiring"' in visitor.text
    assert channels(stage, rita) == []


def test_a_channel_of_somebody_else_is_not_found(stage: Stage, rita: UUID, visitor: Visitor) -> None:
    visitor.send(f"{PAGE}/channels", None, name="Hiring", url=URL).follow()
    (added,) = channels(stage, rita)
    mona = Visitor(stage).sign_in(email_of(stage, member(stage, "Mona"))).get(PAGE)
    assert mona.send(f"{PAGE}/channels/{added.id}/remove").status == 404


def test_programs_do_the_same(stage: Stage, rita: UUID, client: httpx.Client) -> None:  # noqa: F811
    api = Api(client, key_of(stage.world, "read", "manage"))
    path = f"/members/{rita}/notices"
    added = api.post(f"{path}/channels", {"url": URL, "name": "Hiring"}, once="one").json()["id"]
    for once in ("one", ""):
        repeated = api.post(f"{path}/channels", {"url": URL, "name": "Hiring"}, once=once)
        assert (repeated.status_code, repeated.json()["id"]) == (201, added)
    ways = {"answers": {"by_email": "daily", "channels": [added]}}
    found: dict[str, Any] = api.post(
        path, {"ways": ways, "quiet_from": "19:00", "quiet_until": "07:30"}
    ).json()
    assert found == api.get(path).json()
    assert [each["id"] for each in found["channels"]] == [added]
    assert found["ways"]["answers"] == {"by_email": "daily", "channels": [added]}
    assert found["ways"]["stopped"] == {"by_email": "at_once", "channels": []}
    assert SECRET not in json.dumps(found)
    assert api.post(f"{path}/channels", {"url": "https://127.0.0.1/x", "name": "x"}).status_code == 422
    assert api.post(path, {"quiet_from": "19:00"}).status_code == 422
    assert api.post(f"{path}/channels/{added}/remove", {}).json()["channels"] == []
