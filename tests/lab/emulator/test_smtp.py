"""SMTP submission as the emulator implements it: encryption, three ways to sign in, refusals, and what leaves."""

import base64
import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage

import httpx
import pytest

from lab.emulator.background import Running
from lab.emulator.smtp import RELAY_ACCOUNT, RELAY_PASSWORD

RITA, OTTO = "rita@acme.example", "otto@acme.example"
SMTP_SCOPE = "https://outlook.office.com/SMTP.Send"


def letter(subject: str = "An offer", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"Rita <{RITA}>", "anna@example.org", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Grüße\n")
    return message


def xoauth2(token: str, user: str = RITA) -> str:
    return base64.b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode()).decode()


def access_token(emulator: Running, scope: str, address: str = RITA) -> str:
    refresh = emulator.control.refresh_token(address, f"Mail.Send {SMTP_SCOPE}")
    form = {"client_secret": "demo-secret", "grant_type": "refresh_token", "refresh_token": refresh}
    url = f"{emulator.url}/organizations/oauth2/v2.0/token"
    return str(httpx.post(url, data=form | {"scope": scope}, trust_env=False).json()["access_token"])


@pytest.fixture
def smtp(emulator: Running) -> Iterator[smtplib.SMTP]:
    """A connection after the greeting. Rita and Otto have mailboxes."""
    emulator.control.add_mailboxes({"address": RITA, "password": "ritas"}, {"address": OTTO})
    client = smtplib.SMTP("127.0.0.1", emulator.smtp_port, "localhost", timeout=5)
    client.ehlo()
    yield client
    client.close()


@pytest.fixture
def relay(smtp: smtplib.SMTP) -> smtplib.SMTP:
    """The same, signed in as the relay's account."""
    smtp.login(RELAY_ACCOUNT, RELAY_PASSWORD)
    return smtp


def test_an_accepted_email_is_in_the_ledger_as_its_recipients_receive_it(
    emulator: Running, relay: smtplib.SMTP
) -> None:
    message = letter("Grüße", Message_ID="<m-1@acme.example>", In_Reply_To="<m-0@acme.example>")
    assert relay.send_message(message, to_addrs=["Anna@example.org", "hidden@example.org"]) == {}
    (entry,) = emulator.control.ledger()
    assert (entry.mailbox, entry.sender, entry.via) == (RITA, RITA, "smtp")
    assert entry.to == ["anna@example.org", "hidden@example.org"]
    assert (entry.subject, entry.body.strip()) == ("Grüße", "Grüße")
    assert (entry.internet_message_id, entry.in_reply_to) == ("<m-1@acme.example>", "<m-0@acme.example>")
    assert entry.token == hashlib.sha256(RELAY_ACCOUNT.encode()).hexdigest()[:16]


def test_each_email_of_a_connection_leaves(emulator: Running, relay: smtplib.SMTP) -> None:
    relay.send_message(letter("First"))
    relay.send_message(letter("Second"))
    assert [each.subject for each in emulator.control.ledger()] == ["First", "Second"]


def test_both_bodies_make_one_email_and_the_plain_one_counts(emulator: Running, relay: smtplib.SMTP) -> None:
    message = letter()
    message.add_alternative("<p>Grüße</p>", subtype="html")
    relay.send_message(message)
    assert [each.body.strip() for each in emulator.control.ledger()] == ["Grüße"]


def test_the_connection_is_encrypted_by_a_certificate_that_can_be_trusted(
    emulator: Running, smtp: smtplib.SMTP
) -> None:
    assert smtp.has_extn("starttls")
    context = ssl.create_default_context(cadata=emulator.control.certificate())
    smtp._host = "localhost"  # type: ignore[attr-defined]  # the name that the certificate must carry
    assert smtp.starttls(context=context)[0] == 220
    assert isinstance(smtp.sock, ssl.SSLSocket)
    smtp.login(RITA, "ritas")
    smtp.send_message(letter())
    assert len(emulator.control.ledger()) == 1


def test_nobody_else_trusts_the_certificate(smtp: smtplib.SMTP) -> None:
    smtp._host = "localhost"  # type: ignore[attr-defined]
    with pytest.raises(ssl.SSLCertVerificationError):
        smtp.starttls(context=ssl.create_default_context())


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize(
    ("name", "password", "good"),
    [
        (RELAY_ACCOUNT, RELAY_PASSWORD, True),
        (RITA, "ritas", True),
        (RITA.upper(), "ritas", True),
        (RITA, RELAY_PASSWORD, False),
        (RELAY_ACCOUNT, "ritas", False),
        ("nobody@acme.example", "demo-password", False),
    ],
)
def test_passwords_open_their_own_account_only(
    smtp: smtplib.SMTP, mechanism: str, name: str, password: str, good: bool
) -> None:
    smtp.user, smtp.password = name, password
    way = {"PLAIN": smtp.auth_plain, "LOGIN": smtp.auth_login}[mechanism]
    if good:
        assert smtp.auth(mechanism, way)[0] == 235
        return
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        smtp.auth(mechanism, way)
    assert refused.value.smtp_code == 535


def test_a_mailbox_may_be_closed_to_passwords_over_smtp(emulator: Running, smtp: smtplib.SMTP) -> None:
    emulator.control.switch(mailbox=RITA, smtp_auth_disabled=True)
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        smtp.login(RITA, "ritas")
    assert b"5.7.139" in refused.value.smtp_error
    assert b"SmtpClientAuthentication is disabled" in refused.value.smtp_error
    assert smtp.login(OTTO, "demo-password")[0] == 235


def test_a_token_for_outlook_opens_its_users_account(emulator: Running, smtp: smtplib.SMTP) -> None:
    assert "XOAUTH2" in smtp.esmtp_features["auth"].split()
    token = access_token(emulator, SMTP_SCOPE)
    assert smtp.docmd("AUTH", f"XOAUTH2 {xoauth2(token)}")[0] == 235
    smtp.send_message(letter())
    (entry,) = emulator.control.ledger()
    assert (entry.mailbox, entry.token) == (RITA, hashlib.sha256(RITA.encode()).hexdigest()[:16])


@pytest.mark.parametrize(
    "case", ["graph", "of another", "revoked", "expired", "unknown", "not base64", "empty"]
)
def test_no_other_token_opens_an_account(emulator: Running, smtp: smtplib.SMTP, case: str) -> None:
    if case == "expired":
        emulator.control.switch(access_token_lifetime=0)
    scope = "Mail.Send" if case == "graph" else SMTP_SCOPE
    token = access_token(emulator, scope, OTTO if case == "of another" else RITA)
    if case == "revoked":
        emulator.control.revoke(RITA)
    blob = {"unknown": xoauth2("unknown"), "not base64": "!", "empty": "="}.get(case, xoauth2(token))
    code, text = smtp.docmd("AUTH", f"XOAUTH2 {blob}")
    assert (code, text) == (535, b"5.7.3 Authentication unsuccessful")


def test_one_recipient_may_be_refused_and_the_others_receive(emulator: Running, relay: smtplib.SMTP) -> None:
    emulator.control.fault("SMTP RCPT", mailbox="gone@example.org", status=550, body="5.1.1 No such user")
    refused = relay.send_message(letter(), to_addrs=["gone@example.org", "anna@example.org"])
    assert refused == {"gone@example.org": (550, b"5.1.1 No such user")}
    assert [each.to for each in emulator.control.ledger()] == [["anna@example.org"]]


@pytest.mark.parametrize(("status", "body"), [(451, "4.3.2 Later"), (554, "5.2.0 Never")])
def test_a_refused_email_does_not_leave_and_the_next_one_does(
    emulator: Running, relay: smtplib.SMTP, status: int, body: str
) -> None:
    emulator.control.fault("SMTP DATA", mailbox=RITA, status=status, body=body)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        relay.send_message(letter())
    assert (refused.value.smtp_code, refused.value.smtp_error) == (status, body.encode())
    assert emulator.control.ledger() == []
    relay.send_message(letter())
    assert len(emulator.control.ledger()) == 1


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_connection_may_break_before_or_after_the_email_has_left(
    emulator: Running, relay: smtplib.SMTP, when: str, left: int
) -> None:
    emulator.control.fault("SMTP DATA", when=when, reset=True)
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        relay.send_message(letter())
    assert len(emulator.control.ledger()) == left
