"""What becomes of an email after an attempt whose end nobody saw.

One decision, from what was tried and what is found.

Microsoft copies an email out of the mailbox *before* the item leaves Drafts, and an accepted email may wait for
minutes (Microsoft Graph, "Things to know about sending mail"). So "still a draft" proves nothing until the grace
has ended, and "nothing found" never proves that nothing left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeAlias

from domain.delivery import MAX_CRASHES, OUT_OF_REACH, REFUSED_AFTER_DOUBT, THROTTLED

# A request refused for its rate is "failed" (Microsoft Graph, "Throttling guidance"), but nobody guarantees that
# it never left. If it did, it leaves Drafts within half a minute, or a second submission of it finds no such
# draft.
THROTTLED_SETTLES_AFTER = timedelta(seconds=30)
_NEXT_CHECK = (0.0, 2.0, 8.0, 30.0, 120.0)  # seconds until the next reconcile attempt; the last one repeats


class Item(Protocol):
    """An email that a search by correlation id found in a mailbox."""

    @property
    def id(self) -> str:
        """The provider's id."""
        ...

    @property
    def is_draft(self) -> bool:
        """Is it still a draft? That proves nothing: the copy leaves first."""
        ...


@dataclass(frozen=True, slots=True)
class History:
    """What was tried for one delivery.

    ``attempts``: begun so far, with a present one; ``crashes``: those that ended without a result or in doubt.
    ``submitted``: an attempt passed the gate, and nothing since shows that it was not accepted. ``recalled``: the
    draft that a withdrawal asked to remove. ``traceable``: the provider can search for it.
    """

    attempts: int
    crashes: int
    submitted: bool
    draft_id: str | None
    recalled: str | None
    traceable: bool
    doubt: "Doubt | None" = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A delivery in doubt. ``waited``: since it passed the gate; ``checks``: reconcile attempts so far.

    ``over``: its grace has ended.
    """

    reason: str
    waited: timedelta
    checks: int
    over: bool


@dataclass(frozen=True, slots=True)
class New:
    """Nothing of it can be used: create a new draft."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """Take this draft through the gate.

    ``rewrite``: it was certainly never submitted, so it gets the step's present text. ``in_doubt``: an earlier
    submission stays in doubt, which counts like a crash.
    """

    item_id: str
    rewrite: bool = False
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """It left. ``item_id``: its copy."""

    item_id: str


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It may have left: check again after ``wait``."""

    reason: str
    wait: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Review:
    """Only a person can decide."""

    reason: str


Recovery: TypeAlias = New | Reuse | Sent | InDoubt | Review


def next_check(checks: int) -> timedelta:
    """The wait before the next reconcile attempt, once ``checks`` of them have settled nothing."""
    return timedelta(seconds=_NEXT_CHECK[min(checks, len(_NEXT_CHECK) - 1)])


def recover(history: History, found: Sequence[Item] | None) -> Recovery:
    """Decide. ``found``: all items with the correlation id, or None if nobody was asked or nobody answered."""
    copy = next((each for each in found or () if not each.is_draft), None)
    draft = next((each for each in found or () if each.is_draft and each.id == history.draft_id), None)
    if history.doubt is not None:
        return _in_doubt(history, history.doubt, copy, draft, answered=found is not None)
    if history.crashes >= MAX_CRASHES:
        return Review("crashed_repeatedly")
    if history.attempts == 1:
        return New()
    if not history.traceable:
        # There is nothing to search, so a person decides (P7).
        return InDoubt("trace_missing") if history.submitted else New()
    if copy is not None:
        return Sent(copy.id)
    if history.submitted:
        # Only that draft, unchanged. Another draft says nothing about whether this one has left.
        return InDoubt("trace_missing") if draft is None else Reuse(draft.id)
    usable = [each for each in found or () if each.id != history.recalled]
    known = draft if draft in usable else next(iter(usable), None)
    return New() if known is None else Reuse(known.id, rewrite=True)


def _in_doubt(
    history: History, doubt: Doubt, copy: Item | None, draft: Item | None, *, answered: bool
) -> Recovery:
    # Only the submitted draft is evidence. A late request may have made another one with the same correlation id.
    # Either that one has left (its owner pressed Send) and ours may still, or it is still there and ours has left
    # and was removed.
    if copy is not None and (doubt.over or draft is None):
        return Sent(copy.id)
    refused = doubt.reason == THROTTLED and doubt.waited >= THROTTLED_SETTLES_AFTER
    recalled = history.recalled is not None and history.recalled == history.draft_id
    if draft is not None and copy is None and refused and not recalled:
        return Reuse(draft.id)
    if not doubt.over and history.traceable:
        return InDoubt(doubt.reason, next_check(doubt.checks))
    if draft is not None and doubt.reason == REFUSED_AFTER_DOUBT:
        # Submitted twice, refused the second time, and still a draft: it has left, or it never will.
        return Review("still_in_drafts")
    if draft is not None and history.crashes < MAX_CRASHES:
        return Reuse(draft.id, in_doubt=True)
    if draft is not None:
        return Review("in_doubt_too_often")
    if not answered:
        return Review(OUT_OF_REACH if history.traceable else "nobody_to_ask")
    return Review("no_trace")
