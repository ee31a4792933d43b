"""Puts right what crashes and lost messages leave behind, and keeps tables small."""

from datetime import timedelta

import structlog

from db import audit, checks, dispatch, outbox, sessions
from db.session import Database
from domain.delivery import GRACE
from workers.broker import Broker, ring

log = structlog.get_logger()

_KEEP_DONE_JOBS = timedelta(days=7)
_CHECK_EVERY = timedelta(minutes=15)


def sweep(database: Database, broker: Broker) -> None:
    """Take back the leases of lost workers, and ring again where nobody answered."""
    with database.transaction() as tx:
        expired = dispatch.expire_leases(tx, grace=GRACE)
    if expired.unsent or expired.doubtful:
        log.warning("leases_expired", unsent=expired.unsent, doubtful=expired.doubtful)
    with database.transaction() as tx:
        jobs = dispatch.ring_again(tx)
    for job in jobs:
        ring(broker, job)
    if jobs:
        log.warning("bells_rung_again", count=len(jobs))


def look(database: Database, broker: Broker) -> None:
    """Plan the looks for deliveries in doubt."""
    with database.transaction() as tx:
        jobs = dispatch.plan_looks(tx)
    for job in jobs:
        ring(broker, job)


def seal(database: Database) -> None:
    """Seal new audit entries into their chains."""
    with database.transaction() as tx:
        audit.seal(tx)


def plan_checks(database: Database) -> None:
    """Plan the regular checks of connected mailboxes, spread over the interval."""
    with database.transaction() as tx:
        planned = checks.plan(tx, every=_CHECK_EVERY)
    if planned:
        log.info("checks_planned", count=planned)


def tidy(database: Database) -> None:
    """Correct lanes that do not know their next work, alarm on parked jobs, forget old done ones."""
    with database.transaction() as tx:
        corrected = dispatch.refresh_lanes(tx)
        parked = outbox.parked(tx)
        outbox.purge_done(tx, _KEEP_DONE_JOBS)
        sessions.purge(tx)
    if corrected:
        log.warning("lanes_corrected", count=corrected)
    if parked:
        log.error("jobs_parked", count=parked)
