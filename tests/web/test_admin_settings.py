"""What admins do besides: keys that end and are replaced, a team by the state of its mailboxes, legal entities."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from lab.access_records import ApiKey, LegalEntity, Mailbox, Organization
from lab.records import AuditEntry
from lab.stage import Stage
from lab.tables import ago
from tests.commands.test_cli import Cli, cli, ok
from tests.web.test_api import Api, client, is_problem, key_of
from tests.web.visitor import Visitor, email_of, known_account

__all__ = ["cli", "client"]
KEYS = "/settings/api"
TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"


@pytest.fixture
def ada(stage: Stage) -> Visitor:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    return Visitor(stage).sign_in(email_of(stage, ada))


def secret(visitor: Visitor) -> str:
    return str(re.findall(r'id="made" value="([^"]+)"', visitor.text)[0])


def made(ada: Visitor, **fields: str) -> str:
    ada.get(KEYS)
    ada.send(f"{KEYS}/keys", None, name="Reporting", may=["read"], key=ada.hidden("key"), **fields).follow()
    return secret(ada)


def status(client: httpx.Client, key: str) -> int:
    return client.get("/api/v1/sequences", headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_key_ends_with_its_last_day(stage: Stage, ada: Visitor, client: httpx.Client) -> None:
    key = made(ada, until=TOMORROW)
    assert "until " in ada.get(KEYS).text
    assert status(client, key) == 200
    ends = stage.only(ApiKey).expires_at
    assert ends is not None
    assert ends - datetime.now(UTC) > timedelta(hours=12)
    stage.put(ApiKey, stage.only(ApiKey).id, expires_at=ago(seconds=1))
    assert status(client, key) == 401
    assert "Expired" in ada.get(KEYS).text
    ada.send(f"{KEYS}/keys/{stage.only(ApiKey).id}/replace")
    assert ada.status == 404


def test_a_day_that_is_over_is_no_end(stage: Stage, ada: Visitor) -> None:
    ada.get(KEYS)
    ada.send(f"{KEYS}/keys", None, name="A", may=["read"], key=ada.hidden("key"), until="2020-01-01")
    assert (ada.status, "This day is over." in ada.text) == (422, True)
    assert stage.count(ApiKey) == 0


def test_a_replaced_key_works_one_more_day_and_ends_with_the_new_one(
    stage: Stage,
    ada: Visitor,
    client: httpx.Client,
) -> None:
    old, key_id = made(ada), stage.only(ApiKey).id
    path = f"{KEYS}/keys/{key_id}/replace"
    assert "The present one works for one more day." in ada.get(path).text
    ada.send(path).follow()
    new = secret(ada)
    ada.send(path).follow()
    assert secret(ada) == new, "a second click makes no third key"
    assert [status(client, each) for each in (old, new)] == [200, 200]
    stage.put(ApiKey, key_id, former_until=ago(seconds=1))
    assert [status(client, each) for each in (old, new)] == [401, 200]
    stage.put(ApiKey, key_id, former_until=datetime.now(UTC) + timedelta(hours=1))
    ada.send(f"{KEYS}/keys/{key_id}/end")
    assert [status(client, each) for each in (old, new)] == [401, 401]
    ada.send(path)
    said = [each.action for each in stage.all(AuditEntry) if each.subject == f"api_key:{key_id}"]
    assert said == ["api_key_made", "api_key_replaced", "api_key_revoked"]


def test_operators_replace_a_key_too(stage: Stage, cli: Cli, client: httpx.Client) -> None:
    name = stage.only(Organization).name
    old = ok(cli("api-key", "make", name, "--name", "ats", "--until", TOMORROW, "--json"))["key"]
    new = ok(cli("api-key", "replace", name, "ats", "--json"))["key"]
    assert [status(client, each) for each in (old, new)] == [200, 200]
    assert cli("api-key", "replace", name, "nothing").exit_code == 2
    assert cli("api-key", "make", name, "--name", "late", "--until", "2020-01-01").exit_code == 2


def test_the_team_is_filtered_by_the_state_of_mailboxes(stage: Stage, ada: Visitor) -> None:
    for name, state in (("Rita Berger", "connected"), ("Theo Marsh", "disconnected"), ("Mona Lind", "")):
        member = stage.world.member(name)
        if state:
            box = stage.mailbox(member)
            if state == "disconnected":
                stage.put(Mailbox, box, status=state, status_reason="sign_in_expired")
    shown = {
        box: {
            each
            for each in ("Rita Berger", "Theo Marsh", "Mona Lind")
            if each in ada.get(f"/settings/team?box={box}").text
        }
        for box in ("connected", "lost", "none", "nonsense")
    }
    assert shown == {
        "connected": {"Rita Berger"},
        "lost": {"Theo Marsh"},
        "none": {"Mona Lind"},
        "nonsense": {"Rita Berger", "Theo Marsh", "Mona Lind"},
    }


def test_a_legal_entity_is_added_below_another(
    stage: Stage,
    ada: Visitor,
    cli: Cli,
    client: httpx.Client,
) -> None:
    here = "/settings/email"
    ada.get(here).send(f"{here}/entities", name="Halden AB").follow()
    assert "Halden AB is added." in ada.text
    first = stage.only(LegalEntity).id
    ada.send(f"{here}/entities", name="Halden Service", parent=str(first)).follow()
    assert stage.only(LegalEntity, name="Halden Service").parent_id == first
    ada.send(f"{here}/entities", name="halden ab")
    assert (ada.status, "There is a legal entity halden ab already." in ada.text) == (422, True)
    ada.send(f"{here}/entities", name=" ")
    assert (ada.status, "A legal entity has a name" in ada.text) == (422, True)
    ada.send(f"{here}/entities", name="C", parent=str(UUID(int=1)))
    assert ada.status == 404
    api = Api(client, key_of(stage.world, "read", "addresses"))
    added = api.post("/legal-entities", {"name": "Halden Motion", "parent_id": str(first)}).json()["id"]
    assert stage.only(LegalEntity, UUID(added)).parent_id == first
    is_problem(api.post("/legal-entities", {"name": "Halden Motion"}), 422)
    is_problem(Api(client, key_of(stage.world, "manage")).post("/legal-entities", {"name": "D"}), 403)
    name = stage.only(Organization).name
    assert cli("organization", "add-entity", name, "Halden SE", "--parent", "Halden AB").exit_code == 0
    assert {each.name for each in stage.all(LegalEntity)} == {
        "Halden AB",
        "Halden Service",
        "Halden Motion",
        "Halden SE",
    }
