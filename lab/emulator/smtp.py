"""SMTP submission: STARTTLS, AUTH PLAIN, LOGIN and XOAUTH2, scripted refusals. The ledger records accepted emails."""

import asyncio
import base64
import email
import email.policy
import ssl
import tempfile
import time
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.emulator.faults import Faults
from lab.emulator.world import Message, World

RELAY_ACCOUNT, RELAY_PASSWORD = "relay", "relay-password"


class Submission:
    """An aiosmtpd handler. One per world."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._faults = world, faults
        self._open: weakref.WeakSet[SMTP] = weakref.WeakSet()

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """PLAIN and LOGIN: accept the relay's account, or a mailbox's own password."""
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        name, password = bytes(data.login).decode(), bytes(data.password).decode()
        mailbox = self._world.mailboxes.get(name.lower())
        if (name, password) == (RELAY_ACCOUNT, RELAY_PASSWORD):
            return AuthResult(success=True, auth_data=name)
        if mailbox is not None and self._world.switch(mailbox, "smtp_auth_disabled"):
            text = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."
            return AuthResult(success=False, handled=False, message=text)
        good = mailbox is not None and mailbox.password == password
        return AuthResult(success=good, handled=False, auth_data=name if good else None)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's naming
        """Accept a bearer token for Outlook's SMTP audience."""
        answer = args[1].encode() if len(args) > 1 else await server.challenge_auth("")
        blob = answer.decode() if isinstance(answer, bytes) else ""
        try:
            parts = dict(
                part.split("=", 1) for part in base64.b64decode(blob).decode().split("\x01") if "=" in part
            )
        except ValueError:
            parts = {}
        token = self._world.access.get(parts.get("auth", "").removeprefix("Bearer "))
        if (
            token is None
            or token.revoked
            or token.audience != "https://outlook.office.com"
            or token.expires_at < time.monotonic()
            or token.address != parts.get("user", "").lower()
        ):
            await server.push("535 5.7.3 Authentication unsuccessful")
            return AuthResult(success=False, handled=True)
        return AuthResult(success=True, auth_data=token.address)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's naming
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a sender: the relay may send as anybody, an account only as itself."""
        account = str(session.auth_data or "")
        limit = self._world.switches["smtp_connections"]
        if limit:
            self._open = weakref.WeakSet(each for each in self._open if each.transport is not None)
            if server not in self._open and len(self._open) >= limit:
                return (
                    "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending"
                )
            self._open.add(server)
        fault = self._faults.take("SMTP MAIL", address.lower())
        if fault is not None and fault.status:
            return f"{fault.status} {fault.body or '5.7.1 refused'}"
        if account and account != RELAY_ACCOUNT and account.lower() != address.lower():
            return "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's naming
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient, or apply a fault scripted for ``SMTP RCPT``."""
        fault = self._faults.take("SMTP RCPT", address.lower())
        if fault is not None and fault.status:
            return f"{fault.status} {fault.body or '5.1.1 refused'}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Accept an email. From here on its recipients have it."""
        fault = self._faults.take("SMTP DATA", (envelope.mail_from or "").lower())
        if fault is not None and fault.when == "before":
            if fault.status:
                return f"{fault.status} {fault.body or '4.3.2 refused'}"
            _break(server)
            return "421 closing"
        self._record(envelope, str(session.auth_data or ""))
        if fault is not None:
            _break(server)
        return "250 2.0.0 OK"

    def _record(self, envelope: Envelope, account: str) -> None:
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        text = parsed.get_body(("plain", "html"))
        sender = (envelope.mail_from or "").lower()
        author, answers = parsed["from"], parsed["reply-to"]
        name = author.addresses[0].display_name if author is not None and author.addresses else ""
        data: dict[str, Any] = {
            "from": {"emailAddress": {"address": sender, "name": name}},
            "replyTo": [
                {"emailAddress": {"address": each.addr_spec}}
                for each in (answers.addresses if answers else ())
            ],
            "toRecipients": [{"emailAddress": {"address": each}} for each in envelope.rcpt_tos],
            "subject": str(parsed["subject"] or ""),
            "body": {"content": text.get_content() if text is not None else ""},
            "internetMessageId": str(parsed["message-id"] or ""),
            "internetMessageHeaders": [
                {"name": each, "value": str(value)}
                for each, value in parsed.items()
                if each.lower().startswith(("x-", "list-"))
            ],
        }
        mailbox = self._world.mailboxes.get(sender) or self._world.add_mailbox(
            sender or "relay@emulator.invalid"
        )
        message = Message(
            self._world.new_item_id(),
            "sentitems",
            data,
            in_reply_to=str(parsed["in-reply-to"] or ""),
            references=" ".join(str(parsed["references"] or "").split()),
        )
        self._world.leave(mailbox, message, "smtp", account)


def _break(server: SMTP) -> None:
    """Break the connection without an answer."""
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


def make_certificate(folder: Path | None = None) -> tuple[ssl.SSLContext, str]:
    """Create a self-signed certificate for localhost; returns the server's context and the certificate as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".pem") as file:
        file.write(private + pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context, pem.decode()
