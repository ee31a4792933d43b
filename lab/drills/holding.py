"""The drills of holds: an operator stops sending under load, lets it go on, and takes workers away for maintenance."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from actions import holds
from actions import why as explanations
from commands.words import at_utc
from db.withdrawing.holds import Whose
from domain.holds import Level
from lab.drills.company import ACTOR, Desk
from lab.drills.stage import Stage
from lab.records import Delivery
from lab.tables import ago

_REASON = "a drill"
_CLAIMED = ["preparing", "drafted", "sending"]
_OVERDUE = 2.0  # seconds; without the hold they would have left
_EMAILS = 72


def hold(stage: Stage) -> None:
    """An operator holds a mailbox, then the whole organization, while emails leave, and lets them go on."""
    desk, *_ = desks = stage.employ(people=6)
    stage.until_left(6)
    with _held(stage, Whose(stage.company.id, desk.mailbox_id), [desk], f"{desk.address} is held"):
        others = stage.left()
        stage.until("emails of the other mailboxes", lambda: stage.left() >= others + 3, 60)
        stage.say(f"{stage.left() - others} emails of the others have left meanwhile")
    with _held(stage, Whose(stage.company.id), desks, "all sending of the organization is held"):
        pass
    _goes_on(stage)


def drain(stage: Stage) -> None:
    """A worker is stopped under load; then an operator drains everybody, and restarts the workers for maintenance."""
    desks = stage.employ(people=6)
    stage.until_left(6)
    _restart(stage)
    before = stage.left()
    stage.until("emails by the next worker", lambda: stage.left() > before, 90)
    with stage.journal.call("drain", forbids=_keys(stage, desks)) as call:
        left = holds.drain(stage.system.runtime, actor=ACTOR, reason=_REASON, within=timedelta(seconds=60))
        call.in_doubt = [str(each.delivery_id) for each in left]
    try:
        stage.say(f"everybody is drained after {stage.left()} emails; {len(left)} are on the way still")
        _nothing_claimed(stage, "a drain waits for what is on its way")
        _restart(stage)
        _until_overdue(stage, desks)
        _said(stage, desks[0], "have stopped all sending")
    finally:
        with stage.journal.call("end_drain", permits=_keys(stage, desks)):
            holds.end_drain(stage.system.runtime, actor=ACTOR)
    _goes_on(stage)


HOLDING = (hold, drain)


@contextmanager
def _held(stage: Stage, whose: Whose, desks: list[Desk], what: str) -> Iterator[None]:
    """Hold these desks until emails are overdue and the block has ended; then release them."""
    runtime, keys = stage.system.runtime, _keys(stage, desks, whose)
    try:
        with stage.journal.call("hold", forbids=keys) as call:
            answer = holds.hold(runtime, whose, level=Level.OPERATOR, actor=ACTOR, reason=_REASON)
            call.in_doubt = [str(each) for each in answer.in_doubt]
        stage.say(
            f"{what}, after {answer.seconds:.2f} s: {answer.stopped} wait, {answer.already_sent} had left,"
            f" {len(answer.in_doubt)} unknown"
        )
        flying = {
            str(each.id)
            for each in stage.all(
                Delivery, mailbox_id=[each.mailbox_id for each in desks], state=["sending", "in_doubt"]
            )
        }
        stage.expect(
            f"what was in flight is accounted for ({len(desks)} mailboxes)",
            f"{len(flying)} may still have left, {len(call.in_doubt)} are named",
            flying <= set(call.in_doubt),
            f"{len(flying - set(call.in_doubt))} emails are on their way, and the answer does not name them",
        )
        yield
        _until_overdue(stage, desks)
        _said(stage, desks[0], f"by {ACTOR}: {_REASON}")
    finally:
        with stage.journal.call("release", permits=keys):
            holds.release(runtime, whose, level=Level.OPERATOR, actor=ACTOR)
    stage.say("released")


def _keys(stage: Stage, desks: list[Desk], whose: Whose | None = None) -> list[str]:
    """What the judge calls it: a hold of the one mailbox, or of all that the organization has."""
    if whose is not None and whose.mailbox_id is not None:
        return [f"hold:{each.mailbox_id}" for each in desks]
    return [f"hold:{stage.company.id}"]


def _until_overdue(stage: Stage, desks: list[Desk]) -> None:
    """Wait until an email of each of these mailboxes would have left without the hold."""
    wanted = {each.mailbox_id for each in desks}

    def overdue() -> bool:
        waiting = stage.all(Delivery, organization_id=stage.company.id, state=["pending", "queued"])
        return wanted <= {each.mailbox_id for each in waiting if each.due_at < ago(seconds=_OVERDUE)}

    stage.until("an overdue email of each mailbox", overdue, 60)


def _said(stage: Stage, desk: Desk, words: str) -> None:
    """Ask as `onbehalf why` does."""
    waiting = stage.all(Delivery, mailbox_id=desk.mailbox_id, state=["pending", "queued"])
    with stage.database.transaction() as tx:
        (answer,) = explanations.answers(tx, [waiting[0].enrollment_id], at_utc)
    stage.say(f"why: {answer.whole.text}")
    stage.expect("`why` says it", answer.whole.text, words in answer.whole.text, f"{words!r} is not in it")


def _restart(stage: Stage) -> None:
    """Stop the sending workers as a deploy does, and see what they leave before the next ones claim anything."""
    was, began = stage.system.pid("worker-send"), stage.left()
    os.kill(was, signal.SIGTERM)
    took = stage.until("the end of the sending workers", lambda: stage.system.pid("worker-send") != was, 60)
    stage.say(f"the sending workers ended after {took:.1f} s, and {stage.left() - began} more emails")
    _nothing_claimed(stage, "workers that stop hand everything back")


def _nothing_claimed(stage: Stage, name: str) -> None:
    claimed = stage.count(Delivery, organization_id=stage.company.id, state=_CLAIMED)
    stage.expect(name, f"{claimed} left in somebody's hands", claimed == 0, f"{claimed} are claimed still")


def _goes_on(stage: Stage) -> None:
    took = stage.until_quiet(200)
    stage.say(f"all {stage.left()} emails have left {took:.0f} s later")
    stage.expect(
        "everything goes on", f"{stage.left()} emails", stage.left() == _EMAILS, f"{_EMAILS} were planned"
    )
