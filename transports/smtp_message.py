"""An email as it goes over the wire of SMTP."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

from domain.address import Address, unprintable

_POLICY = SMTP_POLICY.clone(cte_type="7bit")  # no server must know 8BITMIME
_INTERNATIONAL = _POLICY.clone(utf8=True)  # RFC 6532: headers in UTF-8; the session has asked for SMTPUTF8


def build_email(
    sender: Address,
    recipient: Address,
    subject: str,
    text: str,
    html: str | None,
    *,
    message_id: str,
    headers: Mapping[str, str],
) -> EmailMessage:
    """``headers``: beside From, To, Subject, Date and Message-ID. Names are people's: what no header may hold is left out."""
    ascii_only = sender.email.isascii() and recipient.email.isascii()
    message = EmailMessage(policy=_POLICY if ascii_only else _INTERNATIONAL)
    message["From"] = _header(sender)
    message["To"] = _header(recipient)
    message["Subject"] = "".join(" " if unprintable(letter) else letter for letter in subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = message_id
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def _header(address: Address) -> HeaderAddress:
    # By its parts: the parser of ``addr_spec`` takes no letters outside ASCII.
    username, _, domain = address.email.rpartition("@")
    return HeaderAddress("" if unprintable(address.name) else address.name, username, domain)
