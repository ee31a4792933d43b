"""Shapes of messages that try to hurt whoever reads them: bombs, depths, broken encodings, endless headers, false reports."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

HEAD = b"From: ann@example.org\r\nTo: rita@example.com\r\nDate: Mon, 7 Dec 2026 09:00:00 +0000\r\n"
MEGABYTE = 1_000_000


def nested(depth: int, kind: str = "mixed") -> bytes:
    opened = b"".join(
        b'Content-Type: multipart/%s; boundary="b%d"\r\n\r\n--b%d\r\n' % (kind.encode(), n, n)
        for n in range(depth)
    )
    return HEAD + opened + b"Content-Type: text/plain\r\n\r\nHi\r\n"


@dataclass(frozen=True, slots=True)
class Large:
    """Put together when it is tried: not all at once."""

    head: bytes
    piece: bytes
    times: int


def inputs() -> Iterator[tuple[str, bytes | Large]]:
    yield from _structures()
    yield from _headers()
    yield from _texts()
    yield from _reports()
    yield from _noise()


def _structures() -> Iterator[tuple[str, bytes | Large]]:
    for depth in (13, 100, 1000, 20_000):
        yield f"nested {depth} deep", nested(depth)
        yield f"reports nested {depth} deep", nested(depth, "report; report-type=delivery-status")
    yield "messages in messages", HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5000
    yield (
        "one boundary on all levels",
        HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' * 3000,
    )
    yield (
        "a hundred thousand parts",
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000,
    )
    yield (
        "a boundary of nothing",
        HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n' + b"--\r\n" * 10_000,
    )
    yield (
        "a boundary that is a pattern",
        HEAD + b'Content-Type: multipart/mixed; boundary="(a+)+$"\r\n\r\n--(a+)+$\r\n\r\nx',
    )
    yield (
        "a boundary of a megabyte",
        HEAD + b"Content-Type: multipart/mixed; boundary=" + b"b" * MEGABYTE + b"\r\n\r\nx",
    )
    yield "no boundary", HEAD + b"Content-Type: multipart/mixed\r\n\r\nHi"
    yield (
        "never closed",
        HEAD
        + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hi",
    )
    yield "50 MB of text", Large(HEAD + b"\r\n", b"Hello, world. \r\n", 50 * MEGABYTE // 16)
    yield "50 MB on one line", Large(HEAD + b"\r\n", b"a", 50 * MEGABYTE)
    yield (
        "50 MB of base64",
        Large(HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n", b"QUFBQUFBQUFB", 50 * MEGABYTE // 12),
    )
    yield "50 MB of lines", Large(HEAD + b"\r\n", b"\r\n", 25 * MEGABYTE)
    yield "50 MB of header", Large(HEAD, b"X-A: b\r\n", 50 * MEGABYTE // 8)
    archive = b"--b\r\n\r\nHi\r\n--b\r\nContent-Type: application/zip; name=a.zip\r\n\r\n"
    yield (
        "50 MB attached",
        Large(HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + archive, b"P", 50 * MEGABYTE),
    )


def _headers() -> Iterator[tuple[str, bytes | Large]]:
    yield "50,000 fields", HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(50_000)) + b"\r\nHi"
    yield "100,000 times the same field", HEAD + b"References: <a@b>\r\n" * 100_000 + b"\r\nHi"
    for name in (
        b"Subject",
        b"From",
        b"To",
        b"References",
        b"Content-Type",
        b"Message-ID",
        b"Date",
        b"Received",
        b"Thread-Index",
        b"In-Reply-To",
    ):
        yield (
            f"a megabyte of {name.decode()}",
            HEAD + name + b": " + b"<a@b> " * (MEGABYTE // 6) + b"\r\n\r\nHi",
        )
        yield (
            f"brackets in {name.decode()}",
            name + b": " + b"(" * 20_000 + b"<" * 20_000 + b"\r\n" + HEAD + b"\r\nHi",
        )
        yield f"quotes in {name.decode()}", name + b": " + b'"\\' * 20_000 + b"\r\n" + HEAD + b"\r\nHi"
        yield (
            f"bytes in {name.decode()}",
            name + b": " + bytes(range(1, 10)) + bytes(range(14, 256)) * 20 + b"\r\n" + HEAD + b"\r\nHi",
        )
    yield "encoded words", HEAD + b"Subject: " + b"=?utf-8?q?=41?= " * 60_000 + b"\r\n\r\nHi"
    yield "encoded words that never end", HEAD + b"Subject: " + b"=?utf-8?q?" * 60_000 + b"\r\n\r\nHi"
    yield (
        "encoded in a codec that decompresses",
        HEAD + b"Subject: =?zlib?b?eJxLBAAAQgBC?= =?bz2?b?AAAA?= =?idna?q?xn--a?=\r\n\r\nHi",
    )
    yield (
        "a subject that injects",
        HEAD + b"Subject: =?utf-8?q?a=0D=0ABcc=3A_x=40example.org=0D=0A=0D=0Abody?=\r\n\r\nHi",
    )
    yield "NULs everywhere", HEAD.replace(b": ", b":\x00 ") + b"Subject: a\x00b\r\n\r\n\x00Hi\x00" * 100
    yield "only carriage returns", HEAD.replace(b"\r\n", b"\r") + b"\rHi"
    yield "dates beyond all years", HEAD.replace(b"2026", b"99999999999999999999") + b"\r\nHi"
    yield "a date of digits", b"From: a@example.org\r\nDate: " + b"9" * 100_000 + b"\r\n\r\nHi"
    yield "a zone of a million hours", HEAD.replace(b"+0000", b"+99999999999") + b"\r\nHi"
    yield (
        "parameters without end",
        HEAD + b"Content-Type: text/plain" + b"; a*0*=utf-8''%ff; \"" * 3000 + b"\r\n\r\nHi",
    )


def _texts() -> Iterator[tuple[str, bytes | Large]]:
    html = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    for name, piece in (
        ("div", b"<div>"),
        ("p and b", b"<p><b><a>"),
        ("tables", b"<table><tr><td>"),
        ("comments", b"<!--"),
        ("cdata", b"<![CDATA["),
        ("angles", b"<"),
        ("closed", b"</div>"),
        ("scripts", b"<script>"),
        ("attributes", b"<a class='"),
        ("entities", b"&#99999999;&amp"),
        ("blockquotes", b"<blockquote>"),
        ("hidden", b"<div style='display:none'>"),
        ("styles", b'<p style="' + b"x" * 3000 + b'">'),
    ):
        yield f"half a megabyte of {name}", html + piece * (500_000 // len(piece))
    yield (
        "scripts and remote images",
        html + b"<script>fetch('//x')</script><img src=//x onerror=alert(1)><p>Hi</p>",
    )
    for charset in (
        "utf-7",
        "utf-16",
        "x-made-up",
        "idna",
        "punycode",
        "unicode_escape",
        "rot13",
        "hex",
        "undefined",
        "\u00e4",
        "",
    ):
        yield (
            f"charset {charset}",
            HEAD
            + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
            + b"+/v8-\xff\xfe\x00H\x80i" * 500,
        )
    for encoding in ("base64", "quoted-printable", "uuencode", "gzip", "8bit;" * 100):
        yield (
            f"broken {encoding[:20]}",
            HEAD + f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode() + b"=ZZ=\r\n===A===%%%" * 2000,
        )
    for words in (
        "out of the office until ",
        "jusqu'au ",
        "1/2 ",
        "12. ",
        "back on Monday ",
        "until December 99 ",
        "12月",
        "unsubscribe me not ",
        "please remove my ",
        "> ",
        "On 1 wrote:\r\n",
        "-- \r\n",
        "From: a\r\nSent: b\r\nTo: c\r\n",
        "\u200b",
        "no longer with ",
        "mailbox is ",
    ):
        yield (
            f"text of {words.strip()!r}",
            HEAD
            + b"Auto-Submitted: auto-replied\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
            + words.encode() * (400_000 // len(words)),
        )


def _reports() -> Iterator[tuple[str, bytes | Large]]:
    report = (
        HEAD.replace(b"ann@", b"mailer-daemon@")
        + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nfailed\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    )
    yield (
        "100,000 recipients",
        report
        + b"Final-Recipient: rfc822; x@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n" * 100_000,
    )
    yield (
        "a status of digits",
        report + b"Final-Recipient: rfc822; ann@example.org\r\nStatus: " + b"5." * 50_000,
    )
    yield (
        "a diagnostic of a megabyte",
        report
        + b"Final-Recipient: rfc822; ann@example.org\r\nAction: failed\r\nDiagnostic-Code: smtp; "
        + b"550 5.7.1 mailbox " * 60_000,
    )
    yield "an empty report", report
    yield (
        "a report of messages in messages",
        HEAD.replace(b"ann@", b"mailer-daemon@")
        + b"Subject: failure notice\r\n"
        + b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    )
    yield (
        "a status part of base64",
        report.replace(
            b"delivery-status\r\n\r\n", b"delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        )
        + b"%%%",
    )
    for text in (
        b"The following address failed: ",
        b"<a@b.example>:\r\n",
        b"550 5.1.1 ",
        b"Final-Recipient: ",
        b"mailbox full ",
        b"could not be delivered to ",
    ):
        yield (
            f"daemon's text of {text.decode().strip()}",
            HEAD.replace(b"ann@", b"mailer-daemon@")
            + b"Subject: failure notice\r\n\r\n"
            + text * (300_000 // len(text)),
        )


def _noise() -> Iterator[tuple[str, bytes | Large]]:
    dice = random.Random(16)
    whole = nested(6) + b"Subject: Automatic reply: x\r\n\r\nuntil 12 December\r\n"
    for n in range(40):
        broken = bytearray(whole)
        for _ in range(60):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        yield f"noise {n}", HEAD + bytes(broken)


INPUTS = dict(inputs())


def whole(given: bytes | Large) -> bytes:
    return given if isinstance(given, bytes) else given.head + given.piece * given.times
