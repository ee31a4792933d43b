"""Merge fields: known fields only, one pass, escaped, and never an empty place where a name should be."""

import html

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.errors import MessageRejected
from domain.merge import STANDARD_FIELDS, MergeField, MissingField, check, fields_in, fill

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = ("first_name", "company", "x", "years_2")

# Text that holds no sign of another tool's fields, and no entity.
plain = st.text(max_size=12).map(
    lambda text: "".join(each for each in text if each not in "{}[]<>%#*_&$@\u00ab\u00bb")
)
# What people and attackers write: text, braces, markup, and fields that a second pass would fill.
values = st.text(max_size=12) | st.sampled_from(
    ["{{first_name}}", "{{company|x}}", "{{", "}}", "{", "<b>&\"'", "{{nope}}", "\\1", "\\g<0>"]
)
# A bare word may be another tool's filter, and quotation marks are taken off: such have tests of their own.
fallbacks = st.none() | st.just(" ") | plain.map(lambda text: "." + text.replace("|", "") + ".")
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
        ("Hi {{nickname|Frau\u00a0Doktor}}!", "Hi Frau\u00a0Doktor!"),
        ("Hi {{nickname|&nbsp;Frau&nbsp;Doktor&nbsp;}}!", "Hi Frau\u00a0Doktor!"),
        ("Hi {{nickname|&nbsp;default:&nbsp;'you'}}!", "Hi you!"),
        ("{{first_name}}{{first_name}}", "AnnAnn"),
        ("{{\nfirst_name\n}}", "Ann"),
        ("no fields, {one} brace, 100 %", "no fields, {one} brace, 100 %"),
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
@example([("x", ".a\u00a0b.")])
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
    listed = "Use one of: company, first_name."
    assert [problem.fix for problem in problems] == [
        f"Write {{{{company}}}}. {listed}",
        f"Write {{{{first_name}}}}. {listed}",
    ]


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
        ("{{1st}}", [0, 5]),
        ("{{first_name", [0]),
        ("{{first_name}", [0]),
        ("{{x|{b}}}", [0, 6]),
        ("{{{{x}}}}", [0, 7]),
        ("{{x.__class__}}", [0, 13]),
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
        assert template[problem.offset] in "{}[<%#*_&$@\u00ab(|~^!:-"
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


VALUES = {"first_name": "", "company": "Acme", "sender_first_name": "Hans"}


@pytest.mark.parametrize(
    "template",
    [
        'Hi {{first_name | default: "there"}},',
        "Hi {{ first_name|default('there') }},",
        'Hi {{first_name | default: "there", true}},',
        'Hi {{first_name|default("there", true)}},',
        'Hi {{first_name | default "there"}},',
        'Hi {{first_name|"there"}},',
        "Hi {{first_name|'there'}},",
        "Hi {{first_name|\u201cthere\u201d}},",
        "Hi {{first_name|\u201ethere\u201c}},",
        "Hi {{first_name | fallback: 'there'}},",
        'Hi {{first_name | fallback="there"}},',
        "Hi {{first_name | default: there}},",
        'Hi {{first_name or "there"}},',
        "Hi {{ first_name || 'there' }},",
        "Hi {{ first_name ?? 'there' }},",
        "Hi {{first_name | default: &quot;there&quot;}},",
        "Hi {{&nbsp;first_name&nbsp;| there}},",
        "Hi {{first_name|there}},",
    ],
)
def test_fallbacks_of_other_tools_mean_their_words(template: str) -> None:
    assert check(template, VALUES) == []
    assert [each.fallback for each in fields_in(template)] == ["there"]
    assert fill(template, VALUES, escape=html.escape) == "Hi there,"
    assert fill(template, VALUES | {"first_name": "Ann"}, escape=html.escape) == "Hi Ann,"


@pytest.mark.parametrize(
    "template", ["{{first_name|''}}", '{{first_name | default: ""}}', "{{first_name|default('')}}"]
)
def test_an_empty_fallback_of_another_tool_is_none(template: str) -> None:
    with pytest.raises(MissingField):
        fill(template, VALUES, escape=str)


@pytest.mark.parametrize(
    "written",
    [
        "upper",
        "capitalize",
        "upcase",
        "titlecase",
        "truncate: 20",
        "truncate(20)",
        "replace('a', 'b')",
        "append: '!'",
        "Upper",
    ],
)
def test_filters_of_other_tools_are_refused_with_the_right_spelling(written: str) -> None:
    (problem,) = check(f"Hi {{{{first_name|{written}}}}},", VALUES)
    assert problem.offset == 3
    assert "filter" in problem.what
    assert "{{first_name|there}}" in problem.fix


def test_a_word_that_is_a_filters_name_is_a_fallback_in_quotation_marks() -> None:
    assert fill("{{first_name|'title'}}", VALUES, escape=str) == "title"


@pytest.mark.parametrize(
    "written",
    [
        "{first_name}", "{First Name}", "{FIRST_NAME|there}", "[First Name]", "[FIRST_NAME]", "[[first_name]]", "*|FNAME|*",
        "*|FIRST_NAME|*", "%FIRSTNAME%", "%first_name%", "%%First Name%%", "%recipient.first_name%", "<<First Name>>",
        "&lt;&lt;First Name&gt;&gt;", "\u00abFirst Name\u00bb", "${first_name}", "#{first_name}", "#first_name#", "##FIRST_NAME##",
        "{{contact.first_name}}", "{{ candidate.firstName }}", "{{First_Name}}", "{{first name}}", "{{FirstName}}", "{{fname}}",
        "{{.FirstName}}", "{{{first_name}}}", "{{{ first_name }}}", "{!Contact.FirstName}", "<%= first_name %>", "<First Name>",
        "{{contact.first_name | default: 'there'}}", '{{first_name "default=there"}}', '{{insert first_name "default=there"}}',
        "{{first_name, fallback=there}}", "{{first_name | capitalize | default: 'there'}}", "[First Name,fallback=there]",
        "{{first_name()}}", "__first_name__", "{{Vorname}}", "{{first_name|a|b}}",
        "{{CANDIDATE_FIRST_NAME}}", "{CANDIDATE_FIRST_NAME}", "%candidate.firstName%", "{?candidate.firstName}", "*|TITLE:FNAME|*",
        "$first_name", "@FirstName", "(first_name)", "((first_name))", "|FIRST_NAME|", "~first_name~", "$(first_name)", "[*first_name*]",
        "%(first_name)s", "@@firstName@@", "{{- first_name -}}", "{{default first_name 'there'}}", "[Vorname]", "{nombre}", "[Имя]",
        "{{имя}}", "{{ personalization_token('contact.firstname', 'there') }}", "&lt;First Name&gt;", "＜First Name＞",  # noqa: RUF001
        "｛｛first_name｝｝", "【お名前】", "[Förnamn]", "[Prénom]", "{{candidate_first_name}}", "{{recipientFirstName}}",  # noqa: RUF001
    ],
)  # fmt: skip
def test_other_tools_fields_are_refused_with_the_right_spelling(written: str) -> None:
    (problem,) = check(f"Hi {written}, hello", VALUES)
    assert problem.offset == 3
    assert "{{first_name}}" in problem.fix
    with pytest.raises(MessageRejected) as refused:
        fill(f"Hi {written}, hello", VALUES, escape=str)
    assert refused.value.code == "bad_template"
    assert "{{first_name}}" in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        "{{sender.first_name}}",
        "{{me.first_name}}",
        "[Sender First Name]",
        "{senderFirstName}",
        "{{MY_FIRST_NAME}}",
        "{{sendingAccountFirstName}}",
        "[My First Name]",
        "{{recruiter.firstName}}",
    ],
)
def test_the_senders_fields_of_other_tools_are_told_from_the_persons(written: str) -> None:
    (problem,) = check(written, VALUES)
    assert "{{sender_first_name}}" in problem.fix


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("{{account.name}}", "company"), ("{{company.name}}", "company"), ("{{candidate.name}}", "full_name"), ("Hi [Name],", "full_name"),
        ("Dear <name>,", "full_name"), ("Hallo {Name},", "full_name"), ("{{CANDIDATE_NAME}}", "full_name"), ("[Your Name]", "sender_name"),
        ("{{MY_FULL_NAME}}", "sender_name"), ("{{MY_EMAIL_ADDRESS}}", "sender_email"), ("{{owner.name}}", "sender_name"),
        ("[Firma]", "company"), ("【姓名】", "full_name"), ("{{contact.company}}", "company"),
    ],
)  # fmt: skip
def test_whose_name_is_meant_decides_which_field_is_offered(written: str, field: str) -> None:
    (problem,) = check(written, STANDARD_FIELDS)
    assert f"Write {{{{{field}}}}} or" in problem.fix


@pytest.mark.parametrize(
    "written",
    [
        "{{posting.name}}", "{{job.title}}", "{{JOB_NAME}}", "*|LIST:COMPANY|*", "*|UNSUB|*", "*|DATE:d/m/y|*", "<%= nickname %>",
        "%%icebreaker%%", "{{SNIPPET_1}}", "{{> header}}", "{{! comment }}", "{Hi|Hello|Hey}", "{{RANDOM | Hi | Hello}}",
        "{% comment %}", "{%- endunless -%}", "*|ELSE:|*", "{Guten Tag | Hallo}",
        "{unsubscribe_link}", "{calendar_link}", "{account.signature}", "{ UNSUBSCRIBE_URL }", "{calendarLink}", "{icebreaker_1|Hi}",
        "{sender.calendar_link}", "{unsubscribe_link, fallback=here}", "${calendar_link}", "#{calendar_link}", "{!account.signature}",
        "{$calendar_link}", "{&nbsp;calendar_link&nbsp;}", "｛unsubscribe_link｝", "[unsubscribe_link]", "[[calendar_link]]",  # noqa: RUF001
        "<<unsubscribe_link>>", "&lt;&lt;calendar.link&gt;&gt;", "«calendar_link»", "%unsubscribe_url%", "%recipient.unsub_link%",
        "here{unsubscribe_link}", "{signature}", "{Unsubscribe}", "{Calendar Link}", "{Meeting link}",
        "{RANDOM|a|b}", "{random | x | y}", "{RANDOM}", "{I|We}", "{a|an}", "{really |}", "{|very }", "{Hi {{first_name}}|Hello}",
    ],
)  # fmt: skip
def test_what_nothing_here_stands_for_is_refused_and_never_sent(written: str) -> None:
    assert check(f"Hi {written} and more", STANDARD_FIELDS)
    for problem in check(f"Hi {written} and more", STANDARD_FIELDS):
        assert "{{full_name}}" not in problem.fix
        assert "{{title}}" not in problem.fix


@pytest.mark.parametrize(
    "template",
    [
        "{% if first_name %}Hi{% else %}Hello{% endif %}",
        "{{#if first_name}}Hi{{/if}}",
        "*|IF:FNAME|*Hi*|END:IF|*",
    ],
)
def test_conditions_of_other_tools_are_refused_and_the_fallback_offered(template: str) -> None:
    problems = check(template, VALUES)
    assert problems[0].offset == 0
    assert {problem.fix for problem in problems if "condition" in problem.what} == {
        "There are no conditions; write {{first_name|there}} with the words for people without a value."
    }


@pytest.mark.parametrize(
    "text",
    [
        "«Mail.ru», «hh.ru» и «iPhone»", "{Node.js} {example.com}", "a set {1, 2} and [3] and <4>", "f(x) = {x | x > 0}", "[sic] {one} %d %s 100 % sure, 20% more", "Array<String>, List[int]",
        "see [our site](https://acme.example)", "{name} and [Name] as words", "C#, F# and #hiring", "snake_case __init__",
        "our company % and its %", "{ company: Acme }", "[Location: Berlin]", "<hans@acme.example>", "int main() { return 0; }",
        "https://acme.example/?first_name=1&last_name=2#company_name", "{x|x>0} or {a|b}", "[[nodiscard]] and ${HOME}", "__name__ == 3",
        "{one.} {two_ } {_three} {1.5} {e.g.} {2_000}", "a[my_index] and [acme.example] or [a link_text](https://acme.example)", "{a || b}",
        "{x | x even}", "{full-time}, {Full Time}", "https://acme.example/%C3my_file%20b", "calendar_link and account.signature", "5%a_b 6%",
        "Hi [all], hello <you>", "(name) [mail] {city}", "me@first_name.example", "A [Position] {role}", "job_title is a column",
    ],
)  # fmt: skip
def test_text_that_merely_has_braces_is_text(text: str) -> None:
    assert check(text, STANDARD_FIELDS) == []
    assert fill(text, dict.fromkeys(STANDARD_FIELDS, "x"), escape=str) == text


def test_a_template_full_of_wrong_fields_is_refused_soon() -> None:
    assert len(check("{first_name} " * 40_000, VALUES)) >= 100


def test_an_opt_out_link_of_another_tool_is_to_be_left_out() -> None:
    for written in (
        "{unsubscribe_link}",
        "*|UNSUB|*",
        "%unsubscribe_url%",
        "[[opt_out_link]]",
        "{Unsubscribe}",
    ):
        (problem,) = check(written, STANDARD_FIELDS)
        assert problem.fix == "Leave it out: emails of a sequence offer to opt out by themselves."
