"""Check whether accepted emails have left Drafts: one listing covers all of a mailbox's emails that are minutes old.

This sends nothing. If an email is still there, its owner is notified and its follow-up waits. We ask for Drafts, not Sent
Items: an email that has left Drafts has left, even if somebody has since tidied up Sent Items. The cost is one request per
mailbox, at most every three minutes and only while it sends: at full pace, one for some eighty emails.
"""

from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.core.session import database_now
from db.events import outbox
from db.mailboxes import mailboxes
from db.sending import drafts, lanes, reconcile_attempts
from db.sending.gate import lock_lane
from domain.errors import OperatorMisconfigured, ProviderError, Throttled
from domain.jobs import CheckDrafts
from transports.base import ListsDrafts
from transports.providers import PROVIDERS
from workers.actor import actor, read_id

log = structlog.get_logger()


@actor(CheckDrafts.actor, CheckDrafts.queue)
def check_drafts(outbox_id: object) -> None:
    """Take one outbox row."""
    check(current(), read_id("outbox_id", outbox_id))


def check(runtime: Runtime, outbox_id: UUID) -> None:
    """Make one listing. A failure shows nothing; the next round tries again."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, CheckDrafts):
            return
        structlog.contextvars.bind_contextvars(mailbox_id=str(job.mailbox_id))
        mailbox = mailboxes.load(tx, job.mailbox_id)
        waiting = drafts.waiting(tx, job.mailbox_id)
        slot = None
        if mailbox is not None and waiting and PROVIDERS[mailbox.provider].offers(ListsDrafts):
            slot = reconcile_attempts.take_slot(tx, job.mailbox_id)
        if mailbox is None or slot is None:
            outbox.consume(tx, CheckDrafts.actor, outbox_id)
            return
    wait = None
    there: frozenset[str] | None = None
    moved: set[UUID] = set()
    try:
        transport = runtime.transport(mailbox.id, mailbox.provider)
        assert isinstance(transport, ListsDrafts)
        there = transport.drafts()
        moved = {each for each, (draft_id, seen) in waiting.items() if seen and draft_id not in there}
    except Throttled as error:
        wait = error.retry_after
        log.info("drafts_not_listed", error=type(error).__name__, code=error.code)
    except (ProviderError, OperatorMisconfigured) as error:
        log.info("drafts_not_listed", error=type(error).__name__, code=getattr(error, "code", ""))
    with runtime.database.transaction() as tx:
        lock_lane(tx, mailbox.id)
        reconcile_attempts.free_slot(tx, mailbox.id, slot)
        if wait is not None:
            lanes.hold(tx, mailbox.id, database_now(tx) + wait)
        if there is not None:
            still = {each for each, (draft_id, _) in waiting.items() if draft_id in there}
            drafts.record(tx, mailbox.id, gone=waiting.keys() - still - moved, still=still, moved=moved)
            if still:
                log.warning("still_in_drafts", count=len(still))
        outbox.consume(tx, CheckDrafts.actor, outbox_id)
