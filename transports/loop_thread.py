"""An event loop on its own thread, for plain threads that need asyncio."""

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class LoopThread:
    """Lives until stopped or until the process ends. Like any thread, it does not survive a fork."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, coroutine: Coroutine[Any, Any, Result], timeout: float) -> Result:
        """Run a coroutine there and wait. Raises ``TimeoutError`` if the loop does not answer in time; then it never begins."""
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
        """End the thread and abandon whatever still runs on it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()
