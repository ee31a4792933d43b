"""Only an administrator may approve the app: the member waits, the administrator follows a link, both are notified."""

import re
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest

from lab.access_records import Credentials, Mailbox, Member, Organization, Session
from lab.records import Sequence
from lab.stage import Stage
from lab.tables import PRESENT, ago
from tests.web.test_sequences_settings import PAGE, at_settings, connect, member, status
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def hans(stage: Stage) -> UUID:
    """Hans, whose tenant lets only its administrator approve."""
    hans = member(stage, "Hans Holder")
    stage.emulator.world.mailboxes[email_of(stage, hans)].refusal = "90094"
    return hans


def waiting(stage: Stage, hans: UUID) -> Visitor:
    """Hans signed in before his tenant required approval, and tries to connect."""
    account = stage.emulator.world.mailboxes[email_of(stage, hans)]
    refusal, account.refusal = account.refusal, ""
    visitor = at_settings(stage, hans)
    account.refusal = refusal
    return connect(stage, visitor, email_of(stage, hans))


def link_of(visitor: Visitor) -> str:
    found = re.search(r'value="\S+(/approve/[^"]+)"', visitor.get(PAGE).text)
    assert found is not None
    return found[1]


def approve(administrator: Visitor, link: str) -> Visitor:
    administrator.get(link).send(link)
    assert administrator.status == 303
    assert "/v2.0/adminconsent?" in administrator.url
    answer = httpx.get(f"{administrator.url}&approve=yes", trust_env=False)
    return administrator.come_back(answer.headers["location"])


@pytest.mark.parametrize("refusal", ["90094", "90095"])
@pytest.mark.row("M10", "P24")
def test_who_may_not_consent_waits_and_gets_a_link_for_the_administrator(
    stage: Stage, hans: UUID, refusal: str
) -> None:
    stage.emulator.world.mailboxes[email_of(stage, hans)].refusal = refusal
    visitor = waiting(stage, hans)
    assert visitor.status == 403
    assert "administrator must approve" in visitor.text
    assert "Waiting for your IT team" in visitor.get(PAGE).text
    assert stage.count(Mailbox, status="connected") == 0
    shown = Visitor(stage).get(link_of(visitor))
    assert shown.status == 200
    for scope in ("Mail.Send", "Mail.ReadWrite", "MailboxSettings.Read"):
        assert scope in shown.text


@pytest.mark.row("M10", "P24")
def test_after_the_approval_the_member_is_told_and_can_connect(stage: Stage, hans: UUID) -> None:
    visitor = waiting(stage, hans)
    administrator = approve(Visitor(stage), link_of(visitor))
    assert administrator.status == 200
    assert "We are checking with Microsoft" in administrator.text
    stage.run_outbox()
    assert "Your IT team has approved Onbehalf" in visitor.get("/notifications").text
    assert "Waiting for your IT team" not in visitor.get(PAGE).text
    connect(stage, visitor, email_of(stage, hans))
    assert status(stage) == "connected"


def test_an_approval_for_another_tenant_is_refused_and_nobody_told(stage: Stage, hans: UUID) -> None:
    link = link_of(waiting(stage, hans))
    administrator = Visitor(stage).get(link).send(link)
    answer = httpx.get(f"{administrator.url}&approve=yes", trust_env=False)
    location = re.sub(
        r"tenant=[^&]+", "tenant=00000000-0000-0000-0000-000000000001", answer.headers["location"]
    )
    administrator.come_back(location)
    assert administrator.status == 403
    assert "another Microsoft organization" in administrator.text
    assert stage.run_outbox() == 0


def test_an_approval_that_was_declined_changes_nothing(stage: Stage, hans: UUID) -> None:
    visitor = waiting(stage, hans)
    administrator = Visitor(stage).get(link_of(visitor)).send(link_of(visitor))
    state = re.search(r"state=([^&]+)", administrator.url)
    assert state is not None
    administrator.get(
        f"/sign-in/callback?admin_consent=True&state={state[1]}&error=access_denied"
        "&error_description=AADSTS65004%3A+User+declined+to+consent"
    )
    assert administrator.status == 403
    assert "declined" in administrator.text
    assert "Waiting for your IT team" in visitor.get(PAGE).text


@pytest.mark.parametrize("made_up", ["admin_consent=True&tenant=x&state=y", "admin_consent=True"])
def test_an_answer_that_nobody_asked_for_approves_nothing(stage: Stage, hans: UUID, made_up: str) -> None:
    visitor = waiting(stage, hans)
    assert Visitor(stage).get(f"/sign-in/callback?{made_up}").status == 403
    assert "Waiting for your IT team" in visitor.get(PAGE).text


def test_a_made_up_link_leads_nowhere(stage: Stage, hans: UUID) -> None:
    for link in ("/approve/nonsense", f"/approve/{'x' * 5000}"):
        assert Visitor(stage).get(link).status == 404
        assert Visitor(stage).send(link).status == 404


def test_a_mailbox_that_was_lost_for_want_of_approval_comes_back_by_itself(stage: Stage, hans: UUID) -> None:
    account = stage.emulator.world.mailboxes[email_of(stage, hans)]
    account.refusal = ""
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    box = stage.only(Mailbox).id
    stage.world.enroll(stage.world.sequence(hans, box, ("P1D",)))
    account.refusal = "90094"
    stage.put(Credentials, access_expires_at=ago())
    stage.check_mailboxes()
    assert status(stage) == "disconnected"
    assert "administrator has to approve" in visitor.get(PAGE).text
    connect(stage, visitor, email_of(stage, hans))  # still refused, and gives the link
    approve(Visitor(stage), link_of(visitor))
    stage.check_mailboxes()
    assert status(stage) == "connected"
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"  # nothing continues without its owner
    assert "works again" in visitor.get("/notifications").text


def titles(stage: Stage) -> list[object]:
    return [each.title for each in stage.notices(channel="in_app")]


def test_send_path_12_an_approval_given_in_entras_own_portal_is_noticed_and_told_once(
    stage: Stage, hans: UUID
) -> None:
    visitor = waiting(stage, hans)
    stage.check_mailboxes()
    assert titles(stage) == []
    stage.emulator.control.approve(email_of(stage, hans))
    stage.check_mailboxes()
    stage.check_mailboxes()
    assert titles(stage) == ["Your IT team has approved Onbehalf"]
    assert "Waiting for your IT team" not in visitor.get(PAGE).text
    assert status(stage) == "never_connected"  # nothing is connected by it
    kept = stage.only(Credentials)
    assert (kept.refresh_token, kept.access_token) == (None, None)
    connect(stage, visitor, email_of(stage, hans))
    assert status(stage) == "connected"


def test_send_path_12_looking_at_the_page_has_it_tried_at_the_next_round(stage: Stage, hans: UUID) -> None:
    visitor = waiting(stage, hans)
    stage.check_mailboxes()
    stage.put(Mailbox, checked_at=ago(minutes=10))
    visitor.get(PAGE)
    assert stage.only(Mailbox).checked_at is None


def test_send_path_12_a_request_made_on_microsofts_own_page_is_watched_once_we_are_told(
    stage: Stage, hans: UUID
) -> None:
    """Entra's request workflow keeps the visitor on its page, so no answer ever returns."""
    account = stage.emulator.world.mailboxes[email_of(stage, hans)]
    account.refusal = ""
    visitor = at_settings(stage, hans)
    account.refusal = "90095"
    visitor.send(f"{PAGE}/connect")
    assert "Did Microsoft ask you to request an approval?" in visitor.get(PAGE).text
    visitor.send(f"{PAGE}/approval").follow()
    assert "Waiting for your IT team" in visitor.text
    assert "We check every hour" in visitor.text
    stage.emulator.control.approve(email_of(stage, hans))
    stage.check_mailboxes()
    assert titles(stage) == ["Your IT team has approved Onbehalf"]


def test_security_17_a_forged_approval_tells_nobody_a_fact(stage: Stage, hans: UUID) -> None:
    visitor = waiting(stage, hans)
    account = stage.emulator.world.mailboxes[email_of(stage, hans)]
    link = link_of(visitor)
    forger = Visitor(stage).get(link).send(link)
    found = re.search(r"state=([^&]+)", forger.url)
    assert found is not None
    forger.get(f"/sign-in/callback?admin_consent=True&tenant={account.tenant_id}&state={found[1]}")
    assert "We are checking with Microsoft" in forger.text
    stage.run_outbox()
    stage.check_mailboxes()
    assert titles(stage) == []
    assert "Waiting for your IT team" in visitor.get(PAGE).text


def test_security_17_who_waits_without_a_sign_in_to_try_is_told_a_claim_as_a_claim(
    stage: Stage, hans: UUID
) -> None:
    visitor = waiting(stage, hans)
    stage.put(Credentials, refresh_token=None)
    assert "We cannot check yet" in visitor.get(PAGE).text
    approve(Visitor(stage), link_of(visitor))
    stage.run_outbox()
    assert titles(stage) == ["Onbehalf may be approved now"]
    assert "Waiting for your IT team" in visitor.get(PAGE).text


def test_an_approval_is_told_to_all_who_wait(stage: Stage, hans: UUID) -> None:
    waiting(stage, hans)
    nora = member(stage, "Nora Next")
    stage.emulator.world.mailboxes[email_of(stage, nora)].refusal = "90094"
    waiting(stage, nora)
    stage.emulator.control.approve(email_of(stage, hans))
    stage.check_mailboxes()
    assert titles(stage) == ["Your IT team has approved Onbehalf"] * 2
    assert stage.only(Organization).approval_token is None


@pytest.mark.parametrize("refusal", ["50173", "700082"])
def test_a_sign_in_that_has_ended_is_tried_no_more_and_the_page_says_so(
    stage: Stage, hans: UUID, refusal: str
) -> None:
    visitor = waiting(stage, hans)
    stage.emulator.world.mailboxes[email_of(stage, hans)].refusal = refusal
    stage.check_mailboxes()
    assert stage.only(Credentials).refresh_token is None
    assert "We cannot check yet" in visitor.get(PAGE).text
    assert "Waiting for your IT team" in visitor.text


def test_pages_m13_the_refusal_leads_straight_to_the_remedy(stage: Stage, hans: UUID) -> None:
    visitor = waiting(stage, hans)
    assert "Your IT team has to approve Onbehalf" in visitor.text
    link = re.search(r'<input class="copy[^>]* value="(\S+/approve/[^"]+)"', visitor.text)
    assert link is not None
    assert 'class="button primary" href="mailto:?subject=' in visitor.text
    settings = visitor.get(PAGE).text
    assert f'value="{link[1]}"' in settings
    assert quote(link[1]) in settings  # in the email to the IT team
    buttons = settings.partition(f'action="{PAGE}/connect"')[2].partition("</form>")[0]
    assert "primary" not in buttons  # connecting can only fail before the approval


def test_pages_m13_who_is_not_assigned_is_told_so_and_waits_for_no_approval(stage: Stage, hans: UUID) -> None:
    stage.emulator.world.mailboxes[email_of(stage, hans)].refusal = "50105"
    visitor = waiting(stage, hans)
    assert visitor.status == 403
    assert "assign you" in visitor.text
    assert "approve" not in visitor.text.lower()
    assert stage.count(Member, awaits_approval_since=PRESENT) == 0


def test_the_token_that_is_tried_is_kept_for_members_without_a_mailbox_only(stage: Stage, hans: UUID) -> None:
    account = stage.emulator.world.mailboxes[email_of(stage, hans)]
    account.refusal = ""
    visitor = at_settings(stage, hans)
    assert stage.only(Session).refresh_token is not None
    connect(stage, visitor, email_of(stage, hans))
    Visitor(stage).sign_in(email_of(stage, hans))
    assert stage.count(Session, refresh_token=PRESENT) == 0
