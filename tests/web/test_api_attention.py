"""Needs attention over the JSON API: the page's decisions and rules, for one organization, once each."""

from uuid import UUID, uuid4

import httpx
import pytest

from lab.access_records import Mailbox
from lab.factories import World
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Sequence
from lab.stage import Stage
from tests.web.test_api import Api, client, is_problem, key_of  # noqa: F401 - fixtures
from tests.web.test_attention import blocked, refused, start


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return stage.world.member("Rita Recruiter")


@pytest.fixture
def api(stage: Stage, client: httpx.Client) -> Api:  # noqa: F811
    return Api(client, key_of(stage.world, "read", "manage"))


def in_review(stage: Stage, rita: UUID) -> str:
    start(stage, rita, 1)
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="before", reset=True)
    stage.send_due()
    box = stage.only(Mailbox).id
    for item in stage.emulator.control.messages(stage.address(box)):
        stage.emulator.control.delete(stage.address(box), item["id"])
    stage.emulator.control.clear_faults()
    for _ in range(20):
        stage.later(120)
        stage.look()
    return str(stage.only(Delivery, state="review").id)


@pytest.mark.parametrize(
    ("verdict", "left", "state"), [("sent", 0, "sent"), ("not_sent", 1, "sent"), ("skip", 0, "closed")]
)
def test_an_email_in_review_is_settled_once(
    stage: Stage, rita: UUID, api: Api, verdict: str, left: int, state: str
) -> None:
    delivery = in_review(stage, rita)
    (listed,) = api.get("/attention").json()["reviews"]
    assert (listed["delivery_id"], listed["settleable"]) == (delivery, True)
    path, how = f"/attention/reviews/{delivery}", {"verdict": verdict, "reason": "looked into Sent Items"}
    is_problem(api.post(path, {"verdict": verdict}), 422)
    is_problem(api.post(path, {"verdict": "perhaps", "reason": "x"}), 422)
    answers = [api.post(path, how, once="one") for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"id": delivery}] * 2
    is_problem(api.post(path, how), 409)
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == left
    assert stage.only(Delivery, delivery).state == state
    assert api.get("/attention").json() == {
        "incidents": [],
        "messages": [],
        "reviews": [],
        "blocked": [],
        "failed": [],
    }


def test_a_missing_field_is_filled_in(stage: Stage, rita: UUID, api: Api) -> None:
    sequence_id = blocked(stage, rita)
    (group,) = api.get("/attention", sequence=str(sequence_id)).json()["blocked"]
    assert (group["cause"], group["count"], len(group["people"])) == ("role", 2, 2)
    path = f"/attention/blocked/{sequence_id}/fill-in"
    assert "Nothing is filled in" in is_problem(api.post(path, {"field": "role"}), 422)
    values = {"field": "role", "values": {group["people"][0]["id"]: "Lead"}, "for_all": "Engineer"}
    assert [api.post(path, values, once="a").json() for _ in range(2)] == [{"count": 2}] * 2
    stage.later(60)
    stage.send_due()
    assert sorted(entry.body.splitlines()[0] for entry in stage.left()) == [
        "<p>For the Engineer</p>",
        "<p>For the Lead</p>",
    ]


def test_people_who_lack_a_field_are_skipped(stage: Stage, rita: UUID, api: Api) -> None:
    path = f"/attention/blocked/{blocked(stage, rita)}/skip"
    assert api.post(path, {"field": "role"}).json() == {"count": 2}
    assert api.post(path, {"field": "role"}).json() == {"count": 0}
    assert {each.status for each in stage.all(Enrollment)} == {"stopped"}


def test_failed_emails_are_retried_corrected_or_skipped(stage: Stage, rita: UUID, api: Api) -> None:
    delivery = refused(stage, rita, 3)
    (group,) = api.get("/attention").json()["failed"]
    assert (group["cause"], group["count"]) == ("recipient_rejected", 3)
    assert group["people"][0].keys() >= {"id", "name", "email"}
    is_problem(api.post(f"/attention/addresses/{delivery}", {"address": "no address"}), 422)
    right = {"address": "kaito@minato.example"}
    for _ in range(2):
        answer = api.post(f"/attention/addresses/{delivery}", right, once="b")
        assert answer.json() == {"id": str(delivery)}
    assert "settled already" in is_problem(api.post(f"/attention/addresses/{delivery}", right), 409)
    cause = {"cause": "recipient_rejected"}
    sequence = group["sequence_id"]
    others = [each.email for each in stage.all(Candidate) if each.email != "kaito@minato.example"]
    stage.world.suppress(others[0])
    assert api.post(f"/attention/failed/{sequence}/retry", cause).json() == {"count": 1}
    assert api.post(f"/attention/failed/{sequence}/skip", cause).json() == {"count": 1}
    assert api.post(f"/attention/failed/{sequence}/skip", cause).json() == {"count": 0}
    stage.later(60)
    stage.send_due()
    assert len(stage.left()) == 2
    assert ["kaito@minato.example"] in [entry.to for entry in stage.left()]
    done = ["candidate_address_corrected", "delivery_retried", "delivery_skipped"]
    assert len({each.actor_kind for each in stage.all(AuditEntry, action=done)}) == 1


def test_what_another_organization_has_does_not_exist_and_a_reader_changes_nothing(
    stage: Stage,
    rita: UUID,
    client: httpx.Client,  # noqa: F811
) -> None:
    delivery = refused(stage, rita)
    sequence = stage.only(Sequence).id
    elsewhere = World(stage.world.database)
    stranger = Api(client, key_of(elsewhere, "read", "manage"))
    reader = Api(client, key_of(stage.world, "read"))
    assert stranger.get("/attention").json() == {
        "incidents": [],
        "messages": [],
        "reviews": [],
        "blocked": [],
        "failed": [],
    }
    is_problem(stranger.get("/attention", sequence=str(sequence)), 404)
    bodies: dict[str, object] = {
        f"/attention/reviews/{delivery}": {"verdict": "skip", "reason": "x"},
        f"/attention/addresses/{delivery}": {"address": "a@b.example"},
        f"/attention/blocked/{sequence}/fill-in": {"field": "role", "for_all": "x"},
        f"/attention/blocked/{sequence}/skip": {"field": "role"},
        f"/attention/failed/{sequence}/retry": {"cause": "recipient_rejected"},
        f"/attention/failed/{sequence}/skip": {"cause": "recipient_rejected"},
    }
    for path, body in bodies.items():
        is_problem(stranger.post(path, body), 404)
        is_problem(reader.post(path, body), 403)
        is_problem(stranger.post(path.replace(str(sequence), str(uuid4())), body), 404)
    elsewhere.database.close()
    assert stage.world.states() == {"closed": 1}
