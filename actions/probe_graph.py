"""Test with one real mailbox what our tests cannot settle: the assumptions A1 to A6 about Exchange.

This sends emails from the mailbox to itself and looks at what happens to them. Each finding says what the product needs.
"""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

from app.runtime import Runtime
from db.mailboxes import mailboxes
from domain.address import Address
from domain.errors import NotFound, NotPermitted, ProviderError
from domain.message import OutgoingMessage
from transports.base import Draft, Found, Traceable
from transports.graph import GraphTransport
from transports.providers import PROVIDERS

_PATIENCE = 90.0  # seconds for a copy to appear in Sent Items
_AT_ONCE = 3  # below Graph's limit of four concurrent requests
_SECOND_COPY = 10.0  # seconds after the first copy in which a second would arrive


@dataclass(frozen=True, slots=True)
class Finding:
    """``holds`` None: the test was inconclusive. ``needed``: one of our promises depends on it."""

    assumption: str
    says: str
    holds: bool | None
    needed: bool
    seen: str


def probe(runtime: Runtime, mailbox_id: UUID) -> list[Finding]:
    """Run all probes on a connected mailbox. Raises ``NotFound`` and the provider's errors."""
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if not PROVIDERS[mailbox.provider].offers(GraphTransport):
        raise NotPermitted(f"{mailbox.address} does not send by Microsoft Graph; there is nothing to probe.")
    transport = runtime.transport(mailbox_id, mailbox.provider)
    assert isinstance(transport, Traceable)
    return [*_submit_many_times(transport, mailbox.address), *_submit_after_purge(transport, mailbox.address)]


def _submit_many_times(transport: Traceable, address: str) -> list[Finding]:
    correlation_id = secrets.token_hex(16)
    letter = _letter(address, f"A1 {correlation_id[:8]}")  # we count it in the Inbox by its subject
    draft = transport.prepare(letter, correlation_id, None)

    def submit(_: int) -> str:
        try:
            transport.send(draft)
        except ProviderError as error:
            return error.code or type(error).__name__
        return "accepted"

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(submit, range(_AT_ONCE)))
    again = submit(0)
    left = _wait_for_sent(transport, correlation_id)
    copies = _received(transport, letter.subject)
    # Arrivals are what counts: a second submission may be answered with 202 and ignored. Exchange may also drop a second copy of
    # a Message-ID on delivery, so a second copy in Sent Items counts as well.
    one = None if not copies or left is None else copies == 1 and len(left) == 1
    found = left[0] if left else None
    return [
        Finding(
            "A1",
            "a draft is submitted at most once",
            one,
            True,
            f"{copies} in its own Inbox, {len(left or [])} in Sent Items; answers {answers}, later {again}",
        ),
        Finding(
            "A3",
            "the correlation id reaches Sent Items and can be searched",
            found is not None,
            True,
            f"{len(left or [])} found",
        ),
        Finding(
            "A4",
            "the immutable id survives sending",
            None if found is None else found.id == draft.id,
            False,
            "compared draft and sent item",
        ),
        Finding(
            "A5",
            "the internet message id is kept",
            None if found is None else found.internet_message_id == draft.internet_message_id,
            False,
            "compared draft and sent item",
        ),
    ]


def _submit_after_purge(transport: Traceable, address: str) -> list[Finding]:
    correlation_id = secrets.token_hex(16)
    draft: Draft = transport.prepare(_letter(address, "A2"), correlation_id, None)
    gone = transport.recall(draft.id)
    try:
        transport.send(draft)
        seen, refused = "accepted", False
    except ProviderError as error:
        seen, refused = error.code or type(error).__name__, True
    return [
        Finding(
            "A2", "a purged draft can never be sent", gone and refused, True, f"purged: {gone}, then {seen}"
        ),
        _find_purged(transport, correlation_id),
    ]


def _find_purged(transport: Traceable, correlation_id: str) -> Finding:
    listable: bool | None = None
    if isinstance(transport, GraphTransport):
        try:
            found = transport.find_purged(correlation_id)
            listable, seen = bool(found), f"{len(found)} found"
        except ProviderError as error:
            listable, seen = False, error.code or type(error).__name__
    else:
        seen = "this provider has no such folder"
    return Finding("A6", "purged items can be listed by their correlation id", listable, False, seen)


def _received(transport: Traceable, subject: str) -> int:
    """Count emails with that subject in the mailbox's own Inbox, once no more arrive."""
    if not isinstance(transport, GraphTransport):
        return 0
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if transport.received(subject):
            time.sleep(_SECOND_COPY)
            return transport.received(subject)
        time.sleep(1)
    return 0


def _wait_for_sent(transport: Traceable, correlation_id: str) -> list[Found] | None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found = [item for item in transport.find(correlation_id) if not item.is_draft]
        if found:
            return found
        time.sleep(1)
    return None


def _letter(address: str, name: str) -> OutgoingMessage:
    text = f"Onbehalf probes this mailbox ({name}). You can delete this email."
    return OutgoingMessage(Address(address), f"Onbehalf probe {name}", f"<p>{text}</p>", text)
