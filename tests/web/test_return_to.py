"""Signing in leads back to where somebody wanted to go, on our own site only; an ended session says what it has cost."""

import pytest

from lab.access_records import Session
from lab.stage import Stage
from tests.web.visitor import Visitor, email_of, known_account
from web.return_to import safe


@pytest.fixture
def rita(stage: Stage) -> str:
    address = email_of(stage, stage.world.member("Rita Recruiter"))
    known_account(stage, address)
    return address


def sign_in_here(visitor: Visitor, address: str) -> Visitor:
    """From the sign-in page that is shown, as a person would: its hidden field goes along."""
    wanted = visitor.text.partition('name="next" value="')[2].partition('"')[0].replace("&amp;", "&")
    visitor.send("/sign-in", next=wanted)
    return visitor.come_back(visitor.at_microsoft(address))


def test_pages_m4_the_page_that_was_asked_for_is_shown_after_signing_in(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).get("/notifications?page=2").follow()
    assert "Sign in with Microsoft" in visitor.text
    assert "session" not in visitor.text.partition("<main")[2].lower()
    visitor.send("/sign-in", next="/notifications?page=2")
    location = visitor.at_microsoft(rita)
    answer = visitor.get(location.removeprefix(visitor.public_url))
    assert (answer.status, answer.url) == (303, "/notifications?page=2")


def test_pages_m4_an_ended_session_says_so_and_leads_back(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).sign_in(rita)
    stage.older(Session, "seen_at", hours=13)
    visitor.get("/notifications").follow()
    assert "Your session has ended." in visitor.text
    sign_in_here(visitor, rita)
    assert "<h1>Notifications" in visitor.text


def test_pages_m4_a_form_in_the_middle_of_which_a_session_ended_says_that_nothing_was_changed(
    stage: Stage, rita: str
) -> None:
    visitor = Visitor(stage).sign_in(rita).get("/settings/sequences")
    stage.older(Session, "seen_at", hours=13)
    page = f"{visitor.public_url}/settings/sequences"
    visitor.send("/settings/sequences/requests", headers={"Referer": page}, mailbox="x@acme.example").follow()
    assert "nothing was changed" in visitor.text
    sign_in_here(visitor, rita)
    assert "<h1>Mailbox and permissions" in visitor.text


def test_a_referer_that_is_no_address_is_no_error(stage: Stage) -> None:
    stranger = Visitor(stage).send("/settings/sequences/requests", headers={"Referer": "http://["})
    assert (stranger.status, stranger.url) == (303, "/sign-in?lost=form")


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "/a\r\nX: y", "evil",
        "/sign-in?next=/x", "/sign-out", "/api/v1/sequences", "/%0d%0a".replace("%0d%0a", "\r\n"), "/ü", "/" + "x" * 2000, "/",
        "/x/../..//evil.example", "/ /evil.example", "/hooks/microsoft", "", "/\tevil",
    ],
)  # fmt: skip
def test_nothing_leads_elsewhere(wanted: str) -> None:
    assert safe(wanted) == ""


@pytest.mark.parametrize(
    "wanted", ["/notifications", "/settings/email?done=x&y=%2F%2Fa", "/sequences/1/resume"]
)
def test_our_own_pages_are_led_to(wanted: str) -> None:
    assert safe(wanted) == wanted


def test_an_address_elsewhere_in_the_link_is_dropped(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).get("/sign-in?next=//evil.example/x")
    assert "evil" not in visitor.text
    visitor.send("/sign-in", next="https://evil.example/x")
    answer = visitor.get(visitor.at_microsoft(rita).removeprefix(visitor.public_url))
    assert answer.url == "/"
