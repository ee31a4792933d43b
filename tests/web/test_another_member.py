"""A form acts for the member whose page it was on, or not at all: somebody else may have signed in since, in another tab."""

import re
from pathlib import Path
from uuid import UUID

import pytest

import web
from lab.access_records import GrantRequest, Mailbox, Session
from lab.stage import Stage
from tests.web.visitor import Visitor, email_of, known_account

TEMPLATES = Path(str(web.__file__)).with_name("templates")


@pytest.fixture
def hans(stage: Stage) -> UUID:
    member = stage.world.member("Hans Holder")
    stage.mailbox(member)
    known_account(stage, email_of(stage, member))
    return member


@pytest.fixture
def visitor(stage: Stage, hans: UUID) -> Visitor:
    """Hans has opened a page; since then Rita has signed in with the same browser."""
    rita = stage.world.member("Rita Recruiter")
    stage.mailbox(rita)
    known_account(stage, email_of(stage, rita))
    browser = Visitor(stage).sign_in(email_of(stage, hans)).get("/settings/sequences")
    page = browser.text
    browser.send("/sign-out")
    browser.sign_in(email_of(stage, rita))
    browser.text = page
    return browser


@pytest.mark.parametrize(
    "path",
    [
        "/sign-out",
        "/settings/sequences/connect",
        "/settings/sequences/remove",
        "/settings/sequences/test",
        "/settings/sequences/requests",
        "/settings/mail-server/mine",
        "/settings/sessions/end-all",
        "/notifications/read",
    ],
)
def test_a_form_of_another_member_changes_nothing(stage: Stage, visitor: Visitor, path: str) -> None:
    before = f"{visitor.public_url}/settings/sequences"
    visitor.send(path, headers={"Referer": before}, mailbox="mona@acme.example")
    assert visitor.status == 403
    assert "You are signed in as Rita Recruiter now. Nothing was changed." in visitor.text
    assert 'href="/settings/sequences">Back' in visitor.text
    assert stage.count(Mailbox, status="connected") == 2
    assert stage.count(Session) == 1
    assert stage.count(GrantRequest) == 0


def test_what_was_written_in_it_is_shown_and_no_password_is(visitor: Visitor) -> None:
    page = visitor.text
    visitor.send("/settings/sequences/requests", mailbox="mona@acme.example", words="May I, for <Quality>?")
    assert "mona@acme.example" in visitor.text
    assert "May I, for &lt;Quality&gt;?" in visitor.text
    visitor.text = page
    visitor.send("/settings/mail-server/mine", host="smtp.acme.example", password="hunter2")
    assert "smtp.acme.example" in visitor.text
    assert "hunter2" not in visitor.text


def test_the_page_that_refused_it_is_of_the_member_who_is_signed_in(stage: Stage, visitor: Visitor) -> None:
    visitor.send("/settings/mail-server/mine", host="smtp.acme.example")
    assert visitor.send("/sign-out").status == 303
    assert stage.count(Session) == 0


def test_what_is_refused_before_anybody_asks_whose_it_is_says_why(visitor: Visitor) -> None:
    assert visitor.send("/approve/nonsense").status == 404
    assert visitor.send("/notifications/nonsense/read").status == 404


def test_every_form_says_whose_page_it_was_on(stage: Stage, hans: UUID) -> None:
    visitor = Visitor(stage).sign_in(email_of(stage, hans))
    for path in (
        "/settings/sequences",
        "/settings/sequences/grants/new",
        "/settings/sequences/remove",
        "/settings/sessions",
    ):
        text = visitor.get(path).text
        forms = re.findall(r"<form[^>]* method=.post.*?</form>", text, re.DOTALL)
        assert len(forms) > 1
        assert [form for form in forms if f'name="member" value="{hans}"' not in form] == []


def test_one_macro_writes_the_forms_that_change_something() -> None:
    writing = {
        path.name
        for path in TEMPLATES.rglob("*.html")
        if re.search("method=.?post", path.read_text(), re.IGNORECASE)
    }
    # The page for recipients has no member whose form it could be.
    assert writing == {"forms.html", "opt_out.html"}
