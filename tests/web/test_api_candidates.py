"""People one by one by the JSON API: an applicant tracking system that knows an address finds, adds, exports and erases them."""

# ruff: noqa: F811 - fixtures are asked for by the name they are imported by

import httpx
import pytest

from lab.import_records import BroughtIn
from lab.records import AuditEntry, Candidate, Enrollment, Sequence
from lab.stage import Stage
from tests.web.test_api import Api, api, client, is_problem, key_of  # noqa: F401 - fixtures


@pytest.fixture
def ann(stage: Stage) -> str:
    """Ann Weber, in a sequence of Hans, who has had its first email; returns her address."""
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans), ("PT0S", "P1D"))
    stage.world.enroll(sequence, 1, first_name="Ann", last_name="Weber", company="Acme")
    stage.send_due()
    return stage.only(Candidate).email


def test_who_knows_an_address_finds_why_nothing_leaves(stage: Stage, api: Api, ann: str) -> None:
    (found,) = api.get("/candidates", address=ann.upper()).json()["items"]
    assert (found["name"], found["state"]) == ("Ann Weber", "waiting")
    (why,) = api.get(f"/candidates/{found['id']}/why").json()
    assert why["answer"]
    shown = api.get(f"/candidates/{found['id']}").json()
    assert (shown["email"], shown["company"], shown["suppressed"]) == (ann, "Acme", None)
    assert [each["status"] for each in shown["sequences"]] == ["active"]
    assert api.get("/candidates", address="nobody@example.org").json()["items"] == []
    is_problem(api.get("/candidates", address="no address"), 422)


def test_people_are_listed_by_state_and_page(stage: Stage, api: Api, ann: str) -> None:
    stage.world.enroll(stage.only(Sequence).id, 4)
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = api.get("/candidates", limit=2, **before).json()
        seen += [each["id"] for each in page["items"]]
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    assert sorted(seen) == sorted(str(each.id) for each in stage.all(Candidate))
    assert api.get("/candidates", state="answered").json()["items"] == []
    assert [each["email"] for each in api.get("/candidates", search="web").json()["items"]] == [ann]
    found = api.get("/search", words="web").json()
    assert [each["email"] for each in found["people"]] == [ann]
    is_problem(api.get("/candidates", state="happy"), 422)


def test_a_sequence_lists_its_people_by_state(stage: Stage, api: Api, ann: str) -> None:
    sequence = stage.only(Sequence).id
    stage.world.enroll(sequence, 3)
    first = api.get(f"/sequences/{sequence}/enrollments", limit=3).json()
    rest = api.get(f"/sequences/{sequence}/enrollments", limit=3, after=first["next_after"]).json()
    assert len({each["id"] for each in [*first["items"], *rest["items"]]}) == 4
    assert rest["next_after"] is None
    api.post(f"/enrollments/{first['items'][0]['id']}/pause", {"reason": "holidays"})
    (paused,) = api.get(f"/sequences/{sequence}/enrollments", state="paused").json()["items"]
    assert (paused["id"], paused["standing"], paused["email"]) == (first["items"][0]["id"], "paused", ann)


def test_one_person_is_added_and_enrolled_once(stage: Stage, api: Api, ann: str) -> None:
    sequence = str(stage.only(Sequence).id)
    new = {"email": "Bea <Bea@Example.org>", "first_name": "Bea", "sequence_id": sequence}
    one = api.post("/candidates", new).json()
    again = api.post("/candidates", new).json()
    assert (one["created"], one["enrolled"], one["kept_out"]) == (True, True, [])
    assert (again["id"], again["created"], again["enrolled"]) == (one["id"], False, False)
    assert stage.count(Enrollment) == 2
    is_problem(api.post("/candidates", {"email": "nobody"}), 422)
    is_problem(api.post("/candidates", {"email": "x@example.org", "sequence_id": one["id"]}), 404)
    known = api.post("/candidates", {"email": ann, "title": "Engineer"}).json()
    assert (known["created"], stage.only(Candidate, email=ann).title) == (False, "Engineer")


def test_a_program_says_which_member_sees_whom_it_adds(stage: Stage, api: Api, ann: str) -> None:
    rita = stage.world.member("Rita")
    added = api.post("/candidates", {"email": "bob@example.org", "member_id": str(rita)}).json()
    assert [(str(each.candidate_id), each.member_id) for each in stage.all(BroughtIn)] == [
        (added["id"], rita)
    ]
    is_problem(api.post("/candidates", {"email": "c@example.org", "member_id": added["id"]}), 404)


def test_people_are_listed_by_name(stage: Stage, api: Api, ann: str) -> None:
    for name in ("Zed", "Abe"):
        api.post("/candidates", {"email": f"{name.lower()}@example.org", "first_name": name})
    names = [each["name"] for each in api.get("/candidates", sort="name").json()["items"]]
    assert names == sorted(names)
    assert [each["name"] for each in api.get("/candidates", sort="name_down").json()["items"]] == names[::-1]


def test_a_person_is_handed_out_and_erased_after_their_address_is_repeated(
    stage: Stage, api: Api, client: httpx.Client, ann: str
) -> None:
    person = stage.only(Candidate).id
    reader = Api(client, key_of(stage.world, "read"))
    is_problem(reader.post(f"/candidates/{person}/export"), 403)
    out = api.post(f"/candidates/{person}/export").json()
    assert ann in str(out)
    assert stage.count(AuditEntry, action="person_exported") == 1
    assert api.get(f"/candidates/{person}/erasure").json()["known"]["sent"] == 1
    is_problem(reader.post(f"/candidates/{person}/erase", {"address": ann}), 403)
    is_problem(api.post(f"/candidates/{person}/erase", {"address": "ben@example.org"}), 422)
    assert stage.only(Candidate).email == ann
    done = api.post(f"/candidates/{person}/erase", {"address": ann}).json()
    assert (done["stopped"], done["in_doubt"]) == (1, [])
    assert stage.only(Candidate).email != ann
    is_problem(api.get(f"/candidates/{person}/erasure"), 404)


def test_for_how_long_people_are_left_alone_is_set(stage: Stage, api: Api, ann: str) -> None:
    assert api.get("/organization/recontact-days").json() == {"days": 90}
    assert api.post("/organization/recontact-days", {"days": 30}).json() == {"days": 30}
    assert api.get("/organization/recontact-days").json() == {"days": 30}
    is_problem(api.post("/organization/recontact-days", {"days": -1}), 422)
