"""Hold a mailbox, an organization or, before maintenance, everybody; and let sending go on.

A hold is answered as a withdrawal is (``actions/withdraw.py``): once it returns, nothing leaves. Unlike a withdrawal it changes no email, so
releasing it takes no plan: the dispatch goes on where it stopped, at each mailbox's pace.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from actions import withdraw
from app.runtime import Runtime
from db.core.session import Transaction
from db.sending import holds as standing
from db.withdrawing import holds
from db.withdrawing.holds import OnTheWay, Whose
from domain.errors import NotPermitted
from domain.holds import Level, SendingHold, checked_reason, who_releases
from domain.withdrawal import Action, WithdrawalResult

log = structlog.get_logger()

_EVERYBODY = Whose(None)
_ASK_EVERY = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Released:
    """``ended``: there was a hold to end. ``left``: what still keeps it from sending, or None."""

    ended: bool
    left: SendingHold | None


def hold(
    runtime: Runtime,
    whose: Whose,
    *,
    level: Level,
    actor: str,
    reason: str,
    until: datetime | None = None,
) -> WithdrawalResult:
    """Stop all sending of a mailbox or an organization; answers when nothing can leave. Raises ``NotFound``, ``InvalidInput``.

    ``level``: of whoever asks; the caller has checked it. ``stopped`` in the answer are the emails that wait.
    """
    if whose.organization_id is None:
        raise ValueError("everybody is held by drain")
    said = checked_reason(reason)
    with runtime.database.transaction() as tx:
        placed = holds.place(tx, whose, level=level, actor=actor, reason=said, until=until)
    log.info("sending_held", hold_id=str(placed.hold_id))
    action, subject = (
        (Action.HOLD_ORGANIZATION, whose.organization_id)
        if whose.mailbox_id is None
        else (Action.HOLD_MAILBOX, whose.mailbox_id)
    )
    return withdraw.carry_out(
        runtime, actor, action, subject, lambda tx: [holds.close(tx, whose, placed.hold_id)]
    )


def release(runtime: Runtime, whose: Whose, *, level: Level, actor: str) -> Released:
    """End the hold. Emails go on by themselves. Raises ``NotPermitted`` if only somebody else may.

    ``level``: of whoever asks; the caller has checked it.
    """
    with runtime.database.transaction() as tx:
        ended = holds.release(tx, whose, level=level, actor=actor)
        above, left = holds.own(tx, whose), _left(tx, whose)
    if not ended and above is not None:
        raise NotPermitted(f"{above.held_by} holds it. {who_releases(above.level)}")
    if ended:
        log.info("hold_released")
    return Released(ended, left)


def drain(
    runtime: Runtime,
    *,
    actor: str,
    reason: str,
    within: timedelta,
    saw: Callable[[list[OnTheWay]], None] = lambda _: None,
) -> list[OnTheWay]:
    """Stop everybody, and wait until no worker has an email on the way. Returns those that remain when ``within`` has passed.

    It stays so until ``end_drain``. ``saw``: is called with what is on the way, now and then.
    """
    until = time.monotonic() + within.total_seconds()
    with runtime.database.transaction() as tx:
        placed = holds.place(
            tx, _EVERYBODY, level=Level.OPERATOR, actor=actor, reason=checked_reason(reason), until=None
        )
    log.warning("drain_begun", hold_id=str(placed.hold_id))
    last: UUID | None = None
    while True:  # some lanes at a time, so that no email that has left waits long to be recorded
        with runtime.database.transaction() as tx:
            found = holds.wait_for_some(tx, last)
        if found is None:
            break
        last = found
    while True:
        with runtime.database.transaction() as tx:
            left = holds.on_the_way(tx)
        saw(left)
        if not left or time.monotonic() >= until:
            return left
        time.sleep(min(_ASK_EVERY, max(0.0, until - time.monotonic())))


def end_drain(runtime: Runtime, *, actor: str) -> bool:
    """Let everybody send again. Returns False if nobody had stopped them."""
    with runtime.database.transaction() as tx:
        ended = holds.release(tx, _EVERYBODY, level=Level.OPERATOR, actor=actor)
    log.warning("drain_ended")
    return ended


def _left(tx: Transaction, whose: Whose) -> SendingHold | None:
    if whose.mailbox_id is not None:
        return standing.of_mailbox(tx, whose.mailbox_id)
    return None if whose.organization_id is None else standing.of_organization(tx, whose.organization_id)
