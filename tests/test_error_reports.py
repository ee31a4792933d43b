"""Reports of errors for Sentry: off by default; what nobody expected, by its type and frames, and nothing that anybody wrote."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import dramatiq
import pytest
import structlog
from dramatiq.worker import Worker

from app import telemetry
from app.broker import Broker, enqueue
from app.release import release
from db.core.session import DatabaseUnavailable
from domain.errors import OperatorMisconfigured
from domain.jobs import SendStep
from observability import configure_logging
from scheduler.__main__ import guarded
from tests.sentry import Sentry, running_sentry
from workers.actor import _BODIES, actor

ROOT = Path(__file__).parents[1]
# Written backwards, because lines of code around a frame are sent.
SECRETS = [each[::-1] for each in ("gro.elpmaxe@anna", "annA raeD", "hsuh", "7.2.0.291")]

Reported = Callable[[], Sentry]


@pytest.fixture(autouse=True)
def logging_as_in_a_process() -> None:
    configure_logging("json", "info")


def fail(**_: object) -> None:
    structlog.contextvars.bind_contextvars(mailbox_id="some-mailbox", source=SECRETS[-1])
    words = " ".join(SECRETS)
    raise ValueError(words)


def test_an_unexpected_error_is_reported_without_what_it_says(reported: Reported) -> None:
    guarded("sweep", fail, {})
    sentry = reported()
    (event,) = sentry.events
    (error,) = event["exception"]["values"]
    assert (error["type"], "value" in error) == ("ValueError", False)
    frame = error["stacktrace"]["frames"][-1]
    assert (frame["function"], "vars" in frame) == ("fail", False)
    assert (event["release"], event["environment"]) == (f"onbehalf@{release()}", "production")
    assert event["tags"] == {
        "event": "job_failed", "job": "sweep", "process": "test", "mailbox_id": "some-mailbox",
    }  # fmt: skip
    for secret in SECRETS:
        assert secret.encode() not in sentry.raw


def test_a_job_that_fails_is_reported_once_with_its_actor(reported: Reported, redis_url: str) -> None:
    broker = Broker(redis_url)
    actor("send_step_fails", "send")(fail)
    body = _BODIES.pop("send_step_fails")[1]
    dramatiq.actor(actor_name=SendStep.actor, queue_name="send", broker=broker)(body)
    worker = Worker(broker, queues={"send"}, worker_timeout=10, worker_threads=1)
    worker.start()
    try:
        enqueue(broker, SendStep(uuid4(), 1))
        until = time.monotonic() + 60
        while sum(broker.depths().values()) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        worker.stop()
        broker.client.close()
    sentry = reported()
    (event,) = sentry.events
    assert event["tags"]["actor"] == "send_step_fails"
    assert event["exception"]["values"][0]["type"] == "ValueError"
    for secret in SECRETS:
        assert secret.encode() not in sentry.raw


def test_expected_errors_and_lines_without_an_exception_are_not_reported(reported: Reported) -> None:
    log = structlog.get_logger()
    for error in (DatabaseUnavailable("away"), OperatorMisconfigured("SECRET_KEYS is wrong.")):
        log.error("job_failed", exc_info=error)
    log.warning("job_failed", exc_info=ValueError())
    log.critical("tick_late", job="sweep")
    assert reported().events == []


def test_an_error_that_ends_a_process_is_reported_before_it_ends() -> None:
    program = (
        "from observability import *; from app import telemetry; configure_logging('json', 'info', process='scheduler');"
        " log_whatever_ends_a_process(); telemetry.start('scheduler'); {}['x']"
    )
    with running_sentry() as sentry:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={
                **os.environ,
                "SENTRY_DSN": sentry.dsn,
                "SENTRY_ENVIRONMENT": "staging",
                "SENTRY_RELEASE": "7",
            },
            capture_output=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    (event,) = sentry.events
    assert (event["level"], event["environment"], event["release"]) == ("fatal", "staging", "7")
    assert event["tags"]["event"] == "process_failed"


@pytest.mark.parametrize(
    "dsn",
    [
        "yes",
        "https://sentry.example/7",
        "https://key@sentry.example/",
        "http://key@sentry.example/7",
        "https://key@h:x/7",
    ],
)
def test_a_wrong_address_is_refused_and_not_quoted(dsn: str) -> None:
    with pytest.raises(OperatorMisconfigured, match=r"^SENTRY_DSN is not") as refused:
        telemetry.start("worker", {"SENTRY_DSN": dsn})
    assert dsn not in str(refused.value)
