"""The scheduler's clock continues whatever happens to a job, and its metrics can be read."""

import time
import urllib.request
from dataclasses import replace
from typing import cast

import pytest
from dramatiq.errors import BrokerConnectionError
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from app.broker import Broker
from db.core.session import CommitUnknown, Database, DatabaseUnavailable
from lab.embedded import free_port
from lab.records import Delivery
from lab.stage import Stage
from scheduler import due_steps, metrics, outbox_relay
from scheduler.__main__ import guarded, hung


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DatabaseUnavailable("away"), "database_unavailable"),
        (CommitUnknown("broke"), "database_unavailable"),
        (BrokerConnectionError("away"), "broker_unavailable"),  # type: ignore[no-untyped-call]
        (ZeroDivisionError(), "job_failed"),
    ],
)
def test_a_job_that_fails_is_named_and_the_clock_goes_on(error: Exception, said: str) -> None:
    def fail() -> None:
        raise error

    ticked: dict[str, float] = {}
    before = time.monotonic()
    with capture_logs() as logs:
        guarded("sweep", fail, ticked)
    assert [(entry["event"], entry["job"]) for entry in logs] == [(said, "sweep")]
    assert ticked["sweep"] >= before


@pytest.mark.parametrize(
    ("job", "after", "ends"),
    [
        ("due_steps", 30.0, False),
        ("due_steps", 30.2, True),
        ("sweep", 36.0, True),
        ("numbers", 36.0 + 60, False),  # counts a large organization, and no email waits for that
        ("incidents", 36.0 + 15, False),
        ("keep", 36.0 + 3600, False),
        ("numbers", 601.0 + 60, True),
    ],
)
def test_only_a_job_that_hangs_ends_the_scheduler_and_not_one_that_has_much_to_do(
    job: str, after: float, ends: bool
) -> None:
    cadence = {"due_steps": 0.1, "sweep": 5.0, "incidents": 15.0, "numbers": 60.0, "keep": 3600.0}
    ticked = dict.fromkeys(cadence, 1_000.0 + after) | {job: 1_000.0}
    found = hung(ticked, cadence, 1_000.0 + after)
    assert (found[0] if found else None) == (job if ends else None)


def test_a_broker_that_is_away_loses_no_step(stage: Stage, redis_url: str) -> None:
    owner = stage.world.member()
    stage.world.enroll(stage.world.sequence(owner, stage.mailbox(owner)), 2)
    away = Broker("redis://127.0.0.1:9/0")
    with capture_logs() as logs:
        guarded("due_steps", lambda: due_steps.tick(stage.world.database, away), {})
        guarded("outbox_relay", lambda: outbox_relay.relay(stage.world.database, away), {})
    assert {entry["event"] for entry in logs} == {"broker_unavailable"}
    stage.older(Delivery, "queued_at", seconds=120)
    from db.sending import dispatch

    with stage.world.database.transaction() as tx:
        assert len(dispatch.enqueue_again(tx)) == 2


@pytest.mark.parametrize(
    ("took", "ticks"),
    [(0.0, 20), (0.004, 20), (0.01, 10), (0.03, 4), (0.3, 4)],
)  # fmt: skip
def test_the_longer_a_tick_takes_the_longer_is_the_pause_up_to_half_a_second(
    monkeypatch: pytest.MonkeyPatch, took: float, ticks: int
) -> None:
    began: list[float] = []
    now = 1_000.0

    def tick(*_: object) -> int:
        nonlocal now
        began.append(now)
        now += took
        return 0

    monkeypatch.setattr(due_steps, "tick", tick)
    monkeypatch.setattr("scheduler.due_steps.time.monotonic", lambda: now)
    call = due_steps.Ticks(cast("Database", None), cast("Broker", None))
    for tenth in range(20):
        now = max(now, 1_000 + tenth * due_steps.EVERY)
        call()
    assert len(began) == ticks


def scrape(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("onbehalf")
    }


def test_metrics_tell_of_states_outcomes_lanes_lag_and_drains(stage: Stage, redis_url: str) -> None:
    from actions import withdraw

    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S", "PT1H")), 3)
    stage.send_due()
    withdraw.disconnect_mailbox(stage.runtime, box, actor="rita")
    stage.run_outbox()
    port = free_port()
    database = Database(stage.runtime.settings.database_url)
    stop = metrics.serve(replace(stage.runtime.settings, metrics_port=port), database, Broker(redis_url))
    seen = scrape(port)
    assert stop is not None
    stop()
    database.close()
    assert seen["onbehalf_database_up"] == 1
    assert seen["onbehalf_sent_last_hour"] == 3
    assert seen["onbehalf_lanes_closed"] == 1
    assert seen["onbehalf_held"] == 3
    assert seen["onbehalf_withdrawals_last_hour"] == 1
    assert seen["onbehalf_drain_seconds_max"] > 0
    assert seen["onbehalf_broker_messages"] == 0
    assert "onbehalf_lag" in seen
    assert any(name.startswith("onbehalf_ended_last_hour") for name in seen)


def test_metrics_say_that_the_database_is_away(redis_url: str) -> None:
    collector = metrics.SystemCollector(Database("postgresql://u:p@127.0.0.1:9/none"), Broker(redis_url))
    (only,) = collector.collect()
    assert (only.name, only.samples[0].value) == ("onbehalf_database_up", 0)
