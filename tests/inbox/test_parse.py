from datetime import UTC, datetime

import pytest

from inbox.charsets import decoded, header_text
from inbox.html_text import html_to_text
from inbox.mime import MAX_DEPTH, MAX_PARTS, parts
from inbox.parse import UnreadableMessage, parse

NOW = datetime(2026, 12, 7, 9, tzinfo=UTC)


def message(head: str, body: bytes = b"Hi") -> bytes:
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def test_headers_are_read_as_people_read_them() -> None:
    read = parse(
        message(
            "From: =?iso-8859-1?Q?Elise_=C9tienne?= <Elise@Example.ORG>\n"
            'To: "Roe, Rita" <rita@example.com>, b@example.com\n'
            "Subject: =?utf-8?B?R3LDvMOf?=\n =?utf-8?B?ZQ==?=\n"
            "Message-ID: <a.1@example.org>\nIn-Reply-To: <b.2@example.com>\n"
            "References: <c.3@example.com>\n <d.4@example.com>\nDate: Mon, 7 Dec 2026 10:00:00 +0100"
        ),
        now=NOW,
    )
    assert (read.sender, read.sender_name) == ("elise@example.org", "Elise Étienne")
    assert read.recipients == ("rita@example.com", "b@example.com")
    assert read.subject == "Grüße"
    assert (read.message_id, read.in_reply_to) == ("a.1@example.org", ("b.2@example.com",))
    assert read.references == ("c.3@example.com", "d.4@example.com")
    assert read.received_at == datetime(2026, 12, 7, 9, tzinfo=UTC)


def test_the_newest_received_header_says_when_it_came() -> None:
    head = (
        "Received: from a by b; Tue, 8 Dec 2026 08:00:00 +0000\nReceived: from c by a; Sat, 5 Dec 2026 08:00:00 +0000\n"
        "Date: Sat, 5 Dec 2020 08:00:00 +0000\nFrom: a@example.org"
    )
    assert parse(message(head), now=NOW).received_at == datetime(2026, 12, 8, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        '"real@example.com" <fake@example.org>',
        "real@example.com <fake@example.org>",
        '"a \\" <real@example.com>" <fake@example.org>',
    ],
)
def test_a_name_that_looks_like_an_address_is_no_sender(value: str) -> None:
    assert parse(message(f"From: {value}"), now=NOW).sender == "fake@example.org"


def test_the_plain_text_is_read_unless_it_says_nothing() -> None:
    head = 'From: a@example.org\nContent-Type: multipart/alternative; boundary="x"'
    html = b"--x\r\nContent-Type: text/html\r\n\r\n<p>In HTML <b>more</b> is said than that.</p>\r\n--x--"
    plain = b"--x\r\nContent-Type: text/plain\r\n\r\n%s\r\n"
    assert parse(message(head, plain % b"The same in plain text" + html), now=NOW).text.startswith("The same")
    assert parse(message(head, plain % b"" + html), now=NOW).text == "In HTML more is said than that."


def test_a_file_is_no_text_of_the_message() -> None:
    head = 'From: a@example.org\nContent-Type: multipart/mixed; boundary="x"'
    body = (
        b"--x\r\nContent-Type: text/plain\r\n\r\nHi\r\n--x\r\nContent-Type: text/plain; name=old.txt\r\n"
        b"Content-Disposition: attachment\r\n\r\nunsubscribe\r\n--x--"
    )
    assert parse(message(head, body), now=NOW).text == "Hi"


def test_quotes_of_html_are_marked() -> None:
    shown = html_to_text(
        "<div>Yes</div><div class=gmail_quote>On Monday<blockquote>old</blockquote></div>"
        "<script>alert(1)</script><p style='display:none'>hidden</p>"
    )
    assert shown == "Yes\n> On Monday\n> old"


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("Grüße".encode("cp1252"), "iso-8859-1", "Grüße"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode(), "iso-8859-1-made-up", "Grüße"),
        ("自動応答".encode("iso2022_jp"), "ISO-2022-JP", "自動応答"),
        ("자동".encode("cp949"), "ks_c_5601-1987", "자동"),
        ("镕".encode("gb18030"), "gb2312", "镕"),
        (b"a\\x41", "unicode_escape", "a\\x41"),
        (b"plain", "zlib", "plain"),
    ],
)
def test_text_is_read_in_the_charset_that_it_is_in(content: bytes, charset: str, text: str) -> None:
    assert decoded(content, charset) == text


def test_encoded_words_cut_within_a_character_are_joined() -> None:
    assert header_text("=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=") == "Grüße"


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"PK\x03\x04 no mail at all", b"just a line of text"])
def test_what_is_no_email_is_refused_with_the_reason(raw: bytes) -> None:
    with pytest.raises(UnreadableMessage, match="no email"):
        parse(raw, now=NOW)


def test_parts_beyond_the_limits_are_left_out() -> None:
    raw = b"leaf"
    for level in range(MAX_DEPTH + 5):
        raw = b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n%s\n--b%d--\n' % (
            level,
            level,
            raw,
            level,
        )
    assert parts(raw) == []
    many = b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * 5000
    assert len(parts(many)) <= MAX_PARTS
