"""Steps that a person does by hand: nothing leaves for them, the sequence waits for them, and a no makes them needless."""

from collections.abc import Callable, Sequence

import pytest

from actions import activation, approvals, planned, resume, steps, suppressions, tasks, why, withdraw
from db.core.ids import new_id
from db.sending import claims, gate
from db.views import attention
from db.views import tasks as lists
from domain import task
from domain.approval import StepKind
from domain.changes import Cancel, Earlier, NotBefore, Skip
from domain.errors import InvalidInput, NotPermitted
from domain.hand_edits import AddStep, ChangeStep, RemoveStep, words
from domain.moments import stated
from domain.preflight import Clear, Hold, preflight
from domain.suppression import Reason, entry
from domain.task import Outcome
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Step
from lab.stage import Stage
from lab.tables import ago, ahead
from workers import send_step

EMAIL, TASK = StepKind.AUTOMATIC, StepKind.TASK
CALL = "Call {{first_name}}\n\nAsk about {{company}}."


class Office:
    """Hans writes to Priya; some of his sequence's steps are tasks."""

    def __init__(self, stage: Stage, kinds: Sequence[StepKind] = (EMAIL, TASK, EMAIL)) -> None:
        self.stage = stage
        self.hans = stage.world.member("Hans Holder")
        self.box = stage.mailbox(self.hans)
        self.sequence = stage.world.sequence(
            self.hans, self.box, ("PT0S", *("P1D" for _ in kinds[1:])), body="Hello {{first_name}}, step {n}."
        )
        for step, kind in zip(self.steps(), kinds, strict=True):
            if kind is TASK:
                stage.put(Step, step.id, kind=kind.value, subject=None, body=CALL)
        (self.enrollment,) = stage.world.enroll(self.sequence, first_name="Priya", company="Kestrel")

    def steps(self) -> list[Step]:
        found = self.stage.all(Step, sequence_id=self.sequence)
        return sorted((each for each in found if each.retired_at is None), key=lambda each: each.position)

    @property
    def next(self) -> Delivery:
        return self.stage.only(Delivery, enrollment_id=self.enrollment, state="pending")

    def due(self) -> list[lists.Task]:
        with self.stage.database.transaction() as tx:
            organization = self.stage.world.organization_id
            found, _ = lists.OPEN.page(tx, organization, self.hans)
            assert attention.count(tx, organization, self.hans) == lists.OPEN.count(
                tx, organization, self.hans
            )
            return found

    def reach(self) -> lists.Task:
        """Send the first email, and let the task come due."""
        self.stage.send_due()
        self.stage.later(86400 + 60)
        (found,) = self.due()
        return found

    def settle(self, outcome: Outcome = Outcome.DONE) -> bool:
        return tasks.settle(self.stage.runtime, self.next.id, outcome, actor="Hans Holder")

    def why(self) -> str:
        with self.stage.database.transaction() as tx:
            (answer,) = why.answers(tx, [self.enrollment], lambda at, _: stated(at, "UTC", at))
        return answer.whole.text


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_it_shows_when_it_is_due_with_the_persons_fields_and_sends_nothing(
    stage: Stage, office: Office
) -> None:
    stage.send_due()
    assert office.due() == []
    assert (office.next.held, office.next.reason) == (True, task.WAITS)
    stage.later(86400 + 60)
    (found,) = office.due()
    assert (found.said.title, found.said.note) == ("Call Priya", "Ask about Kestrel.")
    assert stage.send_due() == 0
    assert len(stage.left()) == 1


@pytest.mark.parametrize("outcome", Outcome)
def test_the_next_step_counts_from_when_it_was_done_or_skipped(
    stage: Stage, office: Office, outcome: Outcome
) -> None:
    closed = office.reach().id
    stage.later(5 * 86400)
    assert stage.send_due() == 0
    assert office.settle(outcome)
    assert ahead(hours=23) < office.next.due_at < ahead(hours=25)
    assert stage.only(Delivery, closed).outcome == outcome
    assert len(stage.all(AuditEntry, action=f"task_{outcome}")) == 1
    stage.later(86400 + 60)
    stage.read(office.box)
    stage.send_due()
    assert "step 3" in stage.left()[-1].body


def test_a_repeated_click_settles_it_once_and_another_decision_comes_too_late(
    stage: Stage, office: Office
) -> None:
    found = office.reach().id
    assert office.settle()
    assert not tasks.settle(stage.runtime, found, Outcome.DONE, actor="Rita")
    with pytest.raises(NotPermitted, match="done already"):
        tasks.settle(stage.runtime, found, Outcome.SKIPPED, actor="Rita")
    assert len(stage.all(AuditEntry, action="task_done")) == 1


def test_an_email_is_no_task(stage: Stage, office: Office) -> None:
    with pytest.raises(NotPermitted, match="an email, not a task"):
        office.settle()


def test_a_sequence_that_ends_with_a_task_finishes_when_it_is_done(stage: Stage) -> None:
    office = Office(stage, (EMAIL, TASK))
    office.reach()
    assert stage.only(Enrollment).status == "active"
    office.settle()
    assert stage.only(Enrollment).status == "finished"


def test_a_sequence_can_begin_with_a_task(stage: Stage) -> None:
    office = Office(stage, (TASK, EMAIL))
    (found,) = office.due()
    assert found.said.title == "Call Priya"
    assert stage.send_due() == 0


def test_a_missing_field_is_named_and_holds_up_nobody(stage: Stage, office: Office) -> None:
    stage.put(Step, office.steps()[1].id, body="Call {{title}} at {{company|work}}")
    assert office.reach().said.title == "Call (title is missing) at Kestrel"


NOS: dict[str, Callable[[Office], object]] = {
    "suppressed": lambda office: withdraw.suppress_candidate(
        office.stage.runtime,
        office.stage.only(Enrollment, office.enrollment).candidate_id,
        actor="Hans Holder",
        reason="unsubscribed",
    ),
    "stopped": lambda office: withdraw.stop_enrollment(
        office.stage.runtime, office.enrollment, actor="Hans Holder", reason="by hand"
    ),
    "a sequence that is paused": lambda office: withdraw.pause_sequence(
        office.stage.runtime, office.sequence, actor="Hans Holder", reason="holidays"
    ),
    "a sequence that is archived": lambda office: withdraw.archive_sequence(
        office.stage.runtime, office.sequence, actor="Hans Holder", reason="over"
    ),
    "a person who is paused": lambda office: withdraw.pause_enrollment(
        office.stage.runtime, office.enrollment, actor="Hans Holder", reason="on leave"
    ),
}


@pytest.mark.parametrize("what", NOS)
def test_a_no_leaves_no_open_task(stage: Stage, office: Office, what: str) -> None:
    stage.attend()
    found = office.reach().id
    NOS[what](office)
    assert office.due() == []
    with pytest.raises(NotPermitted):
        tasks.settle(stage.runtime, found, Outcome.DONE, actor="Hans Holder")


def test_an_answer_leaves_no_open_task(stage: Stage, office: Office) -> None:
    found = office.reach().id
    (sent,) = stage.left()
    stage.emulator.control.incoming(
        stage.address(office.box),
        sender=stage.only(Candidate).email,
        subject=f"Re: {sent.subject}",
        text="Tell me more, please.",
        in_reply_to=sent.internet_message_id,
    )
    stage.read(office.box)
    assert office.due() == []
    assert stage.count(Delivery, state="pending") == 0
    with pytest.raises(NotPermitted, match="no longer needed"):
        tasks.settle(stage.runtime, found, Outcome.DONE, actor="Hans Holder")


def test_who_is_suppressed_by_domain_alone_has_no_open_task(stage: Stage, office: Office) -> None:
    found = office.reach()
    listed = entry(found.email.partition("@")[2], Reason.BY_HAND)
    suppressions.add(stage.runtime, stage.world.organization_id, [listed], actor="Rita")
    assert office.due() == []


def test_after_a_pause_it_is_open_again_and_nothing_leaves_for_it(stage: Stage, office: Office) -> None:
    found = office.reach().id
    withdraw.pause_sequence(stage.runtime, office.sequence, actor="Hans Holder", reason="holidays")
    stage.run_outbox()
    assert resume.preview_resume(stage.runtime, office.sequence).planned == []
    resume.resume_sequence(stage.runtime, office.sequence, actor="Hans Holder")
    assert [each.id for each in office.due()] == [found]
    withdraw.pause_enrollment(stage.runtime, office.enrollment, actor="Hans Holder", reason="on leave")
    resume.resume_enrollment(stage.runtime, office.enrollment, actor="Hans Holder")
    assert [each.id for each in office.due()] == [found]
    assert stage.send_due() == 0


def test_why_names_the_task_and_whose_it_is(stage: Stage, office: Office) -> None:
    stage.send_due()
    assert "Step 2 is a task of" in office.why()
    assert "Call Priya, planned for" in office.why()
    stage.later(86400 + 60)
    assert "Step 2 waits for a task of" in office.why()
    assert "Call Priya, since" in office.why()


@pytest.mark.parametrize("change", [Skip(), Cancel(), Earlier(), NotBefore(ahead(hours=5))])
def test_it_is_not_changed_as_an_email_is(stage: Stage, office: Office, change: object) -> None:
    found = office.reach().id
    with pytest.raises(NotPermitted, match="This is a task"):
        planned.change(stage.runtime, found, change, actor="Hans Holder")  # type: ignore[arg-type]
    with pytest.raises(NotPermitted, match="This is a task"):
        planned.edit(stage.runtime, found, subject="", body="Mine.", mark=None, actor="Rita")
    with pytest.raises(NotPermitted, match="needs no approval"):
        approvals.approve(stage.runtime, found, "x", actor="Hans Holder")


class TestEdits:
    """A sequence with tasks is edited while it runs."""

    def edit(self, office: Office, wanted: AddStep | ChangeStep | RemoveStep) -> list[str]:
        report = steps.preview(office.stage.runtime, office.sequence, wanted)
        steps.edit(office.stage.runtime, office.sequence, wanted, actor="Hans Holder")
        return report.sentences()

    def test_a_task_that_is_added_before_the_next_email_comes_first(self, stage: Stage) -> None:
        office = Office(stage, (EMAIL, EMAIL))
        stage.send_due()
        said = words("PT1H", None, "Connect on LinkedIn", TASK)
        (sentence,) = self.edit(office, AddStep(new_id(), 2, said))[:1]
        assert sentence == "Step 2 is new: 1 person gets it."
        stage.later(3700)
        assert [each.said.title for each in office.due()] == ["Connect on LinkedIn"]
        stage.later(3 * 86400)
        assert stage.send_due() == 0

    def test_who_waits_for_a_removed_task_goes_on(self, stage: Stage, office: Office) -> None:
        office.reach()
        step = office.steps()[1]
        self.edit(office, RemoveStep(step.id, step.version))
        assert office.due() == []
        assert not office.next.held
        stage.later(86400)
        stage.read(office.box)
        stage.send_due()
        assert "step 3" in stage.left()[-1].body

    def test_in_a_paused_sequence_a_removed_task_is_left_out_when_it_resumes(self, stage: Stage) -> None:
        office = Office(stage, (EMAIL, TASK))
        office.reach()
        withdraw.pause_sequence(stage.runtime, office.sequence, actor="Hans Holder", reason="holidays")
        stage.run_outbox()
        step = office.steps()[1]
        self.edit(office, RemoveStep(step.id, step.version))
        resume.resume_sequence(stage.runtime, office.sequence, actor="Hans Holder")
        stage.read(office.box)
        stage.later(3600)
        stage.send_due()
        assert stage.only(Enrollment).status == "finished"
        assert len(stage.left()) == 1

    def test_its_words_can_change(self, stage: Stage, office: Office) -> None:
        office.reach()
        step = office.steps()[1]
        self.edit(office, ChangeStep(step.id, step.version, words("P1D", None, "Visit {{first_name}}")))
        assert [each.said.title for each in office.due()] == ["Visit Priya"]
        assert office.steps()[1].kind == TASK

    @pytest.mark.parametrize(("position", "kind"), [(1, TASK), (2, EMAIL)])
    def test_it_never_becomes_an_email_nor_an_email_a_task(
        self, office: Office, position: int, kind: StepKind
    ) -> None:
        step = office.steps()[position - 1]
        wanted = ChangeStep(step.id, step.version, words("P1D", "A subject", "Text", kind))
        with pytest.raises(InvalidInput, match="a task stays a task"):
            steps.edit(office.stage.runtime, office.sequence, wanted, actor="Hans Holder")

    def test_a_delay_after_a_task_counts_from_the_task(self, stage: Stage, office: Office) -> None:
        office.reach()
        office.settle()
        step = office.steps()[2]
        self.edit(office, ChangeStep(step.id, step.version, words("P2D", None, step.body)))
        assert ahead(hours=47) < office.next.due_at < ahead(hours=49)


def test_for_people_enrolled_in_a_draft_it_counts_from_the_start(stage: Stage) -> None:
    hans = stage.world.member("Hans Holder")
    draft = stage.world.sequence(hans, stage.mailbox(hans), ("P1D",), status="draft")
    (step,) = stage.all(Step, sequence_id=draft)
    stage.put(Step, step.id, kind=TASK.value, subject=None, body=CALL)
    (waiting,) = stage.world.enroll(draft)
    stage.later(3 * 86400)
    stage.put(Delivery, created_at=ago(days=3))
    activation.activate_sequence(stage.runtime, draft, actor="Hans Holder")
    found = stage.only(Delivery, enrollment_id=waiting)
    assert (found.held, found.reason) == (True, task.WAITS)
    assert ahead(hours=23) < found.due_at < ahead(hours=25)


class TestOfEarlierReleases:
    """Their processes know nothing of tasks; the database does."""

    def test_what_they_release_or_resume_stays_held(self, stage: Stage, office: Office) -> None:
        found = office.reach().id
        stage.put(Delivery, found, held=False, reason=None)
        assert (office.next.held, office.next.reason) == (True, task.WAITS)
        stage.put(Delivery, found, held=True, reason="enrollment_paused")
        assert office.next.reason == task.WAITS
        assert stage.send_due() == 0

    def test_their_schedulers_do_not_queue_it(self, stage: Stage, office: Office) -> None:
        found = office.reach().id
        stage.put(Delivery, found, state="queued", queued_at=ago())
        assert (office.next.held, office.next.reason) == (True, task.WAITS)

    @pytest.mark.parametrize("retired", [False, True])
    def test_their_workers_do_not_pass_the_gate(self, stage: Stage, office: Office, retired: bool) -> None:
        found = office.reach().id
        if retired:
            stage.put(Step, office.steps()[1].id, retired_at=ago())
        token = new_id()
        stage.overwrite(
            Delivery,
            found,
            state="drafted",
            held=False,
            reason=None,
            lease_token=token,
            lease_until=ahead(seconds=45),
            draft_id="x",
            correlation_id="c",
            attempts=1,
        )
        with stage.database.transaction() as tx:
            claim = claims.load_claim(tx, found, token)
            assert claim is not None
            lane = gate.lock_lane(tx, office.box)
            assert not gate.pass_gate(tx, claim, lane, Clear("own_mailbox", None, ()))
        assert stage.only(Delivery, found).state == "drafted"

    def test_even_approved_it_is_not_sent(self, stage: Stage, office: Office) -> None:
        found = office.reach().id
        approval = {"by": "Rita", "at": ago().isoformat(), "text": "x"}
        stage.put(Delivery, found, approval=approval, state="queued", queued_at=ago())
        assert office.next.held


def test_the_gate_holds_it_too(stage: Stage, office: Office) -> None:
    found = office.reach()
    with stage.database.transaction() as tx:
        assert preflight(claims.present(tx, found.id)[1]) == Hold(task.WAITS)


def test_a_worker_that_gets_one_sends_nothing(stage: Stage) -> None:
    office = Office(stage, (EMAIL,))
    jobs = stage.due()
    stage.put(Step, office.steps()[0].id, kind=TASK.value, subject=None)
    for job in jobs:
        send_step.send(stage.runtime, job)
    assert stage.left() == []
    assert (office.next.held, office.next.reason) == (True, task.WAITS)
