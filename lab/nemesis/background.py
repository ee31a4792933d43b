"""Work that goes on beside the troubles, on threads of its own."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

_Work = TypeVar("_Work")


class Background(Generic[_Work]):
    """Does work on ``threads`` threads, each piece by ``run``."""

    def __init__(self, name: str, threads: int, run: Callable[[_Work], None]) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._run = run
        self._running: list[Future[None]] = []

    def start(self, work: _Work) -> None:
        """Begin it, in the background."""
        self._running.append(self._pool.submit(self._run, work))

    def wait(self, seconds: float) -> None:
        """Wait until all is done. Raises any unexpected error of a piece."""
        until = time.monotonic() + seconds
        for each in self._running:
            each.result(max(0.1, until - time.monotonic()))
        self._pool.shutdown()

    def abandon(self) -> None:
        """Begin no more. What runs ends by itself, because its links are gone."""
        self._pool.shutdown(wait=False, cancel_futures=True)
