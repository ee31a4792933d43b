"""An event loop on a thread of its own, for plain threads that need something done by asyncio."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class LoopThread:
    """Lives as long as the process, or until it is stopped. It does not survive a fork: no thread does."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, Result], timeout: float) -> Result:
        """Run it there and wait. ``TimeoutError`` when the loop itself does not answer in time; then it does not begin later."""
        until = time.monotonic() + timeout

        async def in_time() -> Result:
            if time.monotonic() >= until:
                coroutine.close()
                raise TimeoutError
            return await coroutine

        future = asyncio.run_coroutine_threadsafe(in_time(), self._loop)
        try:
            return future.result(timeout)
        finally:
            future.cancel()

    def stop(self) -> None:
        """End the thread; what still runs on it is abandoned."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()
