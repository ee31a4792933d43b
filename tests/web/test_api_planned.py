"""The JSON API's outbox, why, and changes of one email, enrollment or field."""

from uuid import UUID

import pytest

from lab.records import Candidate, Delivery, Enrollment
from lab.stage import Stage
from lab.tables import ahead
from tests.web.test_api import Api, api, client, is_problem  # noqa: F401 - fixtures


@pytest.fixture
def enrollment(stage: Stage) -> UUID:
    """Priya, who waits for the second of three steps."""
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), ("PT0S", "P1D", "P1D"))
    (found,) = stage.world.enroll(sequence, email="priya@kestrel.example", first_name="Priya")
    stage.send_due()
    return found


def planned(stage: Stage) -> Delivery:
    return stage.only(Delivery, state="pending")


def test_the_outbox_is_read_and_one_email_changed(stage: Stage, enrollment: UUID, api: Api) -> None:  # noqa: F811
    (row,) = api.get("/outbox").json()["items"]
    assert (row["person"], row["position"], row["waits_for"]) == ("Priya", 2, "Its time")
    email = f"/deliveries/{row['id']}"
    at = ahead(days=9).isoformat()
    moves = api.get(f"{email}/moves", change="not_before", at=at).json()
    assert [each["step"] for each in moves["times"]] == [2, 3]
    done = [api.post(f"{email}/not-before", {"at": at}).json()["changed"] for _ in range(2)]
    assert done == [True, False]
    text = api.get(f"{email}/text").json()
    assert text["subject"] is None
    edit = {"text": "Hello {{first_name}}.", "mark": text["mark"]}
    assert api.post(f"{email}/text", edit).json()["changed"]
    is_problem(api.post(f"{email}/text", {"text": "Other.", "mark": text["mark"]}), 422)
    assert api.post(f"{email}/earlier").json()["changed"]
    assert api.post(f"{email}/skip").json()["changed"]
    is_problem(api.post(f"{email}/earlier"), 409)
    assert api.post(f"/deliveries/{planned(stage).id}/cancel").json()["changed"]
    assert stage.only(Enrollment).status == "finished"
    is_problem(api.get("/outbox", after="nonsense"), 422)


def test_several_emails_are_changed_at_once_and_each_says_what_became_of_it(
    stage: Stage,
    enrollment: UUID,
    api: Api,  # noqa: F811
) -> None:
    (left,) = stage.all(Delivery, state="sent")
    several = {"delivery_ids": [str(planned(stage).id), str(left.id), str(enrollment)], "change": "cancel"}
    moved, refused, unknown = api.post("/outbox/change", several).json()["items"]
    assert (moved["changed"], moved["refused"]) == (True, None)
    assert (refused["changed"], "has left already" in refused["refused"]) == (False, True)
    assert unknown["refused"] == "There is no such email."
    is_problem(api.post("/outbox/change", {**several, "change": "not_before"}), 422)
    is_problem(api.post("/outbox/change", {**several, "delivery_ids": []}), 422)


def test_the_outbox_is_read_by_what_is_needed_first(stage: Stage, enrollment: UUID, api: Api) -> None:  # noqa: F811
    stage.put(Enrollment, enrollment, status="paused", reason="missing_merge_field: role", paused_at=ahead())
    stage.put(Delivery, planned(stage).id, held=True, reason="enrollment_paused")
    found = {
        each: len(api.get("/outbox", held=True, needs=each).json()["items"])
        for each in ("approval", "task", "field")
    }
    assert found == {"approval": 0, "task": 0, "field": 1}
    is_problem(api.get("/outbox", needs="luck"), 422)


def test_a_person_is_explained_changed_paused_and_stopped(stage: Stage, enrollment: UUID, api: Api) -> None:  # noqa: F811
    person = f"/candidates/{stage.only(Candidate).id}"
    (answer,) = api.get(f"{person}/why").json()
    assert "Step 2 is planned for" in answer["answer"]
    assert (answer["remedy"], answer["delivery_id"]) == ("earlier", str(planned(stage).id))
    assert api.post(f"{person}/fields", {"field": "title", "value": "CTO", "was": ""}).json()["changed"]
    is_problem(api.post(f"{person}/fields", {"field": "title", "value": "CEO", "was": ""}), 422)
    assert api.get(f"{person}/fields").json()["title"] == "CTO"
    assert api.post(f"/enrollments/{enrollment}/pause", {"reason": "later"}).json()["complete"]
    assert len(api.get("/outbox", held=True).json()["items"]) == 1
    assert api.post(f"/enrollments/{enrollment}/resume").status_code == 200
    assert api.post(f"{person}/stop", {"reason": "called"}).json()["complete"]
    assert stage.only(Enrollment).status == "stopped"
