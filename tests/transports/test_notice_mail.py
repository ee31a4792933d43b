"""Notices over SMTP: handed over once, encrypted, and honest about what is not known."""

import email
import email.policy
from pathlib import Path

import pytest

from domain.address import Address
from domain.errors import (
    DeliveryInDoubt,
    OnbehalfError,
    OperatorMisconfigured,
    ProviderUnavailable,
    RecipientRejected,
    Throttled,
)
from tests.transports.mailer import Mailer, encrypted, make_certificate, serving
from transports import relay, smtp_session
from transports.notice_mail import build, send_notice

ANNA = Address("anna@example.org", "Anna Ärger")


def hand_over(mailer: Mailer, *, url: str = "smtp://127.0.0.1:{port}", recipient: Address = ANNA) -> None:
    send_notice(
        url.format(port=mailer.port), "notices@acme.example", recipient, "Paused: Ärzte", ".first\nsecond"
    )


def test_a_notice_arrives_as_it_was_written() -> None:
    with serving(Mailer()) as mailer:
        hand_over(mailer)
    said = [command.lower() for command in mailer.commands[1:]]  # the verbs' case differs between Pythons
    assert said == ["mail from:<notices@acme.example>", "rcpt to:<anna@example.org>", "data"]
    (letter,) = mailer.letters
    message = email.message_from_bytes(letter, policy=email.policy.default)
    assert message["Subject"] == "Paused: Ärzte"
    assert message["To"].addresses[0].display_name == "Anna Ärger"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@acme.example>")
    assert message.get_content().split() == [".first", "second"]
    assert all(len(line) <= 998 and line.endswith(b"\r\n") for line in letter.splitlines(keepends=True))
    assert letter.isascii()


def test_html_comes_with_its_text() -> None:
    message = build("notices@acme.example", ANNA, "s", "text", "<p>html</p>")
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@example.org", "a\nb", "a\0b", "a\u2028b", "a\x85b"])
def test_nothing_in_subject_or_name_becomes_a_header(bad: str) -> None:
    message = build("notices@acme.example", Address("anna@example.org", bad), bad, "text", None)
    again = email.message_from_bytes(message.as_bytes())
    assert "Bcc" not in again
    assert len(again.keys()) == len(message.keys())


@pytest.mark.parametrize("address", ["", "anna", "anna@example.org\r\nRCPT TO:<x@y.z>", "a@b.c, d@e.f"])
def test_an_address_that_is_none_is_never_spoken(address: str) -> None:
    with serving(Mailer()) as mailer, pytest.raises(RecipientRejected):
        hand_over(mailer, recipient=Address(address))
    assert mailer.commands == []


@pytest.mark.parametrize(
    ("verb", "reply", "error"),
    [
        ("banner", "554 go away", Throttled),
        ("banner", None, ProviderUnavailable),
        ("MAIL", "451 later", Throttled),
        ("MAIL", "550 not you", OperatorMisconfigured),
        ("MAIL", None, ProviderUnavailable),
        ("RCPT", "450 greylisted", ProviderUnavailable),
        ("RCPT", "550 nobody", RecipientRejected),
        ("RCPT", None, ProviderUnavailable),
        ("DATA", "451 later", ProviderUnavailable),
        ("DATA", "554 no", RecipientRejected),
        ("DATA", None, ProviderUnavailable),
        ("dot", "451 later", ProviderUnavailable),
        ("dot", "554 spam", RecipientRejected),
        ("dot", None, DeliveryInDoubt),
        ("dot", "nonsense", DeliveryInDoubt),
    ],
)
def test_each_reply_means_one_thing(verb: str, reply: str | None, error: type[OnbehalfError]) -> None:
    with serving(Mailer(replies={verb: reply})) as mailer, pytest.raises(error) as raised:
        hand_over(mailer)
    assert "anna" not in str(raised.value)
    assert len(mailer.letters) == (1 if verb == "dot" else 0)


def test_silence_after_the_final_dot_is_not_knowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_session, "_SUBMITTING", 0.2)
    with serving(Mailer(replies={"dot": "250-more to come"})) as mailer, pytest.raises(DeliveryInDoubt):
        hand_over(mailer)


def test_user_and_password_are_used() -> None:
    with serving(Mailer()) as mailer:
        hand_over(mailer, url="smtp://us%40er:pa%3Ass@127.0.0.1:{port}")
    assert mailer.commands[1] == "AUTH PLAIN AHVzQGVyAHBhOnNz"


@pytest.mark.parametrize(
    ("replies", "extensions", "error"),
    [
        ({"AUTH": "535 5.7.3 secret words"}, ("AUTH PLAIN",), OperatorMisconfigured),
        ({"AUTH": "454 later"}, ("AUTH PLAIN",), Throttled),
        ({}, (), OperatorMisconfigured),
        ({}, ("AUTH X-OTHER",), OperatorMisconfigured),
    ],
)
def test_a_refused_sign_in_is_the_operators(
    replies: dict[str, str | None], extensions: tuple[str, ...], error: type[OnbehalfError]
) -> None:
    with serving(Mailer(replies=replies, extensions=extensions)) as mailer, pytest.raises(error) as raised:
        hand_over(mailer, url="smtp://user:password@127.0.0.1:{port}")
    assert "password@" not in str(raised.value)
    assert "secret words" not in str(raised.value)
    assert mailer.letters == []


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        *((url, "notices@acme.example") for url in ("", "http://x", "smtp://", "smtp://host:99999", "smtp://host:x", "smtps:host")),
        ("smtp://127.0.0.1:1", "notices@"),
    ],
)  # fmt: skip
def test_a_url_or_sender_that_is_none_is_the_operators(url: str, sender: str) -> None:
    with pytest.raises(OperatorMisconfigured):
        send_notice(url, sender, ANNA, "s", "t")


def test_where_nobody_listens_nothing_was_taken() -> None:
    with serving(Mailer()) as mailer:
        pass
    with pytest.raises(ProviderUnavailable):
        hand_over(mailer)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(("scheme", "implicit"), [("smtps", True), ("smtp+starttls", False)])
def test_a_trusted_certificate_lets_the_notice_through(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, implicit: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(encrypted(certificate, implicit=implicit)) as mailer:
        hand_over(mailer, url=f"{scheme}://user:password@127.0.0.1:{{port}}")
    assert len(mailer.letters) == 1


@pytest.mark.parametrize(("scheme", "implicit"), [("smtps", True), ("smtp+starttls", False)])
def test_an_untrusted_certificate_stops_it_before_the_password(
    certificate: Path, scheme: str, implicit: bool
) -> None:
    with serving(encrypted(certificate, implicit=implicit)) as mailer, pytest.raises(OperatorMisconfigured):
        hand_over(mailer, url=f"{scheme}://user:password@127.0.0.1:{{port}}")
    assert not [command for command in mailer.commands if command.startswith("AUTH")]
    assert mailer.letters == []


def test_starttls_is_not_given_up_when_the_server_does_not_offer_it() -> None:
    with serving(Mailer()) as mailer, pytest.raises(OperatorMisconfigured):
        hand_over(mailer, url="smtp+starttls://127.0.0.1:{port}")
    assert mailer.letters == []


def test_plain_smtp_to_another_machine_needs_starttls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_LOOPBACK", set())
    with serving(Mailer()) as mailer, pytest.raises(OperatorMisconfigured):
        hand_over(mailer)
    assert mailer.letters == []
