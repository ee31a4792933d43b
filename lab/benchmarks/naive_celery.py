"""The naive way on Celery: ``celery -A lab.benchmarks.naive_celery worker``."""

import os

from celery import Celery

from lab.benchmarks import naive

app = Celery("naive", broker=os.environ["REDIS_URL"])
app.conf.worker_hijack_root_logger = False


@app.task  # type: ignore[untyped-decorator]  # Celery publishes no types
def send(outgoing_id: int) -> None:
    """One email."""
    naive.send(outgoing_id)
