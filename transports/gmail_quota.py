"""What requests to Gmail cost, and how fast a mailbox is read, so that sending, reading and looking stay below what Google gives it.

"Usage limits" (developers.google.com/workspace/gmail/api/reference/quota) as of May 2026: 6,000 units a minute for a user and a project. Projects that
used the API before may have 15,000. An email costs at most 155 with finding the one before it and reading its copy, so thirty
a minute, as many as a lane lets through, leave 1,350 for everything else.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta

A_MINUTE = 6_000
UNITS: Mapping[str, int] = {
    "gmail.users.drafts.create": 10,
    "gmail.users.drafts.delete": 10,
    "gmail.users.drafts.get": 20,
    "gmail.users.drafts.list": 5,
    "gmail.users.drafts.send": 100,
    "gmail.users.drafts.update": 15,
    "gmail.users.getProfile": 1,
    "gmail.users.history.list": 2,
    "gmail.users.messages.get": 20,
    "gmail.users.messages.list": 5,
    "gmail.users.settings.getVacation": 1,
    "gmail.users.settings.sendAs.list": 1,
    "gmail.users.stop": 50,
    "gmail.users.watch": 100,
    "oauth2.userinfo.get": 0,  # another API
}
LOOK = UNITS["gmail.users.messages.get"]
FREE = 250  # units at once that need no wait: a reading of twelve new messages
A_SECOND = 80  # units of reading, from then on
_MOST = 2_000  # mailboxes; the one that was asked for longest ago is forgotten, with what it had spent


def gives_way(units: int) -> timedelta:
    """Return how long a mailbox sends nothing because reading it has cost so much: as long as Google takes to give as much again."""
    return timedelta(seconds=60 * units / A_MINUTE) if units > FREE else timedelta()


class Pace:
    """How fast a process reads each mailbox. One process reads a mailbox at a time, so the pace of each is the pace of all."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep, self._lock = clock, sleep, threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # units left, and when

    def spend(self, address: str, units: int) -> None:
        """Return as soon as a request that costs so much may leave."""
        with self._lock:
            now = self._clock()
            left, then = self._left.pop(address, (float(FREE), now))
            left = min(FREE, left + A_SECOND * (now - then)) - units
            self._left[address] = left, now
            if len(self._left) > _MOST:
                self._left.popitem(last=False)
        if left < 0:
            self._sleep(-left / A_SECOND)
