"""What each withdrawal stops, answers, erases and leaves alone."""

import itertools
import threading
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest

from actions import grants, members, resume, withdraw
from db.core.session import database_now
from db.sending.enrollments import enroll_many
from db.withdrawing import withdrawals
from domain.errands import ErrandKind
from domain.errors import NotFound, NotPermitted
from domain.withdrawal import Action
from lab.access_records import Credentials, Grant, Member
from lab.records import Candidate, Delivery, Enrollment, Pause, Sequence
from lab.stage import Stage
from workers import send_step


class Office:
    """Hans lets Rita send from his mailbox; Rita has a sequence of two steps with four people."""

    def __init__(self, stage: Stage) -> None:
        world = stage.world
        self.hans, self.rita = world.member("Hans Holder"), world.member()
        self.box = stage.mailbox(self.hans)
        self.grant = world.grant(self.box, self.rita)
        self.sequence = world.sequence(self.rita, self.box, ("PT0S", "PT1H"))
        self.people = world.enroll(self.sequence, 4)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_revoking_answers_what_it_stopped_and_what_had_left(stage: Stage, office: Office) -> None:
    for job in stage.due()[:2]:
        send_step.send(stage.runtime, job)
    answer = withdraw.revoke_grant(stage.runtime, office.grant, actor="hans")
    assert (answer.stopped, answer.already_sent, list(answer.in_doubt)) == (4, 2, [])
    assert answer.last_left_at is not None
    assert answer.complete


@pytest.mark.row("M20", "M21", "M31")
def test_after_revoking_the_owner_reads_why_and_nothing_leaves(stage: Stage, office: Office) -> None:
    jobs = stage.due()
    withdraw.revoke_grant(stage.runtime, office.grant, actor="Hans Holder")
    for job in jobs:
        send_step.send(stage.runtime, job)
    stage.run_outbox()
    stage.send_due()
    assert stage.left() == []
    (mail,) = stage.left("smtp")
    assert "Hans Holder ended the permission of" in mail.body
    assert "4 people" in mail.body
    assert mail.to == [stage.only(Member, office.rita).email]
    assert stage.only(Sequence).status == "paused"


@pytest.mark.row("M16")
def test_revoking_twice_is_revoking_once(stage: Stage, office: Office) -> None:
    for _ in range(2):
        withdraw.revoke_grant(stage.runtime, office.grant, actor="hans")
    stage.run_outbox()
    assert stage.count(Pause) == 1
    assert [each.owner_id for each in stage.notices()].count(office.rita) == 2


def test_revoking_a_personal_grant_touches_nobody_who_may_send_as_everyone(
    stage: Stage, office: Office
) -> None:
    stage.world.grant(office.box, None)
    answer = withdraw.revoke_grant(stage.runtime, office.grant, actor="hans")
    stage.run_outbox()
    assert answer.stopped == 0
    assert stage.send_due() == 4
    assert stage.only(Sequence).status == "active"


@pytest.mark.row("M15", "M18")
def test_a_grant_to_everyone_covers_later_joiners_and_ends_for_a_deactivated_member(
    stage: Stage,
) -> None:
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    stage.world.grant(box, None)
    late = stage.world.member("Lara Late")
    stage.world.enroll(stage.world.sequence(late, box), 1)
    assert stage.send_due() == 1
    assert len(stage.left()) == 1
    stage.world.enroll(stage.world.sequence(late, box), 1)
    jobs = stage.due()
    withdraw.deactivate_member(stage.runtime, late, actor="hans")
    for job in jobs:
        send_step.send(stage.runtime, job)
    assert len(stage.left()) == 1


@pytest.mark.row("M23", "M24", "M25", "M26")
def test_disconnecting_erases_tokens_archives_grants_and_deletes_nothing_else(
    stage: Stage, office: Office
) -> None:
    stage.send_due()
    kept = (Sequence, Candidate, Enrollment)
    before = [stage.count(kind) for kind in kept]
    withdraw.disconnect_mailbox(stage.runtime, office.box, actor="hans")
    credentials = stage.only(Credentials)
    assert (credentials.access_token, credentials.refresh_token) == (None, None)
    assert stage.only(Grant).archived_reason == "mailbox_disconnected"
    assert [stage.count(kind) for kind in kept] == before
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"


def test_disconnecting_takes_prepared_drafts_out_of_the_mailbox(stage: Stage, office: Office) -> None:
    stage.emulator.control.fault(
        "POST /me/messages/{id}/send", status=403, value={"error": {"code": "ErrorItemSave"}}
    )
    (job, *_) = stage.due()
    send_step.send(stage.runtime, job)
    address = stage.address(office.box)
    if stage.emulator.control.messages(address):
        withdraw.disconnect_mailbox(stage.runtime, office.box, actor="hans")
        assert stage.emulator.control.messages(address) == []


def test_a_send_whose_answer_never_came_is_named_unknown_and_never_sent_again(
    stage: Stage, office: Office
) -> None:
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="after", reset=True)
    (job, *_) = stage.due()
    send_step.send(stage.runtime, job)
    answer = withdraw.revoke_grant(stage.runtime, office.grant, actor="hans")
    assert list(answer.in_doubt) == [job.delivery_id]
    for _ in range(30):
        stage.later(60)
        stage.send_due()
        stage.look()
    assert len(stage.left()) == 1
    assert stage.only(Delivery, job.delivery_id).state == "sent"


def test_a_worker_that_died_in_the_middle_of_a_send_is_waited_for_no_longer_than_45_seconds(
    stage: Stage, office: Office
) -> None:
    (job, *_) = stage.due()
    stage.emulator.control.fault("POST /me/messages/{id}/send", hang=4)
    sender = threading.Thread(target=send_step.send, args=(stage.runtime, job))
    sender.start()
    while stage.world.states().get("sending") != 1:
        pass
    answer = withdraw.disconnect_mailbox(stage.runtime, office.box, actor="hans")
    sender.join()
    assert answer.seconds < 45
    assert list(answer.in_doubt) == [job.delivery_id]
    assert stage.left() == []
    # The drain took the draft away, so a late request would have found nothing to send.
    assert stage.emulator.control.messages(stage.address(office.box)) == []


def test_a_provider_that_does_not_answer_a_recall_delays_no_answer(stage: Stage, office: Office) -> None:
    jobs = stage.due()[:2]
    stage.emulator.control.fault("POST /me/messages/{id}/send", hang=12, times=2)
    stage.emulator.control.fault("GET /me/messages/{id}", hang=12, times=9)
    senders = [threading.Thread(target=send_step.send, args=(stage.runtime, job)) for job in jobs]
    for sender in senders:
        sender.start()
    while stage.world.states().get("sending") != 2:
        pass
    answer = withdraw.carry_out(
        stage.runtime,
        "hans",
        Action.REMOVE_MAILBOX,
        office.box,
        lambda tx: [withdrawals.disconnect_mailbox(tx, office.box, actor="hans")],
        within=timedelta(seconds=9),  # five of them are kept for the answer
    )
    assert answer.seconds < 6
    assert set(answer.in_doubt) == {job.delivery_id for job in jobs}
    for thread in threading.enumerate():
        if thread in senders or thread.name == ErrandKind.RECALL_DRAFT:
            thread.join()
    assert stage.left() == []


def test_deactivating_a_member_stops_their_sequences_and_their_mailbox_and_tells_an_admin(
    stage: Stage, office: Office
) -> None:
    ada = stage.world.member("Ada Admin", role="owner")
    withdraw.deactivate_member(stage.runtime, office.rita, actor="ada")
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"
    assert {each.owner_id for each in stage.notices()} == {ada}
    members.reactivate_member(stage.runtime, office.rita, actor="ada")
    assert stage.only(Grant).archived_reason == "member_deactivated"


@pytest.mark.row("M27")
def test_pausing_and_resuming_a_sequence_sends_every_step_once(stage: Stage, office: Office) -> None:
    stage.send_due()
    answer = withdraw.pause_sequence(stage.runtime, office.sequence, actor="rita", reason="holiday")
    assert answer.stopped == 4
    stage.run_outbox()
    stage.later(3 * 3600)
    assert stage.send_due() == 0
    preview = resume.preview_resume(stage.runtime, office.sequence)
    assert len(preview.planned) == 4
    assert stage.only(Sequence).status == "paused"
    resume.resume_sequence(stage.runtime, office.sequence, actor="rita")
    stage.later(3600 + 60)
    stage.send_due()
    stage.later(60)
    stage.send_due()
    bodies = [entry.body for entry in stage.left()]
    assert len(bodies) == len(set(zip(bodies, (tuple(e.to) for e in stage.left()), strict=True))) == 8
    assert stage.count(Enrollment, status="finished") == 4


def test_resuming_never_bursts(stage: Stage, office: Office) -> None:
    stage.world.enroll(office.sequence, 60)
    withdraw.pause_sequence(stage.runtime, office.sequence, actor="rita", reason="holiday")
    stage.run_outbox()
    planned = resume.resume_sequence(stage.runtime, office.sequence, actor="rita").planned
    times = sorted(each.send_at for each in planned if each.send_at is not None)
    assert len(times) == 64
    assert all(later - earlier >= timedelta(seconds=2) for earlier, later in itertools.pairwise(times))


def test_what_is_too_late_can_be_left_out_and_the_person_goes_on(stage: Stage, office: Office) -> None:
    withdraw.pause_sequence(stage.runtime, office.sequence, actor="rita", reason="holiday")
    stage.run_outbox()
    stage.later(3 * 86400)
    resume.resume_sequence(stage.runtime, office.sequence, actor="rita", skip_older_than=timedelta(days=2))
    assert Counter(each.standing for each in stage.all(Delivery)) == {
        ("closed", "stale_at_resume"): 4,
        ("pending", None): 4,
    }


def test_resuming_without_permission_is_refused_and_says_whom_to_ask(stage: Stage, office: Office) -> None:
    withdraw.revoke_grant(stage.runtime, office.grant, actor="hans")
    stage.run_outbox()
    with pytest.raises(NotPermitted, match="has no permission to send from"):
        resume.resume_sequence(stage.runtime, office.sequence, actor="rita")
    grants.give_grant(
        stage.runtime,
        mailbox_id=office.box,
        mailbox_owner_id=office.hans,
        grantee_id=office.rita,
        actor="hans",
    )
    resume.resume_sequence(stage.runtime, office.sequence, actor="rita")


def test_archiving_cancels_what_was_to_come(stage: Stage, office: Office) -> None:
    withdraw.archive_sequence(stage.runtime, office.sequence, actor="rita", reason="filled")
    assert stage.world.states() == {"closed": 4}
    assert stage.send_due() == 0


def test_stopping_one_person_leaves_the_others(stage: Stage, office: Office) -> None:
    answer = withdraw.stop_enrollment(stage.runtime, office.people[0], actor="rita", reason="replied")
    assert answer.stopped == 1
    assert stage.send_due() == 3


def test_pausing_one_person_and_resuming_them(stage: Stage, office: Office) -> None:
    withdraw.pause_enrollment(stage.runtime, office.people[0], actor="rita", reason="on leave")
    assert stage.send_due() == 3
    resume.resume_enrollment(stage.runtime, office.people[0], actor="rita")
    stage.later(5)
    assert stage.send_due() == 1


def test_somebody_who_unsubscribed_is_written_to_by_no_sequence_again(stage: Stage, office: Office) -> None:
    other = stage.world.sequence(office.rita, office.box)
    candidate = stage.only(Enrollment, office.people[0]).candidate_id
    withdraw.suppress_candidate(stage.runtime, candidate, actor="rita", reason="unsubscribed")
    with stage.world.database.transaction() as tx:
        enroll_many(tx, other, [candidate], database_now(tx))
    stage.send_due()
    assert len(stage.left()) == 3
    assert stage.only(Delivery, sequence_id=other).standing == ("closed", "opt_out")


def test_withdrawing_what_does_not_exist_says_so(stage: Stage) -> None:
    for call in (withdraw.revoke_grant, withdraw.disconnect_mailbox, withdraw.deactivate_member):
        with pytest.raises(NotFound):
            call(stage.runtime, UUID(int=1), actor="x")


def test_resuming_before_the_pause_has_spread_is_a_plan_like_any_other_and_stands(
    stage: Stage, office: Office
) -> None:
    withdraw.pause_sequence(stage.runtime, office.sequence, actor="rita", reason="holiday")
    waiting = stage.count(Delivery, state="pending")
    assert len(resume.resume_sequence(stage.runtime, office.sequence, actor="rita").planned) == waiting
    stage.run_outbox()
    assert stage.only(Sequence).status == "active"
    assert stage.count(Delivery, held=True) == 0
    assert stage.notices() == []
