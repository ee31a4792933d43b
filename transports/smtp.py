"""SMTP as a transport: at most once. Nobody can be asked afterwards, so doubt goes to a person and is never resent.

Everything that can fail harmlessly happens before the gate: connect, sign in, name sender and recipient. After the gate come
only the text and the final dot, on a connection that is already open.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from domain.address import Address
from domain.connection import SmtpServer
from domain.errors import MailboxDisconnected
from domain.message import ONE_CLICK, SENT_BY_US, OutgoingMessage, reply_subject
from transports.base import Accepted, Draft, MailboxFacts, Thread, TokenSource
from transports.relay import open_relay, operators_fault
from transports.smtp_message import build_email
from transports.smtp_session import UNNAMED, SmtpSession

Opened = Callable[[], SmtpSession]
_ANY_NEWER = "{}"


def by_password(
    server: SmtpServer, account: str, password: str, *, anywhere: bool, ehlo_name: str = UNNAMED
) -> Opened:
    """Return an opener that signs in with the mailbox's own password."""

    def opened() -> SmtpSession:
        session = SmtpSession(server, anywhere=anywhere, ehlo_name=ehlo_name)
        try:
            session.sign_in(account, password)
        except BaseException:
            session.close()
            raise
        return session

    return opened


def by_token(
    server: SmtpServer, address: str, tokens: TokenSource, *, anywhere: bool, ehlo_name: str = UNNAMED
) -> Opened:
    """Return an opener that signs in with Microsoft's token, and once more with a new one if that is refused."""

    def opened() -> SmtpSession:
        session = SmtpSession(server, anywhere=anywhere, ehlo_name=ehlo_name)
        try:
            session.sign_in_with_token(address, tokens.token().value)
        except MailboxDisconnected:
            session.close()
            session = SmtpSession(server, anywhere=anywhere, ehlo_name=ehlo_name)
            try:
                session.sign_in_with_token(address, tokens.token(_ANY_NEWER).value)
            except BaseException:
                session.close()
                raise
        except BaseException:
            session.close()
            raise
        return session

    return opened


def by_relay(url: str, *, ehlo_name: str = UNNAMED) -> Opened:
    """Return an opener for the operator's own relay."""
    return lambda: open_relay(url, ehlo_name=ehlo_name)


class SmtpTransport:
    """``Transport`` for one mailbox and one delivery. See the protocol in ``transports/base.py``."""

    def __init__(
        self, opened: Opened, sender: Address, *, zone: str, reply_to: str = "", operators: bool = False
    ) -> None:
        """``zone``: defines the mailbox's days. ``operators``: failures are the operator's fault."""
        self._opened, self._sender, self._zone, self._reply_to = opened, sender, zone, reply_to
        self._operators = operators
        self._session: SmtpSession | None = None
        self._email = b""

    def verify(self) -> MailboxFacts:
        """Sign in and ask whether this address may send, without sending anything."""
        with self._blamed():
            session = self._opened()
            try:
                session.may_send_as(self._sender.email)
            finally:
                session.close()
        settings: dict[str, object] = {"zone": self._zone, "window": None, "absences": [], "purpose": "user"}
        return MailboxFacts([self._sender.email], "", "", settings)

    def prepare(self, message: OutgoingMessage, correlation_id: str, thread: Thread | None) -> Draft:
        """Do everything short of sending the email. Only this object has the draft."""
        subject, headers = message.subject, {}
        if self._reply_to:
            headers["Reply-To"] = self._reply_to
        if self._operators:
            headers[SENT_BY_US] = "yes"
        if message.unsubscribe is not None:
            headers["List-Unsubscribe"] = message.unsubscribe.ways
            if message.unsubscribe.url:
                headers["List-Unsubscribe-Post"] = ONE_CLICK
        if thread is not None:
            subject = reply_subject(thread.subject)
            if thread.internet_message_id:
                headers |= {"In-Reply-To": thread.internet_message_id, "References": thread.chain}
        message_id = f"<{correlation_id}@{self._sender.email.rpartition('@')[2]}>"
        email = build_email(
            self._sender, message.recipient, subject, message.text, message.html, message_id=message_id, headers=headers
        )  # fmt: skip
        with self._blamed():
            self.close()
            self._session = self._opened()
            self._session.address(self._sender.email, message.recipient.email)
        self._email = email.as_bytes()
        return Draft(message_id, message_id)

    def send(self, draft: Draft) -> Accepted:
        """Submit the email. 250 means that the server has queued it; a later bounce comes as an email."""
        if self._session is None:
            raise TypeError("nothing was prepared")
        with self._blamed():
            self._session.submit(self._email)
        return Accepted()

    def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _blamed(self) -> AbstractContextManager[None]:
        return operators_fault() if self._operators else nullcontext()
