"""A mailbox's signature: read, changed, and shown as recipients see it."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.core.session import Transaction
from db.mailboxes import signatures
from db.mailboxes.signatures import Signed
from domain.errors import InvalidInput
from domain.markup import is_html, paragraphs, tidy_html
from domain.signature import checked_signature
from transports.html import sanitise, to_text

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shown:
    """``html``, ``text``: as recipients see it, in a formatted and in a plain email. ``formatted``: it is HTML."""

    signed: Signed
    html: str
    text: str
    formatted: bool


def show(tx: Transaction, mailbox_id: UUID) -> Shown:
    """Return a mailbox's signature. Raises ``NotFound``."""
    signed = signatures.of(tx, mailbox_id)
    return Shown(signed, *seen(signed.body), is_html(signed.body))


def seen(signature: str) -> tuple[str, str]:
    """Return a signature as recipients see it: sanitised HTML, and text."""
    if is_html(signature):
        html = sanitise(tidy_html(signature))
        return html, to_text(html)
    return sanitise(paragraphs(signature)) if signature else "", signature


def change(runtime: Runtime, mailbox_id: UUID, signature: str, *, actor: str) -> bool:
    """Give a mailbox another signature, "" for none. Emails that have not left get it. Returns False if it had it.

    Raises ``NotFound``, ``InvalidInput``.
    """
    checked = checked_signature(signature)
    if checked and not seen(checked)[1].strip():
        raise InvalidInput(
            "the signature has no text",
            where="signature",
            fix="Write words: emails carry no images and no scripts.",
        )
    with runtime.database.transaction() as tx:
        signatures.of(tx, mailbox_id)
        changed = signatures.put(tx, mailbox_id, checked, actor=actor)
    if changed:
        log.info("signature_changed", mailbox_id=str(mailbox_id))
    return changed
