"""What a withdrawal still asks of the provider once its gate is closed: to remove drafts, and whether an email has left."""

import threading
import time
from collections.abc import Sequence
from uuid import UUID

import structlog

from db import drain, looks, outcomes
from db.credentials import open_access_token
from db.moves import at_rest
from db.outcomes import SentFacts
from db.session import DatabaseUnavailable
from db.withdrawals import Scope
from domain.connection import TRACEABLE, Provider
from domain.delivery import State
from domain.errors import OperatorMisconfigured, ProviderError
from transports.base import AccessToken, Traceable
from workers.runtime import Runtime

log = structlog.get_logger()

_POLL = 0.1


def look_once_more(runtime: Runtime, scopes: Sequence[Scope], deadline: float) -> None:
    """What is in doubt in a mailbox whose tokens are erased, nobody can look for any more: now or never."""
    with runtime.database.transaction() as tx:
        left = [each for scope in scopes if scope.tokens for each in drain.in_flight(tx, scope)]
    for each in left:
        if each.state != "reconciling" or each.provider not in TRACEABLE:
            continue
        slot = None
        while slot is None and time.monotonic() < deadline:
            with runtime.database.transaction() as tx:
                slot = looks.take_slot(tx, each.mailbox_id)
            if slot is None:
                time.sleep(_POLL)
        if slot is None:
            return
        # In a thread of its own, as a removal is.
        searcher = threading.Thread(
            target=_search, args=(runtime, scopes, each, slot), name="last-search", daemon=True
        )
        searcher.start()
        searcher.join(max(0.0, deadline - time.monotonic()))


def _search(runtime: Runtime, scopes: Sequence[Scope], each: drain.InFlight, slot: UUID) -> None:
    left = None
    try:
        found = _transport(runtime, scopes, each.mailbox_id).find(each.marker)
        if not any(item.is_draft and item.id == each.draft_id for item in found):
            left = next((item for item in found if not item.is_draft), None)
    except (ProviderError, OperatorMisconfigured) as error:
        log.warning("not_looked_for", delivery_id=str(each.delivery_id), error=type(error).__name__)
    try:
        with runtime.database.transaction() as tx:
            looks.free_slot(tx, each.mailbox_id, slot)
            if left is not None:
                facts = SentFacts("search", left.id, left.internet_message_id, left.conversation_id)
                outcomes.record_sent(
                    tx,
                    each.delivery_id,
                    facts,
                    at_rest(State.RECONCILING),
                    actor="onbehalf",
                )
    except DatabaseUnavailable as error:
        log.warning("slot_not_freed", error=str(error))
    log.info(
        "looked_once_more", delivery_id=str(each.delivery_id), outcome="unknown" if left is None else "sent"
    )


def purge_drafts(runtime: Runtime, scopes: Sequence[Scope], deadline: float) -> None:
    """Remove what lies in Drafts of mailboxes whose tokens are erased."""
    # Courtesy, not safety: the gate refuses these for ever. Tokens are gone afterwards, so now or never.
    with runtime.database.transaction() as tx:
        left = [each for scope in scopes if scope.tokens for each in drain.drafts_left(tx, scope)]
    for each in left:
        if time.monotonic() >= deadline:
            return
        fence(runtime, scopes, each, deadline)


def fence(runtime: Runtime, scopes: Sequence[Scope], each: drain.InFlight, deadline: float) -> bool:
    """Remove one draft. True: done with it, whatever came of it. False: the mailbox's free slot was taken, try again."""
    if each.provider not in TRACEABLE:
        return True
    with runtime.database.transaction() as tx:
        slot = looks.take_slot(tx, each.mailbox_id)
        if slot is None:
            return time.monotonic() >= deadline
        if not drain.mark_fenced(tx, each):
            looks.free_slot(tx, each.mailbox_id, slot)
            return True
    # In a thread of its own: a provider that does not answer must not delay ours.
    remover = threading.Thread(target=_remove, args=(runtime, scopes, each, slot), name="fence", daemon=True)
    remover.start()
    remover.join(max(0.0, deadline - time.monotonic()))
    return True


def _remove(runtime: Runtime, scopes: Sequence[Scope], each: drain.InFlight, slot: UUID) -> None:
    try:
        gone = _transport(runtime, scopes, each.mailbox_id).fence(each.draft_id)
        log.info("draft_fenced", delivery_id=str(each.delivery_id), removed=gone)
    except (ProviderError, OperatorMisconfigured) as error:
        log.warning("draft_not_fenced", delivery_id=str(each.delivery_id), error=type(error).__name__)
    try:
        with runtime.database.transaction() as tx:
            looks.free_slot(tx, each.mailbox_id, slot)
    except DatabaseUnavailable as error:
        log.warning("slot_not_freed", error=str(error))  # its lease ends by itself


def _transport(runtime: Runtime, scopes: Sequence[Scope], mailbox_id: UUID) -> Traceable:
    for scope in scopes:
        if mailbox_id in scope.tokens:
            kept = scope.tokens[mailbox_id]
            value = open_access_token(runtime.keys, scope.organization_id, mailbox_id, kept.ciphertext)
            return runtime.transport_with(AccessToken(value, kept.expires_at))
    transport = runtime.transport(mailbox_id, Provider.GRAPH)
    assert isinstance(transport, Traceable)
    return transport
