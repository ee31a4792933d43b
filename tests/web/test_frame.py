"""What is around every page: navigation by role, numbers, live parts, the reader's zone, search."""

import hashlib
import re
from pathlib import Path
from uuid import UUID

import pytest

from lab.access_records import Organization, Session
from lab.records import Candidate, Sequence
from lab.stage import Stage
from tests.web.test_messages import answers, box, hans, rita  # noqa: F401 - fixtures
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of, known_account, made_operator
from web.navigation import ENTRIES

ROOT = Path(__file__).parents[2]
LIVE = {"HX-Request": "true", "HX-Target": "live"}
FOUND = {"HX-Request": "true", "HX-Target": "found"}


@pytest.fixture
def ada(stage: Stage) -> UUID:
    ada = stage.world.member("Ada Novak", role="admin")
    known_account(stage, email_of(stage, ada))
    return ada


def visit(stage: Stage, who: UUID, path: str) -> Visitor:
    return Visitor(stage).sign_in(email_of(stage, who)).get(path)


def entries(text: str) -> list[str]:
    navigation = text.partition('<nav class="side"')[2].partition("</nav>")[0]
    return re.findall(r'<a href="([^"]+)"', navigation)


def test_members_see_their_pages_and_admins_those_of_the_organization(stage: Stage, ada: UUID) -> None:
    mine = entries(visit(stage, member(stage, "Rita Recruiter"), "/sequences").text)
    assert "/messages" in mine
    assert "/settings/email" not in mine
    assert {"/settings/email", "/settings/suppressions"} < set(entries(visit(stage, ada, "/sequences").text))


def test_every_entry_leads_to_a_page_that_it_marks_as_current(stage: Stage, ada: UUID) -> None:
    made_operator(stage, ada)
    visitor = visit(stage, ada, "/sequences")
    for each in ENTRIES:
        visitor.get(each.path)
        assert visitor.status == 200
        assert re.findall(r'<a href="([^"]+)" aria-current="page"><svg', visitor.text) == [each.path]


def test_a_live_part_is_the_list_and_the_numbers_and_304_until_something_changes(
    stage: Stage,
    rita: UUID,  # noqa: F811
    box: UUID,  # noqa: F811
) -> None:
    visitor = visit(stage, rita, "/messages")
    first = visitor.get("/messages", LIVE)
    assert "No answer is waiting." in first.text
    assert "<html" not in first.text
    tag = {**LIVE, "If-None-Match": first.headers["etag"]}
    assert visitor.get("/messages", tag).status == 304
    answers(stage, box)
    assert visitor.get("/messages", tag).status == 200
    assert "Tell me more." in visitor.text
    assert re.search(r'id="badge-messages" hx-swap-oob="true">1<', visitor.text)
    assert visitor.get("/live", LIVE).text.count("hx-swap-oob") == 3


def test_an_open_page_keeps_no_session_alive_and_leads_to_the_sign_in_once_it_ended(
    stage: Stage,
    rita: UUID,  # noqa: F811
) -> None:
    visitor = visit(stage, rita, "/messages")
    stage.older(Session, "seen_at", hours=1)
    before = stage.only(Session).seen_at
    assert visitor.get("/live", LIVE).status == 200
    assert stage.only(Session).seen_at == before
    visitor.get("/messages")
    assert stage.only(Session).seen_at > before
    stage.older(Session, "seen_at", days=2)
    visitor.get("/live", LIVE)
    assert (visitor.status, visitor.headers["hx-refresh"]) == (401, "true")


def test_times_are_in_the_organizations_zone_or_in_the_members_own(
    stage: Stage,
    rita: UUID,  # noqa: F811
) -> None:
    stage.put(Organization, time_zone="Europe/Berlin")
    visitor = visit(stage, rita, "/settings/preferences")
    assert "(Europe/Berlin)" in visitor.text
    visitor.send("/settings/preferences", zone="Asia/Tokyo").follow()
    assert "Saved." in visitor.text
    assert "(Asia/Tokyo)" in visitor.text
    visitor.send("/settings/preferences", zone="Mars/Olympus")
    assert (visitor.status, "This is no time zone we know." in visitor.text) == (422, True)
    visitor.get("/settings/preferences").send("/settings/preferences", zone="").follow()
    assert "(Europe/Berlin)" in visitor.text


def test_search_finds_by_beginnings_and_only_whom_one_may_see(
    stage: Stage,
    ada: UUID,
    rita: UUID,  # noqa: F811
) -> None:
    stage.put(Sequence, name="Backend engineers, Berlin")
    stranger = member(stage, "Theo Stranger")
    (person,) = [each.id for each in stage.all(Candidate)]
    for who in (rita, ada):
        visitor = visit(stage, who, "/search")
        for words in ("pri", "PRIYA  Ram", "raman", "priya@kes"):
            assert f"/people/{person}" in visitor.get(f"/search?q={words}").text, words
        for words in ("riya", "kestrel", "%", "_"):
            assert f"/people/{person}" not in visitor.get(f"/search?q={words}").text, words
        assert "Backend engineers, Berlin" in visitor.get("/search?q=berlin").text
        assert visitor.get(f"/people/{person}").status == 200
    visitor = visit(stage, stranger, "/search?q=pri")
    assert f"/people/{person}" not in visitor.text
    assert visitor.get(f"/people/{person}").status == 404
    assert "Backend engineers" not in visitor.get("/search?q=berlin").text
    other = visit(stage, rita, "/search").get("/search?q=pri", FOUND)
    assert "<html" not in other.text
    assert f"/people/{person}" in other.text


def test_a_static_file_is_kept_for_ever_under_its_contents_name(stage: Stage) -> None:
    visitor = Visitor(stage).get("/sign-in")
    named = re.findall(r'(?:href|src)="(/static/[^"#]+)', visitor.text)
    assert len(named) >= 6
    for path in named:
        assert visitor.get(path).status == 200
        assert "immutable" in visitor.headers["cache-control"]


def test_others_files_are_those_that_the_pages_doc_lists() -> None:
    listed = dict(
        re.findall(
            r"\| `(web/static/vendor/[^`]+)`.*\| ([0-9a-f]{64}) \|", (ROOT / "docs/pages.md").read_text()
        )
    )
    here = {f"web/static/vendor/{each.name}" for each in (ROOT / "web/static/vendor").glob("*.js")}
    assert set(listed) == here
    for path, digest in listed.items():
        assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == digest


def test_scripts_run_without_eval_and_styles_are_files(stage: Stage) -> None:
    visitor = Visitor(stage).get("/sign-in")
    policy = visitor.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert '"allowEval":false' in visitor.text
    assert not re.search(r"\sstyle=|<style|<script(?! src)|\son\w+=", visitor.text)
