"""The naive way on plain Dramatiq: ``dramatiq lab.benchmarks.naive_dramatiq``."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from lab.benchmarks import naive

broker = RedisBroker(url=os.environ["REDIS_URL"])  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor
def send(outgoing_id: int) -> None:
    """One email."""
    naive.send(outgoing_id)
