"""The web process's part in a run: it takes the provider's notifications, and recipients opt out by it."""

import threading
import time

import httpx
import uvicorn

from app.runtime import Runtime
from web.main import application


class Site:
    """The product's web application on a port of its own, in this process. Serves until ``close``."""

    def __init__(self, runtime: Runtime, port: int) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(application(runtime), port=port, log_config=None, access_log=False)
        )
        self._thread = threading.Thread(target=self._server.run, name="site", daemon=True)
        self._thread.start()
        until = time.monotonic() + 30
        while not self._server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the web application did not start")
            time.sleep(0.02)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)

    def close(self) -> None:
        """Stop serving."""
        self.http.close()
        self._server.should_exit = True
        self._thread.join(15)
