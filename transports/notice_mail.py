"""Notices to people, through the default mail service: each is submitted at most once, never repeated."""

from email.message import EmailMessage
from email.utils import make_msgid

from domain.address import Address, parse_address
from domain.errors import (
    InvalidInput,
    MessageRejected,
    OperatorMisconfigured,
    RecipientRejected,
)
from domain.message import SENT_BY_US
from transports.relay import open_relay, operators_fault
from transports.smtp_message import build_email
from transports.smtp_session import UNNAMED


def send_notice(
    url: str,
    sender: str,
    recipient: Address,
    subject: str,
    text: str,
    *,
    html: str | None = None,
    ehlo_name: str = UNNAMED,
) -> None:
    """Submit one email. ``url``: see ``transports/relay.py``.

    Raises ``ProviderUnavailable`` and ``Throttled`` (certainly not accepted, may work later), ``RecipientRejected`` (refused
    permanently, ``certain`` or not), ``DeliveryInDoubt`` and ``OperatorMisconfigured`` (URL, sender or sign-in).
    """
    message = build(sender, recipient, subject, text, html)
    with operators_fault():
        session = open_relay(url, ehlo_name=ehlo_name)
        try:
            session.address(sender, recipient.email)
            session.submit(message.as_bytes())
        except MessageRejected as error:
            raise RecipientRejected(str(error), code=error.code, certain=error.certain) from error
        finally:
            session.close()


def build(sender: str, recipient: Address, subject: str, text: str, html: str | None) -> EmailMessage:
    """Return the email as it is transmitted."""
    try:
        own = parse_address(sender, where="sender").email
    except InvalidInput as error:
        raise OperatorMisconfigured("DEFAULT_MAIL_DOMAIN is no mail domain.") from error
    try:
        recipient_address = Address(parse_address(recipient.email, where="recipient").email, recipient.name)
    except InvalidInput as error:
        raise RecipientRejected("The recipient's address is not one.", code="bad_address") from error
    return build_email(
        Address(own, "Onbehalf"),
        recipient_address,
        subject,
        text,
        html,
        message_id=make_msgid(domain=own.rpartition("@")[2]),
        # RFC 3834: prevents out-of-office replies
        headers={"Auto-Submitted": "auto-generated", SENT_BY_US: "yes"},
    )
