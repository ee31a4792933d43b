"""A withdrawal's last requests to the provider after its gate is closed: remove drafts, ask whether an email has left, end our access."""

import time
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.audit import audit
from db.events.errands import Errand
from db.mailboxes import mailboxes
from db.mailboxes.mailboxes import Mailbox
from db.sending import outcomes, reconcile_attempts
from db.sending.moves import at_rest
from db.sending.outcomes import SentFacts
from db.withdrawing import drain, last_tokens
from domain.connection import TRACEABLE, Provider
from domain.delivery import State
from domain.errors import OperatorMisconfigured, ProviderError
from domain.withdrawal import RETURNS_WITHIN
from transports.base import AccessToken, Traceable
from transports.hints import Publishes
from workers.subscribe import heard

log = structlog.get_logger()

_POLL = 0.1


def recall_draft(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Remove one draft, so that a late request finds nothing to send."""
    each = _in_flight(runtime, errand)
    slot = None if each is None else _slot(runtime, each)
    if each is None or slot is None:
        return {}
    try:
        with runtime.database.transaction() as tx:
            marked = drain.mark_recalled(tx, each)
        if marked:
            gone = _transport(runtime, each).recall(each.draft_id)
            log.info("draft_recalled", delivery_id=str(each.delivery_id), removed=gone)
    except (ProviderError, OperatorMisconfigured) as error:
        log.warning("draft_not_recalled", delivery_id=str(each.delivery_id), error=type(error).__name__)
    finally:
        with runtime.database.transaction() as tx:
            reconcile_attempts.free_slot(tx, each.mailbox_id, slot)
    return {}


def search_once_more(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Search once more for an email in doubt: after the mailbox's tokens are erased, nobody can."""
    each = _in_flight(runtime, errand)
    slot = None if each is None else _slot(runtime, each)
    if each is None or slot is None:
        return {}
    left = None
    try:
        found = _transport(runtime, each).find(each.correlation_id)
        if not any(item.is_draft and item.id == each.draft_id for item in found):
            left = next((item for item in found if not item.is_draft), None)
    except (ProviderError, OperatorMisconfigured) as error:
        log.warning("not_searched_for", delivery_id=str(each.delivery_id), error=type(error).__name__)
    with runtime.database.transaction() as tx:
        reconcile_attempts.free_slot(tx, each.mailbox_id, slot)
        if left is not None:
            facts = SentFacts("search", left.id, left.internet_message_id, left.conversation_id)
            outcomes.record_sent(tx, each.delivery_id, facts, at_rest(State.IN_DOUBT), actor="onbehalf")
    log.info(
        "searched_once_more",
        delivery_id=str(each.delivery_id),
        outcome="in_doubt" if left is None else "sent",
    )
    return {}


def revoke_access(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """End our access to a removed mailbox at its provider, by the last token. It may have been connected again meanwhile.

    A token of Google's stands for the whole grant, so a new connection's tokens would end too.
    """
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, errand.subject_id)
        kept = last_tokens.read(tx, runtime.keys, errand.subject_id)
    if mailbox is None or mailbox.has_connection or mailbox.provider != Provider.GMAIL or kept is None:
        return {}
    _unwatch(runtime, mailbox, AccessToken(*kept))
    try:
        runtime.google.revoke(kept[0])
    except (ProviderError, OperatorMisconfigured) as error:
        log.warning("access_not_revoked", mailbox_id=str(mailbox.id), error=type(error).__name__)
        return {}
    with runtime.database.transaction() as tx:
        audit.write(tx, mailbox.organization_id, errand.actor, "access_revoked", f"mailbox:{mailbox.id}", {})
    return {"revoked": True}


def _unwatch(runtime: Runtime, mailbox: Mailbox, token: AccessToken) -> None:
    """Have Gmail publish nothing more of it, while the token still holds and nothing else asks. Otherwise it ends within a week."""
    if not heard(runtime.settings, mailbox.provider):
        return
    with runtime.database.transaction() as tx:
        slot = reconcile_attempts.take_slot(tx, mailbox.id)
    if slot is None:
        return
    transport = runtime.transport_with(mailbox.id, mailbox.provider, token)
    assert isinstance(transport, Publishes)
    try:
        transport.unwatch()
    except (ProviderError, OperatorMisconfigured) as error:
        log.info("not_unsubscribed", mailbox_id=str(mailbox.id), error=type(error).__name__)
    finally:
        with runtime.database.transaction() as tx:
            reconcile_attempts.free_slot(tx, mailbox.id, slot)


def _in_flight(runtime: Runtime, errand: Errand) -> drain.InFlight | None:
    with runtime.database.transaction() as tx:
        found = drain.one(tx, errand.organization_id, errand.subject_id)
    return found if found is not None and found.provider in TRACEABLE else None


def _slot(runtime: Runtime, each: drain.InFlight) -> UUID | None:
    """Take the mailbox's slot for a fourth concurrent request, or return None once nobody waits for this any more."""
    ends_at = time.monotonic() + RETURNS_WITHIN.total_seconds()
    while True:
        with runtime.database.transaction() as tx:
            slot = reconcile_attempts.take_slot(tx, each.mailbox_id)
        if slot is not None or time.monotonic() >= ends_at:
            return slot
        time.sleep(_POLL)


def _transport(runtime: Runtime, each: drain.InFlight) -> Traceable:
    with runtime.database.transaction() as tx:
        kept = last_tokens.read(tx, runtime.keys, each.mailbox_id)
    if kept is not None:
        transport = runtime.transport_with(each.mailbox_id, each.provider, AccessToken(*kept))
    else:
        transport = runtime.transport(each.mailbox_id, each.provider)
    assert isinstance(transport, Traceable)
    return transport
