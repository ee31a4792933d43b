"""Run an errand: begin it, which succeeds only once, do it, and record its result."""

from collections.abc import Callable
from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.events import errands, outbox
from db.events.errands import Errand
from domain.errands import ErrandKind
from domain.errors import OnbehalfError
from domain.jobs import RunErrand
from workers import audit_errands, last_requests, mailbox_errands, try_approval, webhook_errands
from workers.actor import actor, read_id

log = structlog.get_logger()

_BODIES: dict[ErrandKind, Callable[[Runtime, Errand], dict[str, object]]] = {
    ErrandKind.SEND_TEST_EMAIL: mailbox_errands.send_test_email,
    ErrandKind.CHECK_SETTINGS: mailbox_errands.check_settings,
    ErrandKind.TRY_SERVER: mailbox_errands.try_server,
    ErrandKind.READ_DOMAINS: mailbox_errands.read_domains,
    ErrandKind.WATCH_APPROVAL: try_approval.watch,
    ErrandKind.RECALL_DRAFT: last_requests.recall_draft,
    ErrandKind.SEARCH_ONCE_MORE: last_requests.search_once_more,
    ErrandKind.REVOKE_ACCESS: last_requests.revoke_access,
    ErrandKind.VERIFY_AUDIT: audit_errands.verify,
    ErrandKind.TEST_WEBHOOK: webhook_errands.try_webhook,
}


@actor(RunErrand.actor, RunErrand.queue)
def run_errand(outbox_id: object) -> None:
    """Take one outbox row."""
    do(current(), read_id("outbox_id", outbox_id))


def do(runtime: Runtime, outbox_id: UUID) -> None:
    """Do the row's errand unless it has begun before: it may be running, or its worker has died."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
    if not isinstance(job, RunErrand):
        return
    run(runtime, job.errand_id)
    with runtime.database.transaction() as tx:
        outbox.consume(tx, RunErrand.actor, outbox_id)


def run(runtime: Runtime, errand_id: UUID) -> None:
    """Do one errand, once."""
    with runtime.database.transaction() as tx:
        errand = errands.begin(tx, errand_id)
    if errand is None:
        log.info("errand_not_begun", errand_id=str(errand_id))
        return
    answer = None
    try:
        answer = _BODIES[errand.kind](runtime, errand)
    except OnbehalfError as error:
        log.warning("errand_failed", errand_id=str(errand_id), kind=errand.kind, error=type(error).__name__)
    finally:
        with runtime.database.transaction() as tx:
            errands.end(tx, errand_id, answer)
    log.info("errand_ended", errand_id=str(errand_id), kind=errand.kind)
