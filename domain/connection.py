"""The ways in which a mailbox can send, and the rules for SMTP settings that need no network.

Microsoft's rules are from "How to set up a multifunction device or application to send email using Microsoft
365": client submission uses ``smtp.office365.com``, port 587 or 25, with STARTTLS. Direct send and relay
connectors use other hosts.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from domain.errors import InvalidInput


class Provider(StrEnum):
    """How a mailbox sends. It uses one at a time, and may keep the settings of the others."""

    GRAPH = "graph"
    TENANT = "microsoft_tenant"  # Graph too, with the application's own token for the whole tenant
    GMAIL = "gmail"
    MICROSOFT_SMTP = "microsoft_smtp"
    SMTP = "smtp"
    DEFAULT = "default"


_MAIL = frozenset({"mail.readwrite", "mail.send", "mailboxsettings.read"})
# The scopes that the provider must have granted, in lower case.
SCOPES: dict[str, frozenset[str]] = {
    Provider.GRAPH: _MAIL,
    Provider.TENANT: _MAIL,
    Provider.GMAIL: frozenset({"gmail.modify"}),
    Provider.MICROSOFT_SMTP: frozenset({"smtp.send"}),
    Provider.SMTP: frozenset(),
    Provider.DEFAULT: frozenset(),
}
# Providers whose mailbox can be searched for an email that may have left it, and whose drafts can be removed.
# SMTP cannot: it is at most once (P7).
TRACEABLE = frozenset({Provider.GRAPH, Provider.TENANT, Provider.GMAIL})
# Whose accepted emails stay in Drafts until they have left: Gmail sends before it answers.
LEAVES_AFTER_ANSWER = frozenset({Provider.GRAPH, Provider.TENANT})
# Where their people find what they have sent.
SENT_FOLDER: dict[str, str] = {
    Provider.GRAPH: "Sent Items",
    Provider.TENANT: "Sent Items",
    Provider.GMAIL: "Sent",
}
# Whose mailboxes can be read, so that answers stop what follows.
READABLE = frozenset({Provider.GRAPH, Provider.TENANT, Provider.GMAIL})
# The folders whose new items a provider notifies us of: emails in doubt turn up in one, answers in the other.
Folder: TypeAlias = Literal["sent", "inbox"]
# Who accepts an email, as people read it within a sentence; and who refuses when a connection is lost, at the start of one.
ACCEPTS: dict[str, str] = {
    Provider.GRAPH: "Microsoft",
    Provider.TENANT: "Microsoft",
    Provider.GMAIL: "Google",
    Provider.MICROSOFT_SMTP: "Microsoft",
    Provider.SMTP: "the mail server",
    Provider.DEFAULT: "the mail server",
}
REFUSED_BY: dict[str, str] = {provider: f"{name[:1].upper()}{name[1:]}" for provider, name in ACCEPTS.items()}

# Reasons for closing a mailbox that a new sign-in may clear, even if an email was refused. After any other,
# only an email that leaves shows that it is over: who the account is, and that it can be read, says nothing about
# that.
CLEARED_BY_SIGN_IN = frozenset({"sign_in_expired", "consent_missing", "admin_approval_required"})

# Reasons for which Microsoft refuses the application in a whole tenant. Every mailbox that is connected by it is lost at once.
LOSES_TENANT = frozenset({"tenant_refused", "organization_gone"})

STARTTLS, TLS = "starttls", "tls"
SUBMISSION_HOST = "smtp.office365.com"
_OFFICE = {SUBMISSION_HOST, "smtp-mail.outlook.com", "outlook.office365.com", "smtp.outlook.com"}
_GOOGLE = re.compile(r"(^|\.)(google|gmail|googlemail)\.com$")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
MAX_PASSWORD = 256  # characters; the longest passwords and keys of providers have some 100


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server that accepts email from its users.

    ``encryption``: ``starttls``, or ``tls`` (from the first byte).
    """

    host: str
    port: int
    encryption: str


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How to sign in to a mail server. ``password`` is empty with Microsoft's sign-in, and once it is erased."""

    server: SmtpServer
    account: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SendsBy:
    """All that an SMTP transport needs to know about its mailbox, in one row. ``settings`` None: none are stored."""

    address: str
    sender_name: str
    zone: str
    reply_to: str
    settings: SmtpSettings | None


@dataclass(frozen=True, slots=True)
class Checked:
    """Settings that can be tried, and warnings for their owner (one sentence each)."""

    server: SmtpServer
    warnings: tuple[str, ...] = ()


def check_custom(
    address: str,
    *,
    host: str,
    port: str,
    encryption: str,
    account: str,
    password: str,
    offers_google: bool = False,
) -> Checked:
    """Check the settings that somebody entered for their own mail server. ``offers_google``: mailboxes there can be connected.

    Raises ``InvalidInput`` that names the field.
    """
    fields = {"host": host, "port": port, "encryption": encryption, "account": account, "password": password}
    for name, value in fields.items():
        if not value.strip():
            raise InvalidInput("it is missing", where=name, fix="Your IT team knows the server's details.")
    if account.strip().lower() != address:
        raise InvalidInput(
            f"the account is {account.strip()[:80]}, but the address is {address}",
            where="account",
            fix=f"Sign in to the mail server as {address}, or change the address.",
        )
    if len(password) > MAX_PASSWORD or any(ord(letter) < 32 for letter in password):
        raise InvalidInput("it cannot be one", where="password", fix="Copy it again, without line breaks.")
    server = SmtpServer(_host(host), _port(port), _encryption(encryption))
    _refuse_relays(server)
    warnings = list(_odd_port(server))
    if server.host in _OFFICE:
        _office(server)
        warnings.append(
            "Connecting with Microsoft is strongly recommended for this server: Microsoft is ending password sign-in for SMTP."
        )
    if at_google(server.host):
        warnings.append(
            "Connecting with Google is strongly recommended for this server: Google is ending password sign-in for SMTP."
            if offers_google
            else "Google is withdrawing password sign-in for SMTP; expect this connection to stop working one day."
        )
    return Checked(server, tuple(warnings))


def at_google(host: str) -> bool:
    """Is this a mail server of Google's?"""
    return _GOOGLE.search(host) is not None


def check_microsoft(*, host: str, port: str, anywhere: bool) -> Checked:
    """Check the server for Microsoft's sign-in over SMTP. Raises ``InvalidInput`` that names the field.

    ``anywhere`` is for a demo, where Microsoft is an emulator. Otherwise only Microsoft's own host is accepted,
    because any other host would receive the access token.
    """
    for name, value in {"host": host, "port": port}.items():
        if not value.strip():
            raise InvalidInput(
                "it is missing", where=name, fix=f"Microsoft's is {SUBMISSION_HOST}, port 587."
            )
    server = SmtpServer(_host(host), _port(port), STARTTLS)
    if not anywhere:
        if server.host not in _OFFICE:
            raise InvalidInput(
                f"{server.host} is not Microsoft's",
                where="host",
                fix=f"Use {SUBMISSION_HOST}, or custom SMTP.",
            )
        _office(server)
    return Checked(server)


def _host(text: str) -> str:
    host = text.strip().rstrip(".").lower()
    labels = host.split(".")
    # A number as the last label, decimal or hexadecimal, makes it an IP address. A certificate names a host.
    if (
        len(host) > 253
        or not all(_LABEL.fullmatch(label) for label in labels)
        or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1])
    ):
        raise InvalidInput(
            f"{host[:80]!r} is not a server's name", where="host", fix="Write it like smtp.example.org."
        )
    return host


def _port(text: str) -> int:
    value = text.strip()
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 65535):
        raise InvalidInput(f"{value[:20]!r} is not a port", where="port", fix="Use 587 or 465.")
    return int(value)


def _encryption(text: str) -> str:
    value = text.strip().lower()
    if value not in (STARTTLS, TLS):
        raise InvalidInput(
            f"{value[:20]!r} is not offered",
            where="encryption",
            fix="Choose STARTTLS, or TLS from the start (SMTPS).",
        )
    return value


def _odd_port(server: SmtpServer) -> tuple[str, ...]:
    usual = {STARTTLS: (587,), TLS: (465,)}[server.encryption]
    if server.port in usual or (
        server.encryption == STARTTLS and server.host in _OFFICE and server.port == 25
    ):
        return ()
    if server.encryption == STARTTLS and server.port in (25, 2525):
        return (f"Port {server.port} is often blocked on the way; 587 is the usual one.",)
    return (f"Port {server.port} is unusual for this encryption; {usual[0]} is the usual one.",)


def _refuse_relays(server: SmtpServer) -> None:
    if server.host.endswith((".mail.protection.outlook.com", ".mx.microsoft")):
        raise InvalidInput(
            f"{server.host} takes mail from other servers (direct send or relay), which is not supported",
            where="host",
            fix=f"Use client submission: {SUBMISSION_HOST}, port 587.",
        )


def _office(server: SmtpServer) -> None:
    if server.host != SUBMISSION_HOST:
        raise InvalidInput(f"{server.host} is not for sending", where="host", fix=f"Use {SUBMISSION_HOST}.")
    if server.port not in (587, 25) or server.encryption != STARTTLS:
        raise InvalidInput(
            f"{SUBMISSION_HOST} takes port 587 or 25 with STARTTLS only",
            where="port",
            fix="Use port 587 with STARTTLS.",
        )
