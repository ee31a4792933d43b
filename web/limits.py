"""How often one visitor, member or key may ask. Counted by each web process for itself: several allow as many times more."""

import math
import time

from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

VISITS = RateLimitItemPerMinute(30)  # to Microsoft's pages, begun from one address
UNKNOWN_KEYS = RateLimitItemPerMinute(30)  # of the API, from one address
CALLS = RateLimitItemPerMinute(600)  # of the API, with one key
HOOKS = RateLimitItemPerMinute(3000)  # Microsoft's notifications, from one address
ASKS = RateLimitItemPerHour(20)  # for permissions, by one member: each is an email to a colleague
TESTS = RateLimitItemPerHour(60)  # of one mailbox


class TooManyError(Exception):
    """Ask again after ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"That was too often. Please try again in {retry_after} seconds.")


class Limiter:
    """Counts in memory; one for each application."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, limit: RateLimitItem, what: str, who: str) -> None:
        """One more. Raises ``TooManyError``."""
        if not self._limiter.hit(limit, what, who):
            reset = self._limiter.get_window_stats(limit, what, who).reset_time
            raise TooManyError(max(1, math.ceil(reset - time.time())))


def limiter_of(request: Request) -> Limiter:
    """This application's."""
    limiter: Limiter = request.app.state.limiter
    return limiter


def address_of(request: Request) -> str:
    """Where a visitor comes from; behind a proxy, what it says (uvicorn's FORWARDED_ALLOW_IPS)."""
    return request.client.host if request.client is not None else "unknown"
