"""Connecting a mailbox at Google on the pages: where it is offered, what Google's refusals say, and what the pages call it."""

import html
import re
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from db.mailboxes import approvals, domains
from domain.connection import Provider
from lab.access_records import Credentials, Mailbox, Member
from lab.stage import Stage
from tests.web.visitor import Visitor, email_of, known_account

MICROSOFTS = re.compile(r"Microsoft|Outlook|Entra|Graph")


@pytest.fixture
def rita(stage: Stage) -> str:
    """She signs in with Microsoft, and her mail is at Google."""
    address = email_of(stage, stage.world.member("Rita Recruiter"))
    known_account(stage, address)
    stage.emulator.control.add_mailboxes({"address": address, "google": True})
    return address


@pytest.fixture
def visitor(stage: Stage, rita: str) -> Visitor:
    return Visitor(stage).sign_in(rita)


def connect(visitor: Visitor, address: str) -> Visitor:
    visitor.send("/settings/sequences/connect/google")
    assert visitor.status == 303, visitor.text
    return visitor.come_back(visitor.at_google(address))


def said(visitor: Visitor) -> str:
    """The page's own part, as people read it."""
    main = visitor.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main)))


@pytest.mark.row("P1", "P19", "P21")
def test_a_member_connects_their_mailbox_at_google(stage: Stage, visitor: Visitor, rita: str) -> None:
    visitor.get("/settings/sequences")
    assert "Connect with Google" in visitor.text
    assert "Connect with Microsoft" in visitor.text
    connect(visitor, rita)
    assert f"<strong><bdi>{rita}</bdi></strong> is connected" in visitor.text
    mailbox = stage.only(Mailbox)
    assert (mailbox.provider, mailbox.status) == (Provider.GMAIL, "connected")
    stage.world.enroll(stage.world.sequence(UUID(str(mailbox.owner_id)), mailbox.id))
    stage.send_due()
    assert [each.sender for each in stage.left("gmail")] == [rita]


def test_a_browser_may_follow_the_form_to_google(stage: Stage, visitor: Visitor) -> None:
    policy = visitor.get("/settings/sequences").headers["content-security-policy"]
    assert f"form-action 'self' {stage.emulator.url};" in policy
    stage.runtime.settings = replace(stage.runtime.settings, google_url="")
    policy = Visitor(stage).get("/sign-in").headers["content-security-policy"]
    assert f"form-action 'self' {stage.emulator.url} https://accounts.google.com;" in policy


def test_nothing_of_google_shows_where_it_is_not_set_up(stage: Stage, rita: str) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, google_client_id="")
    visitor = Visitor(stage).sign_in(rita)
    assert "Google" not in said(visitor.get("/settings/sequences"))
    assert visitor.send("/settings/sequences/connect/google").status == 404
    assert "google" not in visitor.headers["content-security-policy"]


def test_the_pages_of_a_mailbox_at_google_never_speak_of_microsoft(
    stage: Stage, visitor: Visitor, rita: str
) -> None:
    connect(visitor, rita)
    mailbox = stage.only(Mailbox)
    shown = said(visitor.get("/settings/sequences")).replace("Connect with Microsoft instead", "")
    assert MICROSOFTS.search(shown) is None, shown
    for reason in (
        "sign_in_expired", "account_disabled", "organization_gone", "refusal_unexplained", "same_account",
        "consent_missing", "admin_approval_required", "policy_blocked", "sending_blocked", "send_as_denied",
    ):  # fmt: skip
        stage.put(Mailbox, mailbox.id, status="disconnected", status_reason=reason)
        shown = said(visitor.get("/settings/sequences")).replace("Connect with Microsoft instead", "")
        assert MICROSOFTS.search(shown) is None, shown
        assert "Connect again" in shown


def test_the_pages_of_a_mailbox_at_microsoft_speak_of_google_only_to_offer_it(
    stage: Stage, rita: str
) -> None:
    stage.emulator.control.add_mailboxes({"address": rita, "google": False})
    visitor = Visitor(stage).sign_in(rita)
    visitor.send("/settings/sequences/connect")
    visitor.come_back(visitor.at_microsoft(rita))
    shown = said(visitor.get("/settings/sequences")).replace("Connect with Google instead", "")
    assert "Google" not in shown


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        ("google_denied", "tick every box on Google's page"),
        ("google_restricted", "Your IT team can tell which policy"),
        ("google_deleted_client", "not set up correctly for Google sign-in"),
    ],
)
def test_googles_refusal_is_told_with_the_next_step(
    stage: Stage, visitor: Visitor, rita: str, refusal: str, says: str
) -> None:
    stage.emulator.world.mailboxes[rita].refusal = refusal
    connect(visitor, rita)
    assert visitor.status in (403, 503)
    assert says in said(visitor)
    assert MICROSOFTS.search(said(visitor)) is None
    assert stage.count(Mailbox) == 0


def test_an_administrator_who_has_to_trust_onbehalf_is_asked_in_googles_words(
    stage: Stage, visitor: Visitor, rita: str
) -> None:
    visitor.send("/settings/sequences/connect/google")
    state = re.search(r"state=([^&]+)", visitor.url)
    assert state is not None
    visitor.come_back(f"{visitor.public_url}/sign-in/google?error=admin_policy_enforced&state={state[1]}")
    assert visitor.status == 403
    assert "Ask your Google Workspace administrator: in the Google Admin console" in said(visitor)
    with stage.world.database.transaction() as tx:
        member = stage.only(Member).id
        assert approvals.waiting(tx, stage.runtime.web_keys, member) is None  # nothing would ever show it


@pytest.mark.parametrize("refusal", ["google_policy", "google_internal_app", "google_unverified"])
def test_whom_google_keeps_on_its_own_page_reads_here_what_to_do(
    stage: Stage, visitor: Visitor, rita: str, refusal: str
) -> None:
    stage.emulator.world.mailboxes[rita].refusal = refusal
    visitor.send("/settings/sequences/connect/google")
    page = httpx.get(f"{visitor.url}&approve=yes", trust_env=False)
    assert page.status_code in (400, 403)
    code = page.text.partition(": ")[2].partition("<")[0]
    shown = said(visitor.get("/settings/sequences"))
    assert "Did Google block access?" in shown
    assert code in shown


def test_a_permission_that_was_not_ticked_connects_nothing(stage: Stage, visitor: Visitor, rita: str) -> None:
    stage.emulator.world.mailboxes[rita].granted = "openid email"
    connect(visitor, rita)
    assert visitor.status == 403
    assert "Read, compose, and send emails from your Gmail account" in said(visitor)
    assert [each.status for each in stage.all(Mailbox)] == ["never_connected"]
    stage.emulator.world.mailboxes[rita].granted = None
    assert "is connected" in connect(visitor, rita).text


def test_a_personal_account_and_a_colleagues_account_are_refused(stage: Stage, visitor: Visitor) -> None:
    for address, says in (
        ("somebody@gmail.com", "personal Google account"),
        ("boss@acme.example", "Sign in as"),
    ):
        stage.emulator.control.add_mailboxes({"address": address, "google": True})
        connect(visitor, address)
        assert visitor.status == 403
        assert says in said(visitor)
    assert [each.status for each in stage.all(Mailbox)] == ["never_connected"] * stage.count(Mailbox)


@pytest.mark.parametrize("twist", ["another browser", "twice", "at microsoft's address"])
def test_an_answer_counts_once_in_the_browser_that_asked_and_at_its_own_address(
    stage: Stage, visitor: Visitor, rita: str, twist: str
) -> None:
    visitor.send("/settings/sequences/connect/google")
    location = visitor.at_google(rita)
    match twist:
        case "another browser":
            refused = Visitor(stage).sign_in(rita).come_back(location)
        case "twice":
            visitor.come_back(location)
            refused = visitor.come_back(location)
        case _:
            refused = visitor.come_back(location.replace("/sign-in/google", "/sign-in/callback"))
    assert refused.status == 403
    assert "Start again" in said(refused)
    assert stage.count(Credentials) == (1 if twist == "twice" else 0)


def test_an_admin_connects_a_sender_address_at_google(stage: Stage, rita: str) -> None:
    stage.put(Member, stage.only(Member).id, role="admin")
    visitor = Visitor(stage).sign_in(rita)
    with stage.world.database.transaction() as tx:
        domains.verify(tx, stage.world.organization_id, "acme.example", "operator", actor="test")
    stage.emulator.control.add_mailboxes({"address": "jobs@acme.example", "google": True})
    visitor.get("/settings/email")
    visitor.send("/settings/email/addresses", entity="", address="jobs@acme.example").follow()
    assert "Sign in at Microsoft or Google as jobs@acme.example itself" in said(visitor)
    (box,) = [each for each in stage.all(Mailbox) if each.address == "jobs@acme.example"]
    visitor.send(f"/settings/email/addresses/{box.id}/connect/google")
    visitor.come_back(visitor.at_google("jobs@acme.example"))
    assert "The address is connected." in said(visitor)
    assert stage.only(Mailbox, box.id).provider == Provider.GMAIL
    shown = said(visitor.get(f"/settings/email/addresses/{box.id}"))
    assert MICROSOFTS.search(shown.replace("Connect with Microsoft instead", "")) is None


@pytest.mark.row("P6")
def test_a_mail_server_of_googles_leads_to_the_direct_connection(
    stage: Stage, visitor: Visitor, rita: str
) -> None:
    visitor.send("/settings/mail-server").follow()
    visitor.send(
        "/settings/mail-server/mine", host="smtp.gmail.com", port="587", encryption="starttls", account=rita, password="secret"
    ).follow()  # fmt: skip
    assert "Connecting with Google is strongly recommended" in said(visitor)
    visitor.get("/settings/mail-server/mine")
    assert "Google is ending sign-in by password." in visitor.text
    assert 'action="/settings/sequences/connect/google"' in visitor.text
    connect(visitor, rita)
    assert stage.only(Mailbox).provider == Provider.GMAIL
    assert "Google is ending sign-in by password." not in visitor.get("/settings/mail-server/mine").text
