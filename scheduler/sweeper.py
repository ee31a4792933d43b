"""Fixes what crashes and lost messages leave behind, and keeps tables small."""

import logging
from datetime import timedelta

import structlog

import counters
from app.broker import Broker, enqueue
from db.access import api_keys, page_results, sessions
from db.audit import audit_chain, audit_heads
from db.core import processes
from db.core.crypto import KeyRing
from db.core.session import Database
from db.events import errands, notice_channels, outbox, webhooks
from db.mailboxes import checks
from db.sending import dispatch, drafts
from db.withdrawing import holds, last_tokens, withdrawals
from domain.audit import Keys
from domain.delivery import GRACE

log = structlog.get_logger()

_KEEP_DONE_JOBS = timedelta(days=7)
_CHECK_EVERY = timedelta(minutes=15)
_CHECK_LOST_EVERY = timedelta(hours=1)


def sweep(database: Database, broker: Broker) -> None:
    """Take back the leases of lost workers, and enqueue again what no worker took."""
    with database.transaction() as tx:
        expired = dispatch.expire_leases(tx, grace=GRACE)
    counters.LEASES_EXPIRED.labels("unsent").inc(expired.unsent)
    counters.LEASES_EXPIRED.labels("in_doubt").inc(expired.in_doubt)
    if expired.unsent or expired.in_doubt:
        log.warning("leases_expired", unsent=expired.unsent, in_doubt=expired.in_doubt)
    with database.transaction() as tx:
        jobs = dispatch.enqueue_again(tx)
    for job in jobs:
        enqueue(broker, job)
    if jobs:
        log.warning("messages_enqueued_again", count=len(jobs))


def reconcile(database: Database, broker: Broker) -> None:
    """Enqueue the reconcile attempts that are due."""
    with database.transaction() as tx:
        jobs = dispatch.plan_attempts(tx)
    for job in jobs:
        enqueue(broker, job)


def seal(database: Database, keys: Keys) -> None:
    """Seal new audit entries into their chains."""
    with database.transaction() as tx:
        audit_chain.seal(tx, keys)


def log_heads(database: Database, keys: Keys) -> None:
    """Log every audit chain's newest link, where the database's administrators cannot change it."""
    with database.transaction() as tx:
        heads = audit_heads.heads(tx, keys)
    for each in heads:
        log.log(
            logging.INFO if each.genuine else logging.CRITICAL,
            "audit_head" if each.genuine else "audit_chain_broken",
            organization_id=str(each.organization_id),
            position=each.link.position,
            hash=each.link.hash,
        )


def plan_checks(database: Database) -> None:
    """Plan the regular checks of mailboxes, spread over the interval, including lost ones, which may have recovered."""
    with database.transaction() as tx:
        planned = checks.plan(tx, every=_CHECK_EVERY, lost_every=_CHECK_LOST_EVERY)
    if planned:
        log.info("checks_planned", count=planned)


def plan_draft_checks(database: Database) -> None:
    """Plan checks of whether emails accepted minutes ago have left Drafts."""
    with database.transaction() as tx:
        planned = drafts.plan(tx)
    if planned:
        log.info("draft_checks_planned", count=planned)


def expire_grants(database: Database) -> None:
    """Archive expired grants, each with its consequences."""
    while True:
        with database.transaction() as tx:
            expired = withdrawals.expire_grant(tx)
        if expired is None:
            return
        log.info("grant_expired", grant_id=str(expired))


def expire_holds(database: Database) -> None:
    """Record that holds whose time is over have ended."""
    while True:
        with database.transaction() as tx:
            expired = holds.expire(tx)
        if expired is None:
            return
        log.info("hold_expired", hold_id=str(expired))


def seal_urls(database: Database, ring: KeyRing) -> None:
    """Encrypt webhook URLs that an earlier release stored in plain text."""
    with database.transaction() as tx:
        sealed = webhooks.seal_urls(tx, ring)
    if sealed:
        log.info("webhook_urls_sealed", count=sealed)


def tidy(database: Database) -> None:
    """Correct lanes with a wrong next due time, alert on parked jobs, delete old rows."""
    with database.transaction() as tx:
        corrected = dispatch.refresh_lanes(tx)
        parked = outbox.parked(tx)
        outbox.purge_done(tx, _KEEP_DONE_JOBS)
        sessions.purge(tx)
        api_keys.purge(tx)
        page_results.purge(tx)
        webhooks.purge(tx)
        notice_channels.purge(tx)
        errands.purge(tx)
        last_tokens.purge(tx)
        processes.purge(tx)
    if corrected:
        log.warning("lanes_corrected", count=corrected)
    if parked:
        log.error("jobs_parked", count=parked)
