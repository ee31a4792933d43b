"""Prepares the audit trail's next months and, where operators say how long, lets the oldest go."""

from uuid import UUID

import structlog

from db.audit import retention
from db.audit.retention import Month
from db.core.session import Database, database_now
from domain.audit import Keys

log = structlog.get_logger()


def keep(database: Database, keys: Keys, keep_months: int | None) -> None:
    """One round. ``keep_months``: full months kept beside the present one; None = everything is kept."""
    with database.transaction() as tx:
        now = database_now(tx)
        made = retention.prepare_months(tx, now)
    if made:
        log.info("audit_months_prepared", months=[str(each) for each in made])
    if keep_months is None:
        return
    while True:
        with database.transaction() as tx:
            dropped = retention.drop_oldest_month(tx, keys, Month.of(now).later(-keep_months))
        if dropped is None:
            break
        if dropped.entries is None:
            log.error("audit_month_not_sealed", month=str(dropped.month))
            break
        log.info("audit_month_dropped", month=str(dropped.month), entries=dropped.entries)
    after: UUID | None = None
    forgotten = 0
    while True:
        with database.transaction() as tx:
            batch = retention.forget_settled(tx, after)
        forgotten, after = forgotten + batch.deliveries, batch.after
        if after is None:
            break
    if forgotten:
        log.info("old_deliveries_forgotten", count=forgotten)
