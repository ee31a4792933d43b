"""Where only an administrator may approve the app: the member waits, the administrator follows a link, both are told."""

import re
from uuid import UUID

import httpx
import pytest

from tests.stage import Stage
from tests.web.test_sequences_settings import PAGE, at_settings, connect, member, status
from tests.web.visitor import Visitor, email_of


@pytest.fixture
def hans(stage: Stage) -> UUID:
    """Hans, whose tenant lets nobody but its administrator approve."""
    hans = member(stage, "Hans Holder")
    stage.emulator.world.mailboxes[email_of(stage, hans)].refusal = "90094"
    return hans


def waiting(stage: Stage, hans: UUID) -> Visitor:
    """Hans has signed in before his tenant asked for approval, and tries to connect."""
    account = stage.emulator.world.mailboxes[email_of(stage, hans)]
    refusal, account.refusal = account.refusal, ""
    visitor = at_settings(stage, hans)
    account.refusal = refusal
    return connect(stage, visitor, email_of(stage, hans))


def link_of(visitor: Visitor) -> str:
    found = re.search(r"<code>\S+(/approve/[^<]+)</code>", visitor.get(PAGE).text)
    assert found is not None
    return found[1]


def approve(administrator: Visitor, link: str) -> Visitor:
    administrator.get(link).send(link)
    assert administrator.status == 303
    assert "/v2.0/adminconsent?" in administrator.url
    answer = httpx.get(f"{administrator.url}&approve=yes", trust_env=False)
    return administrator.come_back(answer.headers["location"])


@pytest.mark.parametrize("refusal", ["90094", "90095"])
def test_m10_p24_who_may_not_consent_waits_and_gets_a_link_for_the_administrator(
    stage: Stage, hans: UUID, refusal: str
) -> None:
    stage.emulator.world.mailboxes[email_of(stage, hans)].refusal = refusal
    visitor = waiting(stage, hans)
    assert visitor.status == 403
    assert "administrator must approve" in visitor.text
    assert "Waiting for your IT team" in visitor.get(PAGE).text
    assert stage.world.rows("SELECT id FROM mailboxes WHERE status = 'connected'") == []
    shown = Visitor(stage).get(link_of(visitor))
    assert shown.status == 200
    for scope in ("Mail.Send", "Mail.ReadWrite", "MailboxSettings.Read"):
        assert scope in shown.text


def test_m10_p24_after_the_approval_the_member_is_told_and_can_connect(stage: Stage, hans: UUID) -> None:
    visitor = waiting(stage, hans)
    administrator = approve(Visitor(stage), link_of(visitor))
    assert administrator.status == 200
    assert "Onbehalf is approved" in administrator.text
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
    box = UUID(str(stage.world.one("SELECT id FROM mailboxes")))
    stage.world.enroll(stage.world.sequence(hans, box, ("P1D",)))
    account.refusal = "90094"
    stage.world.run("UPDATE credentials SET access_expires_at = now()")
    stage.check_mailboxes()
    assert status(stage) == "disconnected"
    assert "administrator has to approve" in visitor.get(PAGE).text
    connect(stage, visitor, email_of(stage, hans))  # still refused, and gives the link
    approve(Visitor(stage), link_of(visitor))
    stage.check_mailboxes()
    assert status(stage) == "connected"
    stage.run_outbox()
    assert stage.world.one("SELECT status FROM sequences") == "paused"  # nothing goes on without its owner
    assert "is connected again" in visitor.get("/notifications").text
