"""Plain SMTP: what notices to people need, through the default mail service. At most once, never repeated.

A 4xx or a lost connection before the final dot means "certainly not taken"; lost after it, nobody knows (RFC 1047).
"""

import re
import smtplib
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, make_msgid
from urllib.parse import SplitResult, unquote, urlsplit

from domain.errors import (
    DeliveryUnknown,
    InvalidInput,
    OperatorMisconfigured,
    ProviderError,
    ProviderUnavailable,
    RecipientRejected,
)
from domain.message import Address, parse_address, unprintable

_PORTS = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_TIMEOUT = 10.0  # for each step; the reply to the final dot may take longer
_FINAL_DOT_TIMEOUT = 60.0
_POLICY = SMTP_POLICY.clone(cte_type="7bit")  # no server must know 8BITMIME


def send_notice(
    url: str, sender: str, recipient: Address, subject: str, text: str, *, html: str | None = None
) -> None:
    """Hand one email over. ``url``: ``smtp://``, ``smtp+starttls://`` or ``smtps://[user:password@]host[:port]``.

    ``smtp://`` is plain towards loopback only, and demands STARTTLS everywhere else. Certificates are verified.
    Raises ``ProviderUnavailable`` (certainly not taken, may work later), ``RecipientRejected`` (refused for good),
    ``DeliveryUnknown`` and ``OperatorMisconfigured`` (URL, sender or sign-in).
    """
    server = _server(url)
    message = build(sender, recipient, subject, text, html)
    try:
        client = _connect(server)
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise _unavailable(error) from error
        raise OperatorMisconfigured(
            f"DEFAULT_MAIL_URL: the mail server refuses user or password ({error.smtp_code})."
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise OperatorMisconfigured(
            "DEFAULT_MAIL_URL: the mail server offers no STARTTLS, or no sign-in we know."
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise OperatorMisconfigured(
            "DEFAULT_MAIL_URL: the mail server's certificate is not valid."
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        if type(error) is smtplib.SMTPException:  # what login() raises when no method fits
            raise OperatorMisconfigured(
                "DEFAULT_MAIL_URL: the mail server knows no sign-in we know."
            ) from error
        raise _unavailable(error) from error
    try:
        _submit(client, sender, recipient.email, message.as_bytes())
    finally:
        client.close()


def build(sender: str, recipient: Address, subject: str, text: str, html: str | None) -> EmailMessage:
    """The email as it goes over the wire."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = HeaderAddress("Onbehalf", addr_spec=_own(sender))
    message["To"] = _to(recipient)
    # Names that people chose stand in it; what no header may hold becomes a space.
    message["Subject"] = "".join(" " if unprintable(letter) else letter for letter in subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office replies stay away
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _to(recipient: Address) -> HeaderAddress:
    try:
        address = parse_address(recipient.email, where="recipient")
    except InvalidInput as error:
        raise RecipientRejected("The recipient's address is not one.", code="bad_address") from error
    name = "" if unprintable(recipient.name) else recipient.name
    return HeaderAddress(name, addr_spec=address.email)


def _own(sender: str) -> str:
    try:
        return parse_address(sender, where="sender").email
    except InvalidInput as error:
        raise OperatorMisconfigured("DEFAULT_MAIL_DOMAIN is no mail domain.") from error


def _server(url: str) -> SplitResult:
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


def _connect(server: SplitResult) -> smtplib.SMTP:
    """Connected, encrypted unless it is this machine, and signed in."""
    host, port = server.hostname or "", server.port or _PORTS[server.scheme]
    context = ssl.create_default_context()
    client: smtplib.SMTP
    if server.scheme == "smtps":
        client = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=context)
    else:
        client = smtplib.SMTP(host, port, timeout=_TIMEOUT)
    try:
        client.ehlo()
        plain = server.scheme == "smtp" and host in _LOOPBACK
        if server.scheme != "smtps" and not plain:
            client.starttls(context=context)
            client.ehlo()
        if server.username:
            client.login(unquote(server.username), unquote(server.password or ""))
    except BaseException:
        client.close()
        raise
    return client


def _submit(client: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> None:
    """The envelope, the text, and then, alone, the final dot: the one moment after which nothing is certain."""
    try:
        _step(
            client.mail(sender),
            OperatorMisconfigured,
            "DEFAULT_MAIL_DOMAIN: the mail server refuses the sender",
        )
        _step(client.rcpt(recipient), RecipientRejected, "The mail server refuses the recipient")
        _step(client.docmd("DATA"), RecipientRejected, "The mail server refuses the email")
        client.send(re.sub(rb"(?m)^\.", b"..", message))  # RFC 5321 section 4.5.2
    except (smtplib.SMTPException, OSError) as error:
        raise _unavailable(error) from error
    try:
        if client.sock is not None:
            client.sock.settimeout(_FINAL_DOT_TIMEOUT)
        client.send(b".\r\n" if message.endswith(b"\r\n") else b"\r\n.\r\n")
        reply = client.getreply()
    except (smtplib.SMTPException, OSError) as error:
        name = type(error).__name__
        raise DeliveryUnknown(f"The mail server's last answer was lost ({name}).", code=name) from error
    if not (200 <= reply[0] < 300 or 400 <= reply[0] < 600):
        raise DeliveryUnknown("The mail server's last answer says nothing.", code=f"smtp_{reply[0]}")
    _step(reply, RecipientRejected, "The mail server refuses the email")


def _step(reply: tuple[int, bytes], refused: type[ProviderError | OperatorMisconfigured], text: str) -> None:
    """Read one reply by its code. Its words are not repeated: they may hold addresses."""
    code = reply[0]
    if 200 <= code < 400:
        return
    if 500 <= code < 600:
        raise refused(f"{text} ({code}).")
    raise ProviderUnavailable(f"The mail server asks to wait ({code}).", code=f"smtp_{code}")


def _unavailable(error: Exception) -> ProviderUnavailable:
    name = type(error).__name__
    return ProviderUnavailable(f"The mail server cannot be reached or asks to wait ({name}).", code=name)
