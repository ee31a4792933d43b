"""An email on the wire of SMTP: ids and subjects as they were written, whatever Python's email package would do."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32, default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.address import Address, unprintable
from transports.smtp_message import build_email

MICROSOFTS = "<AB1PR02MB3456789012345678901234567890ABCDE@AB1PR02MB3456.eurprd02.prod.outlook.com>"
SUBJECTS = [
    "Re: A role", "two  spaces", "three   and   two  ", " leading", "Gr\u00fc\u00dfe", "=?utf-8?q?not_encoded?=", "=?", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\U0001f389 " * 40, "word " * 50 + "end", "x" * 255, "a" * 70 + " b c", "\u4f60\u597d" * 60, "zero\u200dwidth", "a\u00a0b", '100 %: "q" <b>, c; d',
]  # fmt: skip


def wire(subject: str = "A role", *, message_id: str = "<x@acme.example>", **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return build_email(
        Address("hans@acme.example", "Hans H\u00f6ld"), Address("ann@example.org"), subject, "text", "<p>text</p>", message_id=message_id, headers=named
    ).as_bytes()  # fmt: skip


def raw(email: bytes, name: str) -> str:
    found = re.search(rf"^{name}:((?:.*\r\n)(?:[ \t].*\r\n)*)".encode(), email, re.MULTILINE | re.IGNORECASE)
    assert found is not None
    return found[1].decode("ascii")


@pytest.mark.parametrize("length", [10, 43, 60, 120, 200])
def test_message_ids_are_never_encoded_or_broken(length: int) -> None:
    long = f"<{'a' * 40}@{'b' * length}.example>"
    email = wire(message_id=long, In_Reply_To=long, References=f"{MICROSOFTS} {long} <short@x.example>")
    assert b"=?" not in email.partition(b"In-Reply-To")[2].partition(b"MIME")[0]
    assert raw(email, "Message-ID").split() == [long]
    assert raw(email, "In-Reply-To").split() == [long]
    assert raw(email, "References").split() == [MICROSOFTS, long, "<short@x.example>"]
    for line in raw(email, "References").splitlines():
        assert line.strip(), "a header must have no empty line"
    read = message_from_bytes(email, policy=default)
    assert str(read["In-Reply-To"]).strip() == long


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    email = wire(subject)
    assert str(message_from_bytes(email, policy=default)["Subject"]).removeprefix(
        " "
    ) == subject.removeprefix(" ")
    assert email.isascii()
    assert max(len(line) for line in raw(email, "Subject").splitlines()) <= 255 + 9


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=255).filter(
        lambda text: not any(unprintable(each) for each in text)
    )
)
def test_any_subject_without_space_around_it_survives_a_plain_decoder(text: str) -> None:
    subject = text.strip()
    written = message_from_bytes(wire(subject), policy=compat32)["Subject"]
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", str(written))
    assert str(make_header(decode_header(unfolded))) == subject


def test_no_line_break_reaches_a_header() -> None:
    email = wire("A role\r\nBcc: evil@example.org")
    assert b"\r\nBcc:" not in email
    with pytest.raises(ValueError, match="no header may"):
        wire(In_Reply_To="<a@b.example>\r\nBcc: evil@example.org")
