"""Each process counts what it does, by few labels, and whoever asks many processes gets one sum."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Counter, Histogram
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

import counters
from db.core.session import DatabaseUnavailable
from domain.connection import Provider
from lab.stage import Stage
from observability import configure_logging
from scheduler.__main__ import guarded
from tests.web.visitor import Visitor
from workers.actor import _BODIES, actor

ROOT = Path(__file__).parents[1]
Sample = tuple[str, tuple[tuple[str, str], ...]]


def samples(text: str) -> dict[Sample, float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


class Counts:
    """What has been counted since the last time."""

    def __init__(self) -> None:
        self._before = samples(counters.text())

    def new(self, *names: str) -> dict[str, float]:
        """By name and the values of its labels, in the order of their names; without what did not change."""
        now = samples(counters.text())
        found = {
            " ".join([key[0].removeprefix("onbehalf_"), *(value for _, value in key[1])]): value
            - self._before.get(key, 0)
            for key, value in now.items()
            if value != self._before.get(key, 0) and not key[0].endswith(("_bucket", "_sum"))
        }
        return {name: value for name, value in found.items() if name.partition(" ")[0] in names}


@pytest.fixture
def counts(stage: Stage) -> Counts:
    return Counts()


def test_an_email_that_leaves_is_counted_with_the_requests_it_took(stage: Stage, counts: Counts) -> None:
    owner = stage.world.member()
    stage.world.enroll(stage.world.sequence(owner, stage.mailbox(owner)), 2)
    assert stage.send_due() == 2
    assert counts.new("emails_sent_total") == {"emails_sent_total answer graph": 2}
    took = counts.new("provider_request_seconds_count")
    assert took["provider_request_seconds_count graph POST messages"] == 2
    assert took["provider_request_seconds_count graph POST messages/*/send"] == 2
    answers = counts.new("provider_answers_total")
    assert answers["provider_answers_total graph 201"] == 2
    assert answers["provider_answers_total graph 202"] == 2


def test_a_throttled_request_and_the_attempt_it_ended_are_counted(stage: Stage, counts: Counts) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box))
    stage.emulator.control.fault(
        "POST /me/messages", when="before", status=429, headers={"Retry-After": "1"}, times=1
    )
    stage.send_due()
    assert counts.new("provider_answers_total")["provider_answers_total graph 429"] == 1
    assert counts.new("attempts_failed_total") == {"attempts_failed_total Throttled graph": 1}


def test_an_email_in_doubt_is_counted_when_it_begins_and_when_it_is_settled(
    stage: Stage, counts: Counts
) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box))
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="after", reset=True, times=1)
    stage.send_due()
    assert counts.new("emails_in_doubt_total") == {"emails_in_doubt_total graph": 1}
    assert counts.new("provider_answers_total")["provider_answers_total graph none"] == 1
    stage.later(60)
    stage.look()
    assert counts.new("doubts_settled_total") == {"doubts_settled_total sent": 1}


def test_a_reading_is_counted(stage: Stage, counts: Counts) -> None:
    owner = stage.world.member()
    box = stage.mailbox(owner)
    stage.world.enroll(stage.world.sequence(owner, box))
    stage.send_due()
    stage.read(box)
    assert counts.new("mailbox_readings_total") == {"mailbox_readings_total complete": 1}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(None, "done"), (DatabaseUnavailable("away"), "database_unavailable"), (ZeroDivisionError(), "failed")],
)
def test_jobs_are_counted_by_how_they_end(error: Exception | None, outcome: str) -> None:
    def body() -> None:
        if error is not None:
            raise error

    before = Counts()
    actor("count_me", "events")(body)
    try:
        with capture_logs():
            _BODIES.pop("count_me")[1]()
    except ZeroDivisionError:
        assert outcome == "failed"
    assert before.new("job_seconds_count") == {f"job_seconds_count count_me {outcome}": 1}
    before = Counts()
    with capture_logs():
        guarded("tidy", body, {})
    assert before.new("job_seconds_count") == {f"job_seconds_count tidy {outcome}": 1}


def test_requests_are_counted_by_few_words_whatever_is_asked_for(stage: Stage) -> None:
    visitor, before = Visitor(stage), Counts()
    visitor.get("/health/live").get("/sign-in").get("/no-such-page/at-all").get("/api/v1/nothing")
    assert before.new("web_request_seconds_count") == {
        "web_request_seconds_count health 2xx": 1,
        "web_request_seconds_count page 2xx": 1,
        "web_request_seconds_count page 4xx": 1,
        "web_request_seconds_count api 4xx": 1,
    }


def test_what_is_logged_from_warning_up_is_counted_by_its_event() -> None:
    import logging

    import structlog

    before = Counts()
    configure_logging("json", "info", counted=counters.logged)
    structlog.get_logger().info("email_sent")
    structlog.get_logger().warning("lease_lost")
    structlog.get_logger().exception("job_failed")
    logging.getLogger("a.library").warning("anything %s", "at all")
    assert before.new("problems_logged_total") == {
        "problems_logged_total lease_lost warning": 1,
        "problems_logged_total job_failed error": 1,
        "problems_logged_total library warning": 1,
    }


def test_many_processes_counts_are_one_sum() -> None:
    counters.answered("graph", "GET messages", 0.3, 200)
    one = counters.text()
    counters.answered("graph", "GET messages", 40, 200)
    two = counters.text()
    together = samples(counters.merged([one, two]))
    assert together == {key: value + samples(one).get(key, 0) for key, value in samples(two).items()}
    assert counters.merged([one]) == one
    assert counters.merged([]) == ""


def test_a_status_is_one_of_few_labels() -> None:
    for status in range(1000):
        counters._status("smtp", status)
    assert {counters._status("smtp", status) for status in range(1000)} == {
        "2xx",
        "3xx",
        "4xx",
        "5xx",
        "other",
    }
    assert counters._status("graph", 429) == "429"
    assert counters._status("graph", 999) == "other"
    assert counters._status("entra", None) == "none"


PERSONAL = {"mailbox", "address", "organization", "member", "sender", "recipient", "id"}


def test_no_label_names_somebody() -> None:
    metrics = [each for each in vars(counters).values() if isinstance(each, Counter | Histogram)]
    assert len(metrics) > 10
    labels = {label for each in metrics for label in each._labelnames}
    assert not [each for each in labels if PERSONAL & set(each.split("_"))]


def test_what_alarms_are_about_is_there_before_it_happens() -> None:
    shown = samples(counters.text())
    for provider in Provider:
        assert ("onbehalf_emails_in_doubt_total", (("provider", provider.value),)) in shown
    assert ("onbehalf_notices_total", (("channel", "email"), ("state", "failed"))) in shown


def events() -> Iterator[tuple[str, ast.expr]]:
    """Every event that the product logs from warning up, with its place."""
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).parts[0] in (".venv", "lab", "tests"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "log"
                and node.func.attr in ("warning", "error", "exception", "critical", "log")
                and node.args
            ):
                at = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield at, node.args[1 if node.func.attr == "log" else 0]


def test_an_event_is_a_name_that_stands_in_the_code_so_that_it_may_be_a_label() -> None:
    found = [
        (at, [each.body, each.orelse] if isinstance(each, ast.IfExp) else [each]) for at, each in events()
    ]
    assert len(found) > 50
    loose = [at for at, names in found if not all(isinstance(each, ast.Constant) for each in names)]
    assert loose == []
