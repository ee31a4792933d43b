"""The emulator on real sockets in a thread of this process, for tests."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.emulator.client import EmulatorControl
from lab.emulator.server import Server
from lab.emulator.smtp import RELAY_ACCOUNT, RELAY_PASSWORD
from lab.emulator.world import World


@dataclass(frozen=True, slots=True)
class Running:
    """A running emulator. ``world`` belongs to its own thread: look, do not touch."""

    url: str
    smtp_port: int
    control: EmulatorControl
    world: World

    @property
    def mail_url(self) -> str:
        """The relay, as ``DEFAULT_MAIL_URL``."""
        return f"smtp://{RELAY_ACCOUNT}:{RELAY_PASSWORD}@127.0.0.1:{self.smtp_port}"


@contextmanager
def running_emulator() -> Iterator[Running]:
    """Start on free ports, stop at the end."""
    loop = asyncio.new_event_loop()
    server = Server()
    ready = threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(server.stop())
        loop.close()

    thread = threading.Thread(target=serve, name="emulator", daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("the emulator did not start")
    url = f"http://127.0.0.1:{server.port}"
    with EmulatorControl(url) as control:
        yield Running(url, server.smtp_port, control, server.emulator.world)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
