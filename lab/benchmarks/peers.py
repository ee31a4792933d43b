"""The same naive job on queues that others wrote, each as its documentation shows it: sixteen threads in one process."""

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from lab.benchmarks.bed import Bed, cpu
from lab.benchmarks.loops import tokens_for

Row = dict[str, Any]
_CELERY = ("celery", "-A", "lab.benchmarks.naive_celery", "worker", "--pool", "threads", "--concurrency", "16", "--loglevel", "error")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Peer:
    """``module``: of ``lab.benchmarks``. ``enqueue``: what of it enqueues numbers. ``more``: environment of its own."""

    name: str
    module: str
    command: tuple[str, ...]
    enqueue: Callable[[Any, Iterable[int]], None]
    more: Mapping[str, str] = field(default_factory=dict)


def _one_by_one(attribute: str) -> Callable[[Any, Iterable[int]], None]:
    def enqueue(module: Any, numbers: Iterable[int]) -> None:
        for number in numbers:
            getattr(module.send, attribute)(number)

    return enqueue


def _by_itself(module: Any, numbers: Iterable[int]) -> None:
    module.enqueue(numbers)


PEERS = (
    Peer("Dramatiq", "naive_dramatiq", ("dramatiq", "lab.benchmarks.naive_dramatiq", "--processes", "1", "--threads", "16"), _one_by_one("send")),
    Peer("Celery", "naive_celery", _CELERY, _one_by_one("delay")),
    Peer("Celery, as for RabbitMQ", "naive_celery", _CELERY, _one_by_one("delay"), {"NAIVE_ACKNOWLEDGES_LATE": "1"}),
    Peer(
        "Procrastinate", "naive_procrastinate",
        ("procrastinate", "--app", "lab.benchmarks.naive_procrastinate.app", "worker", "--queues", "naive", "--concurrency", "16"),
        _by_itself,
    ),
    Peer("Awa", "naive_awa", ("lab.benchmarks.naive_awa",), _by_itself),
)  # fmt: skip


def naive(bed: Bed, peer: Peer, count: int) -> Row:
    """Read two rows by ORM, send as documented, mark. A job of each email is in the queue before its workers start."""
    url = bed.stage.runtime.settings.database_url
    environment = {
        "NAIVE_DATABASE_URL": url,
        "NAIVE_QUEUE_URL": url.replace("+psycopg", ""),
        "NAIVE_GRAPH_URL": bed.url,
        "REDIS_URL": bed.redis.url(5 + PEERS.index(peer)),
        "PYTHONWARNINGS": "ignore",
        **peer.more,
    }
    os.environ |= environment
    from lab.benchmarks import naive as models  # reads the environment

    engine = create_engine(url)
    models.Base.metadata.drop_all(engine)
    models.Base.metadata.create_all(engine)
    tokens = tokens_for(bed.url, 64)
    with Session(engine) as session:
        for number, token in enumerate(tokens, start=1):
            session.add(models.Mailbox(id=number, connected=True, token=token))
        session.flush()
        session.add_all(models.Grant(id=n, mailbox_id=n, active=True) for n in range(1, len(tokens) + 1))
        session.flush()
        session.add_all(
            models.Outgoing(id=n, grant_id=n % len(tokens) + 1, address=f"candidate{n}@example.org")
            for n in range(1, count + 1)
        )
        session.commit()
    engine.dispose()
    base = int(bed.control.stats()["accepted_total"])
    sys.modules.pop(f"lab.benchmarks.{peer.module}", None)  # it reads the environment, too
    peer.enqueue(importlib.import_module(f"lab.benchmarks.{peer.module}"), range(1, count + 1))
    worker = bed.processes.start(f"naive-{peer.module}", [sys.executable, "-m", *peer.command], environment)
    bed.wait_left(base + 32, 120)
    before, started = cpu(bed, [worker.pid], []), time.monotonic()
    bed.wait_left(base + count, 300)
    used = cpu(bed, [worker.pid], []).since(before)
    rate = (count - 32) / (time.monotonic() - started)
    bed.processes.kill(worker)
    return {
        "name": f"naive, {peer.name}",
        "emails_per_second": rate,
        "cpu_ms_per_email": 1000 * used.workers / (count - 32),
        "postgres_cpu_ms_per_email": 1000 * used.postgres / (count - 32),
        "redis_cpu_ms_per_email": 1000 * used.redis / (count - 32),
    }
