"""One step of a sequence is edited by hand: what the steps are then, and when the edit is refused or was done before."""

from uuid import UUID, uuid4

import pytest

from domain.delay import delay_of, parse_delay
from domain.errors import InvalidInput, NotFound
from domain.hand_edits import (
    MAX_STEPS,
    AddStep,
    ChangeStep,
    Edit,
    MoveStep,
    Overtaken,
    RemoveStep,
    apply,
    words,
)
from domain.step_edits import Known, Words

A, B, C, NEW = (uuid4() for _ in range(4))


def known(step_id: UUID, position: int, *, version: int = 1, retired: bool = False, body: str = "") -> Known:
    subject = "A role" if position == 1 else None
    return Known(step_id, position, version, Words("P1D", subject, body or f"Text {position}"), retired)


THREE = [known(A, 1), known(B, 2), known(C, 3)]
OTHER = Words("P2D", None, "Other words")


def ids(steps: list[tuple[UUID, Words]]) -> list[UUID]:
    return [step_id for step_id, _ in steps]


@pytest.mark.parametrize(
    ("edit", "order"),
    [
        (AddStep(NEW, 2, OTHER), [A, NEW, B, C]),
        (AddStep(NEW, 99, OTHER), [A, B, C, NEW]),
        (ChangeStep(B, 1, OTHER), [A, B, C]),
        (MoveStep(C, 3, 1), [C, A, B]),
        (MoveStep(A, 1, 99), [B, C, A]),
        (RemoveStep(B, 1), [A, C]),
    ],
)
def test_an_edit_leaves_every_other_step_what_it_is(edit: Edit, order: list[UUID]) -> None:
    assert ids(apply(THREE, edit)) == order


def test_the_first_step_has_a_subject_if_only_an_empty_one_and_a_later_one_without_answers_in_the_thread() -> (
    None
):
    assert [each.subject for _, each in apply(THREE, MoveStep(B, 2, 1))] == ["", "A role", None]
    assert [each.subject for _, each in apply(THREE, RemoveStep(A, 1))] == ["", None]
    back = [known(B, 1), known(A, 2)]
    assert [each.subject for _, each in apply(back, ChangeStep(A, 1, Words("P1D", "", "x")))] == [
        "A role",
        None,
    ]


@pytest.mark.parametrize("edit", [ChangeStep(B, 1, OTHER), RemoveStep(B, 1)])
def test_an_edit_of_a_step_that_somebody_has_changed_is_refused_with_what_it_is_now(edit: Edit) -> None:
    with pytest.raises(Overtaken, match="has changed this step") as refused:
        apply([known(A, 1), known(B, 2, version=2, body="Theirs")], edit)
    assert refused.value.present is not None
    assert refused.value.present.words.body == "Theirs"


def test_an_edit_of_a_step_that_somebody_has_moved_or_removed_is_refused() -> None:
    with pytest.raises(Overtaken, match="it is step 3 now"):
        apply(THREE, MoveStep(C, 2, 1))
    with pytest.raises(Overtaken, match="removed"):
        apply([known(A, 1), known(B, 2, retired=True)], ChangeStep(B, 1, OTHER))
    with pytest.raises(NotFound):
        apply(THREE, RemoveStep(NEW, 1))


def test_what_is_done_already_changes_nothing() -> None:
    added = [*THREE, known(NEW, 4)]
    assert ids(apply(added, AddStep(NEW, 1, OTHER))) == [A, B, C, NEW]
    removed = [known(A, 1), known(NEW, 2, retired=True)]
    assert ids(apply(removed, AddStep(NEW, 1, OTHER))) == [A]
    assert ids(apply(removed, RemoveStep(NEW, 1))) == [A]
    changed = known(B, 2, version=2)
    assert apply([known(A, 1), changed], ChangeStep(B, 1, changed.words))[1][1] == changed.words
    assert ids(apply(THREE, MoveStep(C, 1, 3))) == [A, B, C]


def test_a_step_keeps_its_id_in_a_file() -> None:
    step = Known(B, 1, 1, Words("P1D", "Hi", "Text", "follow-up"))
    assert apply([step], ChangeStep(B, 1, Words("P1D", "Hello", "Text")))[0][1].key == "follow-up"


def test_steps_have_an_end() -> None:
    many = [known(uuid4(), at) for at in range(1, MAX_STEPS + 1)]
    with pytest.raises(InvalidInput, match="at most"):
        apply(many, AddStep(NEW, 1, OTHER))


def test_words_are_tidied_and_what_no_email_can_have_is_refused() -> None:
    assert words("3 BUSINESS DAYS", " Hi ", "\r\nOne\r\nTwo\n\n") == Words(
        "3 business days", "Hi", "One\nTwo"
    )
    for field, values in (
        ("subject", ("P1D", "One\nTwo", "x")),
        ("subject", ("P1D", "x" * 256, "x")),
        ("body", ("P1D", None, "x" * 600_000)),
        ("delay", ("soon", None, "x")),
    ):
        with pytest.raises(InvalidInput) as refused:
            words(*values)
        assert refused.value.where == field


@pytest.mark.parametrize(
    "text", ["PT0S", "P3D", "PT4H", "P1DT4H", "PT90M", "PT5S", "1 business day", "12 business days"]
)
def test_a_delay_is_a_number_and_a_unit_and_back(text: str) -> None:
    delay = parse_delay(text)
    assert delay_of(*delay.parts) == delay
    with pytest.raises(InvalidInput):
        delay_of(1, "months")
    with pytest.raises(InvalidInput):
        delay_of(-1, "days")
    with pytest.raises(InvalidInput):
        delay_of(366, "days")
