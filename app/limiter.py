"""Limits on how often somebody may ask for something (``app/rates.py``), and how much of it runs at once.

We count in Redis, so that all processes share one count. While Redis is unavailable, each process counts for itself, so
nothing is ever unlimited.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import redis
import structlog
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.rates import CHECKS, ORGANIZATION_TESTS, TESTS, Rate
from app.redis_url import connect
from domain.errors import TooMany

log = structlog.get_logger()

MAX_SLOW = 3  # concurrent actions per organization and process that wait for others' servers
MAX_SENDS = (
    4  # sends per organization and process via its own mail servers, so that silent ones block few threads
)
MAX_MAILS = (
    4  # emails per organization and process whose senders we look up: anybody writes them, with any DNS
)
MAX_DOWNLOADS = (
    2  # files that an organization takes away from a process at the same time: nobody has to read them
)
_SLOW_AGAIN = 5  # seconds
_REDIS_REST = 5.0  # seconds before we try Redis again after a failure
_SHARED = "onbehalf-limits"
_ITEMS = {"minute": RateLimitItemPerMinute, "hour": RateLimitItemPerHour}


class Room:
    """Room for ``most`` concurrent actions per organization, in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def enter(self, organization_id: UUID) -> bool:
        """Take a place. Returns False if there is none."""
        with self._lock:
            if self._inside[organization_id] >= self._most:
                return False
            self._inside[organization_id] += 1
            return True

    def leave(self, organization_id: UUID) -> None:
        """Free a place."""
        with self._lock:
            self._inside[organization_id] -= 1
            if not self._inside[organization_id]:
                del self._inside[organization_id]

    @contextmanager
    def taken(self, organization_id: UUID, what: str) -> Iterator[None]:
        """Take a place for as long as the block runs. Raises ``TooMany``; ``what``: what there are enough of already."""
        if not self.enter(organization_id):
            raise TooMany(f"{self._most} {what} already.", retry_after=_SLOW_AGAIN)
        try:
            yield
        finally:
            self.leave(organization_id)


class Limiter:
    """One per process; connects at first use."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(
            redis_url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )
        # The storage ignores the address, because it gets the connection pool.
        storage = RedisStorage("redis://", connection_pool=self._client.connection_pool, key_prefix=_SHARED)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away_until = float("-inf")
        self._slow = Room(MAX_SLOW)
        self.sends, self.mails = Room(MAX_SENDS), Room(MAX_MAILS)
        self._downloads = Room(MAX_DOWNLOADS)

    def count(self, limit: Rate, what: str, who: str) -> None:
        """Count one. Raises ``TooMany``."""
        if time.monotonic() > self._away_until:
            try:
                _hit(self._shared, limit, what, who)
            except redis.RedisError as error:
                self._away_until = time.monotonic() + _REDIS_REST
                # Idle connections may lead to a master that has become a replica; new ones reach its successor.
                self._client.connection_pool.disconnect(inuse_connections=False)
                log.warning("limits_counted_here", error=type(error).__name__)
            else:
                return
        _hit(self._own, limit, what, who)

    def count_here(self, limit: Rate, what: str, who: str) -> None:
        """Count one in this process only, for callers that must not block. Raises ``TooMany``."""
        _hit(self._own, limit, what, who)

    def slowly(self, organization_id: UUID) -> AbstractContextManager[None]:
        """Take room for one action that waits for somebody else's server. Raises ``TooMany``."""
        return self._slow.taken(organization_id, "tests or checks of your organization are running")

    @contextmanager
    def test(self, organization_id: UUID, mailbox_id: UUID, actor: str) -> Iterator[None]:
        """Take room for a test of a mailbox, and count it. Raises ``TooMany``."""
        with self.slowly(organization_id):
            self.count(TESTS, "test", str(mailbox_id))
            self.count(TESTS, "test by", f"{organization_id} {actor}")
            self.count(ORGANIZATION_TESTS, "tests", str(organization_id))
            yield

    @contextmanager
    def check(self, organization_id: UUID, what: str) -> Iterator[None]:
        """Take room for a check that is about no mailbox, and count it. Raises ``TooMany``."""
        with self.slowly(organization_id):
            self.count(CHECKS, what, str(organization_id))
            yield

    @contextmanager
    def download(self, organization_id: UUID) -> Iterator[None]:
        """Take room for a file that is taken away, and count it. Raises ``TooMany``."""
        with self._downloads.taken(organization_id, "files of your organization are being downloaded"):
            self.count(CHECKS, "download", str(organization_id))
            yield

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._client.connection_pool.disconnect(inuse_connections=False)


def _hit(limiter: MovingWindowRateLimiter, limit: Rate, what: str, who: str) -> None:
    item = _ITEMS[limit.per](limit.amount)
    if not limiter.hit(item, what, who):
        reset = limiter.get_window_stats(item, what, who).reset_time
        raise TooMany("Too many requests.", retry_after=max(1, math.ceil(reset - time.time())))
