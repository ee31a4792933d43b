"""``python -m web``: uvicorn with the web process's options.

Its other settings are uvicorn's own variables (``UVICORN_…``). Hosts that give a port in ``PORT`` reach the process from another
address, so it then listens on all of its own.
"""

import os

import uvicorn

from actions import keys
from app.one_environment import keep_own_secrets

_OPTIONS = (
    "--factory", "web.main:make_app", "--no-server-header", "--no-access-log", "--log-level", "warning", "--http", "web.wire:Patient",
)  # fmt: skip


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    keep_own_secrets("web", keys.of_web)
    if port := os.environ.get("PORT", "").strip():
        os.environ.setdefault("UVICORN_PORT", port)
        os.environ.setdefault("UVICORN_HOST", "0.0.0.0")  # noqa: S104 - such a host's router stands before it
    uvicorn.main(_OPTIONS)


if __name__ == "__main__":
    main()
