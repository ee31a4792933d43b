"""The naive way on Celery: ``celery -A lab.benchmarks.naive_celery worker``."""

import os

from celery import Celery

from lab.benchmarks import naive

app = Celery("naive", broker=os.environ["REDIS_URL"])
app.conf.worker_hijack_root_logger = False
if os.environ.get("NAIVE_ACKNOWLEDGES_LATE"):
    # As people set it for RabbitMQ, so that a worker that dies loses no job: which may then run twice.
    app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)


@app.task  # type: ignore[untyped-decorator]  # Celery publishes no types
def send(outgoing_id: int) -> None:
    """One email."""
    naive.send(outgoing_id)
