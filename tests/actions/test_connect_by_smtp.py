"""Connecting by SMTP: saving changes nothing in use, only a test that passes does, and one way is in use at a time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import smtp, verify, withdraw
from actions.connect import connect_mailbox
from db.core.crypto import KeyRing
from db.mailboxes import credentials
from db.sending.gate import lock_lane
from domain.connection import STARTTLS, Checked, Provider, SmtpServer
from domain.errors import ConsentMissing, InvalidInput, MailboxDisconnected, NotFound, NotPermitted
from domain.verification import Outcome
from lab.access_records import Credentials, Grant, Mailbox, SmtpSettings
from lab.factories import KEY
from lab.records import AuditEntry, Sequence
from lab.stage import Stage
from lab.tables import ago
from tests.transports.name_server import name_server

PASSWORD = "demo-password"
SMTP_SCOPES = "https://outlook.office.com/SMTP.Send"


pytestmark = pytest.mark.usefixtures("trusted_mail_server")


@pytest.fixture(autouse=True)
def no_policies(stage: Stage) -> Iterator[None]:
    """No domain has a DMARC policy, unless a test says so."""
    with name_server({}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        yield


@pytest.fixture
def box(stage: Stage) -> UUID:
    mailbox_id = stage.world.mailbox(stage.world.member("Hans Holder"), connected=False)
    stage.emulator.control.add_mailboxes({"address": stage.address(mailbox_id)})
    return mailbox_id


def save(stage: Stage, box: UUID, **values: str) -> Checked:
    fields = {
        "host": "localhost",
        "port": str(stage.emulator.smtp_port),
        "encryption": STARTTLS,
        "account": stage.address(box),
        "password": PASSWORD,
    }
    return smtp.save(stage.runtime, box, **{**fields, **values}, actor="Hans")


def by_microsoft(stage: Stage, box: UUID, scopes: str = SMTP_SCOPES) -> None:
    token = stage.emulator.control.refresh_token(stage.address(box), scopes)
    server = SmtpServer("localhost", stage.emulator.smtp_port, STARTTLS)
    connect_mailbox(
        stage.runtime, box, refresh_token=token, actor="Hans", provider=Provider.MICROSOFT_SMTP, server=server
    )


def by_graph(stage: Stage, box: UUID) -> None:
    token = stage.emulator.control.refresh_token(stage.address(box))
    connect_mailbox(stage.runtime, box, refresh_token=token, actor="Hans")


def in_use(stage: Stage) -> tuple[object, object]:
    mailbox = stage.only(Mailbox)
    return mailbox.status, mailbox.provider


@pytest.mark.row("P34")
def test_the_password_is_kept_encrypted_and_in_no_audit_entry(stage: Stage, box: UUID) -> None:
    save(stage, box)
    sealed = stage.only(SmtpSettings).password
    assert isinstance(sealed, bytes)
    assert PASSWORD.encode() not in sealed
    assert PASSWORD not in str(stage.everything(AuditEntry))
    ring = KeyRing((b"n" * 32, KEY))
    with stage.world.database.transaction() as tx:
        assert credentials.rotate_keys(tx, ring, 100).left == 0
    assert stage.only(SmtpSettings).password != sealed
    stage.runtime.keys = ring
    assert smtp.test(stage.runtime, box).good


@pytest.mark.row("P35")
def test_saved_settings_are_tested_then_activated_and_a_test_email_leaves_by_them(
    stage: Stage, box: UUID
) -> None:
    save(stage, box)
    assert in_use(stage)[0] == "never_connected"  # saving connects nothing
    assert smtp.test(stage.runtime, box).outcome is Outcome.VERIFIED
    assert in_use(stage)[0] == "never_connected"
    assert smtp.activate(stage.runtime, box, actor="Hans").good
    assert in_use(stage) == ("connected", "smtp")
    assert verify.send_test_email(stage.runtime, box, actor="Hans").outcome is Outcome.SENT
    (entry,) = stage.left("smtp")
    assert (entry.mailbox, entry.to) == (stage.address(box), [stage.address(box)])
    assert verify.verify_settings(stage.runtime, box).outcome is Outcome.VERIFIED


@pytest.mark.row("P35", "H15")
def test_a_test_that_fails_says_why_and_activates_nothing(stage: Stage, box: UUID) -> None:
    save(stage, box, password="wrong")
    verdict = smtp.activate(stage.runtime, box, actor="Hans")
    assert verdict.outcome is Outcome.NOT_VERIFIED
    assert "account and password" in verdict.fix
    assert in_use(stage)[0] == "never_connected"
    assert stage.left("smtp") == []


@pytest.mark.row("P36", "P37", "H16")
def test_authenticated_smtp_that_is_switched_off_is_named(stage: Stage, box: UUID) -> None:
    stage.emulator.control.switch(stage.address(box), smtp_auth_disabled=True)
    save(stage, box)
    verdict = smtp.test(stage.runtime, box)
    assert verdict.outcome.value == "Not allowed"
    assert "switched off" in verdict.explanation
    assert verdict.code == "smtp_535_5.7.139"


@pytest.mark.row("H17")
def test_without_settings_there_is_nothing_to_test(stage: Stage, box: UUID) -> None:
    assert smtp.test(stage.runtime, box).outcome.value == "SMTP settings not found"
    save(stage, box)
    assert smtp.activate(stage.runtime, box, actor="Hans").good
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert smtp.test(stage.runtime, box).outcome is Outcome.NOT_FOUND  # the password is gone
    assert verify.verify_settings(stage.runtime, box).outcome is Outcome.NOT_FOUND


@pytest.mark.row("P33")
def test_what_cannot_be_right_is_not_saved(stage: Stage, box: UUID) -> None:
    with pytest.raises(InvalidInput):
        save(stage, box, account="mona@acme.example")
    with pytest.raises(NotFound):
        smtp.save(
            stage.runtime, UUID(int=1), host="h.example", port="587", encryption=STARTTLS, account="", password="", actor=""
        )  # fmt: skip
    assert stage.count(SmtpSettings) == 0


@pytest.mark.row("P35")
def test_what_was_not_tested_is_not_put_into_use(stage: Stage, box: UUID) -> None:
    save(stage, box)
    with ThreadPoolExecutor(1) as pool:
        with stage.world.database.transaction() as tx:
            lock_lane(tx, box)
            activation = pool.submit(smtp.activate, stage.runtime, box, actor="Hans")
            stage.until_a_lock_is_waited_for(20)  # it has sent its test, and waits for the lane
            stage.put(SmtpSettings, port=1)
        with pytest.raises(NotPermitted, match="in the meantime"):
            activation.result(20)
    assert in_use(stage)[0] == "never_connected"


@pytest.mark.row("P29")
def test_what_is_in_use_is_changed_only_after_it_was_taken_out_of_use(stage: Stage, box: UUID) -> None:
    save(stage, box)
    smtp.activate(stage.runtime, box, actor="Hans")
    with pytest.raises(NotPermitted, match="Disable it first"):
        save(stage, box)
    with pytest.raises(NotPermitted, match="Disable it first"):
        smtp.activate(stage.runtime, box, actor="Hans")
    withdraw.disable_mailbox(stage.runtime, box, actor="Hans")
    save(stage, box)
    assert smtp.activate(stage.runtime, box, actor="Hans").good


@pytest.mark.row("P29")
def test_taking_it_out_of_use_pauses_its_sequences_once_and_keeps_everything(stage: Stage, box: UUID) -> None:
    owner = stage.owner(box)
    save(stage, box)
    smtp.activate(stage.runtime, box, actor="Hans")
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S",)))
    grant = stage.world.grant(box, stage.world.member())
    answer = withdraw.disable_mailbox(stage.runtime, box, actor="Hans")
    assert answer.stopped == 1
    withdraw.disable_mailbox(stage.runtime, box, actor="Hans")
    stage.run_outbox()
    stage.check_mailboxes()  # what a person switched off stays off
    stage.send_due()
    assert in_use(stage) == ("disconnected", "smtp")
    assert stage.only(Sequence).paused_reason == "MailboxDisconnected"
    assert [each.channel for each in stage.notices()] == ["in_app", "email"]
    assert stage.only(Grant, grant).archived_at is None
    assert stage.only(SmtpSettings).password is not None


@pytest.mark.row("P25", "H23")
def test_activating_microsoft_takes_smtp_out_of_use_and_keeps_its_settings(stage: Stage, box: UUID) -> None:
    save(stage, box)
    smtp.activate(stage.runtime, box, actor="Hans")
    by_graph(stage, box)
    assert in_use(stage) == ("connected", "graph")
    assert stage.only(SmtpSettings).password is not None
    assert smtp.test(stage.runtime, box).good  # it still works beside the one in use
    assert verify.send_test_email(stage.runtime, box, actor="Hans").outcome is Outcome.SENT
    assert len(stage.left("graph")) == 1
    assert stage.left("smtp") == []
    stage.emulator.control.revoke(stage.address(box))
    stage.check_mailboxes()
    assert in_use(stage) == ("disconnected", "graph")
    assert smtp.activate(stage.runtime, box, actor="Hans").good  # one way's trouble is not the other's
    assert in_use(stage) == ("connected", "smtp")


@pytest.mark.row("H19")
def test_microsofts_sign_in_over_smtp_keeps_no_password_and_sends(stage: Stage, box: UUID) -> None:
    by_microsoft(stage, box)
    assert in_use(stage) == ("connected", Provider.MICROSOFT_SMTP)
    settings = stage.only(SmtpSettings)
    assert (settings.provider, settings.password) == ("microsoft_smtp", None)
    assert stage.only(Mailbox).scopes == ["smtp.send"]
    assert verify.send_test_email(stage.runtime, box, actor="Hans").outcome is Outcome.SENT
    assert len(stage.left("smtp")) == 1
    owner = stage.owner(box)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S",)))
    stage.put(Credentials, access_expires_at=ago(hours=1))  # it is renewed on the way
    stage.send_due()
    assert len(stage.left("smtp")) == 2


@pytest.mark.row("H2")
def test_without_the_permission_to_send_by_smtp_there_is_no_connection(stage: Stage, box: UUID) -> None:
    with pytest.raises(ConsentMissing, match=r"SMTP\.Send"):
        by_microsoft(stage, box, scopes="User.Read Mail.Send")
    assert in_use(stage)[0] == "never_connected"


def test_a_token_of_somebody_else_connects_nothing(stage: Stage, box: UUID) -> None:
    stage.emulator.control.add_mailboxes({"address": "mona@acme.example"})
    token = stage.emulator.control.refresh_token("mona@acme.example", SMTP_SCOPES)
    server = SmtpServer("localhost", stage.emulator.smtp_port, STARTTLS)
    with pytest.raises(MailboxDisconnected):
        connect_mailbox(
            stage.runtime,
            box,
            refresh_token=token,
            actor="Hans",
            provider=Provider.MICROSOFT_SMTP,
            server=server,
        )
    assert in_use(stage)[0] == "never_connected"


@pytest.mark.row("H20", "H21")
def test_a_strict_domain_refuses_microsoft_over_smtp_and_points_to_custom(stage: Stage, box: UUID) -> None:
    domain = stage.address(box).rpartition("@")[2]
    title = (
        "We're unable to send emails on your behalf due to your email account's security settings. To resolve this, please"
        " configure your email settings to use a custom SMTP server"
    )
    by_microsoft(stage, box)
    with name_server({f"_dmarc.{domain}": ["v=DMARC1; p=reject"]}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        with pytest.raises(NotPermitted) as raised:
            smtp.check_microsoft_server(
                stage.runtime, stage.address(box), host="localhost", port=str(stage.emulator.smtp_port)
            )
        assert str(raised.value).startswith(title)
        verdict = verify.verify_settings(stage.runtime, box)
        assert verdict.outcome.value == title
        assert "custom SMTP" in verdict.fix


@pytest.mark.row("H20")
def test_a_domain_that_cannot_be_asked_refuses_nothing(stage: Stage, box: UUID) -> None:
    domain = stage.address(box).rpartition("@")[2]
    with name_server({f"_dmarc.{domain}": []}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        port = str(stage.emulator.smtp_port)
        assert smtp.check_microsoft_server(
            stage.runtime, stage.address(box), host="localhost", port=port
        ).server


@pytest.mark.row("H22")
def test_custom_smtp_is_the_way_out(stage: Stage, box: UUID) -> None:
    domain = stage.address(box).rpartition("@")[2]
    with name_server({f"_dmarc.{domain}": ["v=DMARC1; p=reject"]}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        save(stage, box)
        assert smtp.activate(stage.runtime, box, actor="Hans").good
        assert verify.verify_settings(stage.runtime, box).good


def test_a_lost_smtp_connection_comes_back_when_its_server_takes_it_again(stage: Stage, box: UUID) -> None:
    save(stage, box)
    smtp.activate(stage.runtime, box, actor="Hans")
    stage.emulator.control.switch(stage.address(box), smtp_auth_disabled=True)
    stage.check_mailboxes()
    assert stage.only(Mailbox).status_reason == "policy_blocked"
    stage.emulator.control.switch(stage.address(box), smtp_auth_disabled=False)
    stage.check_mailboxes()
    assert in_use(stage) == ("connected", "smtp")
