"""What keeps an email is decided in the gate's order, whoever words it."""

from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain import task
from domain.approval import WAITS, WAITS_FOR_OWNER
from domain.authority import Withdrawn, missing
from domain.obstacle import Obstacle, missing_field, obstacle
from domain.preflight import Decision, Facts, Hold, Skip, Wait, preflight
from tests.domain.test_preflight import GOOD, HOLD, OBSTACLES
from tests.domain.test_waiting import planned
from tests.domain.test_why import said, situation

# What each does to the facts: all that the gate refuses on authority, and what pages say of sequences and people.
AUTHORITY = [change for change, kind, _ in OBSTACLES.values() if kind is Withdrawn]
SEQUENCES = ("active", "paused", "draft", "archived")
REASONS = (None, "on leave", "missing_merge_field: role")


def named(decision: Decision, reason: str | None) -> Obstacle | None:
    """Return the obstacle that the gate's decision is about."""
    match decision:
        case Skip("sequence_archived"):
            return Obstacle.ARCHIVED
        case Withdrawn():
            return Obstacle.PERMISSION
        case Hold("sequence_draft"):
            return Obstacle.DRAFT
        case Hold("sequence_paused"):
            return Obstacle.SEQUENCE_PAUSED
        case Hold("enrollment_paused"):
            return Obstacle.PERSON_PAUSED if missing_field(reason) is None else Obstacle.FIELD
        case Wait(_, "on_hold"):
            return Obstacle.ON_HOLD
        case Hold("waits_for_task"):
            return Obstacle.TASK
        case Hold("waits_for_approval"):
            return Obstacle.APPROVAL
        case Hold("waits_for_mailbox_owner"):
            return Obstacle.MAILBOX_OWNER
    return None


@given(
    st.sampled_from(SEQUENCES),
    st.sampled_from(("active", "paused")),
    st.sampled_from(REASONS),
    st.lists(st.sampled_from(AUTHORITY), max_size=3),
    st.sampled_from((None, WAITS, task.WAITS)),
    st.booleans(),
    st.booleans(),
)
def test_of_several_obstacles_the_one_is_named_at_which_the_gate_stops(
    sequence: str,
    enrollment: str,
    reason: str | None,
    gone: list[dict[str, Any]],
    held_for: str | None,
    reads_first: bool,
    on_hold: bool,
) -> None:
    facts: Facts = replace(
        GOOD,
        sequence_status=sequence,
        enrollment_status=enrollment,
        needs_approval=held_for == WAITS,
        is_task=held_for == task.WAITS,
        grants=tuple(
            replace(each, bounds=replace(each.bounds, reads_first=reads_first)) for each in GOOD.grants
        ),
        hold=HOLD if on_hold else None,
    )
    for change in gone:
        facts = replace(facts, **change)
    found = obstacle(
        sequence=sequence,
        enrollment=enrollment,
        reason=reason,
        blocked=bool(missing(facts)),
        # as the database holds tasks, and what is due and not approved
        held=held_for is not None or reads_first,
        held_for=held_for or (WAITS_FOR_OWNER if reads_first else None),
        on_hold=on_hold,
    )
    assert found is named(preflight(facts), reason)


def test_every_obstacle_is_found_and_a_hold_comes_last() -> None:
    found = {
        obstacle(
            sequence=sequence,
            enrollment=enrollment,
            reason=reason,
            blocked=blocked,
            held=held,
            held_for=held_for,
            on_hold=on_hold,
        )
        for sequence, enrollment, reason, blocked, held, held_for, on_hold in product(
            SEQUENCES,
            ("active", "paused"),
            REASONS,
            (False, True),
            (False, True),
            (None, WAITS, WAITS_FOR_OWNER, task.WAITS),
            (False, True),
        )
    }
    assert found == {None, *Obstacle}
    assert (
        obstacle(sequence="active", enrollment="paused", reason=None, blocked=False, held=True, on_hold=True)
        is Obstacle.PERSON_PAUSED
    )


def test_the_outbox_and_why_name_the_same_cause_of_a_person_paused_in_a_paused_sequence() -> None:
    cause: dict[str, Any] = {"sequence_status": "paused", "paused_reason": "GrantRevoked", "held": True}
    assert "has been waiting since" in said(situation(status="paused", reason="on leave", **cause)).text
    assert planned(enrollment_status="paused", enrollment_reason="on leave", **cause).word == "Permission"
