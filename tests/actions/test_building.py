"""A sequence is built by hand: made, written, changed while it runs, duplicated. Judged by the ledger where emails leave."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from actions import activation, building, steps, withdraw
from actions.building import Settings
from db.sequences import built
from db.sequences.built import Built, BuiltStep
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.hand_edits import AddStep, ChangeStep, MoveStep, Overtaken, RemoveStep, words
from lab.access_records import Grant
from lab.records import AuditEntry, Delivery, Enrollment, Notice, Sequence, Step
from lab.stage import Stage
from lab.tables import ago

NINE_TO_FIVE = {"zone": "Europe/Berlin", "days": ["mon", "tue"], "from": "09:00", "to": "17:00"}


@pytest.fixture
def rita(stage: Stage) -> UUID:
    return stage.world.member("Rita Recruiter")


@pytest.fixture
def box(stage: Stage, rita: UUID) -> UUID:
    return stage.mailbox(rita)


def make(stage: Stage, owner: UUID, name: str = "Backend engineers", key: str = "", **values: Any) -> UUID:
    settings = Settings(name, values.pop("sender", None), **values)
    made, _ = building.make(
        stage.runtime, stage.world.organization_id, owner, settings, key=key or str(uuid4()), actor="Rita"
    )
    return made


def add(
    stage: Stage, sequence: UUID, body: str, *, subject: str | None = None, delay: str = "P1D", at: int = 99
) -> UUID:
    step_id = steps.new_step_id(sequence, str(uuid4()))
    said = words(delay, subject, body)
    steps.edit(stage.runtime, sequence, AddStep(step_id, at, said), actor="Rita")
    return step_id


def as_built(stage: Stage, sequence: UUID) -> tuple[Built, list[BuiltStep]]:
    with stage.world.database.transaction() as tx:
        return built.built(tx, sequence), built.steps_of(tx, sequence)


def start(stage: Stage, rita: UUID, people: int = 2) -> tuple[UUID, UUID, UUID]:
    sequence = make(stage, rita)
    first = add(stage, sequence, "Hello {{first_name|there}}", subject="A role", delay="PT0S")
    second = add(stage, sequence, "Any news?")
    stage.world.enroll(sequence, people)
    activation.activate_sequence(stage.runtime, sequence, actor="Rita")
    stage.later(10)
    stage.send_due()
    return sequence, first, second


def bodies(stage: Stage) -> list[str]:
    return [each.body.rpartition('\n<p><a href="')[0].strip() for each in stage.left()]


def test_a_sequence_built_by_hand_leaves_as_it_was_written(stage: Stage, rita: UUID, box: UUID) -> None:
    start(stage, rita)
    stage.later(86400 + 60)
    stage.send_due()
    assert sorted(bodies(stage)) == ["<p>Any news?</p>"] * 2 + ["<p>Hello Cand0</p>", "<p>Hello Cand1</p>"]
    made = ["sequence_made", "step_added", "step_added", "sequence_activated"]
    assert [each.action for each in stage.all(AuditEntry) if each.action in made] == made


def test_a_repeated_request_makes_and_adds_nothing_more(stage: Stage, rita: UUID, box: UUID) -> None:
    one, other = (make(stage, rita, key="form") for _ in range(2))
    assert one == other
    step = AddStep(steps.new_step_id(one, "form"), 1, words("PT0S", "Hi", "Text"))
    for _ in range(2):
        steps.edit(stage.runtime, one, step, actor="Rita")
    assert (stage.count(Sequence), stage.count(Step)) == (1, 1)


def test_two_at_once_with_one_name_are_one_and_a_refusal(stage: Stage, rita: UUID, box: UUID) -> None:
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(make, stage, rita, name) for name in ("Designers", "designers")]
    refused = [each.exception() for each in asked if each.exception()]
    assert [type(each) for each in refused] == [InvalidInput]
    assert stage.count(Sequence) == 1


@pytest.mark.parametrize(
    ("name", "values", "where"),
    [
        ("", {}, "name"),
        ("x" * 201, {}, "name"),
        ("A", {"fields": ["Start date"]}, "fields"),
        ("A", {"sending": {"zone": "Nowhere"}}, "zone"),
        ("A", {"sending": {"from": "17:00", "to": "09:00"}}, "sending.to"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_their_place(
    stage: Stage, rita: UUID, box: UUID, name: str, values: dict[str, Any], where: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(stage, rita, name, **values)
    assert refused.value.where == where
    assert stage.count(Sequence) == 0


def test_who_has_no_mailbox_to_send_from_reads_that_they_connect_one_first(stage: Stage, rita: UUID) -> None:
    with pytest.raises(NotPermitted, match="Connect one first"):
        make(stage, rita)


def test_a_colleagues_mailbox_is_a_sender_as_long_as_they_lend_it(stage: Stage, rita: UUID) -> None:
    hans = stage.world.member("Hans Holder")
    lent = stage.mailbox(hans)
    with pytest.raises(NotPermitted, match="Ask its owner"):
        make(stage, rita, sender=lent)
    grant = stage.world.grant(lent, rita)
    sequence = make(stage, rita, sender=lent)
    assert stage.only(Sequence).mailbox_id == lent
    stage.put(Grant, grant, archived_at=ago(), archived_reason="revoked")
    # The lost permission is what is missing, and no reason to refuse another name.
    version = as_built(stage, sequence)[0].version
    building.change(stage.runtime, sequence, Settings("Other", lent), version=version, actor="Rita")
    assert stage.only(Sequence).name == "Other"


def test_another_sender_of_ones_own_draft_notifies_nobody(stage: Stage, rita: UUID, box: UUID) -> None:
    hans = stage.world.member("Hans Holder")
    lent = stage.mailbox(hans)
    stage.world.grant(lent, rita)
    sequence = make(stage, rita)
    add(stage, sequence, "Hello", subject="Hi", delay="PT0S")
    stage.world.enroll(sequence, 1)
    version = as_built(stage, sequence)[0].version
    building.change(stage.runtime, sequence, Settings("Backend", lent), version=version, actor="Rita")
    stage.run_outbox()
    assert stage.count(Notice) == 0
    activation.activate_sequence(stage.runtime, sequence, actor="Rita")
    stage.later(10)
    stage.send_due()
    assert [each.sender for each in stage.left()] == [stage.address(lent)]


def test_a_running_sequence_keeps_its_sender_until_it_is_paused(stage: Stage, rita: UUID, box: UUID) -> None:
    hans = stage.world.member("Hans Holder")
    lent = stage.mailbox(hans)
    stage.world.grant(lent, rita)
    sequence, _, _ = start(stage, rita)
    version = as_built(stage, sequence)[0].version
    with pytest.raises(NotPermitted, match="Pause it first"):
        building.change(stage.runtime, sequence, Settings("Backend", lent), version=version, actor="Rita")
    assert stage.only(Sequence).mailbox_id == box
    withdraw.pause_sequence(stage.runtime, sequence, actor="Rita", reason="sender")
    building.change(stage.runtime, sequence, Settings("Backend", lent), version=version, actor="Rita")
    assert stage.only(Sequence).mailbox_id == lent


def test_other_hours_reach_whoever_waits(stage: Stage, rita: UUID, box: UUID) -> None:
    sequence, _, _ = start(stage, rita)
    built_as, _ = as_built(stage, sequence)
    hours = Settings(built_as.name, None, NINE_TO_FIVE)
    before = {each.due_at for each in stage.all(Delivery, state="pending")}
    said = building.preview_change(stage.runtime, sequence, hours, version=built_as.version)
    assert {each.due_at for each in stage.all(Delivery, state="pending")} == before
    report = building.change(stage.runtime, sequence, hours, version=built_as.version, actor="Rita")
    assert report.sentences() == said.sentences()
    due = [each.due_at for each in stage.all(Delivery, state="pending")]
    assert all(each.weekday() in (0, 1) for each in due)


def test_settings_that_somebody_else_has_changed_since_are_not_overwritten(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    sequence = make(stage, rita)
    version = as_built(stage, sequence)[0].version
    building.change(stage.runtime, sequence, Settings("Theirs", None), version=version, actor="Theo")
    with pytest.raises(Overtaken, match="Somebody has changed Theirs"):
        building.change(stage.runtime, sequence, Settings("Mine", None), version=version, actor="Rita")
    assert stage.only(Sequence).name == "Theirs"
    building.change(stage.runtime, sequence, Settings("Theirs", None), version=version, actor="Theo")


def test_two_people_who_edit_one_step_at_once_lose_nothing(stage: Stage, rita: UUID, box: UUID) -> None:
    sequence, _, second = start(stage, rita)
    asked = [ChangeStep(second, 1, words("P1D", None, body)) for body in ("One.", "Other.")]
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(steps.edit, stage.runtime, sequence, each, actor="x") for each in asked]
    refused = [each.exception() for each in done if each.exception()]
    assert [type(each) for each in refused] == [Overtaken]
    assert stage.only(Step, second).version == 2


def test_a_preview_says_what_the_edit_then_does_and_changes_nothing(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    sequence, first, second = start(stage, rita)
    wanted = ChangeStep(second, 1, words("P3D", None, "Something else."))
    said = steps.preview(stage.runtime, sequence, wanted)
    assert stage.only(Step, second).version == 1
    report = steps.edit(stage.runtime, sequence, wanted, actor="Rita")
    assert report.sentences() == said.sentences()
    assert "Step 2 was reworded: 2 people get the new text." in report.sentences()
    stage.later(3 * 86400 + 60)
    stage.send_due()
    assert bodies(stage)[2:] == ["<p>Something else.</p>"] * 2
    del first


def test_nobody_gets_a_step_again_that_is_moved_or_reworded_after_them(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    sequence, first, second = start(stage, rita)
    steps.edit(
        stage.runtime, sequence, ChangeStep(first, 1, words("PT0S", "A role", "New words here.")), actor="x"
    )
    steps.edit(stage.runtime, sequence, ChangeStep(second, 1, words("P1D", "Second", "Any news?")), actor="x")
    steps.edit(stage.runtime, sequence, MoveStep(first, 1, 2), actor="x")
    for _ in range(3):
        stage.later(86400 + 60)
        stage.send_due()
    assert sorted(bodies(stage)) == ["<p>Any news?</p>"] * 2 + ["<p>Hello Cand0</p>", "<p>Hello Cand1</p>"]


def test_a_step_put_back_with_the_words_somebody_has_had_does_not_reach_them(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    sequence, first, second = start(stage, rita)
    steps.edit(stage.runtime, sequence, ChangeStep(second, 1, words("P1D", "Second", "Any news?")), actor="x")
    steps.edit(stage.runtime, sequence, RemoveStep(first, 1), actor="x")
    add(stage, sequence, "Hello {{first_name|there}}")
    for _ in range(3):
        stage.later(86400 + 60)
        stage.send_due()
    assert len(bodies(stage)) == 4


def test_who_had_finished_gets_a_new_step_only_if_asked_for(stage: Stage, rita: UUID, box: UUID) -> None:
    sequence, _, _ = start(stage, rita)
    stage.later(86400 + 60)
    stage.send_due()
    assert {each.status for each in stage.all(Enrollment)} == {"finished"}
    step = AddStep(steps.new_step_id(sequence, "k"), 3, words("P1D", None, "One more thing."))
    assert "will not get step 3" in " ".join(steps.preview(stage.runtime, sequence, step).sentences())
    steps.edit(stage.runtime, sequence, step, actor="x", go_on=True)
    stage.later(2 * 86400)
    stage.send_due()
    assert bodies(stage)[4:] == ["<p>One more thing.</p>"] * 2


@pytest.mark.parametrize(
    ("body", "missing"), [("", "has no text"), ("Hi {{nobody_knows}}", "not a known field")]
)
def test_a_sequence_that_runs_stays_complete(
    stage: Stage, rita: UUID, box: UUID, body: str, missing: str
) -> None:
    sequence, _, second = start(stage, rita)
    with pytest.raises(NotPermitted, match=missing):
        steps.edit(stage.runtime, sequence, ChangeStep(second, 1, words("P1D", None, body)), actor="x")
    assert stage.only(Step, second).version == 1


def test_a_field_that_a_running_sequence_uses_stays(stage: Stage, rita: UUID, box: UUID) -> None:
    sequence = make(stage, rita, fields=["start_date"])
    add(stage, sequence, "From {{start_date|now}}", subject="Hi", delay="PT0S")
    version = as_built(stage, sequence)[0].version
    activation.activate_sequence(stage.runtime, sequence, actor="x")
    with pytest.raises(NotPermitted, match="not a known field"):
        building.change(stage.runtime, sequence, Settings("A", None), version=version, actor="x")


def test_a_duplicate_has_the_steps_and_nobody_in_it(stage: Stage, rita: UUID, box: UUID) -> None:
    sequence, _, _ = start(stage, rita)
    copies = [
        building.duplicate(stage.runtime, sequence, owner_id=rita, key=key, actor="Rita")[0] for key in "aab"
    ]
    assert copies[0] == copies[1]
    one, steps_of_one = as_built(stage, copies[0])
    assert (one.name, one.status, one.people) == ("Copy of Backend engineers", "draft", False)
    assert [each.body for each in steps_of_one] == ["Hello {{first_name|there}}", "Any news?"]
    assert as_built(stage, copies[2])[0].name == "Copy of Backend engineers 2"


def test_a_duplicate_of_a_colleagues_sequence_sends_from_ones_own_mailbox(
    stage: Stage, rita: UUID, box: UUID
) -> None:
    theo = stage.world.member("Theo")
    own = stage.mailbox(theo)
    sequence, _, _ = start(stage, rita)
    copy, _ = building.duplicate(stage.runtime, sequence, owner_id=theo, key="k", actor="Theo")
    assert (stage.only(Sequence, copy).owner_id, stage.only(Sequence, copy).mailbox_id) == (theo, own)


def test_an_archived_sequence_is_not_edited(stage: Stage, rita: UUID, box: UUID) -> None:
    sequence = make(stage, rita)
    step = add(stage, sequence, "Hello", subject="Hi")
    withdraw.archive_sequence(stage.runtime, sequence, actor="x", reason="over")
    with pytest.raises(NotPermitted, match="is archived"):
        steps.edit(stage.runtime, sequence, RemoveStep(step, 1), actor="x")
    with pytest.raises(NotPermitted, match="is archived"):
        building.change(stage.runtime, sequence, Settings("A", None), version=1, actor="x")
    with pytest.raises(NotFound):
        steps.edit(stage.runtime, uuid4(), RemoveStep(step, 1), actor="x")
