"""The gate: one obstacle is enough to stop an email, whatever else is fine, and the answer names it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.approval import Approval
from domain.authority import MemberFacts, Withdrawn
from domain.connection import SCOPES
from domain.events import EventKind
from domain.grant import Bounds, Grant
from domain.holds import Level, SendingHold
from domain.preflight import (
    Clear,
    Facts,
    Heard,
    Hold,
    LeaveOut,
    Skip,
    Wait,
    preflight,
)
from domain.send_window import Absence, SendWindow

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HANS, RITA = MemberFacts(UUID(int=1), True, 1), MemberFacts(UUID(int=2), True, 1)
PERSONAL, EVERYONE = Grant(UUID(int=3), 4, RITA.id), Grant(UUID(int=5), 6, None)
GOOD = Facts(
    now=NOW,
    mailbox_id=UUID(int=9),
    mailbox_status="connected",
    mailbox_reason=None,
    provider="graph",
    mailbox_scopes=SCOPES["graph"],
    connection_version=7,
    mailbox_owner=HANS,
    sequence_owner=RITA,
    sequence_id=UUID(int=10),
    sequence_status="active",
    enrollment_status="active",
    step_removed=False,
    suppressed=None,
    hold=None,
    tomorrow=NOW + timedelta(hours=15),
    grants=(PERSONAL,),
    ended_grant=None,
    previous_sent=True,
    due_at=NOW,
    windows=(),
    absences=(),
)
HOLD = SendingHold(
    UUID(int=12),
    UUID(int=13),
    GOOD.mailbox_id,
    Level.OWNER,
    "Hans Holder",
    "a mistake in my signature",
    NOW,
    until=NOW + timedelta(days=1),
)
# Obstacles: a change of the facts, and the answer's type and reason.
OBSTACLES: dict[str, tuple[dict[str, Any], type, str]] = {
    "unsubscribed": ({"suppressed": "unsubscribed"}, Skip, "unsubscribed"),
    "stopped": ({"enrollment_status": "stopped"}, Skip, "enrollment_stopped"),
    "archived person": ({"enrollment_status": "archived"}, Skip, "enrollment_archived"),
    "archived sequence": ({"sequence_status": "archived"}, Skip, "sequence_archived"),
    "step removed": ({"step_removed": True}, LeaveOut, "step_removed"),
    "owner left": ({"sequence_owner": replace(RITA, active=False)}, Withdrawn, "member_deactivated"),
    "holder left": ({"mailbox_owner": replace(HANS, active=False)}, Withdrawn, "member_deactivated"),
    "disconnected": (
        {"mailbox_status": "disconnected", "mailbox_reason": "removed"},
        Withdrawn,
        "mailbox_disconnected",
    ),
    "lost": (
        {"mailbox_status": "disconnected", "mailbox_reason": "consent_revoked"},
        Withdrawn,
        "mailbox_disconnected",
    ),
    "never connected": ({"mailbox_status": "never_connected"}, Withdrawn, "mailbox_disconnected"),
    "scope missing": ({"mailbox_scopes": frozenset({"mail.send"})}, Withdrawn, "consent_missing"),
    "revoked": ({"grants": (), "ended_grant": PERSONAL}, Withdrawn, "grant_revoked"),
    "never granted": ({"grants": ()}, Withdrawn, "grant_missing"),
    "grant expired": (
        {"grants": (replace(PERSONAL, bounds=Bounds(expires_at=NOW)),)},
        Withdrawn,
        "grant_expired",
    ),
    "grant for other sequences": (
        {"grants": (replace(PERSONAL, bounds=Bounds(sequence_ids=frozenset({UUID(int=11)}))),)},
        Withdrawn,
        "grant_missing",
    ),
    "grant used up today": (
        {"grants": (replace(PERSONAL, bounds=Bounds(daily_limit=2), used_today=2),)},
        Wait,
        "permission_used_up_today",
    ),
    "granted to another": ({"grants": (Grant(uuid4(), 1, uuid4()),)}, Withdrawn, "grant_missing"),
    "paused sequence": ({"sequence_status": "paused"}, Hold, "sequence_paused"),
    "draft sequence": ({"sequence_status": "draft"}, Hold, "sequence_draft"),
    "not approved": ({"needs_approval": True, "text": "a"}, Hold, "waits_for_approval"),
    "a task": ({"is_task": True}, Hold, "waits_for_task"),
    "a task of a mailbox without a connection": (
        {"is_task": True, "mailbox_status": "disconnected"},
        Hold,
        "waits_for_task",
    ),
    "approved in other words": (
        {"needs_approval": True, "text": "a", "approval": Approval("Rita", NOW, "b")},
        Hold,
        "waits_for_approval",
    ),
    "approved, and no text any more": (
        {"needs_approval": True, "text": None, "approval": Approval("Rita", NOW, "b")},
        Hold,
        "waits_for_approval",
    ),
    "paused person": ({"enrollment_status": "paused"}, Hold, "enrollment_paused"),
    "previous open": ({"previous_sent": False}, Hold, "previous_step_not_sent"),
    "answered": ({"heard": Heard(readable=True, read_as_of=NOW, ended_by="answer")}, Skip, "answered"),
    "wrote by hand": (
        {"heard": Heard(readable=True, read_as_of=NOW, ended_by="sender_wrote")},
        Skip,
        "sender_wrote",
    ),
    "away": ({"away_until": NOW + timedelta(days=2)}, Wait, "person_away"),
    "unclear": ({"unclear_until": NOW + timedelta(hours=2)}, Wait, "unclear_answer"),
    "mail to us that is not processed": (
        {"heard": Heard(readable=False, read_as_of=None, unprocessed=True)},
        Wait,
        "mailbox_not_read",
    ),
    "never read": ({"heard": Heard(readable=True, read_as_of=None)}, Wait, "mailbox_not_read"),
    "read too long ago": (
        {"heard": Heard(readable=True, read_as_of=NOW - timedelta(seconds=91))},
        Wait,
        "mailbox_not_read",
    ),
    "held": ({"hold": HOLD}, Wait, "on_hold"),
    "early": ({"due_at": NOW + timedelta(seconds=1)}, Wait, "not_due"),
    "at night": ({"windows": (SendWindow(opens=time(22), closes=time(23)),)}, Wait, "outside_sending_window"),
    "on holiday": ({"absences": (Absence(NOW, NOW + timedelta(days=3)),)}, Wait, "sender_away"),
}


def test_with_nothing_in_the_way_it_may_leave_and_says_on_whose_authority() -> None:
    decision = preflight(GOOD)
    assert isinstance(decision, Clear)
    assert (decision.authority, decision.grant) == ("grant_to_person", PERSONAL)
    assert {check.name for check in decision.checks} == {
        "person", "members", "mailbox", "scopes", "permission", "sequence", "hold", "answers", "time",
    }  # fmt: skip


# What holds a sequence, and not an email that somebody writes by hand: they chose the time, and know the answers.
OF_SEQUENCES = {"away", "unclear", "at night", "on holiday"}


@pytest.mark.parametrize(
    "name", sorted(OBSTACLES.keys() - {"answered", "wrote by hand", "never read", "read too long ago"})
)
def test_every_obstacle_but_those_of_sequences_stops_what_is_written_by_hand(name: str) -> None:
    change, kind, _ = OBSTACLES[name]
    decision = preflight(replace(GOOD, by_hand=True, **change))
    assert isinstance(decision, Clear if name in OF_SEQUENCES else kind)


def test_ones_own_mailbox_needs_no_grant() -> None:
    decision = preflight(replace(GOOD, mailbox_owner=RITA, grants=()))
    assert isinstance(decision, Clear)
    assert (decision.authority, decision.grant) == ("own_mailbox", None)


def test_a_grant_to_everyone_covers_who_has_no_own() -> None:
    decision = preflight(replace(GOOD, grants=(EVERYONE,), ended_grant=PERSONAL))
    assert isinstance(decision, Clear)
    assert (decision.authority, decision.grant) == ("grant_to_everyone", EVERYONE)


@pytest.mark.parametrize("name", OBSTACLES)
@pytest.mark.row("M19")
def test_each_obstacle_stops_it_and_is_named(name: str) -> None:
    change, kind, word = OBSTACLES[name]
    decision = preflight(replace(GOOD, **change))
    assert type(decision) is kind
    assert not isinstance(decision, Clear)
    assert decision.reason.startswith(word)


@given(st.sets(st.sampled_from(sorted(OBSTACLES)), min_size=1))
def test_no_set_of_obstacles_lets_anything_through(names: set[str]) -> None:
    changed = GOOD
    for name in names:
        changed = replace(changed, **OBSTACLES[name][0])
    assert not isinstance(preflight(changed), Clear)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (None, "first email of the sequence to this person"),
        (
            Heard(readable=True, read_as_of=NOW - timedelta(seconds=90)),
            "no answer as of 2026-03-02T08:58:30+00:00",
        ),
        (Heard(readable=False, read_as_of=None), "this mailbox cannot be read"),
    ],
)
def test_the_receipt_says_as_of_when_nobody_had_answered(heard: Heard | None, said: str) -> None:
    decision = preflight(replace(GOOD, heard=heard, away_until=NOW, unclear_until=NOW))
    assert isinstance(decision, Clear)
    assert [each.detail for each in decision.checks if each.name == "answers"] == [said]


@given(st.sets(st.sampled_from(sorted(OBSTACLES)), min_size=1))
def test_a_person_who_must_not_be_written_to_comes_before_everything(names: set[str]) -> None:
    changed = GOOD
    for name in names | {"unsubscribed"}:
        changed = replace(changed, **OBSTACLES[name][0])
    assert preflight(changed) == Skip("unsubscribed")


@pytest.mark.parametrize(
    ("name", "kind", "cause"),
    [
        ("disconnected", EventKind.MAILBOX_DISCONNECTED, str(GOOD.mailbox_id)),
        ("lost", EventKind.CONNECTION_LOST, str(GOOD.mailbox_id)),
        ("never connected", EventKind.CONNECTION_LOST, str(GOOD.mailbox_id)),
        ("revoked", EventKind.GRANT_REVOKED, str(PERSONAL.id)),
        ("owner left", EventKind.MEMBER_DEACTIVATED, str(RITA.id)),
        ("holder left", EventKind.MEMBER_DEACTIVATED, str(HANS.id)),
        ("scope missing", EventKind.CONNECTION_LOST, str(GOOD.mailbox_id)),
    ],
)
def test_a_withdrawal_found_at_the_gate_has_the_cause_of_the_withdrawal_itself(
    name: str, kind: EventKind, cause: str
) -> None:
    decision = preflight(replace(GOOD, **OBSTACLES[name][0]))
    assert isinstance(decision, Withdrawn)
    assert decision.kind is kind
    assert cause in decision.cause_key


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        ((), "no sending hours set"),
        ((SendWindow(),), "inside its sending hours"),
        ((SendWindow(),) * 2, "inside 2 sets of sending hours"),
    ],
)
def test_the_receipt_says_which_hours_were_asked(windows: tuple[SendWindow, ...], words: str) -> None:
    decision = preflight(replace(GOOD, windows=windows))
    assert isinstance(decision, Clear)
    (time_check,) = [check.detail for check in decision.checks if check.name == "time"]
    assert words in time_check


def test_a_sender_who_is_away_is_named_whether_or_not_the_hours_are_closed_too() -> None:
    away = (Absence(NOW - timedelta(days=1), NOW + timedelta(days=1)),)
    closed = (SendWindow(opens=time(22), closes=time(23)),)
    decision = preflight(replace(GOOD, windows=closed, absences=away))
    assert isinstance(decision, Wait)
    assert (decision.reason, decision.until) == ("sender_away", NOW + timedelta(days=1, hours=13))
