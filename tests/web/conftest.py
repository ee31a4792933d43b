"""The web process's own server, for visitors that come over the network."""

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from lab.embedded import free_port
from lab.stage import Stage
from tests.web.visitor import as_web
from web.main import application


@pytest.fixture
def site(stage: Stage) -> Iterator[str]:
    """The web process's own server, on a port of its own."""
    port = free_port()
    url = f"http://localhost:{port}"
    runtime = as_web(stage, public_url=url)
    server = uvicorn.Server(uvicorn.Config(application(runtime), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield url
    server.should_exit = True
    thread.join(10)
