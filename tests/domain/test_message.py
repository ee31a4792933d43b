"""Building the email: one recipient, one line of subject, clean HTML with its text, and no way in for headers."""

import html
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import SMTP

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.address import Address, unprintable
from domain.errors import MessageRejected
from domain.merge import MissingField
from domain.message import BODY_AT_MOST, SUBJECT_AT_MOST, OutgoingMessage, compose
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
        ("s" * (SUBJECT_AT_MOST + 1), "text", "bad_subject"),
        ("s", "x" * (BODY_AT_MOST + 1), "message_too_large"),
        ("s", "", "empty_message"),
        ("s", "<p> </p>", "empty_message"),
        ("s", "<script>alert(1)</script>", "empty_message"),
    ],
)
def test_what_no_email_may_be_is_refused(subject: str, body: str, code: str) -> None:
    with pytest.raises(MessageRejected) as refused:
        made(subject, body)
    assert refused.value.code == code
