"""Building the email: one recipient, one line of subject, clean HTML with its text, and no way in for headers."""

import html
import re
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import SMTP

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.address import Address, unprintable
from domain.errors import MessageRejected
from domain.merge import MissingField
from domain.message import MAX_BODY, MAX_SUBJECT, OutgoingMessage, compose
from transports.html import sanitise, to_text

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANNA = Address("anna@example.org", "Anna Ahorn")
VALUES = {"first_name": "Anna", "company": "Ahorn & Söhne", "title": ""}
BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\ud800"]
# Any text a recruiter's export may hold, with what breaks headers made likely.
nasty = st.lists(
    st.one_of(st.text(max_size=20), st.sampled_from([*BREAKS, "\r\nBcc: evil@example.org", "<script>"])),
    max_size=6,
).map("".join)


def made(
    subject: str | None = "A role for {{first_name|you}}",
    body: str = "Hello {{first_name|there}}",
    values: Mapping[str, str] = VALUES,
    recipient: Address = ANNA,
    reply_subject: str | None = None,
) -> OutgoingMessage:
    return compose(
        subject=subject,
        body=body,
        values=values,
        recipient=recipient,
        reply_subject=reply_subject,
        sanitise=sanitise,
        to_text=to_text,
    )


def test_fields_are_filled_in_subject_html_and_text() -> None:
    email = made(body="Hello {{first_name}},\n\nhow is {{company}}?")
    assert email.subject == "A role for Anna"
    assert email.html == "<p>Hello Anna,</p><p>how is Ahorn &amp; Söhne?</p>"
    assert email.text.split("\n\n") == ["Hello Anna,", "how is Ahorn & Söhne?"]


@CALM
@given(nasty, nasty)
def test_no_value_reaches_a_header_as_more_than_one_line_or_the_body_as_markup(first: str, name: str) -> None:
    values = {"first_name": first}
    recipient = Address("anna@example.org", name)
    try:
        email = made("Hello {{first_name|you}}", "<p>Dear {{first_name|you}}</p>", values, recipient)
    except MessageRejected as refused:
        assert refused.code == "bad_subject"
        return
    assert unprintable(email.subject) is None
    assert unprintable(email.recipient.name) is None
    assert email.recipient.email == "anna@example.org"
    assert "<script" not in email.html.lower()
    # What a mail program would read of such a subject: that one header, nothing after it.
    parsed = BytesParser(policy=SMTP).parsebytes(f"Subject: {email.subject}\r\n\r\n".encode())
    assert list(parsed.keys()) == ["Subject"]


@pytest.mark.parametrize("character", BREAKS)
def test_a_subject_with_a_break_is_refused_and_the_character_named(character: str) -> None:
    with pytest.raises(MessageRejected, match=r"U\+") as refused:
        made("Hello {{first_name}}", values={"first_name": f"Anna{character}Bcc: evil@example.org"})
    assert refused.value.code == "bad_subject"


@pytest.mark.parametrize("character", BREAKS)
def test_a_broken_name_is_left_out_and_the_email_still_leaves(character: str) -> None:
    assert made(recipient=Address("anna@example.org", f"Anna{character}X")).recipient == Address(
        "anna@example.org", ""
    )


def test_a_field_that_is_missing_without_a_fallback_names_itself() -> None:
    with pytest.raises(MissingField) as missing:
        made(body="As {{title}} you …")
    assert missing.value.field == "title"


def test_a_value_is_never_a_template() -> None:
    email = made(body="{{first_name}}", values={"first_name": "{{company}}", "company": "no"})
    assert email.text.strip() == "{{company}}"


@CALM
@given(st.text(max_size=200))
def test_a_value_in_html_is_text(value: str) -> None:
    try:
        email = made("x", "<p>-{{first_name|-}}-</p>", {"first_name": value})
    except MessageRejected:
        return
    inside = email.html.removeprefix("<p>-").removesuffix("-</p>")
    assert "<" not in inside
    assert (
        html.unescape(inside).split() == (value.split() or ["-"])
        or "\x00" in value
        or any(unprintable(c) for c in value)
    )


def test_a_follow_up_answers_in_the_thread_under_its_subject() -> None:
    assert made(None, reply_subject="A role for {{first_name|you}}").subject == "Re: A role for Anna"
    assert made(None, reply_subject="RE: what we said").subject == "RE: what we said"


@pytest.mark.parametrize(
    ("subject", "body", "code"),
    [
        ("", "text", "bad_subject"),
        ("   ", "text", "bad_subject"),
        ("s" * (MAX_SUBJECT + 1), "text", "bad_subject"),
        ("s", "x" * (MAX_BODY + 1), "message_too_large"),
        ("s", "", "empty_message"),
        ("s", "<p> </p>", "empty_message"),
        ("s", "<script>alert(1)</script>", "empty_message"),
    ],
)
def test_what_no_email_may_be_is_refused(subject: str, body: str, code: str) -> None:
    with pytest.raises(MessageRejected) as refused:
        made(subject, body)
    assert refused.value.code == code


def test_only_tags_that_html_knows_make_a_text_html() -> None:
    for written in (
        "Book a slot: <https://cal.example/hans>", "write to Hans <hans@acme.example> any time", "we are <a small team> in Bonn",
        "x < y and y > z", "if a <b> is c", "I <3 it", "<placeholder>", "our <title> role", "mail <mailto:hans@acme.example>",
        "<p.king@acme.example>", "vector<int> v", "</s>", "<-- see above", "a <= b", "<\u00c4nderung>",
    ):  # fmt: skip
        email = made(body=f"Hi Ann,\n\n{written}\n\nBest,\nHans")
        assert email.text == f"Hi Ann,\n\n{written}\n\nBest,\nHans"
        assert email.html.count("<p>") == 3
        assert "Best,<br>Hans" in email.html
        shown = re.sub(r"</?(?:p|br|a)\b[^>]*>", "", email.html)
        assert html.escape(written, quote=False) in shown


def test_what_is_no_tag_stays_in_html_too() -> None:
    email = made(
        body="<p>write to Hans <hans@acme.example>, a <small team>, or book <https://cal.example/hans></p>"
    )
    assert (
        email.text == "write to Hans <hans@acme.example>, a <small team>, or book <https://cal.example/hans>"
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            "this is <b>bold</b>\n\nand <i>this</i>\nline",
            "<p>this is <b>bold</b></p><p>and <i>this</i><br>line</p>",
        ),
        ("<p>a</p>\n<p>b</p>", "<p>a</p>\n<p>b</p>"),
        ('<a href="https://x.example">here</a>\nBest', '<p><a href="https://x.example">here</a><br>Best</p>'),
        ("a<br>\nb", "a<br>\nb"),
        ("<P>A</P>", "<p>A</p>"),
        ("<font color=red>a</font>\nb", '<p><font color="red">a</font><br>b</p>'),
    ],
)
def test_a_body_with_tags_is_html_and_keeps_its_lines_where_no_tag_breaks_them(body: str, shown: str) -> None:
    assert made(body=body).html == shown


def test_plain_text_is_sent_as_it_is_written() -> None:
    text = "Hi Anna,\n\n  - one\n  -  two\n\n\nhttps://cal.example/a_b?x=1&y=2.\n\tBest"
    email = made(body=f"\n{text}  \n")
    assert email.text == text
    assert (
        '<a href="https://cal.example/a_b?x=1&amp;y=2">https://cal.example/a_b?x=1&amp;y=2</a>.' in email.html
    )
    assert "&nbsp;&nbsp;- one" in email.html or "\xa0\xa0- one" in email.html


@pytest.mark.parametrize(
    "subject",
    [
        "two  spaces",
        "Gr\u00fc\u00dfe \U0001f389\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\u05e9\u05dc\u05d5\u05dd",
        "=?utf-8?q?x?=",
        "a" * 255,
        '<b> & "q"',
    ],
)
def test_a_subject_is_what_was_written_without_the_space_around_it(subject: str) -> None:
    assert made(subject).subject == subject
    assert made(f"  {subject} \u00a0").subject == subject


def test_a_value_in_a_links_address_is_encoded_in_html_and_in_text() -> None:
    values = {
        "email": "ann+jobs@example.org",
        "company": "Smith & Sons #1",
        "site": "https://ann.example/cv?v=1&w=2",
        "first_name": "Ann",
    }
    link = "https://acme.example/{{company}}?email={{email}}&c={{company}}"
    wanted = "https://acme.example/Smith%20%26%20Sons%20%231?email=ann%2Bjobs%40example.org&c=Smith%20%26%20Sons%20%231"
    plain = made(body=f"Apply: {link}\n{{{{company}}}}", values=values)
    assert plain.text == f"Apply: {wanted}\nSmith & Sons #1"
    assert f'href="{html.escape(wanted)}"' in plain.html
    marked = made(body=f'<p><a href="{link}">Apply</a> <a href="{{{{site}}}}">you</a></p>', values=values)
    assert f'href="{html.escape(wanted)}"' in marked.html
    assert 'href="https://ann.example/cv?v=1&amp;w=2"' in marked.html


def test_an_answer_to_the_longest_subject_is_sent_and_cut_to_the_length_that_providers_take() -> None:
    email = made(None, reply_subject="a" * MAX_SUBJECT)
    assert email.subject == "Re: " + "a" * (MAX_SUBJECT - 4)
    with pytest.raises(MessageRejected):
        made(None, reply_subject="a" * (MAX_SUBJECT + 1))
