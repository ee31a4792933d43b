"""Turn a step's template and a person's fields into the email that would leave."""

from db.sending.claims import Content
from domain.address import Address
from domain.message import OutgoingMessage, compose
from transports.html import sanitise, to_text


def compose_email(content: Content) -> OutgoingMessage:
    """The finished email. Raises ``MessageRejected`` (an empty field, a text that cannot be a subject, too large)."""
    return compose(
        subject=content.subject,
        body=content.body,
        values=content.values,
        recipient=Address(content.recipient, content.recipient_name),
        reply_subject=content.thread_subject,
        sanitise=sanitise,
        to_text=to_text,
    )
