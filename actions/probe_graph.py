"""Test with one real mailbox what our tests cannot settle: the assumptions A1 to A6 and L1 to L5 about Exchange.

This sends emails from the mailbox to itself and looks at what happens to them. Each finding says what the product needs.
"""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from actions.probes import WAIT, Finding, letter, within
from app.runtime import Runtime
from db.mailboxes import mailboxes
from domain.errors import NotFound, NotPermitted, ProviderError
from domain.message import Unsubscribe
from transports.base import Draft, Found, Header, HidesReplies, Traceable
from transports.graph import GraphTransport
from transports.providers import PROVIDERS

_AT_ONCE = 3  # below Graph's limit of four concurrent requests
_SKEW = timedelta(minutes=10)  # between our clock and Exchange's
# Reports come from this name at every organization's domain.
_POSTMASTER = "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e"
_SECOND_COPY = 1 / 9  # of that time, after the first copy: a second would arrive in it


def probe(runtime: Runtime, mailbox_id: UUID, *, wait: float = WAIT) -> list[Finding]:
    """Run all probes on a connected mailbox. ``wait``: seconds for an email to arrive. Raises ``NotFound`` and the provider's errors."""
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if not PROVIDERS[mailbox.provider].offers(GraphTransport):
        raise NotPermitted(f"{mailbox.address} does not send by Microsoft Graph; there is nothing to probe.")
    transport = runtime.transport(mailbox_id, mailbox.provider)
    assert isinstance(transport, GraphTransport)
    return [
        *_submit_many_times(transport, mailbox.address, wait),
        *_submit_after_purge(transport, mailbox.address),
        *_carry_opt_out(transport, mailbox.address, wait),
        _find_hidden_reply(transport, mailbox.address),
        _name_original(transport),
    ]


def _submit_many_times(transport: Traceable, address: str, wait: float) -> list[Finding]:
    correlation_id = secrets.token_hex(16)
    email = letter(address, f"A1 {correlation_id[:8]}")  # we count it in the Inbox by its subject
    draft = transport.prepare(email, correlation_id, None)

    def submit(_: int) -> str:
        try:
            transport.send(draft)
        except ProviderError as error:
            return error.code or type(error).__name__
        return "accepted"

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(submit, range(_AT_ONCE)))
    again = submit(0)
    left = within(wait, lambda: _sent(transport, correlation_id))
    copies = _received(transport, email.subject, wait)
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
    draft: Draft = transport.prepare(letter(address, "A2"), correlation_id, None)
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


def _carry_opt_out(transport: GraphTransport, address: str, wait: float) -> list[Finding]:
    """Send one email with the headers of an opt-out, and read it as a draft and as it arrives."""
    since, name = datetime.now(UTC) - _SKEW, f"L1 {secrets.token_hex(4)}"
    way_out = Unsubscribe(
        "https://opt-out.example/probe", f"{address}?subject=opt-out", one_click_header=True
    )
    email = replace(letter(address, name), unsubscribe=way_out)
    draft = written = received = None
    seen = "it did not arrive"
    try:
        draft = transport.prepare(email, secrets.token_hex(16), None)
        written = _read(transport, since, email.subject, draft=True)
        transport.send(draft)
        received = within(wait, lambda: _read(transport, since, email.subject, draft=False))
    except ProviderError as error:
        seen = error.code or type(error).__name__
    shown = None if written is None else bool(written.message_class and written.correlation_id)
    return [
        Finding("L1", "a list shows several extended properties at once", shown, False, "read as a draft"),
        _header(received, "L4", "List-Unsubscribe-Post arrives, from its named property", seen),
        _header(received, "L5", "List-Unsubscribe arrives, from its extended property", seen),
    ]


def _header(received: Header | None, assumption: str, says: str, otherwise: str) -> Finding:
    if received is None or not received.headers:
        seen = otherwise if received is None else "it arrived without any header"
        return Finding(assumption, says, None, False, seen)
    name = says.partition(" ")[0]
    value = received.headers.get(name.lower())
    return Finding(assumption, says, value is not None, False, "arrived" if value else "arrived without it")


def _find_hidden_reply(transport: HidesReplies, address: str) -> Finding:
    says = "a search by sender finds automatic replies from the same organization"
    replies = [
        each
        for each in transport.written_by(address.rpartition("@")[2])
        if ".OofTemplate." in each.message_class
    ]
    if not replies:
        return Finding(
            "L2", says, None, False, "no such reply here: write to a colleague who is away, then try again"
        )
    moment = replies[0].received_at
    listed = next(iter(transport.incoming(moment - timedelta(seconds=2))), ())
    shown = any(each.provider_id == replies[0].provider_id for each in listed)
    return Finding("L2", says, True, False, "lists show it too" if shown else "lists leave it out")


def _name_original(transport: HidesReplies) -> Finding:
    says = "reports of undelivered email name it in an extended property"
    reports = [each for each in transport.written_by(_POSTMASTER) if each.message_class.startswith("REPORT.")]
    if not reports:
        return Finding("L3", says, None, False, "no such report here")
    named = sum(bool(each.original_message_id) for each in reports)
    return Finding("L3", says, named == len(reports), False, f"{named} of {len(reports)} reports")


def _read(transport: HidesReplies, since: datetime, subject: str, *, draft: bool) -> Header | None:
    """Return the draft, or the copy that has arrived, with this subject."""
    for page in transport.incoming(since):
        for each in page:
            if each.subject == subject and each.is_draft is draft and not each.in_sent_items:
                return each
    return None


def _received(transport: Traceable, subject: str, wait: float) -> int:
    """Count emails with that subject in the mailbox's own Inbox, once no more arrive."""
    if not isinstance(transport, GraphTransport):
        return 0
    if not within(wait, lambda: transport.received(subject)):
        return 0
    time.sleep(wait * _SECOND_COPY)
    return transport.received(subject)


def _sent(transport: Traceable, correlation_id: str) -> list[Found]:
    return [item for item in transport.find(correlation_id) if not item.is_draft]
