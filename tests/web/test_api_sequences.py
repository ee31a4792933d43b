"""Sequences by the API: what pages can do with them, other programs can too."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lab.access_records import Organization
from lab.records import Sequence, Step
from lab.stage import Stage
from tests.web.test_api import API, Api, client, key_of  # noqa: F401 - a fixture
from tests.web.test_sequences_settings import member


@pytest.fixture
def rita(stage: Stage) -> UUID:
    found = member(stage, "Rita Recruiter")
    stage.mailbox(found)
    return found


class Program(Api):
    def put(self, path: str, body: object) -> Any:
        return self._client.put(API + path, json=body, headers=self._headers())


@pytest.fixture
def api(stage: Stage, client: httpx.Client) -> Program:  # noqa: F811 - the fixture
    return Program(client, key_of(stage.world, "read", "manage"))


def made(api: Program, rita: UUID, once: str = "") -> str:
    answer = api.post("/sequences", {"owner_id": str(rita), "name": "Backend engineers"}, once)
    assert answer.status_code == 201, answer.text
    return f"/sequences/{answer.json()['id']}"


def test_a_sequence_is_made_written_started_and_changed(stage: Stage, api: Program, rita: UUID) -> None:
    path = made(api, rita)
    assert [each["place"] for each in api.get(path).json()["lacks"]] == ["steps", "people"]
    first = api.post(
        f"{path}/steps", {"delay": "PT0S", "subject": "A role", "body": "Hello {{first_name|there}}"}
    )
    assert first.status_code == 201, first.text
    second = api.post(f"{path}/steps", {"delay": "P1D", "body": "Any news?"}, once="two").json()["id"]
    assert api.post(f"{path}/steps", {"delay": "P1D", "body": "Any news?"}, once="two").json()["id"] == second
    stage.world.enroll(stage.only(Sequence).id, 2)
    assert api.post(f"{path}/activate").status_code == 200
    stage.later(10)
    stage.send_due()
    assert len(stage.left()) == 2
    change = {"delay": "P2D", "body": "Still there?", "version": 1}
    meant = api.put(f"{path}/steps/{second}", {**change, "preview": True}).json()
    assert "Step 2 was reworded: 2 people get the new text." in meant["sentences"]
    assert stage.only(Step, position=2).version == 1
    assert api.put(f"{path}/steps/{second}", change).json() == meant
    assert api.put(f"{path}/steps/{second}", {**change, "body": "Mine"}).status_code == 409
    assert (
        api.post(f"{path}/steps/{second}/move", {"was": 2, "to": 1}).status_code == 409
    )  # it has no subject
    assert api.post(f"{path}/steps/{second}/remove", {"version": 2}).json()["changed"] is True
    assert len(api.get(path).json()["steps"]) == 1


def test_settings_are_changed_by_who_has_read_them(stage: Stage, api: Program, rita: UUID) -> None:
    path = made(api, rita)
    read = api.get(path).json()
    hours = {"zone": "Europe/Berlin", "days": ["mon"], "from": "09:00", "to": "17:00"}
    body = {"version": read["version"], "name": "Designers", "sender_id": read["sender_id"], "sending": hours}
    assert api.put(path, body).json()["changed"] is True
    assert api.get(path).json()["sending"]["zone"] == "Europe/Berlin"
    refused = api.put(path, {**body, "name": "Others"})
    assert refused.status_code == 409
    assert "Somebody has changed Designers" in refused.json()["detail"]
    assert api.put(path, {**body, "sending": {"zone": "Nowhere"}}).status_code == 422


def test_a_step_is_previewed_and_a_sequence_duplicated_and_archived(
    stage: Stage, api: Program, rita: UUID
) -> None:
    path = made(api, rita)
    api.post(f"{path}/steps", {"delay": "PT0S", "subject": "Hi {{company}}", "body": "For {{first_name}}"})
    (person,) = stage.world.enroll(stage.only(Sequence).id, 1, first_name="Priya")
    found = api.get(f"{path}/preview", member_id=str(rita), enrollment_id=str(person)).json()
    assert (found["subject"], found["text"], found["gaps"]) == ("Hi ⟦company⟧", "For Priya", ["company"])
    copies = {api.post(f"{path}/duplicate", {"owner_id": str(rita)}, once="k").json()["id"] for _ in range(2)}
    assert len(copies) == 1
    assert api.post(f"{path}/archive", {"reason": "over"}).json()["complete"] is True
    assert api.post(f"{path}/steps", {"delay": "PT0S", "body": "x"}).status_code == 409


def test_a_step_is_sent_to_a_member(stage: Stage, api: Program, rita: UUID) -> None:
    path = made(api, rita)
    step = api.post(
        f"{path}/steps", {"delay": "PT0S", "subject": "Hi", "body": "Hello {{first_name}}"}
    ).json()["id"]
    answer = api.post(f"{path}/steps/{step}/test", {"member_id": str(rita)})
    assert answer.json()["outcome"] == "sent", answer.text
    assert [each.subject for each in stage.left()] == ["Hi"]


def test_what_is_another_organizations_is_not_found(stage: Stage, api: Program, rita: UUID) -> None:
    path = made(api, rita)
    step = api.post(f"{path}/steps", {"delay": "PT0S", "subject": "Hi", "body": "x"}).json()["id"]
    other = type(stage.world)(stage.world.database)
    stranger = other.member("Olga Other")
    theirs = Program(api._client, key_of(other, "read", "manage"))
    box = str(stage.only(Sequence).mailbox_id)
    change = {"version": 1, "name": "x", "sender_id": box}
    text = {"delay": "PT0S", "body": "x"}
    for answer in (
        theirs.get(path),
        theirs.put(path, change),
        theirs.post(f"{path}/steps", text),
        theirs.put(f"{path}/steps/{step}", {**text, "version": 1}),
        theirs.post(f"{path}/steps/{step}/move", {"was": 1, "to": 1}),
        theirs.post(f"{path}/steps/{step}/remove", {"version": 1}),
        theirs.post(f"{path}/steps/{step}/test", {"member_id": str(stranger)}),
        theirs.post(f"{path}/duplicate", {"owner_id": str(stranger)}),
        theirs.post(f"{path}/archive", {"reason": "x"}),
        theirs.get(f"{path}/preview", member_id=str(stranger)),
        api.post("/sequences", {"owner_id": str(stranger), "name": "x"}),
        api.post(f"{path}/steps/{uuid4()}/remove", {"version": 1}),
    ):
        assert answer.status_code == 404, answer.text
    assert stage.count(Organization) == 2
