"""Traces: off unless a setting asks for them; then an email is one trace from enqueuing to recorded, and no person is in it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import dramatiq
import pytest
import structlog

import tracing
from app import telemetry
from app.broker import Broker, enqueue
from app.spans import record
from app.telemetry import traces_setting
from db.core.session import DatabaseUnavailable
from domain.errors import OperatorMisconfigured
from domain.jobs import SendStep
from lab.embedded import free_port
from lab.records import Candidate, Delivery
from lab.stage import Stage, as_environment
from tests.collector import Collector, Kept
from tests.web.visitor import Visitor
from workers.actor import _BODIES, actor

ROOT = Path(__file__).parents[1]
ENDPOINT, FOR_TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


def way_to(span: Kept, spans: list[Kept]) -> list[str]:
    """Return the names from a trace's first span to this one."""
    above = [each for each in spans if each.id == span.parent]
    return [*(way_to(above[0], spans) if above else []), span.name]


def test_an_email_is_one_trace_through_all_processes(
    stage: Stage, redis_url: str, collector: Collector, tmp_path: Path
) -> None:
    owner = stage.world.member()
    stage.world.enroll(
        stage.world.sequence(owner, stage.mailbox(owner), body="Dear {{first_name}}, a secret offer"),
        first_name="Zebediah",
    )
    environment = {
        **os.environ,
        **as_environment(stage.runtime.settings),
        "REDIS_URL": redis_url,
        "LOG_FORMAT": "json",
        ENDPOINT: collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    worker = ["workers", "--queues", "send", "--processes", "1", "--threads", "2"]
    log = tmp_path / "log"
    with ExitStack() as stack:
        file = stack.enter_context(log.open("wb"))
        for command in (["scheduler"], worker):
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=file, stderr=file
                )
            )
            stack.callback(process.terminate)
        # A span is exported after it has ended, so the job itself comes last.
        until = time.monotonic() + 300
        while not collector.named("send_step"):
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
    (job,) = collector.named("send_step")
    whole = [each for each in collector.spans if each.trace == job.trace]
    services = {each.name: each.service for each in whole}
    assert services["enqueue send_step"] == "onbehalf-scheduler"
    assert {services[name] for name in ("send_step", "claim", "draft", "gate", "record")} == {
        "onbehalf-worker"
    }
    asked = [each for each in whole if each.name.startswith("graph POST")]
    assert [each.said["onbehalf.provider"] for each in asked] == ["graph", "graph"]
    assert [way_to(each, whole)[:3] for each in asked] == [
        ["enqueue send_step", "send_step", "draft"],
        ["enqueue send_step", "send_step", "graph POST messages/*/send"],
    ]
    (locked,) = [each for each in whole if each.name == "sending.gate.lock_lane"]
    assert way_to(locked, whole) == ["enqueue send_step", "send_step", "gate", "sending.gate.lock_lane"]
    assert {way_to(each, whole)[-2] for each in whole if each.name == "COMMIT"} >= {"gate", "record"}
    delivery = stage.only(Delivery)
    assert job.said["onbehalf.delivery_id"] == str(delivery.id)
    assert job.said["onbehalf.outcome"] == "done"
    lines = [json.loads(each) for each in log.read_text().splitlines() if each.startswith("{")]
    (line,) = [each for each in lines if each["event"] == "email_sent"]
    assert line["trace_id"] == job.trace
    candidate = stage.only(Candidate)
    for secret in (
        candidate.email,
        "Zebediah",
        "secret offer",
        "demo-secret",
        "eyJ",
        " WHERE ",
        "$select",
        "$expand",
    ):
        assert secret.encode() not in collector.raw


def test_idle_schedulers_and_what_belongs_to_nothing_record_nothing(
    stage: Stage, recorded: Callable[[], Collector]
) -> None:
    with stage.world.database.transaction():
        pass
    stage.due()
    assert recorded().spans == []


def test_a_page_is_a_trace_by_its_route_without_what_its_address_holds(
    stage: Stage, recorded: Callable[[], Collector]
) -> None:
    visitor = Visitor(stage).get("/approve/a-secret-link?from=anna@example.org")
    Visitor(stage).get("/health")
    collector = recorded()
    (page,) = [each for each in collector.spans if not each.parent]
    assert page.name == "GET /approve/{token}"
    assert (page.said["http.response.status_code"], page.failed) == (404, False)
    assert page.said["onbehalf.request_id"] == visitor.headers["x-request-id"]
    assert {each.trace for each in collector.spans} == {page.trace}
    assert len(collector.spans) > 1  # its statements
    for secret in (b"a-secret-link", b"anna", b"127.0.0.1"):
        assert secret not in collector.raw


@pytest.mark.parametrize("error", [ValueError("Anna said no"), DatabaseUnavailable("host db.example")])
def test_of_an_error_there_is_its_type(recorded: Callable[[], Collector], error: Exception) -> None:
    def fail(**_: object) -> None:
        structlog.contextvars.bind_contextvars(mailbox_id="some-mailbox", source="192.0.2.7")
        raise error

    actor("fails", "events")(fail)
    body = _BODIES.pop("fails")[1]
    if isinstance(error, DatabaseUnavailable):
        body()
    else:
        with pytest.raises(ValueError, match="Anna"):
            body()
    collector = recorded()
    (job,) = collector.spans
    outcome = {"ValueError": "failed", "DatabaseUnavailable": "database_unavailable"}[type(error).__name__]
    assert job.said == {
        "messaging.destination.name": "events",
        "onbehalf.outcome": outcome,
        "onbehalf.mailbox_id": "some-mailbox",
        **({"error.type": "ValueError"} if job.failed else {}),
    }
    assert job.failed == isinstance(error, ValueError)
    for secret in (b"Anna", b"db.example", b"192.0.2.7"):
        assert secret not in collector.raw


def test_a_line_of_the_log_names_its_trace(
    recorded: Callable[[], Collector], written: Callable[[], list[dict[str, object]]]
) -> None:
    log = structlog.get_logger()
    log.info("worker_started")
    with tracing.root("send_step", "consumer"):
        log.info("email_sent")
    outside, inside = written()
    (span,) = recorded().spans
    assert inside["trace_id"] == span.trace
    assert "trace_id" not in outside


def test_without_traces_a_message_carries_ids_alone(redis_url: str) -> None:
    broker = Broker(redis_url)
    dramatiq.actor(actor_name="send_step", queue_name="send", broker=broker)(print)
    enqueue(broker, SendStep(uuid4(), 1))
    consumer = broker.consume("send", timeout=1000)
    message = next(each for each in consumer if each is not None)
    assert set(message.options) == {"redis_message_id"}
    consumer.ack(message)
    broker.client.close()


@pytest.mark.parametrize(
    "junk", [{}, {"traceparent": 7}, {"traceparent": "00-junk"}, {"traceparent": "", "tracestate": "a=b"}]
)
def test_a_message_with_junk_for_a_trace_begins_one(
    recorded: Callable[[], Collector], junk: dict[str, object]
) -> None:
    with tracing.root("send_step", "consumer", junk):
        pass
    (span,) = recorded().spans
    assert span.parent == ""


def test_a_collector_that_is_away_ends_nothing_and_is_said(
    monkeypatch: pytest.MonkeyPatch, written: Callable[[], list[dict[str, object]]]
) -> None:
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    end = telemetry.start("test")
    with tracing.root("send_step", "consumer"):
        pass
    end()
    assert {str(line["logger"]).partition(".")[0] for line in written()} == {"opentelemetry"}


def test_without_the_setting_nothing_of_it_is_imported() -> None:
    loaded = "import scheduler.__main__, inbox.__main__, web.main, workers.send_step, app.telemetry, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = set(done.stdout.split())
    assert "app.telemetry" in names
    assert not {"app.spans", "opentelemetry.exporter", "google.protobuf", "sentry_sdk"} & names


def test_a_process_has_the_name_that_the_standard_gives_it(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.name=mail,deployment.environment=test")
    end = record(OTLPSpanExporter(f"{collector.url}/v1/traces"), "worker")
    with tracing.root("send_step", "consumer"):
        pass
    end()
    (span,) = collector.spans
    assert span.service == "mail"


@pytest.mark.parametrize(
    ("said", "turned_on_by"),
    [
        ({}, ""),
        ({ENDPOINT: " "}, ""),
        ({ENDPOINT: "http://collector:4318"}, ENDPOINT),
        ({FOR_TRACES: "https://collector/v1/traces", ENDPOINT: "no URL"}, FOR_TRACES),
        ({ENDPOINT: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, ""),
        ({ENDPOINT: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, ""),
        ({ENDPOINT: "http://collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ENDPOINT),
    ],
)
def test_traces_are_off_unless_a_variable_of_the_standard_says_where_they_go(
    said: dict[str, str], turned_on_by: str
) -> None:
    assert traces_setting(said) == turned_on_by


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (ENDPOINT, "collector:4317", "http or https"),
        (ENDPOINT, "http://", "http or https"),
        (ENDPOINT, "http://collector:port", "http or https"),
        (ENDPOINT, "http://hush:hush@collector:4318", "OTEL_EXPORTER_OTLP_HEADERS"),
        (FOR_TRACES, "grpc://collector:4317", "http or https"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "http/protobuf"),
        ("OTEL_TRACES_EXPORTER", "console", "otlp"),
    ],
)
def test_a_wrong_setting_is_named_with_the_fix(name: str, value: str, says: str) -> None:
    with pytest.raises(OperatorMisconfigured) as refused:
        telemetry.start("worker", {ENDPOINT: "http://collector:4318", name: value})
    line = str(refused.value)
    assert line.startswith(f"{name} ")
    assert says in line
    assert "hush" not in line
