"""Emails that wait for an approval: nothing leaves that nobody has read, exactly what was read leaves, and a no still stops it. Judged by the ledger."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from actions import approvals, person_fields, planned, resume, steps, withdraw
from actions.approvals import ChangedSince, Letter
from db.core.ids import new_id
from db.sending import claims, gate
from domain.approval import WAITS, Approval, StepKind
from domain.changes import Skip
from domain.errors import InvalidInput, NotPermitted
from domain.hand_edits import ChangeStep, MoveStep, RemoveStep, words
from domain.preflight import Clear, Hold, preflight
from lab.access_records import Organization
from lab.records import AuditEntry, Delivery, Enrollment, Notice, Receipt, Step
from lab.stage import Stage
from lab.tables import ago, ahead
from scheduler import approvals as announcing
from tests.actions.drafting import while_drafted
from workers import send_step


class Office:
    """Hans writes to Priya; his sequence's first step needs approval."""

    def __init__(
        self,
        stage: Stage,
        kinds: Sequence[StepKind] = (StepKind.APPROVAL, StepKind.AUTOMATIC),
        email: str = "priya@kestrel.example",
    ) -> None:
        self.stage = stage
        self.hans = stage.world.member("Hans Holder")
        self.box = stage.mailbox(self.hans)
        self.sequence = stage.world.sequence(
            self.hans,
            self.box,
            ("PT0S", *("P1D" for _ in kinds[1:])),
            body="Hello {{first_name}}, this is step {n}.",
        )
        for step, kind in zip(self.steps(), kinds, strict=True):
            stage.put(Step, step.id, kind=kind.value)
        (self.enrollment,) = stage.world.enroll(self.sequence, email=email, first_name="Priya")

    def steps(self) -> list[Step]:
        found = self.stage.all(Step, sequence_id=self.sequence)
        return sorted((each for each in found if each.retired_at is None), key=lambda each: each.position)

    @property
    def email(self) -> Delivery:
        return self.stage.only(Delivery, enrollment_id=self.enrollment, state=["pending", "queued"])

    def read(self) -> Letter:
        with self.stage.database.transaction() as tx:
            return approvals.letter(tx, self.email.id)

    def approve(self, mark: str | None = None) -> bool:
        read = mark or self.read().mark
        assert read is not None
        done = approvals.approve(self.stage.runtime, self.email.id, read, actor="Hans Holder")
        return done.changed

    def edit_step(self, position: int, body: str | None = None, kind: StepKind | None = None) -> None:
        step = self.steps()[position - 1]
        subject = "A role at Acme" if position == 1 else None
        delay = "PT0S" if position == 1 else "P1D"
        said = words(delay, subject, step.body if body is None else body, kind)
        steps.edit(
            self.stage.runtime, self.sequence, ChangeStep(step.id, step.version, said), actor="Hans Holder"
        )

    def change_field(self, value: str) -> None:
        person = self.stage.only(Enrollment, self.enrollment).candidate_id
        person_fields.change_field(
            self.stage.runtime, person, "first_name", value, was=None, actor="Hans Holder"
        )

    def waits(self) -> bool:
        return (self.email.held, self.email.reason) == (True, WAITS)


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_an_email_that_comes_due_waits_and_holds_up_no_other(stage: Stage, office: Office) -> None:
    other = stage.world.sequence(office.hans, office.box)
    stage.world.enroll(other, 2)
    assert stage.send_due() == 2
    assert len(stage.left()) == 2
    assert office.waits()
    assert stage.send_due() == 0


def test_once_approved_it_leaves_as_it_was_read_and_its_receipt_names_who_approved(
    stage: Stage, office: Office
) -> None:
    stage.send_due()
    read = office.read()
    assert office.approve(read.mark)
    assert not office.waits()
    stage.send_due()
    (left,) = stage.left()
    assert (left.subject, read.text) == (read.subject, "Hello Priya, this is step 1.")
    assert read.text in left.body
    said = stage.only(Receipt).detail("approval")
    assert said is not None
    assert said.startswith("approved by Hans Holder at ")
    assert said.endswith(f"text {read.mark}")
    (audited,) = stage.all(AuditEntry, action="delivery_approved")
    assert audited.data == {"text": read.mark}
    assert stage.only(Delivery, state="pending").due_at > ahead(hours=23)  # the next step follows


def test_what_is_approved_ahead_leaves_when_it_is_due(stage: Stage, office: Office) -> None:
    stage.put(Delivery, due_at=ahead(hours=2))
    assert office.approve()
    assert stage.send_due() == 0
    stage.later(3 * 3600)
    stage.send_due()
    assert len(stage.left()) == 1


CHANGES: dict[str, Callable[[Office], object]] = {
    "the step": lambda office: office.edit_step(1, "Good day {{first_name}}, this is new."),
    "this email": lambda office: planned.edit(
        office.stage.runtime, office.email.id, subject="Other", body="Mine.", mark=None, actor="Rita"
    ),
    "a field": lambda office: office.change_field("Prija"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_since_it_was_read_is_not_approved(stage: Stage, office: Office, what: str) -> None:
    stage.send_due()
    read = office.read()
    CHANGES[what](office)
    with pytest.raises(ChangedSince) as refused:
        office.approve(read.mark)
    assert refused.value.present.mark == office.read().mark
    assert refused.value.present.text != read.text
    assert stage.send_due() == 0
    assert office.approve()  # what it says now
    stage.send_due()
    assert refused.value.present.text in stage.left()[0].body


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_after_its_approval_waits_for_another(stage: Stage, office: Office, what: str) -> None:
    stage.send_due()
    office.approve()
    CHANGES[what](office)
    stage.send_due()
    assert stage.left() == []
    assert office.waits()
    office.approve()
    stage.send_due()
    assert len(stage.left()) == 1


def test_a_text_that_changes_while_it_is_drafted_does_not_leave(stage: Stage, office: Office) -> None:
    stage.send_due()
    office.approve()
    while_drafted(stage, office.box, lambda: office.change_field("Prija"))
    assert stage.left() == []
    assert office.waits()


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
    "paused": lambda office: withdraw.pause_sequence(
        office.stage.runtime, office.sequence, actor="Hans Holder", reason="holidays"
    ),
    "disconnected": lambda office: withdraw.disconnect_mailbox(
        office.stage.runtime, office.box, actor="Hans Holder"
    ),
}


@pytest.mark.parametrize("what", NOS)
def test_a_no_after_the_approval_stops_it(stage: Stage, office: Office, what: str) -> None:
    stage.attend()
    stage.send_due()
    office.approve()
    NOS[what](office)
    stage.send_due()
    assert stage.left() == []


def test_an_answer_ends_it_while_it_waits(stage: Stage) -> None:
    office = Office(stage, (StepKind.AUTOMATIC, StepKind.APPROVAL))
    stage.send_due()
    stage.later(86400 + 60)
    stage.read(office.box)
    stage.send_due()
    assert office.waits()
    (sent,) = stage.left()
    stage.emulator.control.incoming(
        stage.address(office.box),
        sender="priya@kestrel.example",
        subject=f"Re: {sent.subject}",
        text="Tell me more, please.",
        in_reply_to=sent.internet_message_id,
    )
    stage.read(office.box)
    assert stage.only(Enrollment).standing == ("stopped", "answered")
    assert stage.count(Delivery, state="pending") == 0
    assert len(stage.left()) == 1


def test_a_repeated_approval_is_one(stage: Stage, office: Office) -> None:
    stage.send_due()
    assert [office.approve(), office.approve()] == [True, False]
    stage.send_due()
    assert len(stage.left()) == 1
    sent = stage.only(Delivery, state="sent")
    with pytest.raises(NotPermitted, match="has left already"):
        approvals.approve(stage.runtime, sent.id, "x", actor="Hans Holder")


class TestTakingBack:
    """An approval is taken back while the email has not begun to leave."""

    def take_back(self, office: Office, email: UUID | None = None) -> bool:
        return approvals.take_back(office.stage.runtime, email or office.email.id, actor="Hans Holder")

    def test_it_waits_again_and_leaves_once_approved_again(self, stage: Stage, office: Office) -> None:
        stage.send_due()
        mark = office.read().mark
        office.approve()
        assert [self.take_back(office), self.take_back(office)] == [True, False]
        assert office.waits()
        assert stage.send_due() == 0
        (audited,) = stage.all(AuditEntry, action="approval_taken_back")
        assert audited.data == {"text": mark}
        assert office.approve()
        stage.send_due()
        assert len(stage.left()) == 1

    def test_one_that_is_planned_waits_when_it_is_due(self, stage: Stage, office: Office) -> None:
        stage.put(Delivery, due_at=ahead(hours=2))
        office.approve()
        assert self.take_back(office)
        assert not office.email.held
        stage.later(3 * 3600)
        assert stage.send_due() == 0
        assert office.waits()

    def test_one_that_is_queued_does_not_leave(self, stage: Stage, office: Office) -> None:
        stage.send_due()
        office.approve()
        jobs = stage.due()
        assert self.take_back(office)
        for job in jobs:
            send_step.send(stage.runtime, job)
        assert stage.left() == []
        assert office.waits()

    @pytest.mark.parametrize("state", ["preparing", "drafted", "sending"])
    def test_one_that_is_leaving_is_refused(self, stage: Stage, office: Office, state: str) -> None:
        office.approve()
        drafted(stage, office)
        stage.overwrite(Delivery, state=state, epoch=1, authority={})
        with pytest.raises(NotPermitted, match="is leaving right now"):
            self.take_back(office, stage.only(Delivery).id)
        assert stage.only(Delivery).approval is not None

    def test_one_that_has_left_is_refused(self, stage: Stage, office: Office) -> None:
        stage.send_due()
        office.approve()
        stage.send_due()
        with pytest.raises(NotPermitted, match="has left already"):
            self.take_back(office, stage.only(Delivery, state="sent").id)

    def test_in_a_paused_sequence_it_waits_after_the_pause(self, stage: Stage, office: Office) -> None:
        stage.send_due()
        withdraw.pause_sequence(stage.runtime, office.sequence, actor="Hans Holder", reason="holidays")
        stage.run_outbox()
        office.approve()
        assert self.take_back(office)
        resume.resume_sequence(stage.runtime, office.sequence, actor="Hans Holder")
        stage.later(3600)
        stage.send_due()
        assert stage.left() == []
        assert office.waits()

    def test_there_is_none_of_an_automatic_email(self, stage: Stage) -> None:
        with pytest.raises(NotPermitted, match="needs no approval"):
            self.take_back(Office(stage, (StepKind.AUTOMATIC,)))


def test_an_automatic_email_needs_no_approval(stage: Stage) -> None:
    office = Office(stage, (StepKind.AUTOMATIC,))
    with pytest.raises(NotPermitted, match="needs no approval"):
        office.approve("x")


def test_what_lacks_a_field_can_be_read_and_not_approved(stage: Stage, office: Office) -> None:
    stage.send_due()
    office.edit_step(1, "For the {{company}}")
    found = office.read()
    assert found.mark is None
    assert "{{company}} is empty" in found.error
    with pytest.raises(InvalidInput, match="is empty for this person"):
        office.approve("x")
    assert stage.send_due() == 0


def test_several_are_approved_and_what_cannot_be_holds_up_no_other(stage: Stage, office: Office) -> None:
    stage.world.enroll(office.sequence, 2, first_name="Jo")
    stage.send_due()
    waiting = [each.id for each in stage.all(Delivery, state="pending")]
    with stage.database.transaction() as tx:
        marks = {each: approvals.letter(tx, each).mark or "" for each in waiting}
    marks[office.email.id] = "of something else"
    done = approvals.approve_several(stage.runtime, marks, actor="Hans Holder")
    assert set(done.approved) == set(waiting) - {office.email.id}
    assert isinstance(done.refused[office.email.id], ChangedSince)
    stage.send_due()
    assert len(stage.left()) == 2


def test_a_skipped_one_lets_the_person_go_on(stage: Stage, office: Office) -> None:
    stage.send_due()
    planned.change(stage.runtime, office.email.id, Skip(), actor="Hans Holder")
    assert ahead(hours=23) < office.email.due_at < ahead(hours=25)


def test_resuming_a_sequence_sends_nothing_that_nobody_has_approved(stage: Stage, office: Office) -> None:
    (later,) = stage.world.enroll(office.sequence, first_name="Jo")
    stage.put(Delivery, where={"enrollment_id": later}, due_at=ahead(hours=1))
    stage.send_due()
    withdraw.pause_sequence(stage.runtime, office.sequence, actor="Hans Holder", reason="holidays")
    stage.run_outbox()
    office.approve()
    assert stage.send_due() == 0
    plan = resume.preview_resume(stage.runtime, office.sequence)
    assert any("need your approval" in each for each in plan.notes)
    resume.resume_sequence(stage.runtime, office.sequence, actor="Hans Holder")
    stage.later(2 * 3600)
    stage.send_due()
    (left,) = stage.left()
    assert "Hello Priya" in left.body
    assert stage.only(Delivery, enrollment_id=later).standing == ("pending", WAITS)


def test_resuming_a_person_sends_nothing_that_nobody_has_approved(stage: Stage, office: Office) -> None:
    stage.send_due()
    withdraw.pause_enrollment(stage.runtime, office.enrollment, actor="Hans Holder", reason="on leave")
    assert office.email.reason == "enrollment_paused"
    resume.resume_enrollment(stage.runtime, office.enrollment, actor="Hans Holder")
    stage.later(3600)
    stage.send_due()
    assert office.waits()
    assert stage.left() == []


def test_an_automatic_step_that_needs_approval_now_waits(stage: Stage) -> None:
    office = Office(stage, (StepKind.AUTOMATIC,))
    jobs = stage.due()  # it is queued
    step = office.steps()[0]
    said = words("PT0S", "A role at Acme", step.body, StepKind.APPROVAL)
    wanted = ChangeStep(step.id, step.version, said)
    report = steps.preview(stage.runtime, office.sequence, wanted)
    assert any("needs approval from now on" in each for each in report.sentences())
    steps.edit(stage.runtime, office.sequence, wanted, actor="Hans Holder")
    for job in jobs:
        send_step.send(stage.runtime, job)
    assert office.waits()
    assert stage.left() == []
    assert not steps.edit(stage.runtime, office.sequence, wanted, actor="Hans Holder")


def test_a_step_that_needs_no_approval_any_more_lets_go_of_who_waited(stage: Stage, office: Office) -> None:
    stage.send_due()
    office.edit_step(1, kind=StepKind.AUTOMATIC)
    assert not office.email.held
    stage.send_due()
    assert len(stage.left()) == 1


def test_an_edit_that_says_no_kind_keeps_it(stage: Stage, office: Office) -> None:
    office.edit_step(1, "Other words for {{first_name}}.")
    assert office.steps()[0].kind == "approval"


def test_who_waited_for_a_removed_step_gets_the_next_one_by_itself(stage: Stage, office: Office) -> None:
    stage.send_due()
    first = office.steps()[0]
    # The first step cannot answer in a thread, so the second gets a subject before.
    second = office.steps()[1]
    said = words("P1D", "A role at Acme", second.body)
    steps.edit(
        stage.runtime, office.sequence, ChangeStep(second.id, second.version, said), actor="Hans Holder"
    )
    steps.edit(stage.runtime, office.sequence, RemoveStep(first.id, first.version), actor="Hans Holder")
    assert not office.email.held
    stage.later(2 * 86400)
    stage.send_due()
    assert "this is step 2" in stage.left()[0].body


def test_in_a_paused_sequence_the_next_one_waits_until_it_resumes(stage: Stage, office: Office) -> None:
    stage.send_due()
    withdraw.pause_sequence(stage.runtime, office.sequence, actor="Hans Holder", reason="holidays")
    stage.run_outbox()
    first, second = office.steps()
    said = words("P1D", "A role at Acme", second.body)
    steps.edit(
        stage.runtime, office.sequence, ChangeStep(second.id, second.version, said), actor="Hans Holder"
    )
    steps.edit(stage.runtime, office.sequence, RemoveStep(first.id, first.version), actor="Hans Holder")
    assert (office.email.held, office.email.reason) == (True, "sequence_not_active")
    resume.resume_sequence(stage.runtime, office.sequence, actor="Hans Holder")
    stage.later(3 * 86400)
    stage.send_due()
    assert "this is step 2" in stage.left()[0].body


def test_who_waited_for_a_step_that_comes_later_now_gets_the_other_first(
    stage: Stage, office: Office
) -> None:
    stage.send_due()
    second = office.steps()[1]
    said = words("P1D", "A role at Acme", second.body)
    steps.edit(
        stage.runtime, office.sequence, ChangeStep(second.id, second.version, said), actor="Hans Holder"
    )
    steps.edit(stage.runtime, office.sequence, MoveStep(office.steps()[0].id, 1, 2), actor="Hans Holder")
    stage.later(2 * 86400)
    stage.send_due()
    assert "this is step 2" in stage.left()[0].body
    stage.later(2 * 86400)
    stage.read(office.box)
    stage.send_due()
    assert office.waits()


def test_what_came_back_from_its_provider_in_doubt_can_still_be_approved(
    stage: Stage, office: Office
) -> None:
    stage.send_due()
    stage.put(Delivery, office.email.id, send_started_at=ago())
    assert office.approve()


class TestOfEarlierReleases:
    """Their processes know nothing of approvals; the database does."""

    def test_their_schedulers_hold_it_instead_of_queueing_it(self, stage: Stage, office: Office) -> None:
        stage.put(Delivery, office.email.id, state="queued", queued_at=ago())
        assert office.email.standing == ("pending", WAITS)
        assert office.email.held

    def test_their_workers_do_not_pass_the_gate(self, stage: Stage, office: Office) -> None:
        claim = drafted(stage, office)
        with stage.database.transaction() as tx:
            lane = gate.lock_lane(tx, office.box)
            tokens = lane.tokens
            passed = gate.pass_gate(tx, claim, lane, clear_of_everything(claim))
        assert not passed
        assert stage.only(Delivery).state == "drafted"
        with stage.database.transaction() as tx:
            assert gate.lock_lane(tx, office.box).tokens >= tokens
        stage.later(3600)
        stage.sweep()
        assert stage.send_due() == 0
        assert office.waits()

    def test_what_was_approved_leaves_by_them(self, stage: Stage, office: Office) -> None:
        office.approve()
        claim = drafted(stage, office)
        with stage.database.transaction() as tx:
            lane = gate.lock_lane(tx, office.box)
            assert gate.pass_gate(tx, claim, lane, clear_of_everything(claim))


def drafted(stage: Stage, office: Office) -> claims.Claim:
    """Return a worker's claim on the office's email, whatever keeps it from that."""
    token = new_id()
    stage.overwrite(
        Delivery,
        office.email.id,
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
        claim = claims.load_claim(tx, stage.only(Delivery).id, token)
    assert claim is not None
    return claim


def clear_of_everything(claim: claims.Claim) -> Clear:
    """Return what a gate without approvals decides."""
    return Clear("own_mailbox", None, ())


def test_the_database_holds_what_the_gate_holds_for_want_of_an_approval(stage: Stage) -> None:
    """``hold_for_person`` mirrors the gate: it refuses what has no approval at all; only the gate compares texts."""
    for at, (kind, approved, retired) in enumerate(
        product((StepKind.AUTOMATIC, StepKind.APPROVAL), (None, "this", "another"), (False, True))
    ):
        office = Office(stage, (kind,), f"priya{at}@kestrel.example")
        email = office.email.id
        text = office.read().mark or ""
        given = None
        if approved is not None:
            said = text if approved == "this" else "of another text"
            given = Approval("Hans Holder", ago(), said).to_json()
        stage.put(Delivery, email, approval=given)
        if retired:
            stage.put(Step, office.steps()[0].id, retired_at=ago())
        with stage.database.transaction() as tx:
            decision = preflight(claims.present(tx, email)[1])
        held_by_gate = decision == Hold(WAITS)
        stage.put(Delivery, email, state="queued", queued_at=ago())
        found = stage.only(Delivery, email)
        held_by_database = (found.state, found.held, found.reason) == ("pending", True, WAITS)
        case = f"{kind}, {approved}, {retired}"
        assert held_by_gate == (kind is StepKind.APPROVAL and approved != "this" and not retired), case
        assert held_by_database == (held_by_gate and approved is None), case


class TestNotices:
    """Whoever has to read them hears once a day."""

    @pytest.fixture(autouse=True)
    def morning(self, stage: Stage) -> None:
        stage.put(Organization, time_zone="UTC" if datetime.now(UTC).hour >= 8 else "Asia/Tokyo")

    def announce(self, stage: Stage) -> list[Notice]:
        announcing.notify(stage.database)
        stage.run_outbox()
        return stage.notices(channel="in_app")

    def test_one_notice_names_all_that_waits(self, stage: Stage, office: Office) -> None:
        stage.world.enroll(office.sequence, 2)
        assert self.announce(stage) == []
        stage.send_due()
        (notice,) = self.announce(stage)
        assert notice.owner_id == office.hans
        assert notice.title == "3 emails wait for your approval"
        assert ": 3 emails" in notice.body
        assert notice.links == [["Read and approve", "/outbox/approvals"]]
        assert self.announce(stage) == [notice]

    def test_nobody_hears_of_what_was_approved(self, stage: Stage, office: Office) -> None:
        stage.send_due()
        office.approve()
        assert self.announce(stage) == []


def test_another_sender_is_another_text(stage: Stage, office: Office) -> None:
    stage.send_due()
    read = office.read()
    stage.put(Delivery, office.email.id, mailbox_id=stage.mailbox(stage.world.member("Karin Holm")))
    assert office.read().mark != read.mark


def test_the_next_step_counts_from_when_it_left(stage: Stage, office: Office) -> None:
    stage.send_due()
    stage.later(5 * 86400)
    office.approve()
    stage.send_due()
    assert office.email.due_at - timedelta(hours=23) > ahead(hours=0)
