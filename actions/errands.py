"""Have a worker do what needs a mailbox's token or password, and wait for its answer.

The web process has no key to either. Commands have one (they act as workers), and do their errands in their own threads.
"""

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.core.session import DatabaseUnavailable
from db.events import errands, outbox
from domain.errands import BEGINS_WITHIN, ENDS_WITHIN, ErrandKind
from domain.errors import WorkersSilent
from domain.jobs import RunErrand
from domain.verification import Outcome, Verdict

log = structlog.get_logger()

STILL_CHECKING = Verdict(
    Outcome.NOT_VERIFIED,
    "We are still checking: this takes longer than usual.",
    "Try again in a minute.",
)
_POLL = 0.05
_ENDING = 2.0  # seconds in which a thread ends whose errands have
_THREADS = 4  # of a command that does its own errands


class Asked:
    """Errands that were asked for and may not have ended."""

    def __init__(self, runtime: Runtime, ids: Sequence[UUID], helpers: Sequence[threading.Thread]) -> None:
        self.ids = list(ids)
        self._runtime, self._helpers = runtime, list(helpers)
        self._left = set(ids)
        self.silent = False  # one of them was not begun in time

    def add(self, other: "Asked") -> None:
        """Wait for those errands too."""
        self.ids += other.ids
        self._helpers += other._helpers
        self._left |= other._left

    def pending(self) -> bool:
        """Can any of them still begin in time, or has begun and not ended?"""
        if self._left:
            with self._runtime.database.transaction() as tx:
                found = errands.progress(tx, self._left)
            self.silent |= any(how.late and not how.begun for how in found.values())
            self._left = {
                each for each, how in found.items() if not how.ended and (how.begun or not how.late)
            }
        return bool(self._left)

    def wait(self, within: float = ENDS_WITHIN.total_seconds()) -> dict[str, Any] | None:
        """Return the first answer, or None if it is late or the errand failed. Raises ``WorkersSilent`` if no worker began it."""
        ends_at = time.monotonic() + within
        while self.pending() and time.monotonic() < ends_at:
            self.rest()
        self.give_up()
        with self._runtime.database.transaction() as tx:
            first = errands.progress(tx, self.ids)[self.ids[0]]
        if not first.begun:
            log.error("workers_silent", errand_id=str(self.ids[0]))
            raise WorkersSilent(
                "Onbehalf's workers are not answering, so nothing was done. Try again in a minute."
            )
        return first.answer

    def give_up(self) -> None:
        """Stop waiting: errands that have not begun never will."""
        with self._runtime.database.transaction() as tx:
            errands.give_up(tx, self.ids)
        if not self._left:
            # A command closes its database next, and a thread of ours that has just recorded an answer has a connection still.
            for each in self._helpers:
                each.join(_ENDING)

    def rest(self) -> None:
        """Sleep for a moment, or until an errand in our own threads ends."""
        alive = next((each for each in self._helpers if each.is_alive()), None)
        if alive is None:
            time.sleep(_POLL)
        else:
            alive.join(_POLL)


def ask(
    runtime: Runtime,
    organization_id: UUID,
    kind: ErrandKind,
    *subject_ids: UUID,
    actor: str,
    detail: str = "",
    begin_within: timedelta | None = None,
) -> Asked:
    """Ask for one errand of that kind per subject."""
    with runtime.database.transaction() as tx:
        ids = [
            errands.ask(
                tx,
                organization_id,
                kind,
                each,
                actor=actor,
                detail=detail,
                begin_within=begin_within or BEGINS_WITHIN,
            )
            for each in subject_ids
        ]
        if not runtime.works:
            for each in ids:
                outbox.put(tx, RunErrand(each))
    helpers = []
    if runtime.works:
        for some in (ids[first::_THREADS] for first in range(min(_THREADS, len(ids)))):
            helpers.append(threading.Thread(target=_run, args=(runtime.whole, some), name=kind, daemon=True))
            helpers[-1].start()
    return Asked(runtime, ids, helpers)


def verdict(
    runtime: Runtime, organization_id: UUID, kind: ErrandKind, mailbox_id: UUID, *, actor: str
) -> Verdict | None:
    """Ask and wait. Returns None if there is no answer yet. Raises ``WorkersSilent``."""
    answer = ask(runtime, organization_id, kind, mailbox_id, actor=actor).wait()
    return None if answer is None else Verdict.from_json(answer)


def _run(runtime: Runtime, errand_ids: Sequence[UUID]) -> None:
    # With all that workers do. The web process never comes here, and a command only once it waits anyway.
    from workers.run_errand import run  # noqa: PLC0415

    for each in errand_ids:
        try:
            run(runtime, each)
        except DatabaseUnavailable as error:
            log.warning("errand_not_recorded", errand_id=str(each), error=str(error))
