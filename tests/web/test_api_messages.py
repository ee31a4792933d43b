"""The JSON API's conversations: read, file, and write one email once."""

from uuid import UUID, uuid4

import pytest

from lab.access_records import Mailbox
from lab.records import Candidate
from lab.stage import Stage
from tests.web.test_api import Api, api, client, is_problem  # noqa: F401 - fixtures


@pytest.fixture
def rita(stage: Stage) -> UUID:
    rita = stage.world.member("Rita Recruiter")
    stage.world.enroll(
        stage.world.sequence(rita, stage.mailbox(rita)), email="priya@kestrel.example", first_name="Priya"
    )
    stage.send_due()
    (entry,) = stage.left()
    box = stage.only(Mailbox).id
    stage.emulator.control.incoming(
        stage.address(box),
        sender=entry.to[0],
        subject="Re: it",
        text="Tell me more.",
        in_reply_to=entry.internet_message_id,
    )
    stage.read(box)
    return rita


def test_a_conversation_is_read_filed_and_continued(stage: Stage, rita: UUID, api: Api) -> None:  # noqa: F811
    candidate = stage.only(Candidate).id
    (waiting,) = api.get("/messages").json()["items"]
    assert (waiting["text"], waiting["kind"], waiting["candidate_id"]) == (
        "Tell me more.",
        "answer",
        str(candidate),
    )
    filed = api.post(f"/messages/{waiting['id']}/classify", {"answer": "interested"})
    assert filed.json() == {"id": waiting["id"], "answer": "interested"}
    assert api.get("/messages").json()["items"] == []
    box = str(stage.only(Mailbox).id)
    letter = {
        "member_id": str(rita),
        "mailbox_id": box,
        "in_thread": True,
        "text": "Gladly, {{first_name}}. " + "x" * 900,
    }
    made = [api.post(f"/candidates/{candidate}/messages", letter, once="one") for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    stage.send_due()
    assert len(stage.left()) == 2
    said = api.get(f"/candidates/{candidate}/messages").json()["messages"]
    assert [each["direction"] for each in said] == ["out", "in", "out"]
    assert said[2]["text"].startswith("Gladly, Priya.")


def test_what_is_not_theirs_is_not_found_and_what_is_wrong_is_said(
    stage: Stage,
    rita: UUID,
    api: Api,  # noqa: F811
) -> None:
    candidate = stage.only(Candidate).id
    is_problem(api.get(f"/candidates/{uuid4()}/messages"), 404)
    is_problem(api.post(f"/messages/{uuid4()}/classify", {"answer": "no"}), 404)
    letter = {"member_id": str(rita), "mailbox_id": str(uuid4()), "subject": "S", "text": "T"}
    assert "cannot send from this mailbox" in is_problem(
        api.post(f"/candidates/{candidate}/messages", letter), 409
    )
