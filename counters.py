"""What a process counts of its own work, for Prometheus: in memory, so counting waits for nobody and fails for no full disk.

Every label has few values: no mailbox, organization or address is one. ``scheduler/metrics.py`` has the numbers that are the same
whoever is asked, read from Postgres.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

import tracing
from domain.connection import Provider

disable_created_metrics()  # type: ignore[no-untyped-call]  # they would be summed up over processes, and Prometheus does not need them

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REGISTRY = CollectorRegistry()
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)  # 25 s: no request takes longer


def _counter(name: str, what: str, *labels: str) -> Counter:
    return Counter(f"onbehalf_{name}", what, labels, registry=REGISTRY)


def _seconds(name: str, what: str, *labels: str) -> Histogram:
    return Histogram(f"onbehalf_{name}_seconds", what, labels, registry=REGISTRY, buckets=_SECONDS)


EMAILS_SENT = _counter("emails_sent", "Emails recorded as sent, and how we know.", "provider", "known_by")
ATTEMPTS_FAILED = _counter(
    "attempts_failed", "Attempts to send that ended in an error, by its class.", "provider", "error"
)
IN_DOUBT = _counter("emails_in_doubt", "Emails whose acceptance became uncertain.", "provider")
DOUBTS_SETTLED = _counter("doubts_settled", "Emails in doubt that were settled by a search.", "outcome")
LEASES_EXPIRED = _counter("leases_expired", "Deliveries taken back from workers that were lost.", "found")
REVIEWS = _counter("reviews", "Emails that came to be settled by a person.")
PROVIDER_SECONDS = _seconds(
    "provider_request", "Requests to mail providers, to their complete answer.", "provider", "request"
)
PROVIDER_ANSWERS = _counter(
    "provider_answers", "Answers of mail providers; none: it was lost.", "provider", "status"
)
READINGS = _counter(
    "mailbox_readings", "Mailboxes read: complete, more (to be continued), failed.", "outcome"
)
MESSAGES = _counter("messages_recorded", "Incoming messages that concern somebody, by kind.", "kind")
WEBHOOK_CALLS = _counter("webhook_calls", "Calls of other programs' webhooks.", "state")
NOTICES = _counter("notices", "Attempts to notify somebody by email or in a chat.", "channel", "state")
TOKENS = _counter(
    "tokens_refreshed", "Refreshes of mailboxes' tokens: stored, discarded, or an error's class.", "outcome"
)
HINTS = _counter(
    "hints", "Hints of changes in mailboxes that providers sent: taken or ignored.", "provider", "outcome"
)
JOB_SECONDS = _seconds("job", "Jobs of workers and schedulers.", "kind", "outcome")
REQUEST_SECONDS = _seconds("web_request", "Requests to the web process.", "part", "status")
INBOX_MESSAGES = _counter(
    "inbox_messages", "Messages that the inbox process was given, by the code of its reply.", "code"
)
LOGGED = _counter("problems_logged", "Lines of the log from warning up.", "level", "event")


def _begin_at_zero() -> None:
    """Show what alarms are about before it happens first: a series that begins at 1 has not increased."""
    for provider in Provider:
        EMAILS_SENT.labels(provider, "answer")
        IN_DOUBT.labels(provider)
    for found in ("unsent", "in_doubt"):
        LEASES_EXPIRED.labels(found)
    for channel in ("email", "chat"):
        for state in ("sent", "failed", "unknown"):
            NOTICES.labels(channel, state)
    for state in ("taken", "waiting", "given_up"):
        WEBHOOK_CALLS.labels(state)
    for outcome in ("complete", "more", "failed"):
        READINGS.labels(outcome)
    for outcome in ("stored", "discarded"):
        TOKENS.labels(outcome)
    for level, event in (
        ("error", "operator_misconfigured"),
        ("critical", "operator_misconfigured"),
        ("critical", "audit_chain_broken"),
    ):
        LOGGED.labels(level, event)
    for code in ("250", "451", "452"):
        INBOX_MESSAGES.labels(code)
    for asked in ("graph", "entra"):
        PROVIDER_ANSWERS.labels(asked, "429")


_begin_at_zero()


def answered(provider: str, request: str, seconds: float, status: int | None) -> None:
    """Count one request to a provider, and record it as a span. ``request``: one of few names. ``status``: HTTP's or SMTP's; None if there was no answer."""
    took, counted = _series(provider, request, status)
    took.observe(seconds)
    counted.inc()
    said: tracing.Attributes = {"provider": provider}
    if status is not None and provider == "smtp":
        said["code"] = str(status)
    elif status is not None:
        said["status"] = status
    tracing.past(f"{provider} {request}", seconds, said, failed=status is None or status >= 400)


@lru_cache(maxsize=1024)
def _series(provider: str, request: str, status: int | None) -> tuple[Histogram, Counter]:
    return PROVIDER_SECONDS.labels(provider, request), PROVIDER_ANSWERS.labels(
        provider, _status(provider, status)
    )


def _status(provider: str, status: int | None) -> str:
    """Return the status as a label. A server of anybody's choice may say anything, so of mail servers only the class counts."""
    if status is None:
        return "none"
    if provider == "smtp":
        return f"{status // 100}xx" if 200 <= status < 600 else "other"
    return str(status) if status in HTTPStatus.__members__.values() else "other"


def logged(level: str, event: str) -> None:
    """Count one line of the log. ``event``: ours, which are few; ``library`` for all others."""
    LOGGED.labels(level, event).inc()


def text() -> str:
    """Return what this process has counted, in Prometheus's text format."""
    return generate_latest(REGISTRY).decode()


def merged(texts: Iterable[str]) -> str:
    """Return the sum of what several processes have counted, each as ``text`` returns it."""
    found = list(texts)
    return found[0] if len(found) == 1 else generate_latest(_Sum(found)).decode()


class _Sum(Collector):
    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = texts

    def collect(self) -> Iterator[Metric]:
        """Add up sample by sample; nothing here is a gauge."""
        families: dict[str, Metric] = {}
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        for each in self._texts:
            for family in text_string_to_metric_families(each):
                families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                sums = values.setdefault(family.name, {})
                for sample in family.samples:
                    key = sample.name, tuple(sample.labels.items())
                    sums[key] = sums.get(key, 0.0) + sample.value
        for name, family in families.items():
            for (sample_name, labels), value in values[name].items():
                family.add_sample(sample_name, dict(labels), value)
            yield family
