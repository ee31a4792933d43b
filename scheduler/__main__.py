"""``python -m scheduler``: the table of periodic jobs, the watchdog and the signals.

APScheduler only ticks: a memory store, interval triggers, one run at a time; a missed run is made up for once.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from dramatiq.errors import BrokerConnectionError
from redis.exceptions import RedisError

import counters
from app import health, telemetry
from app.heartbeat import Heartbeat
from app.readiness import Readiness, check_at_start
from app.servers import open_broker, open_database
from config import NO_MICROSOFT, Settings
from db.core.crypto import KeyRing, audit_keys
from db.core.measurements import EVERY
from db.core.session import DatabaseUnavailable
from domain.errors import OperatorMisconfigured
from observability import configure_logging, log_whatever_ends_a_process
from scheduler import (
    approvals,
    default_addresses,
    digests,
    due_steps,
    early_warnings,
    first_emails,
    incidents,
    mailbox_reads,
    measuring,
    metrics,
    numbers,
    outbox_relay,
    people_imports,
    received_mail,
    retention,
    summaries,
    sweeper,
)

log = structlog.get_logger()

# Emails and withdrawals wait for these.
URGENT = frozenset(
    {"due_steps", "outbox_relay", "mailbox_reads", "reconcile", "sweep", "expire_grants", "expire_holds"}
)
# Seconds. A scheduler one of whose jobs is later than that ends itself and is restarted. Others may have much to count or to remove.
MAX_LATE, MAX_LATE_OF_OTHERS = 30.0, 600.0


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    try:
        settings = Settings.from_environment(without=NO_MICROSOFT)
        configure_logging(
            settings.log_format, settings.log_level, process="scheduler", counted=counters.logged
        )
        log_whatever_ends_a_process()
        unwatch = telemetry.start("scheduler")
        keys = audit_keys(settings.secret_keys)
        database = open_database(settings, application="onbehalf-scheduler", pool_size=6)
        broker = open_broker(settings)
        ring = KeyRing(settings.secret_keys)
        check_at_start(database, ring=ring, broker=broker.client)
    except OperatorMisconfigured as error:
        sys.exit(f"onbehalf: {error}")
    # All periodic jobs, with their intervals in seconds.
    jobs: tuple[tuple[str, float, Callable[[], object]], ...] = (
        ("due_steps", due_steps.EVERY, due_steps.Ticks(database, broker)),
        ("outbox_relay", 0.5, lambda: outbox_relay.relay(database, broker)),
        ("mailbox_reads", 0.5, lambda: mailbox_reads.tick(database, broker)),
        ("watch_mailboxes", 15, lambda: mailbox_reads.watch(database)),
        ("reconcile", 1, lambda: sweeper.reconcile(database, broker)),
        ("seal", 2, lambda: sweeper.seal(database, keys)),
        ("sweep", 5, lambda: sweeper.sweep(database, broker)),
        ("expire_grants", 5, lambda: sweeper.expire_grants(database)),
        ("expire_holds", 5, lambda: sweeper.expire_holds(database)),
        ("plan_checks", 30, lambda: sweeper.plan_checks(database)),
        ("plan_draft_checks", 30, lambda: sweeper.plan_draft_checks(database)),
        ("warn_early", 60, lambda: early_warnings.warn_early(database)),
        ("hold_incomplete", 3600, lambda: early_warnings.hold_incomplete(database)),
        ("incidents", 15, lambda: incidents.examine(database)),
        ("measure", EVERY.total_seconds(), lambda: measuring.measure(database, broker)),
        ("tidy", 60, lambda: sweeper.tidy(database)),
        ("seal_urls", 600, lambda: sweeper.seal_urls(database, ring)),
        ("default_addresses", 60, lambda: default_addresses.make(database, settings)),
        ("digests", 600, lambda: digests.notify(database)),
        ("approvals", 600, lambda: approvals.notify(database)),
        ("first_emails", 15, lambda: first_emails.notify(database)),
        ("numbers", 60, lambda: numbers.count(database)),
        ("summaries", 60, lambda: summaries.summarize(database)),
        ("people_imports", 3600, lambda: people_imports.forget(database)),
        ("received_mail", 3600, lambda: received_mail.forget(database)),
        ("keep", 3600, lambda: retention.keep(database, keys, settings.keep_months)),
        ("audit_heads", 3600, lambda: sweeper.log_heads(database, keys)),
    )
    readiness = Readiness(database, ring=ring, broker=broker.client)
    heartbeat = Heartbeat(database, "scheduler", readiness, key_ids=ring.ids)
    ticked = {name: time.monotonic() for name, _, _ in jobs}
    ticker = BackgroundScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for name, seconds, body in jobs:
        ticker.add_job(
            guarded, "interval", seconds=seconds, args=(name, body, ticked, heartbeat.worked), id=name
        )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cadence = {name: seconds for name, seconds, _ in jobs}
    health.serve(
        settings,
        lambda: hung(ticked, cadence, time.monotonic()) is None,
        readiness.troubles,
        remarks=readiness.remarks,
    )
    # A release may migrate while processes start: without its tables every job would fail.
    while readiness.troubles() and not readiness.schema_is_recent and not stop.wait(5):
        ticked.update(dict.fromkeys(ticked, time.monotonic()))
    if stop.is_set():  # before there was a schema to work with
        database.close()
        return
    guarded(
        "audit_heads", lambda: sweeper.log_heads(database, keys), ticked
    )  # at once, in case no scheduler lives for an hour
    metrics.serve(settings, database, broker)
    ticker.start()
    heartbeat.start()
    log.info("scheduler_started")
    while not stop.wait(1):
        if found := hung(ticked, cadence, time.monotonic()):
            name, late = found
            log.critical("tick_late", job=name, seconds=round(late))
            os._exit(1)  # a hung job cannot be stopped from within; the supervisor restarts us
    ticker.shutdown(wait=True)
    heartbeat.close()
    database.close()
    unwatch()
    log.info("scheduler_stopped")


def hung(ticked: Mapping[str, float], cadence: Mapping[str, float], now: float) -> tuple[str, float] | None:
    """Return a job that must have hung, and how late it is; None if all get on. ``ticked``: when each ended last; all in seconds."""
    for name, at in ticked.items():
        late = now - at - cadence[name]
        if late > (MAX_LATE if name in URGENT else MAX_LATE_OF_OTHERS):
            return name, late
    return None


def guarded(
    name: str,
    body: Callable[[], object],
    ticked: dict[str, float],
    worked: Callable[[], None] = lambda: None,
) -> None:
    """Run one job so that no failure can stop the clock. ``worked``: called when it has succeeded."""
    began, outcome = time.monotonic(), "failed"
    try:
        body()
        worked()
        outcome = "done"
    except DatabaseUnavailable as error:
        outcome = "database_unavailable"
        log.warning("database_unavailable", job=name, error=str(error))
    except (BrokerConnectionError, RedisError) as error:
        # The sweeper or the relay enqueues again what was committed.
        outcome = "broker_unavailable"
        log.warning(
            "broker_unavailable", job=name, error=" ".join(str(error).split()) or type(error).__name__
        )
    except Exception:
        log.exception("job_failed", job=name)
    counters.JOB_SECONDS.labels(name, outcome).observe(time.monotonic() - began)
    ticked[name] = time.monotonic()


if __name__ == "__main__":
    main()
