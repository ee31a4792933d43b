"""One connection to a mail server: encrypted, signed in, and honest about the one moment after which nothing is certain.

A 4xx, a 5xx or a lost connection before the final dot means "certainly not accepted". After it, nobody knows (RFC 1047).
"""

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BufferedReader

import counters
from domain.connection import STARTTLS, TLS, SmtpServer
from domain.errors import (
    DeliveryInDoubt,
    PolicyBlocked,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
    ServerUnsafe,
    Throttled,
)
from transports import trust
from transports.addresses import connect, resolve
from transports.smtp_replies import Stage, refusal

PLAIN = "plain"  # no encryption; only to this machine
_STEP = 10.0  # seconds per answer
_OPENING = 20.0  # seconds for each step before the gate; the lease is longer
_SUBMITTING = 25.0  # seconds for the text and the answer to its final dot
UNNAMED = "[127.0.0.1]"  # smtplib would ask the DNS for this machine's name for each email
# Limits per reply. RFC 5321, section 4.5.3.1.5: a line has at most 512 octets; no server needs a hundred of them.
_MAX_REPLY_LINES, _MAX_REPLY_BYTES = 100, 32 * 1024
_NAME_REFUSED = (
    "The mail server refuses the name by which Onbehalf greets it; the operator sets it with SMTP_EHLO_NAME."
)


class SmtpSession:
    """For one thread. Its methods raise only subclasses of ``ProviderError``, and only ``close`` closes the connection."""

    def __init__(self, server: SmtpServer, *, anywhere: bool, ehlo_name: str = UNNAMED) -> None:
        """Connect and encrypt. Raises ``ServerUnsafe`` for an invalid certificate or a server without encryption.

        ``ehlo_name``: the host name, or an address literal, for EHLO.
        """
        self._server = server
        addresses = resolve(server.host, server.port, anywhere=anywhere)
        try:
            wire = connect(addresses, server.port, _STEP)
            wire.settimeout(_STEP)
        except OSError as error:
            raise _unavailable(error) from error
        self._cut = (
            wire.dup()
        )  # a second handle on the same connection, because TLS hides the first during its handshake
        self._client = _Client(wire, server, ehlo_name)
        try:
            with self._within(_OPENING), _understood(Stage.GREETING):
                self._client.greet()
        except BaseException:
            self.close()
            raise

    def sign_in(self, account: str, password: str) -> None:
        """Sign in with name and password."""
        with self._within(_OPENING), _understood(Stage.SIGN_IN):
            self._client.login(account, password)

    def sign_in_with_token(self, address: str, token: str) -> None:
        """Sign in with a bearer token (XOAUTH2; Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth")."""
        if "XOAUTH2" not in self._client.esmtp_features.get("auth", "").upper().split():
            raise PolicyBlocked("The mail server does not take Microsoft's sign-in.", code="no_xoauth2")

        def answer(challenge: bytes | None = None) -> str:
            # A refusal first comes as a challenge. An empty answer brings the reply with its code.
            return f"user={address}\x01auth=Bearer {token}\x01\x01" if challenge is None else ""

        with self._within(_OPENING), _understood(Stage.SIGN_IN):
            self._client.auth("XOAUTH2", answer)

    def address(self, sender: str, recipient: str) -> None:
        """Send the envelope. Nothing has been sent to anybody yet.

        Raises ``RecipientRejected`` if the address needs SMTPUTF8 (RFC 6531) and the server does not offer it.
        """
        international = not recipient.isascii()
        if international and not self._client.has_extn("smtputf8"):
            raise RecipientRejected(
                "This mail server takes no addresses with letters outside ASCII before the @ (it does not offer SMTPUTF8)."
                " Use another address of this person, or another mailbox.",
                code="no_smtputf8",
            )
        with self._within(_OPENING), _understood(Stage.SENDER):
            _expect(Stage.SENDER, self._client.mail(sender, ["SMTPUTF8"] if international else ()))
            _expect(Stage.RECIPIENT, self._client.rcpt(recipient))

    def may_send_as(self, sender: str) -> None:
        """Ask whether the server accepts email from this sender, without sending any."""
        with self._within(_OPENING), _understood(Stage.SENDER):
            _expect(Stage.SENDER, self._client.mail(sender))
            self._client.rset()

    def submit(self, message: bytes) -> None:
        """Send the text, then the final dot on its own. Raises ``DeliveryInDoubt`` if the reply to the dot is lost or unclear."""
        began_at = time.monotonic()
        reply: tuple[int, bytes] | None = None
        try:
            reply = self._submitted(message, began_at)
        finally:
            counters.answered(
                "smtp", "submit", time.monotonic() - began_at, None if reply is None else reply[0]
            )
        if not (200 <= reply[0] < 300 or 400 <= reply[0] < 600):
            raise DeliveryInDoubt("The mail server's last answer says nothing.", code=f"smtp_{reply[0]}")
        _expect(Stage.CONTENT, reply)

    def _submitted(self, message: bytes, began_at: float) -> tuple[int, bytes]:
        """Send it, and return the reply to the final dot."""
        with self._within(_SUBMITTING):
            with _understood(Stage.CONTENT):
                _expect(Stage.CONTENT, self._client.docmd("DATA"))
                self._client.send(re.sub(rb"(?m)^\.", b"..", message))  # RFC 5321, section 4.5.2
            if time.monotonic() - began_at > _SUBMITTING:
                # This process was suspended; a withdrawal may have been answered since.
                raise ProviderUnavailable("The email was not finished in time.", code="too_slow")
            try:
                if self._client.sock is not None:
                    self._client.sock.settimeout(_SUBMITTING)
                self._client.send(b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n")
                return self._client.getreply()
            except (smtplib.SMTPException, OSError) as error:
                name = type(error).__name__
                raise DeliveryInDoubt(
                    f"The mail server's last answer was lost ({name}).", code=name
                ) from error

    def close(self) -> None:
        """Close the connection. The server forgets what was not submitted."""
        self._client.close()
        self._cut.close()

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Limit the total time: a server that answers byte by byte would outlast the limits of single reads."""
        timer = threading.Timer(seconds, self._break)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _break(self) -> None:
        try:
            self._cut.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has already ended


class _Client(smtplib.SMTP):
    """smtplib's conversation over an existing connection, to the address that we resolved."""

    def __init__(self, wire: socket.socket, server: SmtpServer, ehlo_name: str) -> None:
        super().__init__(local_hostname=ehlo_name, timeout=_STEP)
        self._wire, self._server = wire, server
        self._host = server.host  # the name that the certificate must have

    def greet(self) -> None:
        """Read the greeting, encrypt, and read the server's capabilities."""
        code, words = self.connect(self._server.host, self._server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        code, words = self.ehlo()
        if 400 <= code < 500 or code == 550:
            # HELO would not work either, and the connection is about to be closed.
            raise smtplib.SMTPHeloError(code, words)
        if not 200 <= code < 300:
            self.ehlo_or_helo_if_needed()
        if self._server.encryption == STARTTLS:
            self.starttls(context=trust.context())
            self.ehlo()

    def getreply(self) -> tuple[int, bytes]:
        """Return one reply of limited length, so that a server cannot fill our memory."""
        if self.file is None and self.sock is not None:
            self.file = _Replies(self.sock.makefile("rb"))
        if isinstance(self.file, _Replies):
            self.file.begin()
        return super().getreply()

    def close(self) -> None:
        """Close the connection, even before the first reply."""
        super().close()
        self._wire.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        if self._server.encryption != TLS:
            return self._wire
        return trust.context().wrap_socket(self._wire, server_hostname=self._server.host)


class _Replies:
    """The server's replies as smtplib reads them, with a limit on each."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self.begin()

    def begin(self) -> None:
        self._lines, self._bytes = 0, 0

    def readline(self, limit: int) -> bytes:
        """Read one line. Over the limit, raises smtplib's error for a lost connection."""
        line = self._stream.readline(limit)
        self._lines += 1
        self._bytes += len(line)
        if self._lines > _MAX_REPLY_LINES or self._bytes > _MAX_REPLY_BYTES:
            raise smtplib.SMTPServerDisconnected("the reply is too long")
        return line

    def close(self) -> None:
        self._stream.close()


@contextmanager
def _understood(stage: Stage) -> Iterator[None]:
    """Turn smtplib's errors into ours. None of them can follow a final dot."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise ServerUnsafe(
            "The mail server's certificate is not valid for its name.", code="bad_certificate"
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        if stage is Stage.SIGN_IN:
            raise PolicyBlocked("The mail server offers no sign-in.", code="no_sign_in") from error
        raise ServerUnsafe("The mail server offers no encryption (STARTTLS).", code="no_starttls") from error
    except smtplib.SMTPHeloError as error:
        if error.smtp_code < 500:
            wait = timedelta(minutes=2)
            raise Throttled(_NAME_REFUSED, retry_after=wait, code="ehlo_refused", untaken=True) from error
        raise PolicyBlocked(_NAME_REFUSED, code="ehlo_refused") from error
    except smtplib.SMTPResponseException as error:
        raise refusal(stage, error.smtp_code, error.smtp_error) from error
    except (smtplib.SMTPException, OSError) as error:
        if type(error) is smtplib.SMTPException:  # login() raises this if no method fits
            raise PolicyBlocked("The mail server knows no sign-in that we know.", code="no_method") from error
        raise _unavailable(error) from error


def _expect(stage: Stage, reply: tuple[int, bytes]) -> None:
    if not 200 <= reply[0] < 400:
        raise refusal(stage, *reply)


def _unavailable(error: Exception) -> ProviderError:
    name = type(error).__name__
    return ProviderUnavailable(f"The mail server cannot be reached, or hangs up ({name}).", code=name)
