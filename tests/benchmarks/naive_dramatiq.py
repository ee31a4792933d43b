"""The naive way on plain Dramatiq: ``dramatiq tests.benchmarks.naive_dramatiq``."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from tests.benchmarks import naive

broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor
def send(outgoing_id: int) -> None:
    """One email."""
    naive.send(outgoing_id)
