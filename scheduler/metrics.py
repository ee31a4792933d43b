"""Prometheus metrics about the whole system, read from Postgres when they are scraped, so any scheduler may serve them."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from app.broker import Broker
from db.core.session import Database, DatabaseUnavailable
from db.views import dashboard

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
    "lag": "Seconds since the oldest work of an open lane was due.",
    "queue_lag": "Seconds since the oldest queued delivery was queued.",
    "outbox_open": "Jobs committed and not consumed yet.",
    "outbox_parked": "Jobs enqueued too often; an operator must act.",
    "lanes_open": "Mailboxes that can send.",
    "lanes_closed": "Mailboxes that cannot send.",
    "lanes_asked_to_wait": "Mailboxes whose provider asked to wait.",
}


class SystemCollector(Collector):
    """One query per scrape."""

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database, self._broker = database, broker

    def collect(self) -> Iterator[Metric]:
        """All gauges, or only ``onbehalf_database_up 0`` while the database is away."""
        try:
            with self._database.transaction() as tx:
                values = asdict(dashboard.overview(tx))
                hour = dashboard.last_hour(tx)
        except DatabaseUnavailable:
            yield GaugeMetricFamily("onbehalf_database_up", "Whether Postgres answers.", value=0)
            return
        yield GaugeMetricFamily("onbehalf_database_up", "Whether Postgres answers.", value=1)
        for name, value in values.items():
            yield GaugeMetricFamily(f"onbehalf_{name}", _HELP[name], value=value)
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
                "onbehalf_broker_messages", "Messages in Redis.", value=self._broker.depth()
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


def serve(database: Database, broker: Broker) -> Callable[[], None] | None:
    """Serve metrics on METRICS_PORT (loopback unless METRICS_HOST says otherwise), if it is set; returns how to stop."""
    port = os.environ.get("METRICS_PORT", "")
    if not port:
        return None
    registry = CollectorRegistry()
    registry.register(SystemCollector(database, broker))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(
            int(port), os.environ.get("METRICS_HOST", "127.0.0.1"), registry=registry
        )
    except (OSError, ValueError) as error:
        # Another scheduler of this host serves the same numbers; sending must not depend on it.
        log.warning("metrics_not_served", error=type(error).__name__)
        return None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(5)

    return stop
