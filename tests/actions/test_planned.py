"""One planned email, changed by hand: what leaves instead, what follows, and what comes too late. Judged by the ledger."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from actions import planned, planned_several, withdraw
from actions.planned_several import Whose
from domain.changes import Cancel, Change, Earlier, NotBefore, Skip
from domain.errors import InvalidInput, NotFound, NotPermitted
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Receipt, Sequence
from lab.stage import Stage
from lab.tables import ahead

CHANGES: dict[str, Callable[[], Change]] = {
    "skip": Skip,
    "cancel": Cancel,
    "not before": lambda: NotBefore(ahead(days=3)),
    "earlier": Earlier,
}


class Office:
    """Hans writes to Priya in three steps; the first has left."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        hans = stage.world.member("Hans Holder")
        self.box = stage.mailbox(hans)
        self.sequence = stage.world.sequence(hans, self.box, ("PT0S", "P1D", "P1D"))
        (self.enrollment,) = stage.world.enroll(
            self.sequence, email="priya@kestrel.example", first_name="Priya"
        )
        stage.send_due()

    @property
    def next(self) -> Delivery:
        return self.stage.only(Delivery, enrollment_id=self.enrollment, state=["pending", "queued"])

    def change(self, wanted: Change) -> bool:
        return planned.change(self.stage.runtime, self.next.id, wanted, actor="Hans Holder")

    def edit(self, text: str, subject: str = "", mark: str | None = None) -> bool:
        return planned.edit(
            self.stage.runtime, self.next.id, subject=subject, body=text, mark=mark, actor="Hans Holder"
        )

    def steps(self) -> list[str]:
        """What left, in order."""
        return [entry.body.split("this is ")[-1].split(".")[0] for entry in self.stage.left()]

    def audited(self) -> list[str]:
        return [each.action for each in self.stage.all(AuditEntry) if each.actor_name == "Hans Holder"]


@pytest.fixture
def office(stage: Stage) -> Office:
    return Office(stage)


def test_a_skipped_step_is_left_out_and_the_next_one_follows_from_now(stage: Stage, office: Office) -> None:
    skipped = office.next
    assert office.change(Skip())
    assert stage.only(Delivery, skipped.id).standing == ("closed", "skipped_by_hand")
    due = office.next.due_at
    assert ahead(hours=23) < due < ahead(hours=25)
    stage.later(25 * 3600)
    stage.read(office.box)
    stage.send_due()
    assert office.steps() == ["step 1", "step 3"]
    assert stage.only(Enrollment).status == "finished"
    assert "delivery_skipped" in office.audited()


def test_after_a_cancelled_email_the_next_one_keeps_its_time(stage: Stage, office: Office) -> None:
    was = office.next
    office.change(Cancel())
    assert stage.only(Delivery, was.id).outcome == "cancelled"
    assert office.next.due_at == was.due_at + timedelta(days=1)


def test_skipping_the_last_step_finishes(stage: Stage, office: Office) -> None:
    office.change(Skip())
    office.change(Skip())
    assert stage.only(Enrollment).status == "finished"


@pytest.mark.parametrize("name", ["skip", "cancel"])
def test_a_repeated_request_leaves_out_one_step(stage: Stage, office: Office, name: str) -> None:
    delivery = office.next.id
    results = [
        planned.change(stage.runtime, delivery, CHANGES[name](), actor="Hans Holder") for _ in range(3)
    ]
    assert results == [True, False, False]
    assert stage.count(Delivery) == 3


def test_an_email_leaves_not_before_its_time_whatever_was_planned(stage: Stage, office: Office) -> None:
    at = ahead(days=3)
    assert office.change(NotBefore(at))
    assert not office.change(NotBefore(at))
    assert office.next.due_at == at
    stage.put(
        Delivery, office.next.id, due_at=ahead(hours=1)
    )  # somebody plans it anew, as after an edit of its step
    stage.later(2 * 86400)
    stage.read(office.box)
    stage.send_due()
    assert office.steps() == ["step 1"]
    stage.later(86400)
    stage.read(office.box)
    stage.send_due()
    assert office.steps() == ["step 1", "step 2"]


def test_an_email_is_sent_earlier_and_the_one_after_it_moves_with_it(stage: Stage, office: Office) -> None:
    office.change(NotBefore(ahead(days=9)))
    assert office.change(Earlier())
    assert not office.change(Earlier())
    stage.read(office.box)
    stage.send_due()
    assert office.steps() == ["step 1", "step 2"]
    assert ahead(hours=23) < office.next.due_at < ahead(hours=25)


def test_sending_hours_hold_for_what_is_sent_earlier(stage: Stage, office: Office) -> None:
    stage.put(Sequence, sending={"zone": "UTC", "days": ["mon"], "from": "00:00", "to": "00:01"})
    office.change(Earlier())
    stage.read(office.box)
    stage.send_due()
    assert office.steps() == ["step 1"]
    assert office.next.reason == "outside_sending_window"


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("state", ["preparing", "drafted", "sending", "in_doubt", "review"])
def test_what_somebody_has_is_too_late(stage: Stage, office: Office, name: str, state: str) -> None:
    delivery = office.next.id
    lease: dict[str, Any] = {"lease_token": delivery} if state in ("preparing", "drafted", "sending") else {}
    gate: dict[str, Any] = {"draft_id": "d", "epoch": 1, "authority": {}} if state == "sending" else {}
    stage.overwrite(Delivery, delivery, state=state, reason="no_trace", **lease, **gate)
    with pytest.raises(NotPermitted):
        planned.change(stage.runtime, delivery, CHANGES[name](), actor="Hans Holder")
    with pytest.raises(NotPermitted):
        planned.edit(stage.runtime, delivery, subject="", body="New", mark=None, actor="Hans Holder")
    assert stage.only(Delivery, delivery).state == state
    assert office.audited() == []


def test_what_came_back_from_its_provider_goes_on_by_itself(stage: Stage, office: Office) -> None:
    stage.put(Delivery, office.next.id, send_started_at=ahead())
    for change in (Skip(), Cancel(), Earlier(), NotBefore(ahead(days=3))):
        with pytest.raises(NotPermitted, match="already submitted"):
            office.change(change)


def test_what_left_is_not_taken_back(stage: Stage, office: Office) -> None:
    (sent,) = stage.all(Delivery, state="sent")
    with pytest.raises(NotPermitted, match="has left already"):
        planned.change(stage.runtime, sent.id, Skip(), actor="Hans Holder")


def test_an_unknown_email_is_not_found(stage: Stage, office: Office) -> None:
    with pytest.raises(NotFound):
        planned.change(stage.runtime, office.enrollment, Skip(), actor="Hans Holder")


def test_a_change_of_a_paused_person_keeps_them_paused(stage: Stage, office: Office) -> None:
    withdraw.pause_enrollment(stage.runtime, office.enrollment, actor="Hans Holder", reason="on leave")
    with pytest.raises(NotPermitted, match="Decide about it first"):
        office.change(Earlier())
    office.change(Skip())
    stage.later(3 * 86400)
    stage.read(office.box)
    stage.send_due()
    assert office.steps() == ["step 1"]
    assert stage.only(Delivery, state="pending").held


def test_of_several_each_is_changed_by_itself_and_says_what_became_of_it(
    stage: Stage, office: Office
) -> None:
    stage.world.enroll(office.sequence, 2)
    first, second = (each.id for each in stage.all(Delivery, state="pending") if each.id != office.next.id)
    stage.overwrite(Delivery, second, state="preparing", lease_token=second)
    (left,) = stage.all(Delivery, state="sent")
    ids = [first, left.id, second, office.enrollment, first]
    whose = Whose(stage.world.organization_id)
    for changed in (True, False):
        done = planned_several.change_several(stage.runtime, ids, Cancel(), whose, actor="Hans Holder")
        assert [(each.id, each.changed) for each in done] == [
            (first, changed),
            (left.id, False),
            (second, False),
            (office.enrollment, False),
        ]
        said = [str(each.refused) for each in done]
        assert said[0] == "None"
        assert "has left already" in said[1]
        assert "leaving right now" in said[2]
        assert "no such email" in said[3]
    assert office.audited().count("delivery_cancelled") == 1
    assert stage.only(Delivery, second).state == "preparing"


def test_several_of_others_do_not_exist(stage: Stage, office: Office) -> None:
    ids = [office.next.id]
    other = stage.world.member("Olga Other")
    for whose in (Whose(other), Whose(stage.world.organization_id, other)):
        (done,) = planned_several.change_several(stage.runtime, ids, Skip(), whose, actor="Olga Other")
        assert (done.person, str(done.refused)) == ("", "There is no such email.")
        with stage.world.database.transaction() as tx:
            assert planned_several.foresee_several(tx, ids, Skip(), whose) == []
    assert office.next.state == "pending"


def test_several_are_moved_to_a_time_within_the_hours(stage: Stage, office: Office) -> None:
    stage.world.enroll(office.sequence)
    ids = [each.id for each in stage.all(Delivery, state="pending")]
    late, now = ahead(days=400), Whose(stage.world.organization_id)
    with stage.world.database.transaction() as tx, pytest.raises(InvalidInput, match="more than a year"):
        planned_several.foresee_several(tx, ids, NotBefore(late), now)
    at = ahead(days=5)
    done = planned_several.change_several(stage.runtime, ids, NotBefore(at), now, actor="Hans Holder")
    assert [each.due_at for each in done] == [at, at]
    assert {each.not_before for each in stage.all(Delivery, state="pending")} == {at}


def test_skipping_a_step_that_lacks_a_field_lets_the_person_go_on(stage: Stage) -> None:
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    sequence = stage.world.sequence(
        hans, box, ("PT0S", "PT0S"), body="For the {{role|}}{{role}}", fields=("role",)
    )
    stage.world.enroll(sequence)
    stage.send_due()
    blocked = stage.only(Delivery, state="pending")
    assert stage.only(Enrollment).status == "paused"
    planned.change(stage.runtime, blocked.id, Skip(), actor="Hans Holder")
    assert stage.only(Enrollment).status == "active"
    assert not stage.only(Delivery, state="pending").held


def test_what_a_change_would_do_is_said_before(stage: Stage, office: Office) -> None:
    with stage.world.database.transaction() as tx:
        found = planned.foresee(tx, office.next.id, Skip())
    assert found.refused is None
    assert [(each.position, each.then is None) for each in found.times] == [(2, True), (3, False)]


def test_an_edited_email_says_its_own_text_and_its_receipt_says_so(stage: Stage, office: Office) -> None:
    assert office.edit("Hello {{first_name}}, one more thing.")
    assert not office.edit("Hello {{first_name}}, one more thing.")
    stage.later(86400)
    stage.read(office.box)
    stage.send_due()
    _, entry = stage.left()
    assert "Hello Priya, one more thing." in entry.body
    assert entry.subject.lower().startswith("re: ")
    *_, receipt = sorted(stage.all(Receipt), key=lambda each: each.accepted_at)
    assert "edited for this email: " in receipt.template_version
    (audit,) = [each for each in stage.all(AuditEntry) if each.action == "delivery_edited"]
    assert receipt.template_version.endswith(audit.data["text"])
    stage.later(86400)
    stage.read(office.box)
    stage.send_due()
    assert "this is step 3." in stage.left()[2].body


def test_the_next_step_answers_under_the_subject_that_was_edited(stage: Stage) -> None:
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    stage.world.enroll(stage.world.sequence(hans, box, ("P1D", "P1D")))
    delivery = stage.only(Delivery).id
    planned.edit(stage.runtime, delivery, subject="Your talk", body="Hello.", mark=None, actor="Hans Holder")
    for _ in range(2):
        stage.later(86400)
        stage.read(box)
        stage.send_due()
    assert [entry.subject.lower() for entry in stage.left()] == ["your talk", "re: your talk"]


def test_the_text_of_the_step_takes_an_edit_back(stage: Stage, office: Office) -> None:
    with stage.world.database.transaction() as tx:
        before = planned.text_of(tx, office.next.id)
    office.edit("Something else.")
    office.edit(before.body)
    assert office.next.own_body is None


def test_two_who_edit_at_once_notice_each_other(stage: Stage, office: Office) -> None:
    with stage.world.database.transaction() as tx:
        opened = planned.text_of(tx, office.next.id).mark
    office.edit("Mine.", mark=opened)
    with pytest.raises(InvalidInput, match="while you edited it"):
        office.edit("Yours.", mark=opened)
    assert office.next.own_body == "Mine."


@pytest.mark.parametrize(("text", "said"), [("  ", "no text"), ("Hello {{frst_name}}", "frst_name")])
def test_a_text_that_could_not_leave_is_refused(office: Office, text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        office.edit(text)
    assert office.next.own_body is None


def test_an_email_that_a_worker_has_drafted_takes_an_edit_of_a_field(stage: Stage, office: Office) -> None:
    stage.put(Candidate, first_name="Prija")
    office.edit("Hello {{first_name}}.")
    stage.put(Candidate, first_name="Priya")
    stage.later(86400)
    stage.read(office.box)
    stage.send_due()
    assert "Hello Priya." in stage.left()[1].body
