"""Against a real mail server, Exim from Debian: mistakes that our emulator might share with us."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.address import Address
from domain.connection import STARTTLS, TLS, SmtpServer
from domain.errors import (
    MailboxDisconnected,
    MessageRejected,
    OnbehalfError,
    PolicyBlocked,
    ProviderUnavailable,
    RecipientRejected,
    ServerUnsafe,
)
from domain.message import OutgoingMessage
from tests.transports.exim import ACCOUNT, EXIM, PASSWORD, Exim, running_exim
from tests.transports.mailer import make_certificate
from transports.smtp import SmtpTransport, by_password

# CI installs it from Debian; a developer's machine may lack it.
pytestmark = pytest.mark.skipif(EXIM is None, reason="Exim is not installed")
HANS = Address(ACCOUNT, "Hans Hölder")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def exim(tmp_path: Path, certificate: Path) -> Iterator[Exim]:
    with running_exim(tmp_path, certificate) as running:
        yield running


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def over(exim: Exim, encryption: str, *, password: str = PASSWORD, sender: Address = HANS) -> SmtpTransport:
    port = exim.starttls if encryption == STARTTLS else exim.smtps
    server = SmtpServer("127.0.0.1", port, encryption)
    return SmtpTransport(by_password(server, ACCOUNT, password, anywhere=True), sender, zone="UTC")


def letter(to: str = "anna@example.org", text: str = "Hallo\n.\n..Anna") -> OutgoingMessage:
    return OutgoingMessage(Address(to, "Anna Ärger"), "Grüße", f"<p>{text}</p>", text)


@pytest.mark.parametrize("encryption", [STARTTLS, TLS])
@pytest.mark.usefixtures("trusted")
@pytest.mark.row("P30", "P32")
def test_an_email_is_taken_once(exim: Exim, encryption: str) -> None:
    transport = over(exim, encryption)
    transport.verify()
    assert exim.taken() == []
    draft = transport.prepare(letter(), "a" * 32, None)
    assert exim.taken() == []
    transport.send(draft)
    transport.close()
    (taken,) = exim.taken()
    assert "anna@example.org" in taken
    assert draft.internet_message_id in taken
    assert "H=C3=B6lder?= <hans@acme.example>" in taken
    assert "\n.\n..Anna" in taken.replace("\r\n", "\n")


@pytest.mark.usefixtures("trusted")
def test_a_draft_that_is_let_go_leaves_nothing(exim: Exim) -> None:
    transport = over(exim, STARTTLS)
    transport.prepare(letter(), "a" * 32, None)
    transport.close()
    assert exim.taken() == []


@pytest.mark.parametrize("encryption", [STARTTLS, TLS])
@pytest.mark.row("P32")
def test_a_certificate_that_nobody_vouches_for_is_refused(exim: Exim, encryption: str) -> None:
    with pytest.raises(ServerUnsafe):
        over(exim, encryption).verify()
    assert "authenticated" not in exim.log()


@pytest.mark.usefixtures("trusted")
@pytest.mark.row("P32")
def test_a_certificate_for_another_name_is_refused(exim: Exim) -> None:
    server = SmtpServer("localhost", exim.starttls, STARTTLS)
    with pytest.raises(ServerUnsafe):
        SmtpTransport(by_password(server, ACCOUNT, PASSWORD, anywhere=True), HANS, zone="UTC").verify()


@pytest.mark.usefixtures("trusted")
@pytest.mark.row("P34", "P35")
def test_a_wrong_password_is_told_from_everything_else(exim: Exim) -> None:
    with pytest.raises(MailboxDisconnected) as raised:
        over(exim, STARTTLS, password="wrong").verify()
    assert raised.value.code.startswith("smtp_535")


@pytest.mark.usefixtures("trusted")
@pytest.mark.row("P33")
def test_another_sender_than_the_account_is_refused(exim: Exim) -> None:
    with pytest.raises(PolicyBlocked, match="may not send as this address"):
        over(exim, STARTTLS, sender=Address("mona@acme.example")).verify()


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (letter(to="nobody@example.org"), RecipientRejected),
        (letter(to="greylisted@example.org"), ProviderUnavailable),
        (letter(text="something forbidden"), MessageRejected),
    ],
)
@pytest.mark.usefixtures("trusted")
def test_policies_refuse_and_nothing_is_taken(
    exim: Exim, message: OutgoingMessage, error: type[OnbehalfError]
) -> None:
    transport = over(exim, STARTTLS)
    with pytest.raises(error):
        transport.send(transport.prepare(message, "a" * 32, None))
    transport.close()
    assert exim.taken() == []
