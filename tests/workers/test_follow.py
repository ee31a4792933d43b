"""What follows from what comes in: who gets no more, who waits, who is told; and how a person takes it back."""

from datetime import timedelta
from uuid import UUID

import pytest

from actions import opt_outs, overrule, withdraw
from db.core.session import database_now
from db.sending.enrollments import enroll_many
from domain.errors import InvalidInput, NotFound, NotPermitted
from lab.access_records import Errand, Lane, Organization, Withdrawal
from lab.emulator import reports
from lab.factories import World
from lab.listening_records import IncomingMessage
from lab.records import AuditEntry, Candidate, Delivery, Sequence, Suppression
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.workers.test_read_mailbox import answers, enrolled, people, statuses

HOUR, DAY = 3600.0, 86400.0
MACHINE = {"Auto-Submitted": "auto-replied"}


@pytest.fixture
def box(stage: Stage) -> UUID:
    return stage.mailbox(stage.world.member("Hans Holder"))


def second(stage: Stage, box: UUID) -> UUID:
    """The same people, in another sequence too."""
    sequence = stage.world.sequence(stage.world.member("Theo Marsh"), box, ("PT1H",))
    found = [each.id for each in stage.all(Candidate)]
    with stage.world.database.transaction() as tx:
        enroll_many(tx, sequence, found, database_now(tx))
    return sequence


def bounce(stage: Stage, box: UUID, address: str, status: str) -> None:
    entry = next(each for each in stage.left() if address in each.to)
    back = stage.address(box)
    raw = reports.bounce("exchange", status, address, back, entry)
    stage.emulator.control.incoming(back, raw=raw, kind="bounce")


def message(stage: Stage) -> UUID:
    return stage.all(IncomingMessage)[-1].id


def take_back(stage: Stage, reason: str = "It was a colleague") -> int | None:
    return overrule.overrule(
        stage.runtime, stage.world.organization_id, message(stage), actor="Rita Recruiter", reason=reason
    )


def go_on(stage: Stage, box: UUID, seconds: float) -> int:
    """Let time pass, with the mailbox read meanwhile; returns how many emails there are then."""
    stage.later(seconds)
    stage.read(box)
    stage.send_due()
    return len(stage.left())


def titles(stage: Stage) -> set[str]:
    stage.run_outbox()
    return {each.title for each in stage.notices()}


@pytest.mark.parametrize("scope", ["sequence", "organization"])
@pytest.mark.row("E1")
def test_an_answer_ends_this_sequence_or_all_as_the_organization_says(
    stage: Stage, box: UUID, scope: str
) -> None:
    enrolled(stage, box)
    second(stage, box)
    stage.put(Organization, stop_scope=scope)
    answers(stage, box, people(stage)[0])
    stage.read(box)
    both = [("stopped", "answered")] * 2
    assert sorted(statuses(stage), key=str) == (
        both if scope == "organization" else [("active", None), ("stopped", "answered")]
    )


def test_a_sequence_may_say_otherwise_than_its_organization(stage: Stage, box: UUID) -> None:
    sequence = enrolled(stage, box)
    second(stage, box)
    stage.put(Sequence, sequence, stop_scope="organization")
    answers(stage, box, people(stage)[0])
    stage.read(box)
    assert statuses(stage) == [("stopped", "answered")] * 2


@pytest.mark.row("E3", "N4")
def test_a_person_away_is_away_for_every_sequence_and_goes_on_afterwards(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    second(stage, box)
    answers(
        stage,
        box,
        people(stage)[0],
        subject="Automatic reply: A role at Acme",
        text="I am out of the office.",
        kind="auto_reply",
        headers=MACHINE,
    )
    stage.read(box)
    assert go_on(stage, box, 3 * HOUR) == 1
    assert {each.split(" until ")[0] for each in titles(stage)} == {"Cand0 is away"}
    assert statuses(stage) == [("active", None)] * 2
    assert go_on(stage, box, 9 * DAY) == 3


def test_an_absence_is_taken_back_at_once(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0], subject="Automatic reply: A role", text="Away.", headers=MACHINE)
    stage.read(box)
    assert go_on(stage, box, 2 * HOUR) == 1
    take_back(stage, "She is here")
    assert go_on(stage, box, HOUR) == 2


@pytest.mark.row("N5")
def test_who_left_the_company_has_neither_answered_nor_is_away(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    gone = "I no longer work at Kestrel. Please write to my colleague."
    answers(stage, box, people(stage)[0], text=gone, subject="Automatic reply: Hi", headers=MACHINE)
    stage.read(box)
    assert statuses(stage) == [("stopped", "left_company")]
    assert stage.only(Candidate).away_until is None
    assert not any("answered" in each for each in titles(stage))


@pytest.mark.row("E4")
def test_a_hard_bounce_suppresses_the_address_and_nobody_else(stage: Stage, box: UUID) -> None:
    enrolled(stage, box, 2)
    first, _ = people(stage)
    bounce(stage, box, first, "5.1.1")
    stage.read(box)
    assert statuses(stage) == [("stopped", "bounced"), ("active", None)]
    assert [(each.value, each.reason) for each in stage.all(Suppression)] == [(first, "bounced")]
    assert titles(stage) == {"The email to Cand0 came back"}


@pytest.mark.row("E4")
def test_soft_bounces_wait_longer_each_time_and_then_end(stage: Stage, box: UUID) -> None:
    enrolled(stage, box, delays=("PT0S", "PT1M"))
    (address,) = people(stage)
    for hours in (1, 4, 24):
        bounce(stage, box, address, "4.2.2")
        stage.read(box)
        wait = stage.only(Delivery, state="pending").due_at - ago()
        assert abs(wait - timedelta(hours=hours)) < timedelta(minutes=2), hours
        assert statuses(stage) == [("active", None)]
        stage.put(Delivery, where={"state": "pending"}, due_at=ago())
    bounce(stage, box, address, "4.2.2")
    stage.read(box)
    assert statuses(stage) == [("stopped", "bounced")]
    assert stage.count(Suppression) == 0


def test_a_bounce_about_the_sender_holds_the_mailbox_and_no_candidate(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    bounce(stage, box, people(stage)[0], "5.7.705")
    stage.read(box)
    assert stage.only(IncomingMessage).bounce_class == "sender"
    assert statuses(stage) == [("active", None)]
    assert stage.only(Lane, box).wait_reason == "sending_limit_reached"
    assert titles(stage) == {f"Microsoft refuses emails from {stage.address(box)}"}


@pytest.mark.row("N16")
def test_an_opt_out_in_words_holds_the_person_until_somebody_decides(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    second(stage, box)
    answers(stage, box, people(stage)[0], text="Please remove me from your list.")
    stage.read(box)
    assert statuses(stage) == [("paused", "opt_out_proposed")] * 2
    assert titles(stage) == {"Does Cand0 want no more emails?"}
    assert go_on(stage, box, 3 * DAY) == 1
    opt_outs.confirm(stage.runtime, stage.world.organization_id, message(stage), actor="Rita Recruiter")
    assert statuses(stage) == [("stopped", "opted_out")] * 2
    entry = stage.only(Suppression)
    assert (entry.reason, entry.created_by) == ("opt_out", "Rita Recruiter")
    with pytest.raises(NotPermitted, match="lift the suppression"):
        take_back(stage)


def test_a_proposed_opt_out_that_is_none_lets_the_person_go_on(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0], text="Please remove me from your list.")
    stage.read(box)
    assert take_back(stage, "She means another list") == 1
    assert statuses(stage) == [("active", None)]
    assert go_on(stage, box, 2 * HOUR) == 2


def test_an_opt_out_by_the_address_of_its_email_is_certain(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    (email,) = stage.left()
    subject = email.headers["List-Unsubscribe"].partition("?subject=")[2].rstrip(">").replace("%20", " ")
    stage.emulator.control.incoming(
        stage.address(box), kind="reply", sender="alias@elsewhere.example", subject=subject, text=""
    )
    stage.read(box)
    assert statuses(stage) == [("stopped", "opted_out")]
    assert stage.only(Suppression).reason == "opt_out"
    kept = stage.only(IncomingMessage)
    assert (kept.subject, kept.why) == (
        "opt-out",
        "It asks for no more email: “opt-out”.",
    )  # no token on pages
    with pytest.raises(NotPermitted, match="leaves no doubt"):
        take_back(stage)


def test_the_opt_out_of_a_deleted_email_is_good_for_ever(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    (email,) = stage.left()
    subject = email.headers["List-Unsubscribe"].partition("?subject=")[2].rstrip(">").replace("%20", " ")
    stage.purge(Delivery, state="sent")
    stage.emulator.control.incoming(
        stage.address(box), kind="reply", sender="alias@elsewhere.example", subject=subject, text=""
    )
    stage.read(box)
    assert statuses(stage) == [("stopped", "opted_out")]


def test_an_answer_that_was_none_goes_on_where_it_stood_without_a_burst(stage: Stage, box: UUID) -> None:
    enrolled(stage, box, delays=("PT0S", "PT1H", "PT1H"))
    answers(stage, box, people(stage)[0])
    stage.read(box)
    stage.later(3 * DAY)
    assert take_back(stage) == 1
    assert statuses(stage) == [("active", None)]
    stage.read(box)
    stage.send_due()
    assert len(stage.left()) <= 2
    assert go_on(stage, box, 2 * HOUR) >= 2
    assert [each.body.split(", ")[1].split(".")[0] for each in stage.left()][:2] == [
        "this is step 1",
        "this is step 2",
    ]
    audited = stage.only(AuditEntry, action="message_overruled")
    assert (audited.actor_name, audited.data["reason"]) == ("Rita Recruiter", "It was a colleague")
    assert take_back(stage) is None


def test_another_answer_keeps_the_person_ended(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    for n in range(2):
        answers(stage, box, people(stage)[0], text=f"Number {n}")
        stage.read(box)
    assert take_back(stage) == 0
    assert statuses(stage) == [("stopped", "answered")]


def test_a_sequence_that_is_paused_keeps_the_person_waiting(stage: Stage, box: UUID) -> None:
    sequence = enrolled(stage, box)
    answers(stage, box, people(stage)[0])
    stage.read(box)
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita Recruiter", reason="x")
    take_back(stage)
    assert statuses(stage)[0][0] in ("paused", "active")
    assert go_on(stage, box, 3 * DAY) == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_needed(stage: Stage, box: UUID, reason: str) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0])
    stage.read(box)
    with pytest.raises(InvalidInput):
        take_back(stage, reason)
    assert statuses(stage) == [("stopped", "answered")]


def test_a_message_of_another_organization_cannot_be_overruled(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0])
    stage.read(box)
    other = World(stage.world.database).organization_id
    with pytest.raises(NotFound):
        overrule.overrule(stage.runtime, other, message(stage), actor="x", reason="mine")


def test_what_had_passed_the_gate_is_recalled_and_named(stage: Stage, box: UUID) -> None:
    enrolled(stage, box)
    answers(stage, box, people(stage)[0])
    stage.overwrite(
        Delivery,
        where={"state": "pending"},
        state="in_doubt",
        send_started_at=ago(minutes=1),
        draft_id="gone",
        correlation_id="known",
        grace_until=ahead(minutes=10),
    )
    stage.read(box)
    assert len(stage.only(Withdrawal).in_doubt) == 1
    stage.run_outbox()
    assert stage.only(Delivery, state="in_doubt").recalled_draft == "gone"
    assert stage.only(Errand).kind == "recall_draft"


def test_a_bounce_about_the_sender_that_names_no_email_of_ours_holds_no_mailbox(
    stage: Stage, box: UUID
) -> None:
    """Anybody can write one."""
    enrolled(stage, box)
    person, back = people(stage)[0], stage.address(box)
    raw = (
        f"From: postmaster@evil.example\nTo: {back}\nSubject: Undeliverable\nMessage-ID: <r@evil.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\nBlocked.\n--b\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.evil.example\n\n"
        f"Final-Recipient: rfc822; {person}\nAction: failed\nStatus: 5.7.708\n\n--b--\n"
    )
    stage.emulator.control.incoming(back, raw=raw)
    stage.read(box)
    assert stage.only(Lane).retry_after_until is None
    assert stage.only(IncomingMessage).kind == "unclear"
    assert stage.only(Candidate).unclear_until is not None
