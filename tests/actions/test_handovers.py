"""A sequence is handed over: asked, accepted, at once, after a leaver; and while emails are on their way. Judged by the ledger."""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from actions import handovers, resume, review, withdraw
from actions import why as explained
from commands.words import at_utc
from db.sequences import candidates
from db.views import people
from db.views.messages import Viewer
from db.withdrawing import handing_over
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.hand_edits import Overtaken
from domain.handover import Middle, TakeOver
from domain.withdrawal import WithdrawalResult
from lab.access_records import Lane, Member
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, HandoverRequest, Receipt, Sequence
from lab.stage import Stage
from lab.tables import PRESENT, ago
from workers import send_step


class Office:
    """Theo writes to two people in two steps from his mailbox. Rita has a mailbox of her own."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        world = stage.world
        self.theo, self.rita = world.member("Theo Marsh"), world.member("Rita Recruiter")
        self.ada = world.member("Ada Novak", role="admin")
        self.theos, self.ritas = stage.mailbox(self.theo), stage.mailbox(self.rita)
        self.sequence = world.sequence(self.theo, self.theos, ("PT0S", "P1D"))
        self.people = world.enroll(self.sequence, 2)

    def ask(self) -> UUID:
        return handovers.ask(
            self.stage.runtime,
            self.sequence,
            self.rita,
            words="From May on",
            by=self.theo,
            actor="Theo Marsh",
        )

    def accept(self, wanted: TakeOver | None = None, request: UUID | None = None) -> WithdrawalResult:
        return handovers.accept(
            self.stage.runtime,
            request or self.ask(),
            wanted or TakeOver(self.ritas),
            owner_id=self.rita,
            actor="Rita Recruiter",
        )

    def resume(self) -> None:
        resume.resume_sequence(self.stage.runtime, self.sequence, actor="Rita Recruiter")

    def days(self, days: float = 1.1) -> None:
        self.stage.later(days * 86400)
        self.stage.send_due()

    def senders(self) -> list[str]:
        """Whose mailbox each email left, in order."""
        names = {self.stage.address(self.theos): "theo", self.stage.address(self.ritas): "rita"}
        return [names[entry.mailbox] for entry in self.stage.left()]

    def why(self, enrollment_id: UUID) -> str:
        with self.stage.world.database.transaction() as tx:
            (answer,) = explained.answers(tx, [enrollment_id], at_utc)
        return answer.whole.text

    def present(self) -> tuple[UUID, UUID, str]:
        found = self.stage.only(Sequence, self.sequence)
        return found.owner_id, found.mailbox_id, found.status


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_whoever_takes_over_accepts_and_their_next_email_starts_a_new_thread_that_says_so(
    stage: Stage, office: Office
) -> None:
    stage.send_due()
    office.accept()
    assert office.present() == (office.rita, office.ritas, "paused")
    office.days()
    assert office.senders() == ["theo", "theo"]  # nothing leaves before she resumes
    office.resume()
    office.days()
    assert office.senders() == ["theo", "theo", "rita", "rita"]
    first, last = stage.left()[0], stage.left()[-1]
    assert last.subject == "A role at Acme"
    assert last.conversation_id != first.conversation_id
    assert "I am taking over from Theo Marsh, who wrote to you before.<" in last.body
    assert last.body.index("taking over") < last.body.index("this is step 2")


def test_receipts_name_who_has_it_from_whom(stage: Stage, office: Office) -> None:
    stage.send_due()
    office.accept()
    office.resume()
    office.days()
    receipts = sorted(stage.all(Receipt), key=lambda each: each.accepted_at)
    before, after = receipts[0].detail("hand-over"), receipts[-1].detail("hand-over")
    assert before is None
    assert after is not None
    for each in (office.theo, office.rita):
        assert stage.only(Member, each).email in after
    for box in (office.theos, office.ritas):
        assert stage.address(box) in after
    assert "by Rita Recruiter" in after


def test_the_new_owner_is_asked_and_both_are_told(stage: Stage, office: Office) -> None:
    request = office.ask()
    stage.run_outbox()
    (asked,) = stage.notices(owner_id=office.rita, channel="in_app")
    assert asked.title.startswith("Theo Marsh asks you to take over Sequence")
    assert "From May on" in asked.body
    assert office.present() == (office.theo, office.theos, "active")
    office.accept(request=request)
    stage.run_outbox()
    assert "has a new owner or sender" in stage.notices(owner_id=office.theo, channel="in_app")[-1].title
    assert [
        each.action for each in stage.all(AuditEntry) if each.action.endswith(("asked", "handed_over"))
    ] == [
        "handover_asked",
        "sequence_handed_over",
    ]
    assert stage.only(HandoverRequest).status == "accepted"


def test_people_in_the_middle_can_wait_while_new_ones_start(stage: Stage, office: Office) -> None:
    stage.send_due()
    stage.world.enroll(office.sequence, 1)
    office.accept(TakeOver(office.ritas, Middle.WAIT))
    office.resume()
    office.days()
    assert office.senders() == ["theo", "theo", "rita"]
    assert Counter(each.status for each in stage.all(Enrollment)) == {"paused": 2, "active": 1}
    resume.resume_enrollment(stage.runtime, office.people[0], actor="Rita Recruiter")
    office.days()
    assert office.senders().count("rita") == 3  # their second step, and the new one's


def test_a_first_email_introduces_nobody(stage: Stage, office: Office) -> None:
    office.accept()
    office.resume()
    office.days(0.01)
    assert office.senders() == ["rita", "rita"]
    assert not any("taking over" in each.body for each in stage.left())


@pytest.mark.parametrize("introduction", ["", "Theo has moved on & I write now."])
def test_the_words_are_chosen(stage: Stage, office: Office, introduction: str) -> None:
    stage.send_due()
    office.accept(TakeOver(office.ritas, introduction=introduction))
    office.resume()
    office.days()
    body = stage.left()[-1].body
    assert "taking over" not in body
    assert ("moved on &amp; I write now" in body) is bool(introduction)


@pytest.mark.parametrize("words", ["Hi {{first_name}}", "<b>Hi</b>", "x" * 301, "a\u202eb"])
def test_an_introduction_is_plain_words(stage: Stage, office: Office, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        office.accept(TakeOver(office.ritas, introduction=words))
    assert refused.value.where == "introduction"
    assert office.present() == (office.theo, office.theos, "active")
    assert stage.only(HandoverRequest).status == "open"


def test_nobody_else_answers_and_a_refusal_changes_nothing(stage: Stage, office: Office) -> None:
    request = office.ask()
    with pytest.raises(NotFound):
        handovers.accept(
            stage.runtime, request, TakeOver(office.theos), owner_id=office.theo, actor="Theo Marsh"
        )
    handovers.decline(stage.runtime, request, owner_id=office.rita, actor="Rita Recruiter")
    with pytest.raises(NotPermitted, match="answered already"):
        office.accept(request=request)
    stage.run_outbox()
    (told,) = stage.notices(owner_id=office.theo, channel="in_app")
    assert told.title.startswith("Rita Recruiter declined to take over Sequence")
    assert office.present() == (office.theo, office.theos, "active")
    assert stage.send_due() == 2


def test_one_is_asked_at_a_time(stage: Stage, office: Office) -> None:
    request = office.ask()
    assert office.ask() == request
    with pytest.raises(NotPermitted, match="Rita Recruiter is asked already"):
        handovers.ask(
            stage.runtime, office.sequence, office.ada, words="", by=office.theo, actor="Theo Marsh"
        )
    handovers.cancel(stage.runtime, request, actor="Theo Marsh")
    assert handovers.ask(
        stage.runtime, office.sequence, office.ada, words="", by=office.theo, actor="Theo Marsh"
    )


def test_what_was_asked_is_over_once_it_has_another_owner(stage: Stage, office: Office) -> None:
    request = office.ask()
    handovers.hand_over(
        stage.runtime, office.sequence, office.ada, TakeOver(None), by=office.ada, actor="Ada Novak"
    )
    with pytest.raises(NotPermitted, match="answered already"):
        office.accept(request=request)
    assert stage.only(HandoverRequest).status == "cancelled"


def test_nobody_takes_over_in_anothers_name(stage: Stage, office: Office) -> None:
    for by in (office.theo, office.ada, None):
        with pytest.raises(NotPermitted, match="has to accept"):
            handovers.hand_over(
                stage.runtime, office.sequence, office.rita, TakeOver(office.ritas), by=by, actor="Somebody"
            )
    assert office.present() == (office.theo, office.theos, "active")


def test_a_mailbox_that_they_may_not_use_is_refused(stage: Stage, office: Office) -> None:
    adas = stage.mailbox(office.ada)
    with pytest.raises(NotPermitted, match="may not send"):
        office.accept(TakeOver(adas))
    assert office.present() == (office.theo, office.theos, "active")
    stage.world.grant(adas, office.rita)
    office.accept(TakeOver(adas), stage.only(HandoverRequest).id)
    assert office.present() == (office.rita, adas, "paused")


def test_without_another_sender_it_stays_paused_until_there_is_one(stage: Stage, office: Office) -> None:
    office.accept(TakeOver(None))
    assert office.present() == (office.rita, office.theos, "paused")
    with pytest.raises(NotPermitted, match="no permission"):
        office.resume()
    handovers.hand_over(
        stage.runtime, office.sequence, office.rita, TakeOver(office.ritas), by=office.rita, actor="Rita"
    )
    office.resume()
    office.days(0.01)
    assert office.senders() == ["rita", "rita"]


def test_the_owner_changes_the_sender_alone(stage: Stage, office: Office) -> None:
    stage.world.grant(office.ritas, office.theo)
    stage.send_due()
    handovers.hand_over(
        stage.runtime,
        office.sequence,
        office.theo,
        TakeOver(office.ritas),
        by=office.theo,
        actor="Theo Marsh",
    )
    assert office.present() == (office.theo, office.ritas, "paused")
    office.resume()
    office.days()
    assert office.senders() == ["theo", "theo", "rita", "rita"]


def test_a_draft_stays_one_and_an_archived_sequence_is_left_alone(stage: Stage, office: Office) -> None:
    withdraw.deactivate_sequence(stage.runtime, office.sequence, actor="Theo", reason="not yet")
    office.accept()
    assert office.present() == (office.rita, office.ritas, "draft")
    withdraw.archive_sequence(stage.runtime, office.sequence, actor="Rita", reason="over")
    with pytest.raises(NotPermitted, match="is archived"):
        handovers.ask(stage.runtime, office.sequence, office.theo, words="", by=office.rita, actor="Rita")


def test_what_was_decided_on_an_earlier_state_is_refused(stage: Stage, office: Office) -> None:
    with stage.world.database.transaction() as tx:
        version = handing_over.ownership(tx, office.sequence).version
    handovers.hand_over(
        stage.runtime,
        office.sequence,
        office.ada,
        TakeOver(None),
        by=office.ada,
        actor="Ada",
        version=version,
    )
    with pytest.raises(Overtaken):
        handovers.hand_over(
            stage.runtime, office.sequence, office.rita, TakeOver(None), by=office.rita, actor="Rita", version=version
        )  # fmt: skip
    assert office.present()[0] == office.ada


def test_a_preview_says_who_is_in_the_middle_and_changes_nothing(stage: Stage, office: Office) -> None:
    stage.send_due()
    stage.world.enroll(office.sequence, 1)
    withdraw.pause_enrollment(stage.runtime, office.people[0], actor="Theo", reason="asked")
    before = office.present()
    with stage.world.database.transaction() as tx:
        found = handovers.preview(tx, office.sequence, office.rita, office.ritas)
        kept = handovers.preview(tx, office.sequence, office.rita, None)
    assert (found.means.fresh, found.means.middle, found.means.same, found.means.held) == (1, 2, 0, 1)
    assert len(found.names) == 2
    assert (found.problem, found.moves) == ("", True)
    assert "has no permission" in kept.problem
    assert (kept.means.middle, kept.means.same) == (0, 2)
    assert office.present() == before


def test_of_two_who_accept_at_once_one_does(stage: Stage, office: Office) -> None:
    request = office.ask()
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(office.accept, None, request) for _ in range(2)]
    assert [type(each.exception()) for each in asked if each.exception()] == [NotPermitted]
    assert stage.count(AuditEntry, action="sequence_handed_over") == 1


def test_an_email_that_is_drafted_meanwhile_leaves_from_the_new_sender_once(
    stage: Stage, office: Office
) -> None:
    jobs = stage.due()
    claims = [claim for job in jobs if (claim := send_step.take(stage.runtime, job)) is not None]
    assert len(claims) == 2
    answer = office.accept()
    for each in claims:
        send_step.submit(stage.runtime, each)
    assert (answer.stopped, answer.already_sent, answer.complete) == (2, 0, True)
    assert stage.left() == []
    office.resume()
    office.days(0.01)
    assert office.senders() == ["rita", "rita"]


def test_it_waits_for_an_email_on_its_way_and_counts_it(stage: Stage, office: Office) -> None:
    stage.emulator.control.fault(
        "POST /me/messages/{id}/send", mailbox=stage.address(office.theos), when="before", delay=2.0
    )
    job, other = stage.due()
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send_step.send, stage.runtime, job)
        while not stage.count(Delivery, state="sending"):
            time.sleep(0.01)
        answer = office.accept()
        sending.result()
    send_step.send(stage.runtime, other)  # refused, and waits
    assert (answer.already_sent, answer.complete) == (1, True)
    office.resume()
    office.days(0.01)
    assert office.senders() == ["theo", "rita"]


@pytest.mark.parametrize("status", [429, 503])
def test_an_email_that_was_refused_meanwhile_never_leaves_from_the_former_mailbox(
    stage: Stage, office: Office, status: int
) -> None:
    stage.attend()
    address = stage.address(office.theos)
    stage.emulator.control.fault(
        "POST /me/messages/{id}/send", mailbox=address, when="before", delay=2.0, status=status
    )
    job, other = stage.due()
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(send_step.send, stage.runtime, job)
        while not stage.count(Delivery, state="sending"):
            time.sleep(0.01)
        office.accept()
        sending.result()
    send_step.send(stage.runtime, other)
    for _ in range(3):
        stage.later(900)
        stage.look()
    office.resume()
    office.days(0.1)
    assert set(office.senders()) == {"rita"}
    first = [each.state for each in stage.all(Delivery) if each.correlation_id is not None]
    assert Counter(first) in ({"sent": 2}, {"sent": 1, "review": 1})


def test_what_is_still_at_the_former_mailbox_is_brought_along(stage: Stage, office: Office) -> None:
    office.accept()
    stage.put(Delivery, where={"sequence_id": office.sequence}, mailbox_id=office.theos)
    office.resume()
    stage.put(
        Delivery, where={"sequence_id": office.sequence}, mailbox_id=office.theos
    )  # after it was resumed, too
    stage.put(Lane, office.theos, next_due_at=ago(seconds=1))
    office.days(0.01)
    assert office.senders() == ["rita", "rita"]


def test_an_email_in_doubt_is_named_and_never_leaves_from_the_former_mailbox(
    stage: Stage, office: Office
) -> None:
    stage.attend()
    stage.emulator.control.fault(
        "POST /me/messages/{id}/send", mailbox=stage.address(office.theos), when="before", reset=True
    )
    job, other = stage.due()
    send_step.send(stage.runtime, job)
    (doubted,) = stage.all(Delivery, state="in_doubt")
    answer = office.accept()
    assert list(answer.in_doubt) == [doubted.id]
    send_step.send(stage.runtime, other)
    for _ in range(4):
        stage.later(900)
        stage.look()
    assert stage.only(Delivery, doubted.id).state == "review"
    said = office.why(
        doubted.enrollment_id
    )  # whoever looks in another mailbox finds nothing, and it leaves twice
    assert f"Sent Items of {stage.address(office.theos)}" in said
    assert stage.address(office.ritas) not in said
    office.resume()
    office.days(0.01)
    assert office.senders() == ["rita"]  # the other person's
    review.settle(stage.runtime, doubted.id, verdict="not_sent", actor="Rita", because="Theo looked")
    office.days(0.01)
    assert office.senders() == ["rita", "rita"]
    assert len({tuple(each.to) for each in stage.left()}) == 2


def test_an_email_that_has_not_left_drafts_is_looked_for_where_it_was_written(
    stage: Stage, office: Office
) -> None:
    stage.emulator.control.fault("POST /me/messages/{id}/send", stuck="kept", times=2)
    stage.send_due()
    stage.later(310)
    stage.check_drafts()
    office.accept()
    office.resume()
    said = office.why(office.people[0])
    assert f"from {stage.address(office.ritas)}" in said
    assert f"step 1, but it is still in Drafts of {stage.address(office.theos)}" in said


@pytest.mark.parametrize("seed", range(4))
def test_nothing_leaves_the_former_mailbox_after_the_answer_and_nothing_twice(
    stage: Stage, office: Office, seed: int
) -> None:
    chance = random.Random(seed)
    stage.attend()
    stage.world.enroll(office.sequence, 6)
    request = office.ask()
    for box in (office.theos, office.ritas):
        stage.emulator.control.switch(stage.address(box), latency=chance.choice([0.0, 0.01, 0.03]))
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            for job in stage.due():
                send_step.send(stage.runtime, job)
            time.sleep(0.002)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    time.sleep(chance.uniform(0, 0.2))
    office.accept(request=request)
    answered = office.senders().count("theo")
    office.resume()
    for _ in range(5):
        time.sleep(0.2)
        stage.later(60)
    over.set()
    for each in threads:
        each.join()
    assert office.senders().count("theo") == answered
    assert max(Counter(entry.correlation_id for entry in stage.left()).values()) == 1
    assert max(Counter(tuple(entry.to) for entry in stage.left()).values()) == 1
    assert stage.count(Delivery, correlation_id=PRESENT, mailbox_id=office.theos) == answered


def test_all_sequences_of_somebody_who_left_are_handed_over_together(stage: Stage, office: Office) -> None:
    other = stage.world.sequence(office.theo, office.theos, ("PT0S",))
    stage.world.enroll(other, 3)
    old = stage.world.sequence(office.theo, office.theos, status="archived")
    with pytest.raises(NotPermitted, match="is active"):
        handovers.hand_over_all(stage.runtime, office.theo, office.rita, TakeOver(office.ritas), actor="Ada")
    stage.attend()
    withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada Novak")
    stage.run_outbox()
    answer = handovers.hand_over_all(
        stage.runtime, office.theo, office.rita, TakeOver(office.ritas), actor="Ada Novak"
    )
    assert (answer.stopped, answer.complete) == (5, True)
    owners = {each.id: (each.owner_id, each.mailbox_id, each.status) for each in stage.all(Sequence)}
    assert owners[office.sequence] == owners[other] == (office.rita, office.ritas, "paused")
    assert owners[old][0] == office.theo
    with pytest.raises(NotPermitted, match="No sequence"):
        handovers.hand_over_all(stage.runtime, office.theo, office.rita, TakeOver(office.ritas), actor="Ada")
    resume.resume_together(stage.runtime, [office.sequence, other], actor="Rita Recruiter")
    for _ in range(2):
        office.days(0.02)
    assert office.senders() == ["rita"] * 5


def test_whom_a_leaver_brought_in_goes_along(stage: Stage, office: Office) -> None:
    organization_id = stage.world.organization_id
    addresses = [stage.only(Candidate, each).email for each in stage.world.candidates(2)]
    with stage.world.database.transaction() as tx:
        candidates.bring_in(tx, organization_id, office.theo, addresses)
        candidates.bring_in(tx, organization_id, office.rita, addresses[1:])
        assert people.whole(tx, Viewer(organization_id, office.rita), addresses) == {addresses[1]}
    withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada Novak")
    handovers.hand_over_all(
        stage.runtime, office.theo, office.rita, TakeOver(office.ritas), actor="Ada Novak"
    )
    with stage.world.database.transaction() as tx:
        assert people.whole(tx, Viewer(organization_id, office.rita), addresses) == {*addresses}


def test_all_or_none_of_a_leavers_sequences_are_handed_over(stage: Stage, office: Office) -> None:
    adas = stage.mailbox(office.ada)
    withdraw.deactivate_member(stage.runtime, office.theo, actor="Ada Novak")
    with pytest.raises(NotPermitted, match="may not send"):
        handovers.hand_over_all(stage.runtime, office.theo, office.rita, TakeOver(adas), actor="Ada Novak")
    assert office.present()[0] == office.theo
