"""The send path over SMTP: at most once, a person decides doubts, and withdrawals hold as they do over Graph."""

from uuid import UUID, uuid4

import pytest

from actions import review, smtp, withdraw
from app.limiter import MAX_SENDS
from db.mailboxes import senders
from domain.connection import Provider
from domain.delivery import MAX_CRASHES
from lab.access_records import Credentials, Mailbox, SmtpSettings
from lab.emulator.world import LedgerEntry
from lab.records import Delivery, Receipt, Sequence
from lab.stage import Stage
from workers import send_step
from workers.compose import compose_email

PASSWORD = "demo-password"
DATA = "SMTP DATA"


pytestmark = pytest.mark.usefixtures("trusted_mail_server")


@pytest.fixture
def mailbox_owner(stage: Stage) -> UUID:
    return stage.world.member("Hans Holder")


@pytest.fixture
def box(stage: Stage, mailbox_owner: UUID) -> UUID:
    """A mailbox with its own mail server, in use."""
    mailbox_id = stage.world.mailbox(mailbox_owner, connected=False)
    stage.emulator.control.add_mailboxes({"address": stage.address(mailbox_id)})
    smtp.save(
        stage.runtime,
        mailbox_id,
        host="localhost",
        port=str(stage.emulator.smtp_port),
        encryption="starttls",
        account=stage.address(mailbox_id),
        password=PASSWORD,
        actor="Hans",
    )
    assert smtp.activate(stage.runtime, mailbox_id, actor="Hans").good
    return mailbox_id


def left_by_smtp(stage: Stage) -> list[LedgerEntry]:
    """What left for candidates. Notices to owners use the same server."""
    return [entry for entry in stage.left("smtp") if not entry.mailbox.startswith("notices@")]


def states(stage: Stage) -> list[object]:
    return [each.state for each in stage.all(Delivery)]


@pytest.mark.row("H18", "H22")
def test_a_due_step_leaves_once_with_a_receipt_and_its_follow_up_answers_it(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S", "PT1H")))
    stage.send_due()
    (first,) = left_by_smtp(stage)
    assert first.mailbox == stage.address(box)
    assert states(stage) == ["sent", "pending"]
    (receipt,) = [
        (each.known_by, each.internet_message_id, each.sender, each.authority) for each in stage.all(Receipt)
    ]
    assert receipt[0] == "answer"
    assert receipt[2:] == (stage.address(box), "own_mailbox")
    stage.later(3600)
    stage.send_due()
    _, second = left_by_smtp(stage)
    assert second.in_reply_to == receipt[1]
    assert states(stage) == ["sent", "sent"]


def test_a_follow_up_names_every_email_of_its_thread(stage: Stage, mailbox_owner: UUID, box: UUID) -> None:
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S", "PT1H", "PT1H")))
    for _ in range(3):
        stage.send_due()
        stage.later(3600)
    first, second, third = left_by_smtp(stage)
    assert second.references == first.internet_message_id
    assert third.references == f"{first.internet_message_id} {second.internet_message_id}"
    assert third.in_reply_to == second.internet_message_id


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_lost_answer_is_shown_to_a_person_and_never_sent_again(
    stage: Stage, mailbox_owner: UUID, box: UUID, when: str, left: int
) -> None:
    """At most once: what is in doubt is shown, never sent again blindly."""
    stage.emulator.control.fault(DATA, when=when, reset=True, times=1)
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    stage.send_due()
    assert len(left_by_smtp(stage)) == left
    assert states(stage) == ["in_doubt"]
    stage.later(1)
    stage.look()
    assert states(stage) == ["review"]
    assert stage.only(Delivery).reason == "nobody_to_ask"
    stage.later(3600)
    stage.send_due()
    stage.sweep()
    stage.run_outbox()
    assert len(left_by_smtp(stage)) == left
    assert [each.channel for each in stage.notices()].count("in_app") == 1


def test_a_person_who_knows_that_it_did_not_leave_has_it_sent(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    stage.emulator.control.fault(DATA, when="before", reset=True, times=1)
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    stage.send_due()
    stage.later(1)
    stage.look()
    delivery = stage.only(Delivery).id
    review.settle(stage.runtime, delivery, verdict="not_sent", actor="Hans", because="not in Sent Items")
    stage.send_due()
    assert len(left_by_smtp(stage)) == 1
    assert states(stage) == ["sent"]


def test_a_worker_that_died_with_the_email_on_its_way_leaves_it_to_a_person(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    (job,) = stage.due()
    claim = send_step.take(stage.runtime, job)
    assert claim is not None
    transport = stage.runtime.transport(box, claim.facts.provider)
    draft = transport.prepare(compose_email(claim.content), claim.correlation_id, None)
    assert send_step.pass_gate(stage.runtime, transport, claim, draft) is not None
    transport.send(draft)
    transport.close()
    stage.later(60)
    stage.sweep()
    stage.later(60)
    stage.look()
    stage.send_due()
    assert states(stage) == ["review"]
    assert len(left_by_smtp(stage)) == 1


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (451, "4.3.0 later", "pending"),
        (554, "5.6.0 Mail message is malformed", "closed"),
        (432, "4.3.2 Concurrent connections", "pending"),
    ],
)
def test_a_refusal_in_so_many_words_is_no_doubt(
    stage: Stage, mailbox_owner: UUID, box: UUID, status: int, body: str, state: str
) -> None:
    stage.emulator.control.fault(DATA, when="before", status=status, body=body, times=1)
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    for job in stage.due():
        send_step.send(stage.runtime, job)
    assert states(stage) == [state]
    assert left_by_smtp(stage) == []
    stage.later(120)
    stage.send_due()
    assert len(left_by_smtp(stage)) == (1 if state == "pending" else 0)


@pytest.mark.row("H23")
def test_a_password_that_was_changed_pauses_once_and_touches_no_other_way(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    stage.give_token(box)
    stage.emulator.control.add_mailboxes({"address": stage.address(box), "password": "another"})
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    stage.send_due()
    stage.run_outbox()
    assert stage.only(Mailbox).status_reason == "sign_in_expired"
    assert stage.only(Sequence).status == "paused"
    assert stage.only(Credentials).refresh_token is not None
    assert left_by_smtp(stage) == []


def test_after_a_disconnection_nothing_leaves_and_the_password_is_gone(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    answer = withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert answer.stopped == 1
    assert answer.in_doubt == []
    stage.send_due()
    assert left_by_smtp(stage) == []
    assert stage.only(SmtpSettings).password is None


def test_a_withdrawal_names_what_nobody_can_know(stage: Stage, mailbox_owner: UUID, box: UUID) -> None:
    stage.emulator.control.fault(DATA, when="after", reset=True, times=1)
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    stage.send_due()
    delivery = stage.only(Delivery).id
    answer = withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert answer.in_doubt == [delivery]
    stage.later(60)
    stage.look()
    assert states(stage) == ["review"]


def test_a_withdrawal_names_what_a_person_was_asked_about_a_moment_ago_but_not_an_hour_ago(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    """A connection that seemed lost may still deliver the last dot. Until it has certainly given up, nobody knows."""
    stage.emulator.control.fault(DATA, when="before", reset=True, times=1)
    sequence = stage.world.sequence(mailbox_owner, box, ("PT0S",))
    stage.world.enroll(sequence)
    stage.send_due()
    stage.later(1)
    stage.look()
    assert states(stage) == ["review"]
    delivery = stage.only(Delivery).id
    answer = withdraw.pause_sequence(stage.runtime, sequence, actor="Hans", reason="a test")
    assert answer.in_doubt == [delivery]
    stage.older(Delivery, "send_started_at", hours=1)
    answer = withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert answer.in_doubt == []


def test_a_mailbox_that_was_switched_meanwhile_is_prepared_afresh(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    """The gate passes only what was prepared for this connection."""
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))

    (job,) = stage.due()
    claim = send_step.take(stage.runtime, job)
    assert claim is not None
    transport = stage.runtime.transport(box, claim.facts.provider)
    draft = transport.prepare(compose_email(claim.content), claim.correlation_id, None)
    withdraw.disable_mailbox(stage.runtime, box, actor="Hans")
    assert smtp.activate(stage.runtime, box, actor="Hans").good
    assert send_step.pass_gate(stage.runtime, transport, claim, draft) is None
    transport.close()
    stage.send_due()
    assert len(left_by_smtp(stage)) == 1


@pytest.mark.row("P2", "P10", "P14")
def test_a_new_organizations_sequence_leaves_from_its_default_address(stage: Stage) -> None:
    owner = stage.world.member("Rita Recruiter")
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")
        sender = senders.sender_of(tx, stage.world.organization_id, None)
    assert sender is not None
    stage.world.enroll(stage.world.sequence(owner, sender, ("PT0S",)))
    stage.send_due()
    (entry,) = left_by_smtp(stage)
    assert entry.mailbox == stage.address(sender)
    assert stage.address(sender).endswith("-jobs@mail.example")
    assert stage.only(Receipt).authority == "sender_address"
    assert stage.only(Mailbox).provider == Provider.DEFAULT


@pytest.mark.row("P2")
def test_what_is_wrong_with_the_operators_relay_pauses_nobody(stage: Stage) -> None:
    owner = stage.world.member("Rita Recruiter")
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")
        sender = senders.sender_of(tx, stage.world.organization_id, None)
    assert sender is not None
    stage.emulator.control.fault("SMTP MAIL", status=550, body="5.7.1 not you", times=1)
    stage.world.enroll(stage.world.sequence(owner, sender, ("PT0S",)))
    for job in stage.due():
        send_step.send(stage.runtime, job)
    assert states(stage) == ["pending"]
    assert stage.only(Delivery).reason == "operator_misconfigured"
    assert stage.only(Mailbox).status == "connected"
    stage.later(600)
    stage.send_due()
    assert len(left_by_smtp(stage)) == 1


def test_silent_servers_of_one_organization_hold_few_threads(
    stage: Stage, mailbox_owner: UUID, box: UUID
) -> None:
    sequence = stage.world.sequence(mailbox_owner, box, ("PT0S",))
    stage.world.enroll(sequence)
    room = stage.runtime.limiter.sends
    for _ in range(MAX_SENDS):
        assert room.enter(stage.world.organization_id)
    for _ in range(MAX_CRASHES + 2):  # waiting is not a crash
        assert stage.send_due() == 1
        assert stage.only(Delivery).standing == ("pending", "mail_servers_busy")
        stage.later(10)
    assert left_by_smtp(stage) == []
    assert room.enter(uuid4())  # another organization's servers are its own
    room.leave(stage.world.organization_id)
    stage.send_due()
    assert len(left_by_smtp(stage)) == 1
    assert room.enter(stage.world.organization_id)  # it has freed its slot


def test_microsofts_own_requests_need_no_such_room(stage: Stage, mailbox_owner: UUID) -> None:
    box = stage.mailbox(mailbox_owner)
    for _ in range(MAX_SENDS):
        stage.runtime.limiter.sends.enter(stage.world.organization_id)
    stage.world.enroll(stage.world.sequence(mailbox_owner, box, ("PT0S",)))
    stage.send_due()
    assert len(stage.left()) == 1
