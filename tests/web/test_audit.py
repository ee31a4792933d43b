"""The audit page: every entry in words, found by who, what and when; the state of its chain; and all of it as a file."""

import json
import re
from uuid import UUID

import pytest

from actions import withdraw
from db.audit import audit
from domain.audit_words import SENTENCES
from lab.access_records import Member
from lab.factories import World
from lab.records import AuditEntry, Sequence
from lab.stage import Stage
from scheduler import sweeper
from tests.commands.test_cli import Cli, cli  # noqa: F401 - a fixture
from tests.web.test_api import Api, api, client  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

HERE = "/settings/audit"


@pytest.fixture
def ada(stage: Stage) -> UUID:
    """An admin. Hans has ended the permission of Rita, and everything is sealed."""
    ada, hans = member(stage, "Ada Novak"), stage.world.member("Hans Holder")
    stage.put(Member, ada, role="admin")
    box = stage.mailbox(hans)
    withdraw.revoke_grant(
        stage.runtime, stage.world.grant(box, stage.world.member("Rita Recruiter")), actor="Hans Holder"
    )
    seal(stage)
    return ada


def seal(stage: Stage) -> None:
    sweeper.seal(stage.world.database, stage.runtime.keys.audit)


def visit(stage: Stage, who: UUID, path: str = HERE) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def sentences(text: str) -> list[str]:
    return re.findall(r'<th scope="row">([^<]+)<', text)


def test_entries_are_in_words_newest_first_with_what_they_are_about(stage: Stage, ada: UUID) -> None:
    visitor = visit(stage, ada)
    assert sentences(visitor.text)[0] == "Signed in"  # ada herself, not sealed yet
    assert "Ended a permission" in sentences(visitor.text)
    assert "1 entry waits for a seal" in visitor.text
    grants = visitor.get(f"{HERE}?what=grant_revoked").text
    assert sentences(grants) == ["Ended a permission"]
    assert "<bdi>Hans Holder</bdi>" in grants
    assert "box." in grants  # the address of the mailbox


def test_the_page_is_for_owners_and_admins_of_this_organization(stage: Stage, ada: UUID) -> None:
    rita = member(stage, "Rita Berger")
    for path in ("", "/export.jsonl"):
        assert visit(stage, rita, HERE + path).status == 403
    assert visit(stage, rita).send(f"{HERE}/check").status == 403
    other = World(stage.world.database)
    with stage.world.database.transaction() as tx:
        audit.write(tx, other.organization_id, "Zed", "api_key_made", "api_key:x", {})
    assert "Zed" not in visit(stage, ada).text
    assert "Zed" not in visit(stage, ada, f"{HERE}/export.jsonl").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=hans+h", True),
        ("who=nobody", False),
        ("what=Permissions", True),
        ("what=Suppressions", False),
        ("until=2001-01-01", False),
        ("since=nonsense", True),
        ("about=box", False),
        ("what=nonsense", True),
        ("before=nonsense", True),
        ("before=99999999999999999999", True),
        ("before=1", False),
    ],
)
def test_entries_are_found_by_who_what_and_day(stage: Stage, ada: UUID, query: str, found: bool) -> None:
    visitor = visit(stage, ada, f"{HERE}?{query}")
    assert visitor.status == 200
    assert ("Ended a permission" in sentences(visitor.text)) == found


def test_the_day_of_an_entry_finds_it(stage: Stage, ada: UUID) -> None:
    at = stage.only(AuditEntry, action="grant_revoked").at
    visitor = visit(stage, ada, f"{HERE}?since={at:%Y-%m-%d}&until={at:%Y-%m-%d}&what=grant_revoked")
    assert sentences(visitor.text) == ["Ended a permission"]


def test_every_entry_is_on_one_page_whether_sealed_or_not(stage: Stage, ada: UUID) -> None:

    def write(count: int, name: str) -> None:
        with stage.world.database.transaction() as tx:
            for number in range(count):
                audit.write(
                    tx, stage.world.organization_id, f"{name} {number}", "api_key_made", "api_key:x", {}
                )

    write(60, "sealed")
    seal(stage)
    write(60, "fresh")
    visitor, path, seen = visit(stage, ada), f"{HERE}?what=api_key_made", []
    while path:
        visitor.get(path)
        seen += re.findall(r"<bdi>((?:sealed|fresh) \d+)</bdi>", visitor.text)
        following = re.search(r'rel="next" href="([^"]+)"', visitor.text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"{name} {number}" for name in ("fresh", "sealed") for number in reversed(range(60))]


def test_the_chain_is_checked_by_a_worker_and_the_page_says_when(stage: Stage, ada: UUID) -> None:
    visitor = visit(stage, ada)
    assert "Not checked within the last day" in visitor.text
    visitor.send(f"{HERE}/check").follow()
    assert "Chain verified" in visitor.text
    assert "complete and unchanged" in visitor.text


def test_a_change_by_hand_is_said_on_the_page(stage: Stage, ada: UUID) -> None:
    stage.overwrite(AuditEntry, where={"action": "grant_revoked"}, data={"forged": True})
    visitor = visit(stage, ada)
    visitor.send(f"{HERE}/check").follow()
    assert "was changed, or is missing." in visitor.text
    assert "Chain verified" not in visitor.text


def test_the_file_is_what_the_command_prints(stage: Stage, ada: UUID, cli: Cli) -> None:  # noqa: F811
    visitor = visit(stage, ada)
    seal(stage)
    visitor.get(f"{HERE}/export.jsonl")
    lines = [json.loads(line) for line in visitor.text.splitlines()]
    assert lines[0]["kind"] == "head"
    printed = cli("audit", "export", "--organization", lines[0]["organization"]).stdout
    assert [json.loads(line) for line in printed.splitlines()] == lines


def test_the_api_lists_the_trail_and_checks_it(stage: Stage, ada: UUID, api: Api) -> None:  # noqa: F811
    found = api.get("/audit", action="grant_revoked").json()
    assert [each["says"] for each in found["items"]] == [SENTENCES["grant_revoked"]]
    first = api.get("/audit", limit=1).json()
    second = api.get("/audit", limit=1, before=first["next_before"]).json()
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert api.get("/audit", before="nonsense").status_code == 422
    assert api.post("/audit/check").json()["result"]["holds"]


def test_what_concerns_a_person_or_a_sequence_is_found_by_its_name(
    stage: Stage,
    ada: UUID,
    api: Api,  # noqa: F811
) -> None:
    rita = stage.world.member()
    sequence = stage.world.sequence(rita, stage.mailbox(rita), ("P1D",))
    (enrollment,) = stage.world.enroll(sequence, first_name="Priya", last_name="Raman")
    stage.put(Sequence, sequence, name="Backend engineers")
    withdraw.pause_enrollment(stage.runtime, enrollment, actor="Rita", reason="by hand")
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita", reason="by hand")
    seal(stage)
    visitor = visit(stage, ada, f"{HERE}?about=raman")
    assert "Paused a sequence for one person" in sentences(visitor.text)
    assert "Paused a sequence" not in sentences(visitor.text)
    assert sentences(visitor.get(f"{HERE}?about=backend").text) == ["Said what a withdrawal stopped"]
    assert "None matches" in visitor.get(f"{HERE}?about=nobody").text
    today = f"{stage.all(AuditEntry)[-1].at:%Y-%m-%d}"
    found = api.get("/audit", about="priya", since=today, until=today).json()["items"]
    assert "enrollment_paused" in {each["action"] for each in found}
    assert api.get("/audit", about="priya", until="2001-01-01").json()["items"] == []
