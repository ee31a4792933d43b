"""Which step of an edited sequence is which, and what somebody has already had."""

from uuid import UUID

import pytest

from domain.step_edits import Known, Words, holds, match


def known(*bodies: str, keys: str = "", retired: tuple[int, ...] = ()) -> list[Known]:
    return [
        Known(
            UUID(int=n),
            n,
            1,
            Words("P1D", "S" if n == 1 else None, body, keys[n - 1] if keys else None),
            n in retired,
        )
        for n, body in enumerate(bodies, start=1)
    ]


def which(steps: list[Known], *bodies: str, keys: str = "") -> list[int | None]:
    wanted = [
        Words("P1D", "S" if n == 0 else None, body, keys[n] if keys else None)
        for n, body in enumerate(bodies)
    ]
    return [None if step is None else step.id.int for step in match(steps, wanted)]


ONE, TWO, THREE = "I lead the team at Acme", "May I ask once more?", "Last note from me, the door stays open"


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        ((ONE, TWO, THREE), [1, 2, 3]),
        ((ONE, "Entirely new", TWO, THREE), [1, None, 2, 3]),
        (("Entirely new", ONE, TWO, THREE), [None, 1, 2, 3]),
        ((ONE, THREE), [1, 3]),
        ((THREE, TWO, ONE), [3, 2, 1]),
        ((ONE, "Wholly different words here", THREE), [1, 2, 3]),
        ((ONE, "May I ask you once more, please?", THREE), [1, 2, 3]),
        ((THREE + " always", ONE, TWO), [3, 1, 2]),
        ((ONE, TWO, TWO, THREE), [1, 2, None, 3]),
        ((TWO,), [2]),
    ],
)
def test_steps_are_known_by_their_words_and_by_their_place(
    bodies: tuple[str, ...], expected: list[int | None]
) -> None:
    assert which(known(ONE, TWO, THREE), *bodies) == expected


def test_an_id_says_more_than_words() -> None:
    assert which(known(ONE, TWO, keys="ab"), TWO, ONE, keys="ab") == [1, 2]
    assert which(known(ONE, TWO, keys="ab"), ONE, "Other words", keys="ac") == [1, None]


def test_an_id_that_a_file_gives_for_the_first_time_names_the_step_with_these_words() -> None:
    assert which(known(ONE, TWO), ONE, TWO, keys="ab") == [1, 2]


def test_the_same_words_under_another_id_are_the_same_step() -> None:
    assert which(known(ONE, TWO, keys="ab"), ONE, TWO, keys="xy") == [1, 2]


def test_a_step_taken_out_is_known_again() -> None:
    assert which(known(ONE, TWO, THREE, retired=(2,)), ONE, TWO, THREE) == [1, 2, 3]


def test_no_step_is_taken_twice() -> None:
    found = match(known("", ONE, ONE)[1:], [Words("P1D", None, ONE) for _ in range(4)])
    assert [None if step is None else step.id.int for step in found] == [2, 3, None, None]


@pytest.mark.parametrize(
    ("had", "words", "expected"),
    [
        (ONE, ONE, True),
        (ONE, f"<p>{ONE.upper()}</p>", True),
        (f"{ONE}. {TWO}", TWO, True),
        (f"{ONE}. {TWO}", f"Hi,\n\n{ONE}.\n", True),
        (ONE, TWO, False),
        (TWO, f"{TWO} I mean it, and here is why it matters to us.", False),
        (
            "Hello {{first_name}}, here is our text number 2",
            "Hello {{first_name}}, here is our text number 3",
            False,
        ),
        ("Do you have any news for me by now, or later?", "Any news", False),
        (
            f"{ONE}.\n\nBest regards from all of us at Acme",
            "Any news?\n\nBest regards from all of us at Acme",
            False,
        ),
        ("", "", False),
    ],
)
def test_words_that_somebody_has_read(had: str, words: str, expected: bool) -> None:
    assert holds(had, words) is expected
