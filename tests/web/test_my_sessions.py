"""Sessions: a browser's earlier one ends, all can be seen and ended, and critical actions need a fresh sign-in."""

import re

import pytest

from actions import withdraw
from db.access import sessions
from lab.access_records import Credentials, Grant, Mailbox, Member, Session
from lab.records import AuditEntry
from lab.stage import Stage
from lab.tables import ago
from tests.web.test_sequences_settings import connect
from tests.web.visitor import Visitor, email_of, known_account
from web.my_sessions import in_words

PAGE = "/settings/sessions"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0"


@pytest.fixture
def rita(stage: Stage) -> str:
    address = email_of(stage, stage.world.member("Rita Recruiter"))
    known_account(stage, address)
    return address


def count(stage: Stage) -> object:
    return stage.count(Session)


def older(stage: Stage) -> None:
    """Let twenty minutes pass since everybody signed in."""
    stage.older(Session, "created_at", minutes=20)


def test_security_19_signing_in_again_ends_that_browsers_former_session(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).sign_in(rita)
    before = visitor.cookies["onbehalf"]
    stage.older(Session, "seen_at", hours=11)
    visitor.send("/sign-in")
    visitor.come_back(visitor.at_microsoft(rita))
    assert count(stage) == 1
    assert visitor.cookies["onbehalf"] != before
    with stage.world.database.transaction() as tx:
        assert sessions.session_of(tx, before) is None


def test_security_19_a_member_sees_their_sessions_and_signs_out_in_one_or_everywhere(
    stage: Stage, rita: str
) -> None:
    here, there, third = Visitor(stage), Visitor(stage), Visitor(stage)
    for visitor in (here, there, third):
        visitor.sign_in(rita)
    stage.put(Session, browser="Firefox on Windows")
    shown = here.get(PAGE)
    assert shown.text.count("Firefox on Windows</h2>") == 3
    assert shown.text.count("This browser") == 1
    others = re.findall(f'action="({PAGE}/[0-9a-f-]+/end)"', shown.text)
    assert len(others) == 2
    here.send(others[0]).follow()
    assert count(stage) == 2
    here.get(PAGE).send(f"{PAGE}/end-all").follow()
    assert "Sign in with Microsoft" in here.text
    assert count(stage) == 0
    assert there.get("/notifications").status == third.get("/notifications").status == 303
    assert stage.count(AuditEntry, action="signed_out") == 3


def test_security_19_nobody_ends_anothers_session(stage: Stage, rita: str) -> None:
    Visitor(stage).sign_in(rita)
    theirs = stage.only(Session).id
    other = email_of(stage, stage.world.member("Olga Other"))
    known_account(stage, other)
    visitor = Visitor(stage).sign_in(other).get(PAGE)
    visitor.send(f"{PAGE}/{theirs}/end")
    assert count(stage) == 2
    visitor.get(PAGE).send(f"{PAGE}/end-all")
    assert stage.only(Session).id == theirs


def test_security_19_removing_a_mailbox_needs_a_fresh_sign_in_and_leads_back(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).sign_in(rita)
    connect(stage, visitor, rita)
    older(stage)
    path = "/settings/sequences/remove"
    assert visitor.get(path).status == 403
    assert "Sign in again" in visitor.text
    visitor.get("/settings/sequences").send(path)
    assert visitor.status == 403
    assert stage.only(Mailbox).status == "connected"
    visitor.send("/sign-in", next=path, fresh="yes")
    assert "prompt=login" in visitor.url
    visitor.come_back(visitor.at_microsoft(rita))
    assert f"Remove {rita}?" in visitor.text
    visitor.send(path).follow()
    assert stage.only(Mailbox).status == "disconnected"
    assert count(stage) == 1


def test_security_19_letting_everyone_send_needs_a_fresh_sign_in_and_one_colleague_does_not(
    stage: Stage, rita: str
) -> None:
    visitor = Visitor(stage).sign_in(rita)
    connect(stage, visitor, rita)
    colleague = stage.world.member("Cora Colleague")
    older(stage)
    visitor.get("/settings/sequences/grants/new").send("/settings/sequences/grants", to="everyone")
    assert visitor.status == 403
    assert 'value="/settings/sequences/grants/new' in visitor.text
    assert stage.count(Grant) == 0
    visitor.get("/settings/sequences/grants/new").send("/settings/sequences/grants", to=str(colleague))
    assert stage.count(Grant) == 1
    visitor.sign_in(rita) if visitor.get("/sign-in").status != 303 else visitor.send(
        "/sign-in", fresh="yes"
    ).come_back(visitor.at_microsoft(rita))
    visitor.get("/settings/sequences/grants/new").send("/settings/sequences/grants", to="everyone")
    assert stage.count(Grant) == 2


@pytest.mark.parametrize(
    ("refusal", "disabled"),
    [("50057", True), ("50034", True), ("50020", True), ("50173", False), ("53003", False), ("65001", False)],
)
def test_security_19_only_an_account_disabled_at_microsoft_loses_its_sessions(
    stage: Stage, rita: str, refusal: str, disabled: bool
) -> None:
    visitor = Visitor(stage).sign_in(rita)
    connect(stage, visitor, rita)
    stage.emulator.world.mailboxes[rita].refusal = refusal
    stage.put(Credentials, access_expires_at=ago())
    stage.check_mailboxes()
    status, reason = stage.only(Mailbox).standing
    assert status == "disconnected"
    assert (reason == "account_disabled") is disabled
    assert visitor.get("/notifications").status == (303 if disabled else 200)
    assert count(stage) == (0 if disabled else 1)


def test_security_19_a_deactivated_members_sessions_do_not_come_back(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).sign_in(rita)
    member = stage.only(Member, email=rita).id
    withdraw.deactivate_member(stage.runtime, member, actor="test")
    stage.put(Member, active=True, deactivated_at=None)
    assert visitor.get("/notifications").status == 303


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
            "Safari on macOS",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Linux"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_named_in_known_words_only(agent: str, words: str) -> None:
    assert in_words(agent) == words
