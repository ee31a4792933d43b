"""The naive way on Awa, a transactional queue in PostgreSQL as River is one for Go: ``python -m lab.benchmarks.naive_awa``."""

import asyncio
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import awa

from lab.benchmarks import naive

_THREADS = 16


@dataclass
class Send:
    """One email."""

    outgoing_id: int


async def work() -> None:
    """Send until killed."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    client = awa.AsyncClient(os.environ["NAIVE_QUEUE_URL"])

    @client.task(Send, queue="naive")
    async def send(job: "awa.Job[Send]") -> None:  # its class is generic to type checkers only
        await asyncio.to_thread(naive.send, job.args.outgoing_id)

    await client.start([("naive", _THREADS)])
    await asyncio.Event().wait()


async def _enqueue(numbers: Iterable[int]) -> None:
    client = awa.AsyncClient(os.environ["NAIVE_QUEUE_URL"])
    await client.migrate()
    for number in numbers:
        await client.insert(Send(number), queue="naive")
    await client.close()


def enqueue(numbers: Iterable[int]) -> None:
    """Make the queue's tables, and a job of each number."""
    asyncio.run(_enqueue(numbers))


if __name__ == "__main__":
    asyncio.run(work())
