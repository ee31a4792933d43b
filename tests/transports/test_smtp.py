"""SMTP as a transport: what is harmless comes first, the email goes once, and doubt is called doubt."""

import email
import email.policy
import itertools
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from domain.address import Address
from domain.connection import STARTTLS, TLS, SmtpServer
from domain.errors import (
    DeliveryInDoubt,
    MailboxDisconnected,
    MessageRejected,
    OnbehalfError,
    PolicyBlocked,
    ProviderUnavailable,
    RecipientRejected,
    ServerUnsafe,
    Throttled,
)
from domain.message import OutgoingMessage
from lab.emulator.background import Running
from tests.transports.mailer import Mailer, encrypted, make_certificate, serving
from transports import smtp_session
from transports.addresses import public, resolve
from transports.base import AccessToken, Thread, Traceable, Transport
from transports.smtp import Opened, SmtpTransport, by_password, by_token
from transports.smtp_session import PLAIN

HANS = Address("hans@acme.example", "Hans Holder")
LETTER = OutgoingMessage(
    Address("anna@example.org", "Anna Ärger"), "Eine Frage", "<p>Hallo <b>Anna</b></p>", "Hallo Anna"
)
PASSWORD = "s3cret pass"


def plain(mailer: Mailer) -> Opened:
    return by_password(SmtpServer("127.0.0.1", mailer.port, PLAIN), HANS.email, PASSWORD, anywhere=True)


@pytest.fixture
def mailer() -> Iterator[Mailer]:
    with serving(Mailer()) as running:
        yield running


@pytest.fixture
def transport(mailer: Mailer) -> Iterator[SmtpTransport]:
    made = SmtpTransport(plain(mailer), HANS, zone="UTC")
    yield made
    made.close()


@pytest.mark.row("H18")
def test_it_is_a_transport_that_nobody_can_ask_afterwards(transport: SmtpTransport) -> None:
    as_one: Transport = transport
    assert not isinstance(as_one, Traceable)


def test_an_email_arrives_as_it_was_written(mailer: Mailer, transport: SmtpTransport) -> None:
    draft = transport.prepare(LETTER, "a" * 32, None)
    assert mailer.letters == []  # nothing but the envelope has been said
    transport.send(draft)
    said = [command.split(":")[0].lower() for command in mailer.commands]
    assert said[1:] == ["auth plain " + said[1].split()[2], "mail from", "rcpt to", "data"]
    (letter,) = mailer.letters
    message = email.message_from_bytes(letter, policy=email.policy.default)
    assert str(message["From"]) == "Hans Holder <hans@acme.example>"
    assert message["To"].addresses[0].display_name == "Anna Ärger"
    assert message["Subject"] == "Eine Frage"
    assert message["Message-ID"] == draft.internet_message_id == f"<{'a' * 32}@acme.example>"
    assert {"Reply-To", "Auto-Submitted", "In-Reply-To"}.isdisjoint(message.keys())
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]


def test_a_follow_up_answers_the_email_before_it(mailer: Mailer, transport: SmtpTransport) -> None:
    thread = Thread("b" * 32, "Eine Frage", "", "<first@acme.example>")
    transport.send(transport.prepare(LETTER, "a" * 32, thread))
    message = email.message_from_bytes(mailer.letters[0], policy=email.policy.default)
    assert message["Subject"] == "Re: Eine Frage"
    assert message["In-Reply-To"] == message["References"] == "<first@acme.example>"


def test_letting_go_of_a_draft_sends_nothing(mailer: Mailer, transport: SmtpTransport) -> None:
    transport.prepare(LETTER, "a" * 32, None)
    transport.close()
    transport.close()
    assert mailer.letters == []


def test_a_check_sends_nothing(mailer: Mailer, transport: SmtpTransport) -> None:
    facts = transport.verify()
    assert facts.addresses == ["hans@acme.example"]
    assert [command.split(":")[0] for command in mailer.commands[2:]] == ["mail FROM", "rset"]
    assert mailer.letters == []


@pytest.mark.parametrize(
    ("verb", "reply", "error"),
    [
        ("banner", "554 go away", Throttled),
        ("banner", None, ProviderUnavailable),
        ("AUTH", "535 5.7.3 Authentication unsuccessful", MailboxDisconnected),
        ("AUTH", "535 5.7.8 bad credentials", MailboxDisconnected),
        (
            "AUTH",
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
            PolicyBlocked,
        ),
        ("AUTH", "535 5.7.139 the request did not meet the criteria to be authenticated successfully.", PolicyBlocked),
        ("AUTH", "454 4.7.0 later", Throttled),
        ("AUTH", "432 4.3.2 Concurrent connections limit exceeded.", Throttled),
        ("MAIL", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", PolicyBlocked),
        ("MAIL", "530 5.7.57 Client not authenticated to send mail", PolicyBlocked),
        ("MAIL", "451 later", Throttled),
        ("RCPT", "550 5.1.1 nobody", RecipientRejected),
        ("RCPT", "450 4.2.0 greylisted", ProviderUnavailable),
        ("RCPT", None, ProviderUnavailable),
    ],
)  # fmt: skip
def test_before_the_email_every_refusal_is_harmless(
    verb: str, reply: str | None, error: type[OnbehalfError]
) -> None:
    with serving(Mailer(replies={verb: reply})) as mailer:
        transport = SmtpTransport(plain(mailer), HANS, zone="UTC")
        with pytest.raises(error) as raised:
            transport.prepare(LETTER, "a" * 32, None)
        transport.close()
    assert not any(secret in str(raised.value) for secret in ("anna", "bad credentials", "Tenant."))
    assert mailer.letters == []


@pytest.mark.parametrize(
    ("verb", "reply", "error"),
    [
        ("DATA", "451 later", ProviderUnavailable),
        ("DATA", "554 5.6.0 no", MessageRejected),
        ("DATA", None, ProviderUnavailable),
        ("dot", "451 later", ProviderUnavailable),
        ("dot", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", Throttled),
        ("dot", "554 5.7.1 spam", MessageRejected),
        (
            "dot",
            "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; denied",
            PolicyBlocked,
        ),
        (
            "dot",
            "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuota",
            PolicyBlocked,
        ),
        ("dot", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", Throttled),
        ("dot", None, DeliveryInDoubt),
        ("dot", "nonsense", DeliveryInDoubt),
    ],
)
def test_only_after_the_final_dot_is_anything_unknown(
    verb: str, reply: str | None, error: type[OnbehalfError]
) -> None:
    with serving(Mailer(replies={verb: reply})) as mailer:
        transport = SmtpTransport(plain(mailer), HANS, zone="UTC")
        draft = transport.prepare(LETTER, "a" * 32, None)
        with pytest.raises(error) as raised:
            transport.send(draft)
        transport.close()
    if isinstance(raised.value, Throttled):
        assert raised.value.untaken  # there is nothing to check: it was clearly refused
    assert len(mailer.letters) == (1 if verb == "dot" else 0)


def test_a_server_that_answers_letter_by_letter_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_session, "_SUBMITTING", 0.5)
    slow = "250-" + "x\r\n250-".join(["more"] * 3)
    with serving(Mailer(replies={"dot": slow})) as mailer:
        transport = SmtpTransport(plain(mailer), HANS, zone="UTC")
        draft = transport.prepare(LETTER, "a" * 32, None)
        began_at = time.monotonic()
        with pytest.raises(DeliveryInDoubt):
            transport.send(draft)
        transport.close()
    assert time.monotonic() - began_at < 8


def test_a_process_that_was_stopped_before_the_final_dot_does_not_write_it(
    mailer: Mailer, transport: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = transport.prepare(LETTER, "a" * 32, None)
    hours = itertools.count(step=3600.0)  # an hour passes between any two readings of the clock
    monkeypatch.setattr(smtp_session, "time", SimpleNamespace(monotonic=lambda: next(hours)))
    with pytest.raises(ProviderUnavailable) as raised:
        transport.send(draft)
    assert raised.value.code == "too_slow"
    transport.close()
    assert b"Subject: Eine Frage" in mailer.unfinished.get(timeout=10)  # the server has seen the end of it
    assert mailer.letters == []


class Tokens:
    """Returns one token after the other."""

    def __init__(self, *values: str) -> None:
        self._values, self.asked = list(values), 0

    organization = ""

    def token(self, claims: str | None = None) -> AccessToken:
        self.asked += 1
        value = self._values[min(self.asked, len(self._values)) - 1]
        return AccessToken(value, datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.row("H19")
def test_microsofts_token_is_handed_over_as_xoauth2_says() -> None:
    with serving(Mailer(extensions=("AUTH LOGIN XOAUTH2",))) as mailer:
        server = SmtpServer("127.0.0.1", mailer.port, PLAIN)
        transport = SmtpTransport(
            by_token(server, HANS.email, Tokens("t0ken"), anywhere=True), HANS, zone="UTC"
        )
        transport.send(transport.prepare(LETTER, "a" * 32, None))
        transport.close()
    assert mailer.commands[1] == "AUTH XOAUTH2 dXNlcj1oYW5zQGFjbWUuZXhhbXBsZQFhdXRoPUJlYXJlciB0MGtlbgEB"


def test_a_refused_token_is_renewed_once() -> None:
    refusing = Mailer(extensions=("AUTH XOAUTH2",), replies={"AUTH": "535 5.7.3 Authentication unsuccessful"})
    tokens = Tokens("old", "new")
    with serving(refusing) as mailer, pytest.raises(MailboxDisconnected):
        SmtpTransport(
            by_token(SmtpServer("127.0.0.1", mailer.port, PLAIN), HANS.email, tokens, anywhere=True),
            HANS,
            zone="UTC",
        ).verify()
    assert tokens.asked == 2


def test_a_server_without_microsofts_sign_in_gets_no_token(mailer: Mailer) -> None:
    opened = by_token(SmtpServer("127.0.0.1", mailer.port, PLAIN), HANS.email, Tokens("t0ken"), anywhere=True)
    with pytest.raises(PolicyBlocked):
        SmtpTransport(opened, HANS, zone="UTC").verify()
    assert not [command for command in mailer.commands if command.startswith("AUTH")]


@pytest.mark.parametrize("encryption", [STARTTLS, TLS])
@pytest.mark.row("P32")
def test_a_certificate_that_proves_nothing_stops_it_before_the_password(
    tmp_path_factory: pytest.TempPathFactory, encryption: str
) -> None:
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    with serving(encrypted(certificate, implicit=encryption == TLS)) as mailer:
        opened = by_password(
            SmtpServer("127.0.0.1", mailer.port, encryption), HANS.email, PASSWORD, anywhere=True
        )
        with pytest.raises(ServerUnsafe) as raised:
            SmtpTransport(opened, HANS, zone="UTC").verify()
    assert raised.value.code == "bad_certificate"
    assert not [command for command in mailer.commands if command.upper().startswith("AUTH")]


@pytest.mark.parametrize("encryption", [STARTTLS, TLS])
@pytest.mark.row("P32")
def test_a_verified_certificate_lets_it_through(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, encryption: str
) -> None:
    certificate = make_certificate(tmp_path_factory.mktemp("tls"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(encrypted(certificate, implicit=encryption == TLS)) as mailer:
        opened = by_password(
            SmtpServer("127.0.0.1", mailer.port, encryption), HANS.email, PASSWORD, anywhere=True
        )
        transport = SmtpTransport(opened, HANS, zone="UTC")
        transport.send(transport.prepare(LETTER, "a" * 32, None))
        transport.close()
    assert len(mailer.letters) == 1


@pytest.mark.row("P32")
def test_a_server_without_encryption_gets_no_password(mailer: Mailer) -> None:
    opened = by_password(SmtpServer("127.0.0.1", mailer.port, STARTTLS), HANS.email, PASSWORD, anywhere=True)
    with pytest.raises(ServerUnsafe):
        SmtpTransport(opened, HANS, zone="UTC").verify()
    assert not [command for command in mailer.commands if command.upper().startswith("AUTH")]


@pytest.mark.parametrize(
    ("address", "open_internet"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("2001:0:0:0:0:0:80ff:fffe", False),  # Teredo around 127.0.0.1
    ],
)
def test_only_the_open_internet_is_connected_to(address: str, open_internet: bool) -> None:
    assert public(address) is open_internet


def test_a_name_that_leads_inside_is_refused_and_not_connected_to(mailer: Mailer) -> None:
    opened = by_password(SmtpServer("localhost", mailer.port, PLAIN), HANS.email, PASSWORD, anywhere=False)
    with pytest.raises(ServerUnsafe) as raised:
        SmtpTransport(opened, HANS, zone="UTC").verify()
    assert raised.value.code == "private_address"
    assert "127.0.0.1" not in str(raised.value)
    assert mailer.commands == []


def test_one_inner_address_among_several_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 587)), (0, 0, 0, "", ("10.0.0.1", 587))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ServerUnsafe):
        resolve("mail.example", 587, anywhere=False)


def test_the_name_is_resolved_once_and_that_address_connected_to(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", mailer.port))]

    monkeypatch.setattr("socket.getaddrinfo", answer)
    opened = by_password(SmtpServer("mail.example", mailer.port, PLAIN), HANS.email, PASSWORD, anywhere=True)
    SmtpTransport(opened, HANS, zone="UTC").verify()
    assert asked.count("mail.example") == 1


def test_a_name_that_leads_by_ipv6_first_is_reached_where_only_ipv4_answers(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    truly = socket.getaddrinfo

    def answer(host: str, *rest: Any, **named: Any) -> list[Any]:
        if host != "mail.example":
            return truly(host, *rest, **named)
        return [(10, 1, 6, "", ("::1", mailer.port, 0, 0)), (2, 1, 6, "", ("127.0.0.1", mailer.port))]

    monkeypatch.setattr("socket.getaddrinfo", answer)
    opened = by_password(SmtpServer("mail.example", mailer.port, PLAIN), HANS.email, PASSWORD, anywhere=True)
    SmtpTransport(opened, HANS, zone="UTC").verify()
    assert mailer.commands


def test_a_name_that_leads_nowhere_may_lead_somewhere_later() -> None:
    with pytest.raises(ProviderUnavailable):
        resolve("nowhere.invalid", 587, anywhere=True)


def test_the_emulators_server_takes_it_with_a_password_and_with_a_token(
    emulator: Running, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path_factory.mktemp("tls") / "emulator.pem"
    certificate.write_text(emulator.control.certificate())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    emulator.control.add_mailboxes({"address": HANS.email, "password": PASSWORD})
    server = SmtpServer("localhost", emulator.smtp_port, STARTTLS)
    transport = SmtpTransport(by_password(server, HANS.email, PASSWORD, anywhere=True), HANS, zone="UTC")
    transport.send(transport.prepare(LETTER, "c" * 32, None))
    transport.close()
    (entry,) = [
        each for each in emulator.control.ledger() if each.via == "smtp" and each.mailbox == HANS.email
    ]
    assert entry.to == ["anna@example.org"]
    wrong = SmtpTransport(by_password(server, HANS.email, "wrong", anywhere=True), HANS, zone="UTC")
    with pytest.raises(MailboxDisconnected):
        wrong.verify()
    emulator.control.switch(HANS.email, smtp_auth_disabled=True)
    with pytest.raises(PolicyBlocked, match="switched off"):
        transport.verify()
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED


def test_a_reply_without_end_is_cut_off_in_bounded_memory() -> None:
    endless = "\r\n".join(f"250-{'A' * 500}" for _ in range(20_000))
    for verb, reply in (("EHLO", endless), ("banner", endless.replace("250", "220")), ("MAIL", endless)):
        with serving(Mailer(replies={verb: reply})) as mailer:
            transport = SmtpTransport(plain(mailer), HANS, zone="UTC")
            with pytest.raises(ProviderUnavailable) as raised:
                transport.prepare(LETTER, "a" * 32, None)
            transport.close()
        assert raised.value.code == "SMTPServerDisconnected"
        assert mailer.letters == []


def test_a_final_answer_without_end_says_nothing() -> None:
    endless = "\r\n".join("250-queued" for _ in range(5_000))
    with serving(Mailer(replies={"dot": endless})) as mailer:
        transport = SmtpTransport(plain(mailer), HANS, zone="UTC")
        draft = transport.prepare(LETTER, "a" * 32, None)
        with pytest.raises(DeliveryInDoubt):
            transport.send(draft)
        transport.close()


def test_the_server_is_greeted_by_the_name_that_is_set(mailer: Mailer) -> None:
    server = SmtpServer("127.0.0.1", mailer.port, PLAIN)
    opened = by_password(server, HANS.email, PASSWORD, anywhere=True, ehlo_name="send.example.com")
    SmtpTransport(opened, HANS, zone="UTC").verify()
    assert mailer.commands[0] == "ehlo send.example.com"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("421 4.7.0 Try again later, closing connection. (EHLO) x12 - gsmtp", Throttled),
        ("550 5.7.1 Bad HELO name", PolicyBlocked),
    ],
)
def test_a_server_that_refuses_our_name_is_said_to(reply: str, error: type[OnbehalfError]) -> None:
    with serving(Mailer(replies={"EHLO": reply})) as mailer, pytest.raises(error, match="SMTP_EHLO_NAME"):
        SmtpTransport(plain(mailer), HANS, zone="UTC").verify()


JUERGEN = OutgoingMessage(Address("jürgen@example.org", "Jürgen Ärger"), "Grüße", "<p>Hallo</p>", "Hallo")


def test_an_address_outside_ascii_goes_to_a_server_that_takes_it(
    mailer: Mailer, transport: SmtpTransport
) -> None:
    mailer.extensions = ("AUTH PLAIN LOGIN", "8BITMIME", "SMTPUTF8")
    transport.send(transport.prepare(JUERGEN, "a" * 32, None))
    assert [each for each in mailer.commands if each.lower().startswith(("mail", "rcpt"))] == [
        "mail FROM:<hans@acme.example> SMTPUTF8",
        "rcpt TO:<jürgen@example.org>",
    ]
    (letter,) = mailer.letters
    # RFC 6532: in UTF-8, never an encoded word inside an address.
    assert 'To: "Jürgen Ärger" <jürgen@example.org>\r\n'.encode() in letter or (
        "To: Jürgen Ärger <jürgen@example.org>\r\n".encode() in letter
    )
    assert "Subject: Grüße\r\n".encode() in letter


def test_a_server_without_smtputf8_is_told_nothing_of_such_an_address(
    mailer: Mailer, transport: SmtpTransport
) -> None:
    with pytest.raises(RecipientRejected, match="SMTPUTF8") as refused:
        transport.prepare(JUERGEN, "a" * 32, None)
    assert refused.value.code == "no_smtputf8"
    assert not [each for each in mailer.commands if each.lower().startswith(("mail", "rcpt", "data"))]
    assert mailer.letters == []
