"""Recovery, row by row: what was tried, what the mailbox shows, and what follows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import MAX_CRASHES, OUT_OF_REACH, REFUSED_AFTER_DOUBT, THROTTLED
from domain.recovery import (
    THROTTLED_SETTLES_AFTER,
    Doubt,
    History,
    InDoubt,
    New,
    Recovery,
    Reuse,
    Review,
    Sent,
    next_check,
    recover,
)


@dataclass(frozen=True)
class Item:
    id: str
    is_draft: bool


DRAFT, OTHER_DRAFT, COPY = Item("ours", True), Item("another", True), Item("copy", False)
FIRST = History(attempts=1, crashes=0, submitted=False, draft_id=None, recalled=None, traceable=True)
AGAIN = replace(FIRST, attempts=2, crashes=1, draft_id="ours")
SUBMITTED = replace(AGAIN, submitted=True)
EARLY = Doubt("answer_lost", waited=timedelta(seconds=3), checks=0, over=False)
OVER = replace(EARLY, waited=timedelta(minutes=11), checks=9, over=True)
IN_DOUBT = replace(SUBMITTED, doubt=EARLY)
GRACE_OVER = replace(SUBMITTED, doubt=OVER)
REFUSED = replace(SUBMITTED, doubt=replace(EARLY, reason=THROTTLED, waited=THROTTLED_SETTLES_AFTER))


def by_smtp(history: History) -> History:
    """Of a provider that cannot be asked."""
    return replace(history, traceable=False, draft_id=None)


@pytest.mark.parametrize(
    ("history", "found", "follows"),
    [
        # A worker holds it, before it drafts anything.
        (FIRST, [], New()),
        (AGAIN, [], New()),
        (AGAIN, [DRAFT], Reuse("ours", rewrite=True)),
        (AGAIN, [OTHER_DRAFT, DRAFT], Reuse("ours", rewrite=True)),
        (AGAIN, [OTHER_DRAFT], Reuse("another", rewrite=True)),
        (replace(AGAIN, recalled="ours"), [DRAFT], New()),
        (replace(AGAIN, recalled="ours"), [DRAFT, OTHER_DRAFT], Reuse("another", rewrite=True)),
        (AGAIN, [DRAFT, COPY], Sent("copy")),
        (SUBMITTED, [DRAFT], Reuse("ours")),
        (SUBMITTED, [OTHER_DRAFT], InDoubt("trace_missing")),
        (SUBMITTED, [], InDoubt("trace_missing")),
        (SUBMITTED, [COPY], Sent("copy")),
        (by_smtp(AGAIN), None, New()),
        (by_smtp(SUBMITTED), None, InDoubt("trace_missing")),
        (replace(AGAIN, crashes=MAX_CRASHES), [DRAFT], Review("crashed_repeatedly")),
        (replace(AGAIN, crashes=MAX_CRASHES), None, Review("crashed_repeatedly")),
        # In doubt, within the grace.
        (IN_DOUBT, None, InDoubt("answer_lost", timedelta())),
        (IN_DOUBT, [], InDoubt("answer_lost", timedelta())),
        (IN_DOUBT, [DRAFT], InDoubt("answer_lost", timedelta())),
        (IN_DOUBT, [DRAFT, COPY], InDoubt("answer_lost", timedelta())),
        (IN_DOUBT, [COPY], Sent("copy")),
        (IN_DOUBT, [OTHER_DRAFT, COPY], Sent("copy")),
        (REFUSED, [DRAFT], Reuse("ours")),
        (REFUSED, [DRAFT, COPY], InDoubt(THROTTLED, timedelta())),
        (replace(REFUSED, recalled="ours"), [DRAFT], InDoubt(THROTTLED, timedelta())),
        (replace(REFUSED, recalled="another"), [DRAFT], Reuse("ours")),
        # After the grace.
        (GRACE_OVER, [DRAFT], Reuse("ours", in_doubt=True)),
        (GRACE_OVER, [DRAFT, COPY], Sent("copy")),
        (replace(GRACE_OVER, crashes=MAX_CRASHES), [DRAFT], Review("in_doubt_too_often")),
        (
            replace(GRACE_OVER, doubt=replace(OVER, reason=REFUSED_AFTER_DOUBT)),
            [DRAFT],
            Review("still_in_drafts"),
        ),
        (GRACE_OVER, [OTHER_DRAFT], Review("no_trace")),
        (GRACE_OVER, [], Review("no_trace")),
        (GRACE_OVER, None, Review(OUT_OF_REACH)),
        (by_smtp(GRACE_OVER), None, Review("nobody_to_ask")),
        (by_smtp(IN_DOUBT), None, Review("nobody_to_ask")),
    ],
)
def test_each_row_of_the_table(history: History, found: Sequence[Item] | None, follows: Recovery) -> None:
    assert recover(history, found) == follows


_ITEMS = st.lists(
    st.builds(Item, st.sampled_from(["ours", "another", "third"]), st.booleans()),
    max_size=3,
    unique_by=lambda each: each.id,
)
_DOUBTS = st.builds(
    Doubt,
    st.sampled_from(["answer_lost", THROTTLED, REFUSED_AFTER_DOUBT]),
    st.integers(0, 900).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(0, 30),
    st.booleans(),
)
_HISTORIES = st.builds(
    History,
    attempts=st.integers(1, 9),
    crashes=st.integers(0, 9),
    submitted=st.booleans(),
    draft_id=st.sampled_from([None, "ours"]),
    recalled=st.sampled_from([None, "ours", "another"]),
    traceable=st.booleans(),
    doubt=st.none() | _DOUBTS,
)


@given(_HISTORIES, st.none() | _ITEMS)
def test_what_may_have_left_is_never_drafted_anew(history: History, found: list[Item] | None) -> None:
    found = found if history.traceable else None  # nobody else can be asked
    follows = recover(history, found)
    if history.doubt is not None or (history.submitted and history.attempts > 1):
        assert not isinstance(follows, New)
        if isinstance(follows, Reuse):  # the submitted draft only, and it has not become a copy
            assert follows.item_id == history.draft_id
            assert not follows.rewrite
            assert found is not None
            assert all(each.is_draft for each in found)


@given(_HISTORIES, st.none() | _ITEMS)
def test_only_a_copy_proves_that_it_was_sent(history: History, found: list[Item] | None) -> None:
    follows = recover(history, found)
    if isinstance(follows, Sent):
        assert any(each.id == follows.item_id and not each.is_draft for each in found or ())


def test_reconcile_attempts_grow_further_apart() -> None:
    waits = [next_check(checks) for checks in range(10)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=2)
