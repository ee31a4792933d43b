"""Prometheus metrics for the whole system, read from Postgres on each scrape, so that any scheduler can serve them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from app.broker import Broker
from config import Settings
from db.core.session import Database, DatabaseUnavailable, database_now
from db.views import dashboard, processes
from domain.processes import WANTED, missing

log = structlog.get_logger()

_HELP = {
    "due": "Deliveries that are due and not queued yet.",
    "queued": "Deliveries queued for a worker.",
    "sending": "Deliveries in a worker's hands.",
    "in_doubt": "Deliveries whose acceptance is being looked for.",
    "review": "Deliveries that only a person can settle.",
    "held": "Deliveries that wait for a person.",
    "waiting": "Deliveries that are not due yet, or due and not queued.",
    "sent_last_minute": "Emails sent in the last minute.",
    "sent_last_hour": "Emails sent in the last hour.",
    "failed_last_day": "Deliveries that failed for good in the last day.",
    "lag": "Seconds since the oldest work of an open lane was due; large and healthy while a mailbox's pace works off a backlog.",
    "overdue_for_no_reason": "Emails that could leave and do not: nothing waits for pace, window, hold, a reading or a process.",
    "reading_lag": "Seconds since the mailbox that waits longest was to be read, and no worker has begun with it.",
    "queue_lag": "Seconds since the oldest queued delivery was queued.",
    "outbox_open": "Jobs committed and not consumed yet.",
    "outbox_parked": "Jobs enqueued too often; an operator must act.",
    "lanes_open": "Mailboxes that can send.",
    "lanes_closed": "Mailboxes that cannot send.",
    "lanes_asked_to_wait": "Mailboxes whose provider asked to wait.",
    "drained_for": "Seconds since operators stopped all sending (onbehalf drain); 0 while they have not.",
    "lanes_on_hold": "Mailboxes that somebody has held, by themselves, with their organization, or in a drain.",
}


class SystemCollector(Collector):
    """Runs one query per scrape."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database, self._broker = database, broker

    def collect(self) -> Iterator[Metric]:
        """Yield all gauges, or only ``onbehalf_database_up 0`` while the database is unavailable."""
        try:
            with self._database.transaction() as tx:
                values = asdict(dashboard.overview(tx))
                hour = dashboard.last_hour(tx)
                absent = {each.role for each in missing(processes.everyone(tx), database_now(tx))}
        except DatabaseUnavailable:
            yield GaugeMetricFamily("onbehalf_database_up", "Whether Postgres answers.", value=0)
            return
        yield GaugeMetricFamily("onbehalf_database_up", "Whether Postgres answers.", value=1)
        for name, value in values.items():
            yield GaugeMetricFamily(f"onbehalf_{name}", _HELP[name], value=value)
        gone = GaugeMetricFamily(
            "onbehalf_process_missing",
            "1: nobody has this role (a kind of process, or a queue).",
            labels=["role"],
        )
        for role in WANTED:
            gone.add_metric([role], role in absent)
        yield gone
        yield _counted(
            "onbehalf_ended_last_hour", "How deliveries ended in the last hour.", "event", hour.events
        )
        yield _counted(
            "onbehalf_waiting_for", "Deliveries that wait for something now.", "state", hour.waiting
        )
        yield GaugeMetricFamily(
            "onbehalf_withdrawals_last_hour", "Withdrawals answered in the last hour.", value=hour.drains
        )
        for name, value in (("mean", hour.drain_seconds_mean), ("max", hour.drain_seconds_max)):
            help_text = f"Seconds from a withdrawal's call to its answer, {name} of the last hour."
            yield GaugeMetricFamily(f"onbehalf_drain_seconds_{name}", help_text, value=value)
        try:
            yield GaugeMetricFamily(
                "onbehalf_broker_messages", "Messages in Redis.", value=sum(self._broker.depths().values())
            )
        except RedisError:
            yield GaugeMetricFamily(
                "onbehalf_broker_messages", "Messages in Redis; -1 = it is away.", value=-1
            )


def _counted(name: str, what: str, label: str, rows: Sequence[tuple[str, str, int]]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=[label, "reason"])
    for first, reason, count in rows:
        family.add_metric([first, reason], count)
    return family


def serve(settings: Settings, database: Database, broker: Broker) -> Callable[[], None] | None:
    """Serve metrics on METRICS_PORT if set (on loopback unless METRICS_HOST says otherwise); returns a function that stops it."""
    if settings.metrics_port is None:
        return None
    registry = CollectorRegistry()
    registry.register(SystemCollector(database, broker))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry=registry)
    except OSError as error:
        # Another scheduler on this host serves the same numbers, and sending must not depend on this.
        log.warning("metrics_not_served", port=settings.metrics_port, error=error.strerror)
        return None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return stop
