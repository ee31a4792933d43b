"""Full names as people and their exports write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.person_name import complete_name, full_name, split_name


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Ann Adler", "Ann", "Adler"),
        ("  Ann \t Adler ", "Ann", "Adler"),
        ("Adler, Ann", "Ann", "Adler"),
        ("van der Berg, Anna Maria", "Anna Maria", "van der Berg"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Jean-Luc Picard", "Jean-Luc", "Picard"),
        ("O'Neill, Shaun", "Shaun", "O'Neill"),
        ("Madonna", "Madonna", ""),
        ("Dr. Ann Adler", "Ann", "Adler"),
        ("Prof. Dr. Hans Müller", "Hans", "Müller"),
        ("Dipl.-Ing. Max Muster", "Max", "Muster"),
        ("Müller, Dr. Jörg", "Jörg", "Müller"),
        ("Frau Müller", "", "Müller"),
        ("Ann Adler, PhD", "Ann", "Adler"),
        ("Ann Adler, MBA, PMP", "Ann", "Adler"),
        ("Martin Luther King Jr.", "Martin", "Luther King"),
        ("Li, Ma", "Ma", "Li"),
        ("Jean Paul Ma", "Jean", "Paul Ma"),
        ("Ann (she/her) Adler", "Ann", "Adler"),
        ("Md Rahman", "Md", "Rahman"),
        ("山田 太郎", "太郎", "山田"),
        ("山田\u3000太郎", "太郎", "山田"),
        ("王小明", "", "王小明"),
        ("김민수", "", "김민수"),
        ("Анна Иванова", "Анна", "Иванова"),
        ("Dr. Müller-Lüdenscheidt, Hans-Peter (HR)", "Hans-Peter", "Müller-Lüdenscheidt"),
        ("Prof. Dr. h.c. Ada von der Leyen, MBA", "Ada", "von der Leyen"),
        ("Univ.-Prof. Dipl.-Ing. Dr. h.c. mult. Otto Gross", "Otto", "Gross"),
        ("Dr. rer. nat. Max Moritz", "Max", "Moritz"),
        ("Prof. Dr. med. Eva Klein", "Eva", "Klein"),
        ("H. C. Andersen", "H.", "C. Andersen"),
        ("Phil Collins", "Phil", "Collins"),
        ("Nat King Cole", "Nat", "King Cole"),
        ("Dr. Phil McGraw", "Phil", "McGraw"),
        ("Smith, Jr., John", "John", "Smith"),
        ("Ruiz, Ana <ana@example.org>", "Ana", "Ruiz"),
        ("Ann Adler | Acme", "Ann", "Adler"),
        ("Adler, Ann · Acme GmbH", "Ann", "Adler"),
        ("", "", ""),
    ],
)
def test_a_full_name_is_split_as_people_mean_it(text: str, first: str, last: str) -> None:
    assert split_name(text) == (first, last)


def test_both_names_together_stand_in_their_own_order() -> None:
    assert full_name("Ann", "Adler") == "Ann Adler"
    assert full_name("太郎", "山田") == "山田 太郎"
    assert full_name("", "王小明") == "王小明"
    assert full_name("Ann", "") == "Ann"


@pytest.mark.parametrize(
    ("first", "last", "whole", "names"),
    [
        ("", "", "Adler, Ann", ("Ann", "Adler")),
        ("Ann", "Adler", "Somebody Else", ("Ann", "Adler")),
        ("Ann", "", "Ann Adler", ("Ann", "Adler")),
        ("Ann", "", "Adler, Ann", ("Ann", "Adler")),
        ("Ann", "", "Adler", ("Ann", "Adler")),
        ("", "Adler", "Ann Adler", ("Ann", "Adler")),
        ("", "Adler", "Ann", ("Ann", "Adler")),
        ("", "García López", "María José", ("María José", "García López")),
        ("", "García López", "María José García López", ("María José", "García López")),
        ("Ann", "", "Ann", ("Ann", "")),
        ("Ann", "", "", ("Ann", "")),
    ],
)
def test_a_name_beside_a_first_or_last_name_is_what_its_value_shows(
    first: str, last: str, whole: str, names: tuple[str, str]
) -> None:
    assert complete_name(first, last, whole) == names


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_split_without_an_error(text: str, first: str, last: str) -> None:
    assert all(isinstance(each, str) for each in split_name(text))
    assert complete_name(first, last, text)
