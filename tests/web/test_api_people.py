"""People by the JSON API: a file is uploaded, checked and imported as on pages; known people are enrolled."""

# ruff: noqa: F811 - fixtures are asked for by the name they are imported by

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from actions import people_imports
from lab.factories import World
from lab.import_records import PeopleImport
from lab.records import AuditEntry, Candidate, Enrollment
from lab.stage import Stage
from tests.web.test_api import API, Api, api, client, key_of  # noqa: F401 - fixtures


@pytest.fixture
def key(stage: Stage) -> str:
    return key_of(stage.world, "read", "manage")


def upload(client: httpx.Client, key: str, content: bytes, **fields: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    file = {"file": ("people.csv", content)}
    return client.post(f"{API}/people/imports", files=file, data=fields, headers=headers)


@contextmanager
def dripping(site: str, key: str) -> Iterator[None]:
    """An upload that has begun and does not end."""
    host, _, port = site.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 60) as wired:
        wired.sendall(
            f"POST {API}/people/imports HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: 5000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n".encode()
        )
        yield


def test_uploads_that_do_not_end_keep_only_their_own_organizations_away(
    stage: Stage, site: str, client: httpx.Client, key: str
) -> None:
    file, others = b"Email\nann@example.org\n", key_of(World(stage.world.database), "read", "manage")

    def until(status: int) -> Any:
        by = time.monotonic() + 30
        while (answer := upload(client, key, file)).status_code != status and time.monotonic() < by:
            pass
        assert answer.status_code == status, answer.text
        return answer

    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(dripping(site, key))
        refused = until(429)
        assert "Another file of your organization is being uploaded." in refused.text
        assert int(refused.headers["retry-after"]) >= 1
        assert upload(client, others, file).status_code == 201
    until(201)


def test_a_file_is_uploaded_checked_and_imported_once(
    stage: Stage, client: httpx.Client, api: Api, key: str
) -> None:
    rita = stage.world.member("Rita")
    sequence = stage.world.sequence(rita, stage.mailbox(rita))
    made = upload(client, key, b"who,Email\nAnn,ann@example.org\n,nobody\n", sequence_id=str(sequence))
    assert (made.status_code, made.json()["status"]) == (201, "checking")
    here = f"/people/imports/{made.json()['id']}"
    stage.run_outbox()
    checked = api.get(here).json()
    assert checked["status"] == "checked"
    assert (checked["summary"]["candidates_created"], checked["summary"]["enrolled"]) == (1, 1)
    assert checked["summary"]["left_out_count"] == 1
    again = {"mapping": {"who": "first_name"}, "sequence_id": str(sequence), "a_day": 5}
    assert api.post(f"{here}/check", again).json()["status"] == "checking"
    assert api.post(f"{here}/confirm", {"round": 1}).status_code == 409
    stage.run_outbox()
    shown = api.get(here).json()["round"]
    for _ in range(2):
        assert api.post(f"{here}/confirm", {"round": shown}).status_code == 200
        stage.run_outbox()
    assert api.get(here).json()["status"] == "imported"
    assert [each.first_name for each in stage.all(Candidate)] == ["Ann"]
    assert stage.world.count(Enrollment) == 1


def test_uploads_without_a_key_a_file_or_a_right_are_refused(
    stage: Stage, client: httpx.Client, api: Api, key: str
) -> None:
    file = b"Email\nann@example.org\n"
    assert upload(client, "nonsense", file).status_code == 401
    assert upload(client, key_of(stage.world, "read"), file).status_code == 403
    assert api.post("/people/imports", {}).status_code == 422
    assert upload(client, key, b"x" * (people_imports.MAX_FILE + 1)).status_code == 422
    assert upload(client, key, file, sequence_id="x").status_code == 422
    assert stage.all(PeopleImport) == []


def test_known_people_are_enrolled_by_one_rule(stage: Stage, api: Api) -> None:
    rita = stage.world.member("Rita")
    first, second = (stage.world.sequence(rita, stage.mailbox(rita)) for _ in range(2))
    stage.world.enroll(first, email="busy@example.org")
    stage.world.candidates(1, email="free@example.org")
    people = {"candidate_ids": [str(each.id) for each in stage.all(Candidate)]}
    there = f"/sequences/{second}/enrollments"
    foreseen = api.post(there, {**people, "dry_run": True}).json()
    assert (foreseen["enrolled"], foreseen["skipped_elsewhere"]) == (1, 1)
    assert stage.world.count(Enrollment) == 1
    assert api.post(there, people).json()["enrolled"] == 1
    assert api.post(there, {**people, "anyway": "They asked"}).json()["enrolled"] == 1
    assert api.post(there, people).json()["enrolled"] == 0
    assert [each.data["enrolled"] for each in stage.all(AuditEntry, action="people_enrolled")] == [1, 1]


def test_a_file_of_nobody_is_not_found(api: Api) -> None:
    here = f"/people/imports/{UUID(int=1)}"
    answers = [api.get(here), api.post(f"{here}/check", {}), api.post(f"{here}/confirm", {"round": 1})]
    assert [each.status_code for each in answers] == [404] * 3
