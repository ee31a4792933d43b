"""The operator's own relay (``DEFAULT_MAIL_URL``). Its failures are never a mailbox's fault."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, unquote, urlsplit

from domain.connection import STARTTLS, TLS, SmtpServer
from domain.errors import ConnectionRefused, OperatorMisconfigured
from transports.smtp_session import PLAIN, UNNAMED, SmtpSession

_PORTS = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def open_relay(url: str, *, ehlo_name: str = UNNAMED) -> SmtpSession:
    """Connect and sign in. ``url``: ``smtp://``, ``smtp+starttls://`` or ``smtps://[user:password@]host[:port]``.

    ``smtp://`` is unencrypted only to loopback, and requires STARTTLS everywhere else. Certificates are verified.
    """
    parts = _read(url)
    host = parts.hostname or ""
    encryption = TLS if parts.scheme == "smtps" else STARTTLS
    if parts.scheme == "smtp" and host in _LOOPBACK:
        encryption = PLAIN
    server = SmtpServer(host, parts.port or _PORTS[parts.scheme], encryption)
    session = SmtpSession(server, anywhere=True, ehlo_name=ehlo_name)
    if parts.username:
        try:
            session.sign_in(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            session.close()
            raise
    return session


@contextmanager
def operators_fault() -> Iterator[None]:
    """Turn relay failures that only a person can fix into the operator's errors."""
    try:
        yield
    except ConnectionRefused as error:
        raise OperatorMisconfigured(f"DEFAULT_MAIL_URL: {error} ({error.code})") from error


def _read(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise OperatorMisconfigured(
            "DEFAULT_MAIL_URL must look like smtp+starttls://user:password@host:587 or smtps://host."
        )
    return parts
