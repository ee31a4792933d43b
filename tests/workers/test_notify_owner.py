"""One notice per cause and owner, in the app and by one email.

A mail service in trouble neither duplicates nor loses it.
"""

import smtplib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest

from actions import withdraw
from db.core.session import Transaction
from db.events import events, notice_facts, outbox
from db.events.events import Event
from domain.grant_payloads import GrantGiven, GrantRevoked
from domain.jobs import Announce, FanOut, NotifyOwner, PauseSequence
from domain.notice import Notice
from lab import records
from lab.access_records import Mailbox
from lab.emulator.smtp import RELAY_ACCOUNT, RELAY_PASSWORD
from lab.records import OutboxJob, Sequence
from lab.stage import Stage
from lab.tables import PRESENT, ago, ahead
from transports.notice_mail import send_notice
from workers import announce, fan_out, notify_owner, pause_sequence

RELAY = "onbehalf.example"


@pytest.fixture
def revoked(stage: Stage) -> Stage:
    """Rita's three sequences use Hans' mailbox, and Hans has just revoked her grant."""
    hans, rita = stage.world.member("Hans Holder"), stage.world.member()
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    for _ in range(3):
        stage.world.enroll(stage.world.sequence(rita, box), 2)
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans Holder")
    return stage


def rows(stage: Stage, actor: str) -> list[UUID]:
    return [each.id for each in stage.all(OutboxJob, kind=actor, done_at=None)]


def pauses_made(stage: Stage) -> list[UUID]:
    for row in rows(stage, FanOut.actor):
        fan_out.spread(stage.runtime, row)
    for row in rows(stage, PauseSequence.actor):
        pause_sequence.pause(stage.runtime, row)
    for row in rows(stage, Announce.actor):
        announce.announce_event(stage.runtime, row)
    return rows(stage, NotifyOwner.actor)


@pytest.mark.row("M21")
def test_three_sequences_of_one_owner_are_one_notice_and_one_email(revoked: Stage) -> None:
    revoked.run_outbox()
    assert [each.channel for each in revoked.notices()] == ["in_app", "email"]
    (mail,) = revoked.left("smtp")
    assert mail.body.count("2 people") == 3
    assert "/settings/sequences?ask=" in mail.body  # where to ask again
    assert "/notifications" in mail.body
    assert mail.sender == f"notices@{RELAY}"


def test_whoever_is_paused_is_told_though_the_permission_is_given_again_before_the_event_is_spread(
    stage: Stage,
) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member()
    box = stage.mailbox(hans)
    sequence = stage.world.sequence(rita, box)
    stage.world.enroll(sequence, 2)
    cause, organization = "grant:gone:1", stage.world.organization_id
    with stage.world.database.transaction() as tx:  # as the gate notices it, of two emails
        payload = GrantRevoked(mailbox="hans", mailbox_id=box, actor="Onbehalf", grantee_id=rita)
        events.record(tx, organization, payload, cause, "Onbehalf")
        events.pause_too(tx, organization, cause, sequence)
    stage.world.grant(box, rita)
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"
    told = [each.channel for each in stage.all(records.Notice, owner_id=rita, cause_key=cause)]
    assert sorted(told) == ["email", "in_app"]


def test_a_bell_that_rings_twice_mails_once(revoked: Stage) -> None:
    (row,) = pauses_made(revoked)
    for _ in range(3):
        notify_owner.notify(revoked.runtime, row)
    assert len(revoked.left("smtp")) == 1
    assert len(revoked.notices()) == 2


def test_the_last_pause_has_the_event_announced_and_its_notice_is_worded_once(
    revoked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    worded: list[UUID] = []
    word = notice_facts.word

    def count(tx: Transaction, event: Event, recipient: UUID) -> Notice:
        worded.append(recipient)
        return word(tx, event, recipient)

    monkeypatch.setattr(notice_facts, "word", count)
    for row in rows(revoked, FanOut.actor):
        fan_out.spread(revoked.runtime, row)
    for row in rows(revoked, PauseSequence.actor):
        assert rows(revoked, Announce.actor) == []
        pause_sequence.pause(revoked.runtime, row)
    assert len(rows(revoked, Announce.actor)) == 1
    assert worded == []
    revoked.run_outbox()
    assert len(worded) == 1
    (mail,) = revoked.left("smtp")
    assert mail.body.count("2 people") == 3


def test_two_pauses_that_end_at_once_do_not_leave_it_to_each_other(revoked: Stage) -> None:
    for row in rows(revoked, FanOut.actor):
        fan_out.spread(revoked.runtime, row)
    first, second, third = rows(revoked, PauseSequence.actor)
    pause_sequence.pause(revoked.runtime, first)
    event_id = revoked.only(records.Event).id
    with ThreadPoolExecutor(1) as pool:
        with revoked.world.database.transaction() as tx:
            outbox.consume(tx, PauseSequence.actor, second)
            assert outbox.announce_when_paused(tx, event_id)  # the third is to be made
            other = pool.submit(pause_sequence.pause, revoked.runtime, third)
            revoked.until_a_lock_is_waited_for()
        other.result(30)
    assert len(rows(revoked, Announce.actor)) == 1


def test_nothing_is_announced_before_the_event_is_spread(revoked: Stage) -> None:
    event_id = revoked.only(records.Event).id
    sequence_id = revoked.all(Sequence)[0].id
    with revoked.world.database.transaction() as tx:  # as the gate does that met it first
        outbox.put(tx, PauseSequence(event_id, sequence_id))
    for row in rows(revoked, PauseSequence.actor):
        pause_sequence.pause(revoked.runtime, row)
    assert rows(revoked, Announce.actor) == []
    revoked.run_outbox()
    (mail,) = revoked.left("smtp")
    assert mail.body.count("2 people") == 3


def test_a_pause_that_is_found_late_is_in_the_notice_and_in_no_other_email(revoked: Stage) -> None:
    revoked.run_outbox()
    event_id = revoked.only(records.Event).id
    rita = revoked.all(Sequence)[0].owner_id
    box = revoked.only(Mailbox).id
    late = revoked.world.sequence(rita, box)
    revoked.world.enroll(late, 7)
    with revoked.world.database.transaction() as tx:
        outbox.put(tx, PauseSequence(event_id, late))
    revoked.run_outbox()
    body = revoked.only(records.Notice, owner_id=rita, channel="in_app").body
    assert body.count("2 people") == 3
    assert "7 people" in body
    assert len(revoked.left("smtp")) == 1


def resumed(stage: Stage) -> None:
    stage.put(
        Sequence, status="active", resumed_at=ago(), paused_cause=None, paused_reason=None, paused_at=None
    )


def test_a_pause_that_is_resumed_before_it_is_announced_is_in_the_app_and_in_no_email(revoked: Stage) -> None:
    revoked.run_outbox()
    resumed(revoked)
    sequence = revoked.all(Sequence)[0].id
    assert withdraw.pause_sequence(revoked.runtime, sequence, actor="Olga", reason="").complete
    for kind, run in ((FanOut, fan_out.spread), (PauseSequence, pause_sequence.pause)):
        for row in rows(revoked, kind.actor):
            run(revoked.runtime, row)
    resumed(revoked)
    revoked.run_outbox()
    channels = [each.channel for each in revoked.all(records.Notice) if each.cause_key.startswith("person:")]
    assert channels == ["in_app"]


def test_owners_of_pauses_that_are_found_late_at_once_all_hear_of_theirs(revoked: Stage) -> None:
    revoked.run_outbox()
    event_id = revoked.only(records.Event).id
    box = revoked.only(Mailbox).id
    owners = [revoked.world.member(name) for name in ("Lena Late", "Lars Late")]
    for owner in owners:
        late = revoked.world.sequence(owner, box)
        revoked.world.enroll(late, 1)
        with revoked.world.database.transaction() as tx:
            outbox.put(tx, PauseSequence(event_id, late))
    for row in rows(revoked, PauseSequence.actor):
        pause_sequence.pause(revoked.runtime, row)
    revoked.run_outbox()
    assert {each.owner_id for each in revoked.notices() if each.channel == "in_app"} >= set(owners)


def test_a_pause_that_is_given_up_is_not_waited_for(revoked: Stage) -> None:
    for row in rows(revoked, FanOut.actor):
        fan_out.spread(revoked.runtime, row)
    broken, *others = rows(revoked, PauseSequence.actor)
    for row in others:
        pause_sequence.pause(revoked.runtime, row)
    assert rows(revoked, Announce.actor) == []
    revoked.put(OutboxJob, broken, attempts=outbox.MAX_ENQUEUED)
    revoked.run_outbox()
    assert revoked.count(OutboxJob, parked_at=PRESENT) == 1
    revoked.run_outbox()
    (mail,) = revoked.left("smtp")
    assert mail.body.count("2 people") == 2


def test_a_mail_service_that_says_later_is_asked_again(revoked: Stage) -> None:
    revoked.emulator.control.fault("SMTP DATA", status=451, body="4.3.2 Later", times=2)
    (row,) = pauses_made(revoked)
    for tries in range(1, 4):
        notify_owner.notify(revoked.runtime, row)
        assert len(revoked.left("smtp")) == (tries == 3)
        # Notices in the app do not wait for the email.
        assert revoked.notices()[0].channel == "in_app"
    assert revoked.only(records.Notice, channel="email").mail_state == "sent"


def test_a_mail_service_that_breaks_off_after_taking_it_is_not_asked_again(revoked: Stage) -> None:
    revoked.emulator.control.fault("SMTP DATA", when="after", reset=True)
    revoked.run_outbox()
    assert len(revoked.left("smtp")) == 1
    assert revoked.only(records.Notice, channel="email").mail_state == "unknown"


def test_an_address_that_is_refused_leaves_the_notice_in_the_app(revoked: Stage) -> None:
    revoked.emulator.control.fault("SMTP RCPT", status=550, body="5.1.1 No such user")
    revoked.run_outbox()
    assert revoked.left("smtp") == []
    assert [each.channel for each in revoked.notices()] == ["in_app", "email"]
    assert revoked.only(records.Notice, channel="email").mail_state == "failed"


def test_without_a_mail_service_the_notice_is_in_the_app(revoked: Stage) -> None:
    revoked.runtime.settings = replace(revoked.runtime.settings, default_mail_url="")
    revoked.run_outbox()
    assert [each.channel for each in revoked.notices()] == ["in_app"]


def test_a_worker_that_died_while_mailing_leaves_it_unknown_and_unrepeated(
    revoked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die(*arguments: object, **named: object) -> None:
        send_notice(*arguments, **named)  # type: ignore[arg-type]
        raise Died

    (row,) = pauses_made(revoked)
    monkeypatch.setattr(notify_owner, "send_notice", die)
    with pytest.raises(Died):
        notify_owner.notify(revoked.runtime, row)
    monkeypatch.undo()
    notify_owner.notify(revoked.runtime, row)  # at once: perhaps the other one still works
    revoked.older(records.Notice, "created_at", hours=1)
    notify_owner.notify(revoked.runtime, row)
    assert len(revoked.left("smtp")) == 1
    assert revoked.only(records.Notice, channel="email").mail_state == "unknown"
    assert revoked.count(OutboxJob, done_at=None) == 0


@pytest.mark.parametrize(
    ("route", "reply"),
    [
        ("SMTP MAIL", "432 4.3.2 Concurrent connections limit exceeded."),
        ("SMTP MAIL", "451 4.3.0 Temporary lookup failure"),
        ("SMTP MAIL", "421 4.7.0 Try again later"),
        ("SMTP RCPT", "450 4.2.0 Greylisted"),
        ("SMTP RCPT", "550 5.4.5 Daily user sending limit exceeded"),
        ("SMTP RCPT", "554 5.7.1 Relay access denied"),
        ("SMTP RCPT", "554 5.7.1 Access denied"),
        ("SMTP DATA", "452 4.3.1 Insufficient system storage"),
        ("SMTP DATA", "550 5.1.8 Access denied, bad outbound sender"),
        ("SMTP DATA", "554 Transaction failed"),
    ],
)
def test_a_notice_that_was_not_taken_is_mailed_later_and_once(revoked: Stage, route: str, reply: str) -> None:
    revoked.emulator.control.fault(route, status=int(reply[:3]), body=reply[4:])
    (row,) = pauses_made(revoked)
    notify_owner.notify(revoked.runtime, row)
    assert revoked.left("smtp") == []
    assert revoked.only(OutboxJob, done_at=None).available_at > ahead(seconds=20)
    revoked.run_outbox()
    assert len(revoked.left("smtp")) == 1
    assert revoked.only(records.Notice, channel="email").mail_state == "sent"


def test_a_relay_that_nobody_answers_at_is_asked_again(revoked: Stage) -> None:
    (row,) = pauses_made(revoked)
    url = revoked.runtime.settings.default_mail_url
    revoked.runtime.settings = replace(revoked.runtime.settings, default_mail_url="smtp://127.0.0.1:1")
    notify_owner.notify(revoked.runtime, row)
    revoked.runtime.settings = replace(revoked.runtime.settings, default_mail_url=url)
    revoked.run_outbox()
    assert len(revoked.left("smtp")) == 1


def test_a_refusal_that_names_no_reason_is_believed_after_a_day(revoked: Stage) -> None:
    revoked.emulator.control.fault("SMTP RCPT", status=554, body="5.7.1 Access denied", times=9)
    (row,) = pauses_made(revoked)
    revoked.older(records.Event, "occurred_at", hours=25)
    notify_owner.notify(revoked.runtime, row)
    assert revoked.only(records.Notice, channel="email").mail_state == "failed"
    assert revoked.count(OutboxJob, done_at=None) == 0


def test_thirty_owners_hear_of_two_events_once_each_through_a_relay_that_takes_three_connections(
    stage: Stage,
) -> None:
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    for _ in range(30):
        rita = stage.world.member()
        grant = stage.world.grant(box, rita)
        stage.world.enroll(stage.world.sequence(rita, box))
        with stage.world.database.transaction() as tx:
            payload = GrantGiven(
                mailbox="hans",
                mailbox_id=box,
                actor="Hans",
                grant_id=grant,
                grantee_id=rita,
                recipient=rita,
            )
            events.record(tx, stage.world.organization_id, payload, f"given:{grant}", "Hans")
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans Holder")
    stage.emulator.control.switch(smtp_connections=3)
    # Another process of ours holds two of the three: this one cannot know.
    others = [smtplib.SMTP("127.0.0.1", stage.emulator.smtp_port) for _ in range(2)]
    for other in others:
        other.login(RELAY_ACCOUNT, RELAY_PASSWORD)
        other.mail("notices@onbehalf.example")
    for row in rows(stage, FanOut.actor):
        fan_out.spread(stage.runtime, row)
    for row in rows(stage, PauseSequence.actor):
        pause_sequence.pause(stage.runtime, row)
    for row in rows(stage, Announce.actor):
        announce.announce_event(stage.runtime, row)
    with ThreadPoolExecutor(8) as pool:
        for turn in range(200):
            if not (waiting := rows(stage, NotifyOwner.actor)):
                break
            list(pool.map(lambda row: notify_owner.notify(stage.runtime, row), waiting))
            if turn == 3:
                for other in others:
                    other.close()
    assert rows(stage, NotifyOwner.actor) == []
    told = Counter((mail.to[0], mail.subject) for mail in stage.left("smtp"))
    assert len(told) == 60
    assert set(told.values()) == {1}
