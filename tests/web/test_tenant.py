"""Microsoft for everybody on the pages: an admin connects the tenant, members let their mailbox be used, and both end it."""

import pytest

from domain.exchange_scopes import PERMISSIONS
from lab.access_records import Mailbox, Member, Organization
from lab.records import AuditEntry
from lab.stage import Stage
from tests.commands.test_cli import Cli, cli, ok  # noqa: F401 - a fixture
from tests.web.visitor import Visitor, email_of, known_account

HERE, MINE = "/settings/email/microsoft", "/settings/sequences/organization"


@pytest.fixture
def rita(stage: Stage) -> str:
    address = email_of(stage, stage.world.member("Rita Recruiter"))
    known_account(stage, address)
    return address


@pytest.fixture
def ada(stage: Stage) -> Visitor:
    address = email_of(stage, stage.world.member("Ada Admin", role="admin"))
    known_account(stage, address)
    return Visitor(stage).sign_in(address)


def consents(stage: Stage, ada: Visitor, address: str) -> Visitor:
    ada.get(HERE)
    ada.send(f"{HERE}/consent")
    assert "/adminconsent?" in ada.url
    assert ".default" in ada.url
    return ada.come_back(ada.at_microsoft(address))


@pytest.mark.row("P1")
def test_an_admin_connects_the_tenant_and_a_member_joins_with_one_click(
    stage: Stage, ada: Visitor, rita: str
) -> None:
    consents(stage, ada, rita)
    assert "No mailbox sends through it yet." in ada.text
    visitor = Visitor(stage).sign_in(rita)
    assert "Connect with one click" in visitor.get("/settings/sequences").text
    assert "Mail.Send" not in visitor.get(MINE).text
    assert "send emails from your mailbox" in visitor.text
    visitor.send(MINE).follow()
    assert f"<strong><bdi>{rita}</bdi></strong> is connected through your organization" in visitor.text
    stage.world.enroll(stage.world.sequence(stage.owner(stage.only(Mailbox).id), stage.only(Mailbox).id))
    stage.send_due()
    assert [each.sender for each in stage.left()] == [rita]
    assert "1 mailbox sends through it" in ada.get(HERE).text


def test_a_consent_given_at_microsoft_itself_is_taken_up(stage: Stage, ada: Visitor, rita: str) -> None:
    ada.get(HERE)
    ada.send(f"{HERE}/connect").follow()
    assert "does not let Onbehalf into this organization" in ada.text
    stage.emulator.control.app_access(rita, consented=PERMISSIONS)
    ada.get(HERE)
    ada.send(f"{HERE}/connect").follow()
    assert "It is connected." in ada.text


def test_a_check_shows_each_answer(stage: Stage, ada: Visitor, rita: str) -> None:
    consents(stage, ada, rita)
    ada.send(f"{HERE}/check", address="").follow()
    for each in (
        "token: works",
        "Consent for all mailboxes: works",
        "Its settings and drafts can be read",
        "Only an email shows it",
    ):
        assert each in ada.text
    stage.emulator.control.app_access(rita, consented=[])
    ada.get(HERE)
    ada.send(f"{HERE}/check", address="").follow()
    assert "does not let Onbehalf into this mailbox" in ada.text


def test_an_admin_disconnects_it_and_sees_what_that_stopped(stage: Stage, ada: Visitor, rita: str) -> None:
    consents(stage, ada, rita)
    assert "No mailbox uses it now." in ada.get(f"{HERE}/disconnect").text
    visitor = Visitor(stage).sign_in(rita)
    visitor.get(MINE)
    visitor.send(MINE)
    box = stage.only(Mailbox)
    # One that Microsoft refuses is ended too.
    stage.put(Mailbox, box.id, status="disconnected", status_reason="access_lost")
    assert "We stop using one mailbox at once" in ada.get(f"{HERE}/disconnect").text
    stage.put(Mailbox, box.id, status="connected", status_reason=None)
    stage.world.enroll(stage.world.sequence(stage.owner(box.id), box.id, ("P1D",)))
    stage.attend()
    ada.get(f"{HERE}/disconnect")
    assert "We stop using one mailbox at once" in ada.text
    ada.send(f"{HERE}/disconnect").follow()
    assert "Microsoft is disconnected for all of" in ada.text
    assert stage.only(Mailbox).status_reason == "removed"
    assert "Connect with one click" not in visitor.get("/settings/sequences").text
    assert visitor.get(MINE).status == 404
    assert stage.all(AuditEntry, action="tenant_disconnected")


def test_members_neither_see_nor_connect_the_tenant(stage: Stage, rita: str) -> None:
    visitor = Visitor(stage).sign_in(rita)
    assert visitor.get(HERE).status == 403
    for each in ("consent", "connect", "check", "disconnect"):
        assert visitor.send(f"{HERE}/{each}").status == 403
    assert visitor.get(MINE).status == 404
    assert visitor.send(MINE).status == 403
    assert stage.only(Member).role == "member"


def test_our_own_expired_secret_is_nobodys_but_the_operators(stage: Stage, ada: Visitor, rita: str) -> None:
    stage.emulator.control.app_access(rita, refusal="7000222")
    ada.get(HERE)
    ada.send(f"{HERE}/connect").follow()
    assert "We have alerted its operators" in ada.text
    ada.get(HERE)
    ada.send(f"{HERE}/check").follow()
    assert "not set up correctly" in ada.text
    assert "AADSTS" not in ada.text


def test_commands_show_check_and_disconnect_the_tenant(
    stage: Stage,
    cli: Cli,  # noqa: F811
) -> None:
    name = stage.only(Organization, stage.world.organization_id).name
    never = cli("tenant", "show", name)
    assert (never.exit_code, "was never connected" in never.stderr) == (2, True)
    box = stage.tenant_mailbox(stage.world.member("Rita Recruiter"))
    assert f"{name}: connected. 1 mailbox uses it." in cli("tenant", "show", name).output
    checked = cli("tenant", "check", name, "--address", stage.only(Member).email).output
    assert "Its settings and drafts can be read." in checked
    unknown = cli("tenant", "check", name, "--address", "nobody@acme.example").output
    assert "No active member with the address nobody@acme.example has signed in with Microsoft" in unknown
    stage.emulator.control.app_access(stage.address(box), refusal="7000112")
    stage.check_mailboxes()
    lost = cli("tenant", "show", name).output
    assert "Microsoft refuses it" in lost
    assert "AADSTS7000112" in lost
    assert cli("tenant", "check", name).exit_code == 1
    assert cli("tenant", "disconnect", name).exit_code == 2, "it asks first"
    assert ok(cli("tenant", "disconnect", name, "--yes", "--json"))["in_doubt"] == []
    assert f"{name}: disconnected." in cli("tenant", "show", name).output
    assert stage.only(Mailbox, box).status_reason == "removed"
