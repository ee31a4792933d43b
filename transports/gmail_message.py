"""An email as we hand it to Gmail: MIME with our own Message-ID, by which it is found again."""

import base64
import hashlib
import re
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import quote

from domain.address import Address
from domain.message import ONE_CLICK, OutgoingMessage
from transports.smtp_message import build_email

# Ours, on what we wrote. Recipients see it too; it says no more than the Message-ID.
CORRELATION_HEADER = "X-Onbehalf-Delivery"
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def message_id(correlation_id: str, address: str) -> str:
    """Return the Message-ID of the email with this correlation id from ``address``, always the same one."""
    plain = _PLAIN.fullmatch(correlation_id) is not None
    name = correlation_id if plain else hashlib.sha256(correlation_id.encode()).hexdigest()
    return f"<{name}@{address.rpartition('@')[2]}>"


def header_value(correlation_id: str) -> str:
    """Return the correlation id as its header has it."""
    return quote(correlation_id, safe="")


def raw(
    message: OutgoingMessage,
    sender: Address,
    *,
    subject: str,
    identity: str,
    correlation: str,
    threading: Mapping[str, str],
) -> str:
    """Return the email as Gmail takes it ("Create draft messages"): MIME in URL-safe base64.

    ``identity``: its Message-ID. ``correlation``: ``header_value`` of its correlation id. ``threading``: In-Reply-To and References.
    """
    headers = {CORRELATION_HEADER: correlation, **threading}
    if (way_out := message.unsubscribe) is not None:
        headers["List-Unsubscribe"] = way_out.ways
        if way_out.url:
            headers["List-Unsubscribe-Post"] = ONE_CLICK
    email = build_email(
        sender, message.recipient, subject, message.text, message.html, message_id=identity, headers=headers
    )
    return base64.urlsafe_b64encode(email.as_bytes()).decode()


def decoded(value: str) -> str:
    """Return a header as people read it. Gmail shows some encoded as they came."""
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError, HeaderParseError):
        return value
