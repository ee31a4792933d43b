"""The JSON API: keys, scopes, other organizations' data, pages, idempotency, problem documents."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from db.access import api_keys
from lab.access_records import ApiKey, Grant, Lane, Mailbox, Member
from lab.factories import World
from lab.records import AuditEntry, Candidate, Enrollment, Sequence
from lab.stage import Stage

API = "/api/v1"


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(.*)")


class Api:
    """A program with a key. It finds every instant spelled in one way, in UTC with a Z."""

    def __init__(self, client: httpx.Client, key: str) -> None:
        self._client, self._key = client, key

    def get(self, path: str, **query: Any) -> Any:
        return _read(self._client.get(API + path, params=query, headers=self._headers()))

    def post(self, path: str, body: object = None, once: str = "") -> Any:
        return _read(self._client.post(API + path, json=body, headers=self._headers(once)))

    def _headers(self, once: str = "") -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} | ({"Idempotency-Key": once} if once else {})


def _read(answer: httpx.Response) -> httpx.Response:
    if "json" in answer.headers.get("content-type", "") and "openapi" not in str(answer.url):
        assert [each for each in _instants(answer.json()) if each != "Z"] == []
    return answer


def _instants(value: Any) -> Iterator[str]:
    """The ends of all instants in a JSON value, which say their zone."""
    match value:
        case str():
            if found := _INSTANT.fullmatch(value):
                yield found[1]
        case dict():
            for name, each in value.items():
                if name != "next_after":  # a place in a list, which begins with one
                    yield from _instants(each)
        case list():
            for each in value:
                yield from _instants(each)


@pytest.fixture
def client(site: str) -> Iterator[httpx.Client]:
    # A connection per request, because a server that has failed closes its connection.
    alone = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=site, trust_env=False, timeout=30, limits=alone) as made:
        yield made


def key_of(world: World, *scopes: str) -> str:
    with world.database.transaction() as tx:
        return api_keys.make(tx, world.organization_id, f"key {uuid4()}", list(scopes), actor="test")


@pytest.fixture
def api(stage: Stage, client: httpx.Client) -> Api:
    return Api(client, key_of(stage.world, "read", "manage"))


@pytest.fixture
def grant(stage: Stage) -> UUID:
    """Hans let Rita send from his mailbox; she writes to two people."""
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)), 2)
    return grant


def is_problem(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    return str(body["detail"])


def any_of(stage: Stage, kind: type[Mailbox | Member | Sequence | Enrollment | Candidate]) -> UUID:
    return stage.all(kind)[0].id


def test_without_a_good_key_there_is_nothing(stage: Stage, client: httpx.Client, grant: UUID) -> None:
    for key in ("nonsense", "x" * 10_000, "ob_" + "A" * 43):
        is_problem(Api(client, key).get("/grants"), 401)
        is_problem(Api(client, key).post(f"/grants/{grant}/revoke"), 401)
    assert client.get(f"{API}/grants").headers["www-authenticate"] == "Bearer"
    assert stage.only(Grant).archived_at is None


def test_a_revoked_key_is_refused(stage: Stage, client: httpx.Client) -> None:
    key = key_of(stage.world, "read")
    assert Api(client, key).get("/members").status_code == 200
    name = stage.only(ApiKey).name
    with stage.world.database.transaction() as tx:
        api_keys.revoke(tx, stage.world.organization_id, name, actor="test")
    is_problem(Api(client, key).get("/members"), 401)


def test_keys_are_stored_as_hashes_only(stage: Stage, client: httpx.Client) -> None:
    key = key_of(stage.world, "read")
    rows = stage.everything(ApiKey, AuditEntry)
    assert key not in repr(rows)
    assert key[3:] not in repr(rows)


def test_a_key_that_may_only_read_changes_nothing(stage: Stage, client: httpx.Client, grant: UUID) -> None:
    reader = Api(client, key_of(stage.world, "read"))
    assert "Make one with the scope manage" in is_problem(reader.post(f"/grants/{grant}/revoke"), 403)
    assert stage.only(Grant).archived_at is None


@pytest.mark.row("M17")
def test_what_another_organization_has_does_not_exist(
    stage: Stage, client: httpx.Client, grant: UUID
) -> None:
    elsewhere = World(stage.world.database)
    stranger = Api(client, key_of(elsewhere, "read", "manage"))
    for kind in ("mailboxes", "members", "grants", "grant-requests", "sequences", "enrollments"):
        assert stranger.get(f"/{kind}").json() == {"items": [], "next_cursor": None}
    bodies: dict[str, tuple[str, object]] = {
        f"/grants/{grant}/revoke": ("grants", None),
        f"/mailboxes/{any_of(stage, Mailbox)}/disconnect": ("mailboxes", None),
        f"/mailboxes/{any_of(stage, Mailbox)}/test": ("mailboxes", None),
        f"/members/{any_of(stage, Member)}/deactivate": ("members", None),
        f"/sequences/{any_of(stage, Sequence)}/pause": ("sequences", {"reason": "x"}),
        f"/sequences/{any_of(stage, Sequence)}/resume": ("sequences", {}),
        f"/enrollments/{any_of(stage, Enrollment)}/stop": ("enrollments", {"reason": "x"}),
        f"/candidates/{any_of(stage, Candidate)}/suppress": ("candidates", {"reason": "stopped"}),
    }
    for path, (kind, body) in bodies.items():
        assert kind in is_problem(stranger.post(path, body), 404)
    is_problem(stranger.get(f"/sequences/{any_of(stage, Sequence)}/resumption"), 404)
    elsewhere.database.close()
    assert stage.only(Grant).archived_at is None
    assert {each.status for each in stage.all(Sequence)} == {"active"}
    assert stage.left() == []


@pytest.mark.row("M16", "M20")
def test_a_permission_is_ended_and_what_it_stopped_is_answered(stage: Stage, api: Api, grant: UUID) -> None:
    answer = api.post(f"/grants/{grant}/revoke").json()
    assert (answer["stopped"], answer["already_sent"], answer["in_doubt"], answer["complete"]) == (
        2,
        0,
        [],
        True,
    )
    assert re.fullmatch(
        r"api:key .+",
        stage.only(AuditEntry, action="grant_revoked").actor_name,
    )
    stage.run_outbox()
    (sequence,) = api.get("/sequences").json()["items"]
    assert (sequence["status"], sequence["paused_reason"]) == ("paused", "GrantRevoked")


@pytest.mark.row("M13")
def test_a_key_cannot_give_a_permission_it_can_only_ask(stage: Stage, api: Api, grant: UUID) -> None:
    box = str(any_of(stage, Mailbox))
    assert api.post("/grants", {"mailbox_id": box, "grantee_id": None}).status_code == 405
    mona = stage.world.member("Mona Member")
    asked = api.post("/grant-requests", {"mailbox": stage.address(UUID(box)), "requester_id": str(mona)})
    assert asked.status_code == 201
    (request,) = api.get("/grant-requests").json()["items"]
    assert (request["id"], request["status"]) == (asked.json()["id"], "open")
    assert stage.count(Grant) == 1


def test_a_sequence_is_paused_previewed_and_resumed(stage: Stage, api: Api, grant: UUID) -> None:
    path = f"/sequences/{any_of(stage, Sequence)}"
    assert api.post(f"{path}/pause", {"reason": "holidays"}).json()["stopped"] == 2
    stage.run_outbox()
    assert len(api.get(f"{path}/resumption").json()["planned"]) == 2
    assert len(api.post(f"{path}/resume", {}).json()["planned"]) == 2
    assert "not paused" in is_problem(api.post(f"{path}/resume", {}), 409)
    is_problem(api.post(f"{path}/resume", {"skip_older_than": "soon"}), 422)


@pytest.mark.row("H12")
def test_a_mailbox_is_tested(stage: Stage, api: Api, grant: UUID) -> None:
    box = any_of(stage, Mailbox)
    assert api.post(f"/mailboxes/{box}/test").json()["title"] == "Test email sent successfully"
    assert api.post(f"/mailboxes/{box}/verify").json()["outcome"] == "verified"
    assert len(stage.left()) == 1


def test_the_same_request_with_the_same_key_is_done_once(stage: Stage, api: Api, grant: UUID) -> None:
    box = any_of(stage, Mailbox)
    answers = [api.post(f"/mailboxes/{box}/test", once="order-1") for _ in range(3)]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert len(stage.left()) == 1
    assert api.post(f"/mailboxes/{box}/test", once="order-2").status_code == 200
    assert len(stage.left()) == 2
    assert "another request" in is_problem(api.post(f"/mailboxes/{box}/verify", once="order-1"), 422)


def test_two_at_once_with_one_key_are_one(stage: Stage, api: Api, grant: UUID) -> None:
    box = any_of(stage, Mailbox)
    stage.emulator.control.fault("POST /me/messages", when="before", delay=3.0)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: api.post(f"/mailboxes/{box}/test", once="same"), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(stage.left()) == 1


def test_a_refusal_is_repeated_too_and_a_failure_of_ours_is_not_kept(
    stage: Stage, api: Api, grant: UUID
) -> None:
    path = f"/sequences/{any_of(stage, Sequence)}/resume"
    first = api.post(path, {}, once="a")
    assert is_problem(api.post(path, {}, once="a"), 409) == is_problem(first, 409)
    with stage.without(Lane):
        is_problem(api.post(f"/grants/{grant}/revoke", once="b"), 500)
    assert api.post(f"/grants/{grant}/revoke", once="b").json()["complete"] is True


def test_lists_come_in_pages_without_gaps_or_doubles(stage: Stage, api: Api) -> None:
    made = {str(stage.world.member(f"Member {number}")) for number in range(7)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = api.get("/members", limit=3, cursor=cursor).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == made
    for wrong in ("nonsense", "AAAA", "é", "=" * 100):
        is_problem(api.get("/members", cursor=wrong), 422)
    is_problem(api.get("/members", limit=0), 422)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": 5}, "reason"),
        ({"reason": "x", "more": 1}, "more"),
        ([], "body"),
        (None, "body"),
    ],
)
def test_a_body_that_is_not_as_described_is_refused_with_the_place(
    stage: Stage, api: Api, grant: UUID, body: object, where: str
) -> None:
    answer = api.post(f"/sequences/{any_of(stage, Sequence)}/pause", body)
    is_problem(answer, 422)
    assert where in json.dumps(answer.json()["errors"])
    assert stage.only(Sequence).status == "active"


def test_unknown_paths_are_problem_documents_too(api: Api) -> None:
    is_problem(api.get("/nothing"), 404)
    is_problem(api.get("/mailboxes/a%0Ab/disconnect"), 404)
    is_problem(api.get(f"/grants/{uuid4()}/revoke"), 405)
    is_problem(api.post("/grants/nonsense/revoke"), 422)


def test_a_nul_in_any_text_that_a_query_takes_is_refused_with_a_problem(
    api: Api, client: httpx.Client
) -> None:
    paths = client.get(f"{API}/openapi.json").json()["paths"]
    asked = [
        (path.removeprefix(API), parameter["name"])
        for path, operations in paths.items()
        for parameter in operations.get("get", {}).get("parameters", ())
        if parameter["in"] == "query" and "{" not in path
    ]
    assert ("/suppressions", "search") in asked
    for path, name in asked:
        answer = api.get(path, **{name: "a\0b"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), path


def test_a_body_that_is_too_large_is_refused_with_a_problem(api: Api) -> None:
    answer = api.post("/suppressions", {"values": ["x" * 70_000]})
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.json()["detail"] == "The request is too large."
