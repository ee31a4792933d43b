"""A field of a person is changed: what waits takes it, and who waited for it goes on."""

from uuid import UUID

import pytest

from actions import person_fields, withdraw
from db.sending.enrollments import enroll_many
from domain.errors import InvalidInput, NotFound
from lab.records import AuditEntry, Candidate, Delivery, Enrollment
from lab.stage import Stage
from lab.tables import ago


@pytest.fixture
def priya(stage: Stage) -> UUID:
    """She waits in a sequence that uses a role, which nobody has filled in."""
    hans = stage.world.member("Hans Holder")
    box = stage.mailbox(hans)
    sequence = stage.world.sequence(
        hans, box, ("PT0S",), body="Hello {{first_name}}: {{role}}", fields=("role",)
    )
    stage.world.enroll(sequence, email="priya@kestrel.example", first_name="Prija")
    stage.send_due()
    assert stage.only(Enrollment).status == "paused"
    return stage.only(Candidate).id


def set_field(stage: Stage, priya: UUID, field: str, value: str, was: str | None = None) -> bool:
    return person_fields.change_field(stage.runtime, priya, field, value, was=was, actor="Hans Holder")


def test_what_waits_takes_it_and_who_waited_for_it_goes_on(stage: Stage, priya: UUID) -> None:
    assert set_field(stage, priya, "first_name", " Priya ")
    assert set_field(stage, priya, "role", "Staff engineer")
    assert not set_field(stage, priya, "role", "Staff engineer")
    stage.later(60)
    stage.send_due()
    (entry,) = stage.left()
    assert "Hello Priya: Staff engineer" in entry.body
    changed = [each for each in stage.all(AuditEntry) if each.action == "candidate_filled_in"]
    assert [each.data for each in changed] == [{"field": "first_name"}, {"field": "role"}]


def test_a_field_that_nobody_has_is_refused_by_name(stage: Stage, priya: UUID) -> None:
    with pytest.raises(
        InvalidInput, match="first_name, last_name, company, title, location, role"
    ) as refused:
        set_field(stage, priya, "rôle", "x")
    assert refused.value.where == "field"


def test_two_who_change_it_at_once_notice_each_other(stage: Stage, priya: UUID) -> None:
    set_field(stage, priya, "company", "Kestrel Grid", was="")
    with pytest.raises(InvalidInput, match="Kestrel Grid"):
        set_field(stage, priya, "company", "Kestrel", was="")


def test_nobody_is_not_found(stage: Stage, priya: UUID) -> None:
    with pytest.raises(NotFound):
        set_field(stage, stage.only(Enrollment).id, "company", "x")


def test_a_person_is_stopped_in_all_sequences_of_a_member_or_of_everybody(stage: Stage, priya: UUID) -> None:
    rita = stage.world.member()
    box = stage.mailbox(rita)
    sequence = stage.world.sequence(rita, box, ("P1D",))
    with stage.world.database.transaction() as tx:
        enroll_many(tx, sequence, [priya], ago())
    answer = withdraw.stop_person(stage.runtime, priya, only_of=rita, actor="Rita", reason="called")
    assert (answer.stopped, answer.complete) == (1, True)
    assert sorted(each.status for each in stage.all(Enrollment)) == ["paused", "stopped"]
    answer = withdraw.stop_person(stage.runtime, priya, only_of=None, actor="Ada", reason="called")
    assert {each.status for each in stage.all(Enrollment)} == {"stopped"}
    assert {each.outcome for each in stage.all(Delivery)} == {"cancelled"}
    again = withdraw.stop_person(stage.runtime, priya, only_of=None, actor="Ada", reason="called")
    assert again.complete
    assert len([each for each in stage.all(AuditEntry) if each.action == "enrollment_stopped"]) == 2
