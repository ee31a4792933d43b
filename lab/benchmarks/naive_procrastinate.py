"""The naive way on Procrastinate, a queue in PostgreSQL: ``procrastinate --app lab.benchmarks.naive_procrastinate.app worker``."""

import os
from collections.abc import Iterable

import procrastinate

from lab.benchmarks import naive

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ["NAIVE_QUEUE_URL"]))


@app.task(name="send", queue="naive")
def send(outgoing_id: int) -> None:
    """One email."""
    naive.send(outgoing_id)


def enqueue(numbers: Iterable[int]) -> None:
    """Make the queue's tables, and a job of each number."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=os.environ["NAIVE_QUEUE_URL"])
    with app.replace_connector(connector) as replaced, replaced.open():
        replaced.schema_manager.apply_schema()
        for number in numbers:
            send.defer(outgoing_id=number)
