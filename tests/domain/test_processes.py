"""Who runs, and what nobody does."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from domain.jobs import QUEUES
from domain.processes import QUEUE_DOES, SILENT_AFTER, Missing, Process, absence, missing, nobody, runs

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def process(
    kind: str,
    *queues: str,
    silent: timedelta = timedelta(),
    stopped: datetime | None = None,
    trouble: str = "",
    works: bool = True,
) -> Process:
    seen = NOW - silent
    return Process(
        uuid4(),
        kind,
        "host",
        1,
        list(queues),
        "0.1",
        "x",
        [],
        [trouble] if trouble else [],
        works,
        NOW - timedelta(hours=1),
        seen,
        None,
        stopped,
    )


def test_whoever_has_reported_lately_and_not_ended_runs() -> None:
    assert runs(process("scheduler"), NOW)
    assert runs(process("scheduler", silent=SILENT_AFTER - timedelta(seconds=1)), NOW)
    assert not runs(process("scheduler", silent=SILENT_AFTER), NOW)
    assert not runs(process("scheduler", stopped=NOW), NOW)


def test_every_queue_of_the_broker_has_words() -> None:
    assert set(QUEUE_DOES) == set(QUEUES)


def test_a_queue_without_a_worker_is_missing_since_the_last_one() -> None:
    everyone = [
        process("scheduler"),
        process("web"),
        process("worker", *(each for each in QUEUES if each != "send")),
        process("worker", "send", silent=timedelta(minutes=3)),
        process("worker", "send", silent=timedelta(minutes=9), stopped=NOW - timedelta(minutes=8)),
    ]
    assert missing(everyone, NOW) == [Missing("send", NOW - timedelta(minutes=3))]
    assert nobody("send") == "no worker sends emails (queue send)"


def test_a_role_that_nobody_ever_had_is_missing_without_a_time() -> None:
    assert missing([process("scheduler")], NOW, ["scheduler", "send"]) == [Missing("send", None)]


def test_where_nobody_has_ever_reported_nothing_is_said() -> None:
    assert missing([], NOW) == []


def test_a_role_that_nobody_who_has_it_can_play_is_missing_too() -> None:
    everyone = [
        process("scheduler", trouble="Redis does not answer.", works=False),
        process("worker", "send"),
    ]
    (found,) = missing(everyone, NOW, ["scheduler", "send"])
    assert found == Missing("scheduler", None, runs=True)
    assert absence(found) == "no scheduler can work"
    assert missing([*everyone, process("scheduler")], NOW, ["scheduler", "send"]) == []


def test_who_works_and_lacks_something_is_not_ready_and_not_said_to_do_nothing() -> None:
    everyone = [
        process("scheduler"),
        process("worker", "send", trouble="SECRET_KEYS lacks keys."),
        process("worker", "send", trouble="Redis does not answer.", works=False),
    ]
    (found,) = missing(everyone, NOW, ["scheduler", "send"])
    assert found == Missing("send", None, runs=True, works=True)
    assert absence(found) == "no worker of the queue send is ready"
