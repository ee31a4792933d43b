"""Merge fields: an allow-list, one pass, escaped, and never a hole where a name should stand."""

import html

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import MessageRejected
from domain.merge import STANDARD_FIELDS, MergeField, MissingField, check, fields_in, fill

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = ("first_name", "company", "x", "years_2")

plain = st.text(max_size=12).map(lambda text: text.replace("{", "").replace("}", ""))
# What people and attackers put in: text, braces, markup, and fields that would come alive in a second pass.
values = st.text(max_size=12) | st.sampled_from(
    ["{{first_name}}", "{{company|x}}", "{{", "}}", "{", "<b>&\"'", "{{nope}}", "\\1", "\\g<0>"]
)
fallbacks = st.none() | plain.map(lambda text: text.replace("|", ""))
uses = st.tuples(st.sampled_from(NAMES), fallbacks)
people = st.fixed_dictionaries(dict.fromkeys(NAMES, values))


def written(name: str, fallback: str | None) -> str:
    return f"{{{{{name}}}}}" if fallback is None else f"{{{{{name}|{fallback}}}}}"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi {{first_name}}!", "Hi Ann!"),
        ("Hi {{first_name|there}}!", "Hi Ann!"),
        ("Hi {{nickname|there}}!", "Hi there!"),
        ("Hi {{ nickname | dear colleague }}!", "Hi dear colleague!"),
        ("{{first_name}}{{first_name}}", "AnnAnn"),
        ("{{\nfirst_name\n}}", "Ann"),
        ("no fields, {one} brace, 100 %", "no fields, {one} brace, 100 %"),
        ("{{{first_name}}}", "{Ann}"),
        ("", ""),
    ],
)
def test_fields_take_the_value_or_else_the_fallback(template: str, expected: str) -> None:
    assert fill(template, {"first_name": "Ann", "nickname": ""}, escape=str) == expected


@pytest.mark.parametrize("empty", ["", " ", "\t\n", "\u00a0", "\u2003"])
@pytest.mark.parametrize("template", ["Hi {{first_name}},", "Hi {{first_name|}},", "Hi {{ first_name |  }},"])
def test_an_empty_value_without_fallback_stops_the_email(template: str, empty: str) -> None:
    with pytest.raises(MissingField) as caught:
        fill(template, {"first_name": empty}, escape=str)
    assert caught.value.field == "first_name"
    assert caught.value.code == "missing_merge_field"
    assert "{{first_name}}" in str(caught.value)


def test_a_missing_field_is_a_refused_message_so_that_the_step_fails_and_nothing_is_retried() -> None:
    with pytest.raises(MessageRejected):
        fill("{{first_name}}", {"first_name": ""}, escape=str)


def test_one_missing_field_among_filled_ones_stops_the_email() -> None:
    with pytest.raises(MissingField) as caught:
        fill(
            "{{x}} {{first_name|there}} {{company}}", {"x": "1", "first_name": "", "company": ""}, escape=str
        )
    assert caught.value.field == "company"


def test_a_value_that_looks_like_a_field_stays_text() -> None:
    people = {"first_name": "{{company}}", "company": "{{first_name}}"}
    assert fill("{{first_name}}/{{company}}", people, escape=str) == "{{company}}/{{first_name}}"


def test_values_that_together_look_like_a_field_stay_text() -> None:
    people = {"x": "{{", "first_name": "company", "company": "secret"}
    assert fill("{{x}}{{first_name}}{{x}}", people, escape=str) == "{{company{{"


def test_values_and_fallbacks_are_escaped_and_the_template_is_not() -> None:
    filled = fill(
        "<p>{{x}}</p><i>{{company|A & B \"C\" 'D' <E>}}</i>",
        {"x": '<script>alert("1")</script>&\'', "company": ""},
        escape=html.escape,
    )
    assert filled == (
        "<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#x27;</p>"
        "<i>A &amp; B &quot;C&quot; &#x27;D&#x27; &lt;E&gt;</i>"
    )


@CALM
@given(st.text(max_size=40))
def test_no_value_can_add_markup_to_html(value: str) -> None:
    filled = fill('<a title="{{x|-}}">{{x|-}}</a>', {"x": value}, escape=html.escape)
    inside = filled.removeprefix('<a title="').removesuffix("</a>")
    assert inside.count("<") == 0
    assert inside.count('"') == 1
    assert inside.count(">") == 1


@CALM
@given(pieces=st.lists(plain | uses, max_size=8), person=people)
def test_filling_is_one_pass_over_the_template(
    pieces: list[str | tuple[str, str | None]], person: dict[str, str]
) -> None:
    expected, hole = "", False
    for piece in pieces:
        if isinstance(piece, str):
            expected += piece
        else:
            name, fallback = piece
            taken = person[name].strip() or (fallback or "").strip()
            hole = hole or not taken
            expected += f"[{taken}]"
    template = "".join(piece if isinstance(piece, str) else written(*piece) for piece in pieces)
    assert check(template, NAMES) == []
    if hole:
        with pytest.raises(MissingField):
            fill(template, person, escape=lambda text: f"[{text}]")
    else:
        assert fill(template, person, escape=lambda text: f"[{text}]") == expected


@CALM
@given(st.lists(plain | uses, max_size=8))
def test_every_field_is_found_with_its_fallback_and_place(
    pieces: list[str | tuple[str, str | None]],
) -> None:
    template, expected = "", []
    for piece in pieces:
        if isinstance(piece, str):
            template += piece
        else:
            name, fallback = piece
            expected.append(MergeField(name, None if fallback is None else fallback.strip(), len(template)))
            template += written(*piece)
    assert fields_in(template) == tuple(expected)


def test_an_unknown_name_is_reported_with_its_place_and_the_known_ones() -> None:
    template = "Hi {{first_name}},\nI saw {{compani}} and {{firstname|you}}."
    problems = check(template, {"first_name", "company"})
    assert [problem.offset for problem in problems] == [
        template.index("{{compani"),
        template.index("{{firstname"),
    ]
    assert "compani" in problems[0].what
    assert "firstname" in problems[1].what
    assert {problem.fix for problem in problems} == {"Use one of: company, first_name."}


@CALM
@given(
    before=st.text(max_size=20).map(lambda text: text.replace("{", "(").replace("}", ")")),
    name=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True).filter(
        lambda name: name not in STANDARD_FIELDS
    ),
)
def test_the_place_of_an_unknown_name_counts_characters(before: str, name: str) -> None:
    template = f"{before}{{{{{name}}}}} {{{{first_name}}}}"
    assert [problem.offset for problem in check(template, STANDARD_FIELDS)] == [len(before)]


@pytest.mark.parametrize(
    ("template", "places"),
    [
        ("a {{", [2]),
        ("}} a", [0]),
        ("{{}}", [0, 2]),
        ("{{ }}", [0, 3]),
        ("{{First_name}}", [0, 12]),
        ("{{first name}}", [0, 12]),
        ("{{1st}}", [0, 5]),
        ("{{_x}}", [0, 4]),
        ("{{first_name", [0]),
        ("{{first_name}", [0]),
        ("{{x|a|b}}", [0, 7]),
        ("{{x|{b}}}", [0, 6]),
        ("{{{{x}}}}", [0, 7]),
        ("{{x|{{x}}}}", [0, 9]),
        ("{{x.__class__}}", [0, 13]),
        ("{{x()}}", [0, 5]),
        ("{{\u00e9}}", [0, 3]),
        ("{{" + "a" * 65 + "}}", [0, 67]),
        ("{{first_name}} }} {{", [15, 18]),
    ],
)
def test_braces_that_are_no_field_are_reported_with_their_places(template: str, places: list[int]) -> None:
    problems = check(template, {"first_name", "x"})
    assert [problem.offset for problem in problems] == places
    assert {problem.fix for problem in problems} == {"Write {{name}} or {{name|fallback}}."}


@pytest.mark.parametrize("template", ["{{unknown}}", "{{unknown|x}}", "Hi {{", "}}", "{{x.y}}", "{{X}}"])
def test_a_template_that_no_check_has_passed_is_never_filled(template: str) -> None:
    with pytest.raises(MessageRejected) as caught:
        fill(template, {"x": "1"}, escape=str)
    assert caught.value.code == "bad_template"


@CALM
@given(
    template=st.text(max_size=30) | st.text(alphabet="{}| \nax_1A.", max_size=30),
    person=st.fixed_dictionaries({"a": values, "x": values}),
)
def test_any_template_is_checked_or_filled_and_never_breaks(template: str, person: dict[str, str]) -> None:
    problems = check(template, person.keys())
    assert [problem.offset for problem in problems] == sorted(problem.offset for problem in problems)
    for problem in problems:
        assert template[problem.offset : problem.offset + 2] in ("{{", "}}")
        assert problem.what
        assert problem.fix
    try:
        fill(template, person, escape=str)
    except MissingField as error:
        assert not problems
        assert not person[error.field].strip()
    except MessageRejected:
        assert problems
    else:
        assert not problems
