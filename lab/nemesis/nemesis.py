"""Strikes an arena with the troubles of a schedule, and heals it at the end."""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from uuid import UUID

from lab.nemesis import providers, reading, redirected, servers  # noqa: F401 - each enters its troubles
from lab.nemesis.arena import Arena
from lab.nemesis.troubles import TROUBLES, Strike


class Nemesis:
    """Strikes one arena. ``lingering``: seconds that an accepted email stays in Drafts.

    ``troubled``: addresses of the mailboxes in which drafts have duplicates.
    """

    def __init__(self, arena: Arena, lingering: float) -> None:
        self.arena = arena
        self.troubled: dict[str, UUID] = {}
        self.failing_over = False
        self.failed_over = 0
        self._timers: list[threading.Timer] = []
        self._over = False
        self.linger(lingering)

    def linger(self, seconds: float) -> None:
        """From now on, keep accepted emails in Drafts for this long."""
        self.lingering = seconds
        self.arena.control.switch(drafts_delay=seconds)

    def strike(self, strike: Strike) -> None:
        """Cause one trouble, and journal it."""
        self.arena.journal.note({"strike": asdict(strike), "at": time.monotonic()})
        TROUBLES[strike.kind].act(self, strike.pick, strike.size)

    def heal(self) -> None:
        """End everything that still hurts."""
        self._over = True  # what runs right now plans nothing more
        for timer in self._timers:
            timer.cancel()
        arena = self.arena
        for pid in list(arena.frozen):
            self.thaw(pid)
        if self.failed_over and self.failed_over % 2 == 0:
            # A client still connected to the first master would find it a master again, as if nothing had
            # happened.
            servers.follow_the_master(self)
            servers.redis_fails_over(self, 0, 0.0)
        servers.follow_the_master(self)
        for link in arena.links.values():
            arena.proxy.ask(link.heal)
        arena.control.clear_faults()
        arena.control.switch(sent_gap=0.0, copy_delay=0.0)  # what is in Drafts stays there
        arena.set_clocks(0.0)
        arena.replace_dead()

    def thaw(self, pid: int) -> None:
        """Let a frozen worker continue."""
        self.arena.frozen.discard(pid)
        os.killpg(pid, signal.SIGCONT)

    def tidy(self) -> None:
        """Empty Sent Items by a rule of the owner, in mailboxes with duplicates."""
        for address in list(self.troubled):
            providers.tidy(self.arena, address)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after some seconds, unless everything is healed by then."""
        if self._over:
            return
        timer = threading.Timer(seconds, what)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)
