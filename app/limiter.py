"""How often somebody may ask for something, and how much of it goes on at the same time.

Counted in Redis, so that all web processes and whatever else asks share one count; while Redis is away each process counts for
itself, so that nothing is ever unlimited.
"""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import redis
import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.redis_url import connect
from domain.errors import TooMany

log = structlog.get_logger()

VISITS = RateLimitItemPerMinute(30)  # to Microsoft's pages, by one member
ARRIVALS = RateLimitItemPerMinute(
    300
)  # the same before anybody is known, from one address: offices share one
UNKNOWN_KEYS = RateLimitItemPerMinute(30)  # of the API, from one address
CALLS = RateLimitItemPerMinute(600)  # of the API, with one key
ASKS = RateLimitItemPerHour(20)  # for permissions, by one member or key: each is an email to a colleague
TESTS = RateLimitItemPerHour(60)  # of one mailbox, and by one member or key
ORGANIZATION_TESTS = RateLimitItemPerHour(240)  # of all its mailboxes
CODES = RateLimitItemPerHour(10)  # emailed to one address to prove it
MAX_SLOW = 3  # actions of one organization that wait for others' servers, in one process at the same time
MAX_SENDS = 4  # by mail servers of one organization's own, in one process: servers that say nothing hold no more threads
_SLOW_AGAIN = 5  # seconds
_REDIS_REST = 5.0  # seconds before Redis is asked again after a failure
_SHARED = "onbehalf-limits"


class Room:
    """Room for ``most`` at the same time of each organization, in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def enter(self, organization_id: UUID) -> bool:
        """One more; False where there is no room."""
        with self._lock:
            if self._inside[organization_id] >= self._most:
                return False
            self._inside[organization_id] += 1
            return True

    def leave(self, organization_id: UUID) -> None:
        """One less."""
        with self._lock:
            self._inside[organization_id] -= 1
            if not self._inside[organization_id]:
                del self._inside[organization_id]


class Limiter:
    """One for each process; connects at first use."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(
            redis_url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
        )
        # The address is of no use to the storage, which is given the connections.
        storage = RedisStorage("redis://", connection_pool=self._client.connection_pool, key_prefix=_SHARED)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._away_until = float("-inf")
        self._slow = Room(MAX_SLOW)
        self.sends = Room(MAX_SENDS)

    def count(self, limit: RateLimitItem, what: str, who: str) -> None:
        """One more. Raises ``TooMany``."""
        if time.monotonic() > self._away_until:
            try:
                _hit(self._shared, limit, what, who)
            except redis.RedisError as error:
                self._away_until = time.monotonic() + _REDIS_REST
                log.warning("limits_counted_here", error=type(error).__name__)
            else:
                return
        _hit(self._own, limit, what, who)

    def count_here(self, limit: RateLimitItem, what: str, who: str) -> None:
        """The same for what may not wait: of this process only. Raises ``TooMany``."""
        _hit(self._own, limit, what, who)

    @contextmanager
    def slowly(self, organization_id: UUID) -> Iterator[None]:
        """Room for one action that waits for somebody else's server. Raises ``TooMany``."""
        if not self._slow.enter(organization_id):
            raise TooMany(
                f"{MAX_SLOW} tests or checks of your organization are running already.",
                retry_after=_SLOW_AGAIN,
            )
        try:
            yield
        finally:
            self._slow.leave(organization_id)

    @contextmanager
    def test(self, organization_id: UUID, mailbox_id: UUID, actor: str) -> Iterator[None]:
        """Room for a test of a mailbox, which is counted. Raises ``TooMany``."""
        with self.slowly(organization_id):
            self.count(TESTS, "test", str(mailbox_id))
            self.count(TESTS, "test by", f"{organization_id} {actor}")
            self.count(ORGANIZATION_TESTS, "tests", str(organization_id))
            yield

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()
        self._client.connection_pool.disconnect()


def _hit(limiter: MovingWindowRateLimiter, limit: RateLimitItem, what: str, who: str) -> None:
    if not limiter.hit(limit, what, who):
        reset = limiter.get_window_stats(limit, what, who).reset_time
        raise TooMany("That was too often.", retry_after=max(1, math.ceil(reset - time.time())))
