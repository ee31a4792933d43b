"""A signature below a text: plain stays plain, HTML stays HTML, and nothing of it is taken for a field or a script."""

import pytest

from domain.errors import InvalidInput, MessageRejected
from domain.message import compose
from domain.signature import MAX_SIGNATURE, checked_signature
from tests.domain.test_message import ANNA, VALUES
from transports.html import sanitise, to_text

HTML = '<p><b>Hans Holder</b><br><a href="https://acme.example">Acme</a></p>'


def made(body: str, signature: str) -> tuple[str, str]:
    email = compose(
        subject="A role",
        body=body,
        values=VALUES,
        recipient=ANNA,
        reply_subject=None,
        sanitise=sanitise,
        to_text=to_text,
        signature=signature,
    )
    return email.html, email.text


def test_plain_text_below_plain_text() -> None:
    html, text = made("Hello {{first_name}},\n\nany news?\n", "Hans Holder\nAcme & Co")
    assert text == "Hello Anna,\n\nany news?\n\nHans Holder\nAcme & Co"
    assert html == "<p>Hello Anna,</p><p>any news?</p>\n<p>Hans Holder<br>Acme &amp; Co</p>"


def test_html_below_html() -> None:
    html, text = made("<p>Hello <i>{{first_name}}</i></p>", HTML)
    assert html == f"<p>Hello <i>Anna</i></p>\n{HTML}"
    assert text == "Hello Anna\n\nHans Holder\nAcme <https://acme.example>"


def test_a_plain_email_stays_plain_whatever_its_signature_is() -> None:
    html, text = made("Hello", HTML)
    assert text == "Hello\n\nHans Holder\nAcme <https://acme.example>"
    assert "<b>" not in html
    assert html.startswith("<p>Hello</p>\n<p>Hans Holder<br>")


def test_plain_text_below_html_keeps_its_lines() -> None:
    html, text = made("<p>Hello</p>", "Hans\nAcme")
    assert html == "<p>Hello</p>\n<p>Hans<br>Acme</p>"
    assert text == "Hello\n\nHans\nAcme"


def test_it_is_sanitised_as_bodies_are_and_an_open_tag_of_the_body_ends_before_it() -> None:
    html, text = made(
        "<p>Hello <i>you <i>there</i></p>",
        '<p onclick="x()">Hans<script>alert(1)</script><img src="https://t.example/p"></p>',
    )
    assert (html, text) == ("<p>Hello <i>you <i>there</i></i></p>\n<p>Hans</p>", "Hello you there\n\nHans")


def test_what_is_sanitised_away_adds_nothing() -> None:
    assert made("Hello", "<script>alert(1)</script>") == made("Hello", "")


def test_a_field_in_it_is_not_filled() -> None:
    _, text = made("Hello", "{{first_name}}")
    assert text == "Hello\n\n{{first_name}}"


def test_an_email_without_a_text_of_its_own_is_refused() -> None:
    with pytest.raises(MessageRejected, match="no text"):
        made("  ", "Hans")


@pytest.mark.parametrize(
    ("text", "what"),
    [("{{first_name}}", "merge fields"), ("x" * (MAX_SIGNATURE + 1), "characters"), ("a\x0bb", "U+000B")],
)
def test_what_no_signature_may_hold_is_refused(text: str, what: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_signature(text)
    assert what in str(refused.value)
    assert refused.value.where == "signature"


def test_it_is_stored_without_empty_lines_around_it() -> None:
    assert checked_signature("\r\n\r\nHans  \r\n\tAcme\r\n\r\n") == "Hans\n\tAcme"
    assert checked_signature(" \n ") == ""
