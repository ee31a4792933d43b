"""What an email consists of, and what an approval of it binds to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.core.jsonb import Json
from domain import approval
from domain.address import Address
from domain.errors import MessageRejected
from domain.handover import introduced
from domain.message import compose
from domain.names import first_name_of
from domain.person_name import full_name
from domain.signature import NONE, Signature


@dataclass(frozen=True, slots=True)
class Content:
    """What an email consists of, as of one snapshot."""

    step_id: UUID
    position: int
    version: int
    subject: str | None
    body: str
    thread_subject: str | None
    recipient: str
    recipient_name: str
    values: Mapping[str, str]
    sender: str
    opt_out_line: str | None = None  # None: ours
    own_text: bool = False  # somebody edited this one email
    signature: Signature = NONE


def values_of(row: Any) -> dict[str, str]:
    """Return the values of all fields. ``row`` has the candidate and the sender, named as in ``claims.sql``."""
    first, last = row.first_name, row.last_name
    return {
        **{name: row.fields.get(name, "") for name in row.extra_fields},
        "first_name": first,
        "last_name": last,
        "full_name": full_name(first, last),
        "email": row.email,
        "company": row.company,
        "title": row.title,
        "location": row.location,
        "sender_name": row.sender_name,
        "sender_first_name": first_name_of(row.sender_name),
        "sender_email": row.sender,
    }


def content_of(row: Any, opt_out_line: str | None = None, handed_over: Json | None = None) -> Content:
    """Read what an email consists of. ``row`` has the step, the candidate and the sender, named as in ``claims.sql``."""
    introduction = handed_over["introduction"] if handed_over and row.sender_changed else ""
    values = values_of(row)
    return Content(
        step_id=row.step_id,
        position=row.position,
        version=row.version,
        # A different mailbox than last time starts a new thread; it does not pretend to continue the old one.
        subject=row.thread_subject if row.subject is None and row.sender_changed else row.subject,
        body=introduced(row.body, introduction),
        thread_subject=row.thread_subject,
        recipient=row.email,
        recipient_name=values["full_name"],
        values=values,
        sender=row.sender,
        opt_out_line=opt_out_line,
        signature=Signature(row.signature, row.signature_version) if row.with_signature else NONE,
    )


def mark_of(content: Content) -> str | None:
    """Return what an approval of this email binds to, or None if it could not leave as it is."""
    try:
        message = compose(
            subject=content.subject,
            body=content.body,
            values=content.values,
            recipient=Address(content.recipient, content.recipient_name),
            reply_subject=content.thread_subject,
            sanitise=str,  # of the same text the same mark, whatever a later release takes out of it
            to_text=str,
            signature=content.signature.body,
        )
    except MessageRejected:
        return None
    return approval.mark_of(message, content.sender, content.opt_out_line)
