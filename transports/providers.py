"""The registry of ways to send, each described once: what it is called, what it asks of whom, how its transport is opened.

What else it can do shows in the type of its transport: ``PROVIDERS[provider].offers(Traceable)``. The facts that decisions rest on are in
``domain/connection.py``; a test holds the two together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from config import Settings
from domain.address import Address
from domain.connection import Provider, SendsBy, SmtpServer, SmtpSettings, check_microsoft
from domain.errors import InvalidInput, MailboxDisconnected, ServerUnsafe
from transports import smtp
from transports.base import AppTokens, TokenSource, Transport
from transports.entra import GRAPH, OUTLOOK
from transports.gmail import GmailProvider, GmailTransport
from transports.google import MODIFY
from transports.graph import GraphProvider, GraphTransport
from transports.smtp import SmtpTransport


class SignIn(Enum):
    """What proves that a mailbox may be used."""

    MICROSOFT = auto()  # OAuth: authorization code with PKCE; a refresh token is kept
    TENANT = auto()  # the tenant's administrator has consented, and the member says yes; the application has tokens of its own
    GOOGLE = auto()  # OAuth: authorization code with PKCE; a refresh token is kept
    PASSWORD = auto()
    OPERATOR = auto()  # nothing of the mailbox's: the operator's relay takes its email


class Process(Protocol):
    """What transports of one process share."""

    settings: Settings

    @property
    def graph(self) -> GraphProvider:
        """One HTTP client and one loop thread."""
        ...

    @property
    def gmail(self) -> GmailProvider:
        """One HTTP client and one loop thread."""
        ...


Open = Callable[[Process, TokenSource, Callable[[], SendsBy]], Transport]


@dataclass(frozen=True, slots=True)
class MailProvider:
    """``scopes``: what a refresh asks for, with the resource. ``consents``: what the owner is asked for when they connect.

    ``open``: gets the mailbox's tokens and a call that reads how it sends; each asks for what it needs. Raises
    ``MailboxDisconnected`` where nothing is kept to send with. ``own_server``: members name it, and it may be as slow as it likes.
    ``consent_fix``: what its owner does who has not granted all of it. ``tells_absences``: ``verify`` says when the mailbox's owner works and is away.
    """

    shown: str
    sign_in: SignIn
    transport: type[Transport]
    open: Open
    scopes: tuple[str, ...] = ()
    consents: tuple[str, ...] = ()
    consent_fix: str = "Connect again and accept all permissions."
    own_server: bool = False
    tells_absences: bool = False

    def offers(self, capability: type) -> bool:
        """Can its transports do that too? ``capability``: a protocol of ``transports/base.py``."""
        return issubclass(self.transport, capability)


def _by_graph(process: Process, tokens: TokenSource, _: Callable[[], SendsBy]) -> Transport:
    return process.graph.transport(tokens)


def _by_tenant(process: Process, tokens: TokenSource, _: Callable[[], SendsBy]) -> Transport:
    assert isinstance(tokens, AppTokens)
    return process.graph.transport_of(tokens)


def _by_gmail(process: Process, tokens: TokenSource, sends_by: Callable[[], SendsBy]) -> Transport:
    return process.gmail.transport(tokens, sends_by)


def _by_token(process: Process, tokens: TokenSource, sends_by: Callable[[], SendsBy]) -> Transport:
    found = sends_by()
    server = _kept(found).server
    _check_microsofts(server, anywhere=process.settings.emulated)
    anywhere, name = process.settings.emulated, process.settings.smtp_ehlo_name
    return _smtp(found, smtp.by_token(server, found.address, tokens, anywhere=anywhere, ehlo_name=name))


def _by_password(process: Process, _: TokenSource, sends_by: Callable[[], SendsBy]) -> Transport:
    found = sends_by()
    kept, anywhere, name = _kept(found), process.settings.emulated, process.settings.smtp_ehlo_name
    return _smtp(
        found, smtp.by_password(kept.server, kept.account, kept.password, anywhere=anywhere, ehlo_name=name)
    )


def _by_relay(process: Process, _: TokenSource, sends_by: Callable[[], SendsBy]) -> Transport:
    settings = process.settings
    opened = smtp.by_relay(settings.default_mail_url, ehlo_name=settings.smtp_ehlo_name)
    return _smtp(sends_by(), opened, operators=True)


def _smtp(found: SendsBy, opened: smtp.Opened, *, operators: bool = False) -> SmtpTransport:
    sender = Address(found.address, found.sender_name)
    return SmtpTransport(opened, sender, zone=found.zone, reply_to=found.reply_to, operators=operators)


def _kept(found: SendsBy) -> SmtpSettings:
    if found.settings is None:
        raise MailboxDisconnected("The mailbox is not connected.", code="not_connected")
    return found.settings


def _check_microsofts(server: SmtpServer, *, anywhere: bool) -> None:
    """Again at the moment of use: who has got at the row has no token handed to a server of theirs."""
    try:
        check_microsoft(host=server.host, port=str(server.port), anywhere=anywhere)
    except InvalidInput as error:
        raise ServerUnsafe(
            f"{server.host}:{server.port} is not Microsoft's.", code="not_microsofts"
        ) from error


_MAIL = tuple(GRAPH + scope for scope in ("Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read"))
_SUBMISSION = (OUTLOOK + "SMTP.Send",)

PROVIDERS: Mapping[str, MailProvider] = {
    Provider.GRAPH: MailProvider(
        "Microsoft (direct connection)",
        SignIn.MICROSOFT,
        GraphTransport,
        _by_graph,
        scopes=_MAIL,
        # With User.Read ``/me`` tells the account's addresses, which must be the mailbox's.
        consents=(*_MAIL, GRAPH + "User.Read"),
        tells_absences=True,
    ),
    Provider.TENANT: MailProvider(
        "Microsoft (for the whole organization)",
        SignIn.TENANT,
        GraphTransport,
        _by_tenant,
        scopes=_MAIL,
        consents=_MAIL,
        tells_absences=True,
    ),
    Provider.GMAIL: MailProvider(
        "Google (direct connection)",
        SignIn.GOOGLE,
        GmailTransport,
        _by_gmail,
        scopes=(MODIFY,),
        # With these, Google says whose account it is, and in which organization.
        consents=(MODIFY, "openid", "email"),
        consent_fix=(
            "Connect again, and on Google's page tick the box “Read, compose, and send emails from your Gmail account”."
        ),
        tells_absences=True,
    ),
    Provider.MICROSOFT_SMTP: MailProvider(
        "Microsoft's sign-in over SMTP",
        SignIn.MICROSOFT,
        SmtpTransport,
        _by_token,
        scopes=_SUBMISSION,
        consents=_SUBMISSION,
        own_server=True,
    ),
    Provider.SMTP: MailProvider(
        "a mail server of its own", SignIn.PASSWORD, SmtpTransport, _by_password, own_server=True
    ),
    Provider.DEFAULT: MailProvider("the default mail service", SignIn.OPERATOR, SmtpTransport, _by_relay),
}
