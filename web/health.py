"""Health checks for load balancers, orchestrators and monitors. They accept any Host, GET and HEAD, and answer at once.

``/health/live``: the process runs. ``/health/ready`` and ``/health``: its database answers and has this release's schema.
Pages and withdrawals work without Redis, so its state is shown but does not count.
"""

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import redis
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import readiness
from app.redis_url import connect
from app.runtime import Runtime
from app.servers import open_database
from db.core.session import DatabaseUnavailable
from db.schema import version

router = APIRouter()
PATHS = ("/health", "/health/live", "/health/ready")
_ANSWERS_WITHIN = 0.2  # seconds, whatever the database does
_FIRST_WITHIN = 10.0  # a process that has just started has no answer of before
_ASK_EVERY = 1.0
_OLDEST = 30.0  # an answer of before then says nothing any more


@dataclass(frozen=True, slots=True)
class Ready:
    """What a check found. ``at``: monotonic seconds."""

    at: float
    database: str = "no answer yet"
    schema: str = "not known"
    redis: str = "not known"

    @property
    def good(self) -> bool:
        """Can pages be served?"""
        return self.database == self.schema == "ok"


class Health:
    """Checks in its own thread, over its own connections, so that busy pages cannot delay it."""

    def __init__(self, runtime: Runtime) -> None:
        self._settings = runtime.settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._asked: Future[None] | None = None
        self._found = Ready(at=float("-inf"))

    async def ready(self) -> Ready:
        """Return the newest result; an older one, or none, while the database is slow."""
        if time.monotonic() - self._found.at > _ASK_EVERY:
            if self._asked is None or self._asked.done():
                self._asked = self._thread.submit(self._ask)
            patience = _ANSWERS_WITHIN if self._found.at > float("-inf") else _FIRST_WITHIN
            await asyncio.wait({asyncio.wrap_future(self._asked)}, timeout=patience)
        return self._found if time.monotonic() - self._found.at < _OLDEST else Ready(at=float("-inf"))

    def _ask(self) -> None:
        database, recent = self._ask_database()
        self._found = Ready(time.monotonic(), database, recent, self._ask_redis())

    def _ask_database(self) -> tuple[str, str]:
        opened = open_database(self._settings, application="onbehalf-health", pool_size=1)
        try:
            with opened.transaction() as tx:
                return "ok", "ok" if version.is_recent(tx) else "too old: run onbehalf migrate"
        except DatabaseUnavailable:
            return "away", "not known"
        finally:
            opened.close()

    def _ask_redis(self) -> str:
        client = connect(
            self._settings.redis_url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        try:
            client.ping()
            return " ".join(each.said for each in readiness.of_redis(client)) or "ok"
        except redis.RedisError:
            return "away"
        finally:
            client.close()


@router.api_route("/health/live", methods=["GET", "HEAD"])
async def live() -> Response:
    """Say that the process runs."""
    return PlainTextResponse("ok")


@router.api_route("/health", methods=["GET", "HEAD"])
@router.api_route("/health/ready", methods=["GET", "HEAD"])
async def ready(request: Request) -> Response:
    """Say whether the process can serve pages."""
    health: Health = request.app.state.health
    found = await health.ready()
    text = f"database: {found.database}\nschema: {found.schema}\nredis: {found.redis}\n"
    return PlainTextResponse(text, 200 if found.good else 503)
