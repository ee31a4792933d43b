"""Combine a step's template and a person's fields into the email to send, with the ways to opt out of more."""

from dataclasses import replace
from html import escape
from urllib.parse import quote

from app.runtime import Runtime
from db.listening import opt_out_tokens
from db.sending.claims import Claim
from db.sending.content import Content
from domain.address import Address
from domain.connection import READABLE
from domain.message import OutgoingMessage, Unsubscribe, compose
from domain.opt_out import LINE, SUBJECT, TEST, OptOut
from transports.html import sanitise, to_text


def compose_email(content: Content, way_out: Unsubscribe | None = None) -> OutgoingMessage:
    """Return the finished email. Raises ``MessageRejected`` (an empty field, an invalid subject, too large).

    ``way_out``: how its recipient opts out; None in a preview.
    """
    message = compose(
        subject=content.subject,
        body=content.body,
        values=content.values,
        recipient=Address(content.recipient, content.recipient_name),
        reply_subject=content.thread_subject,
        sanitise=sanitise,
        to_text=to_text,
        signature=content.signature.body,
    )
    return message if way_out is None else _with_way_out(message, content, way_out)


def way_out(runtime: Runtime, claim: Claim) -> Unsubscribe | None:
    """How the recipient of this email opts out: by a page and, where we read the sender's mailbox, by an email to it.

    None for what a person wrote by hand: its recipient answers them.
    """
    if claim.facts.by_hand:
        return None
    subject = OptOut(claim.organization_id, claim.candidate_id, claim.delivery_id)
    token = opt_out_tokens.token(runtime.web_keys, subject)
    sender = claim.content.sender
    by_email = claim.facts.provider in READABLE and sender.isascii()
    return Unsubscribe(
        url=f"{runtime.settings.public_url}/o/{token}",
        mailto=f"{quote(sender, safe='@+')}?subject={SUBJECT}%20{token}" if by_email else "",
        one_click_header=runtime.settings.graph_one_click,
    )


def way_out_of_test(runtime: Runtime) -> Unsubscribe:
    """The same for a step that somebody sends to themselves: a link that stops nothing and says that it is a test."""
    return Unsubscribe(
        url=f"{runtime.settings.public_url}/o/{TEST}",
        mailto="",
        one_click_header=runtime.settings.graph_one_click,
    )


def _with_way_out(message: OutgoingMessage, content: Content, way_out: Unsubscribe) -> OutgoingMessage:
    """Add the headers and, unless the organization has chosen none, the line in words."""
    line = LINE if content.opt_out_line is None else content.opt_out_line
    if not line:
        return replace(message, unsubscribe=way_out)
    return replace(
        message,
        html=f'{message.html}\n<p><a href="{escape(way_out.url)}">{escape(line)}</a></p>',
        text=f"{message.text.rstrip()}\n\n{line.rstrip('.:')}:\n{way_out.url}",
        unsubscribe=way_out,
    )
