"""Test with one real mailbox what our tests cannot settle about Gmail: the assumptions G1 to G5.

This sends two emails from the mailbox to itself and looks at what becomes of them.
"""

import email
import email.policy
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from actions.probes import WAIT, Finding, letter, within
from app.runtime import Runtime
from db.mailboxes import mailboxes
from domain.errors import NotFound, NotPermitted, ProviderError
from domain.message import Unsubscribe
from transports.base import Draft
from transports.gmail import GmailTransport
from transports.gmail_message import CORRELATION_HEADER
from transports.providers import PROVIDERS

_SKEW = timedelta(minutes=10)  # between our clock and Google's
_HEADERS = (CORRELATION_HEADER, "List-Unsubscribe", "List-Unsubscribe-Post")


def probe(runtime: Runtime, mailbox_id: UUID, *, wait: float = WAIT) -> list[Finding]:
    """Run all probes on a connected mailbox. ``wait``: seconds for an email to appear. Raises ``NotFound`` and the provider's errors."""
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if not PROVIDERS[mailbox.provider].offers(GmailTransport):
        raise NotPermitted(f"{mailbox.address} does not send by Gmail; there is nothing to probe.")
    transport = runtime.transport(mailbox_id, mailbox.provider)
    assert isinstance(transport, GmailTransport)
    return [*_send_twice(transport, mailbox.address, wait), _send_deleted(transport, mailbox.address)]


def _send_twice(transport: GmailTransport, address: str, wait: float) -> list[Finding]:
    since, correlation_id = datetime.now(UTC) - _SKEW, secrets.token_hex(16)
    way_out = Unsubscribe(
        "https://opt-out.example/probe", f"{address}?subject=opt-out", one_click_header=True
    )
    written = replace(letter(address, f"G1 {correlation_id[:8]}"), unsubscribe=way_out)
    draft = transport.prepare(written, correlation_id, None)
    began = time.monotonic()
    sent_id = transport.send(draft).request_id
    again = _answer(transport, draft)
    found = within(wait, lambda: [each for each in transport.find(correlation_id) if not each.is_draft])
    took = time.monotonic() - began
    copies = within(wait, lambda: _sent(transport, since, written.subject)) or []
    raw = transport.raw(sent_id)
    kept = email.message_from_bytes(raw or b"", policy=email.policy.default)
    missing = [each for each in _HEADERS if kept.get(each) is None]
    message_id = str(kept.get("Message-ID", "")).strip("<> ")
    return [
        Finding(
            "G1",
            "a draft is sent at most once",
            None if not copies else len(copies) == 1 and again != "accepted",
            True,
            f"{len(copies)} among the sent ones; the second time: {again}",
        ),
        Finding(
            "G3",
            "the Message-ID of a draft is kept",
            None if not message_id else message_id == draft.internet_message_id.strip("<>"),
            False,
            "without it, a person decides on emails in doubt",
        ),
        Finding(
            "G4",
            "our headers are kept",
            None if raw is None else not missing,
            False,
            f"missing: {', '.join(missing)}" if missing else "all of them",
        ),
        Finding(
            "G5",
            "search finds what has just left",
            bool(found) or None,
            False,
            f"after {took:.0f} s" if found else f"not within {wait:.0f} s",
        ),
    ]


def _send_deleted(transport: GmailTransport, address: str) -> Finding:
    draft = transport.prepare(letter(address, "G2"), secrets.token_hex(16), None)
    gone = transport.recall(draft.id)
    seen = _answer(transport, draft)
    return Finding(
        "G2",
        "a deleted draft can never be sent",
        gone and seen != "accepted",
        True,
        f"deleted: {gone}, then {seen}",
    )


def _answer(transport: GmailTransport, draft: Draft) -> str:
    try:
        transport.send(draft)
    except ProviderError as error:
        return error.code or type(error).__name__
    return "accepted"


def _sent(transport: GmailTransport, since: datetime, subject: str) -> Sequence[str]:
    """Return the ids of what was sent with this subject."""
    return [
        each.provider_id
        for page in transport.incoming(since)
        for each in page
        if each.subject == subject and each.in_sent_items
    ]
