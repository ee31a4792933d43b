"""What becomes of an incident: it waits, closes once it is over, or goes to others, once, if nobody reads it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.errors import InvalidInput
from domain.event_types import EVENT_TYPES
from domain.incidents import Incident, Next, Recovery, State, checked_hours, decide, goes_to, state_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
EARLIER = NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("lasts", "age", "read", "acknowledged", "escalated", "next_"),
    [
        (True, timedelta(hours=23), False, False, False, Next.WAIT),
        (True, DAY, False, False, False, Next.ESCALATE),
        (True, 9 * DAY, False, False, False, Next.ESCALATE),
        (True, 9 * DAY, False, False, True, Next.WAIT),  # once
        (True, 9 * DAY, True, False, False, Next.WAIT),
        (True, 9 * DAY, False, True, False, Next.WAIT),
        (False, timedelta(), False, False, False, Next.CLOSE),
        (False, 9 * DAY, False, False, False, Next.CLOSE),
        (False, 9 * DAY, True, True, True, Next.CLOSE),
    ],
)
def test_what_becomes_of_an_incident(
    lasts: bool, age: timedelta, read: bool, acknowledged: bool, escalated: bool, next_: Next
) -> None:
    times = [EARLIER if each else None for each in (read, acknowledged, escalated)]
    assert decide(Incident(Recovery.RESUMED, lasts, NOW - age, *times), NOW, DAY) is next_


def test_what_ends_by_itself_goes_to_nobody_else() -> None:
    assert decide(Incident(Recovery.PROVIDER_ACCEPTS, True, NOW - 9 * DAY), NOW, DAY) is Next.WAIT


@pytest.mark.parametrize(
    ("acknowledged", "closed", "state"),
    [
        (None, None, State.OPEN),
        (NOW, None, State.ACKNOWLEDGED),
        (NOW, NOW, State.CLOSED),
        (None, NOW, State.CLOSED),
    ],
)
def test_its_state(acknowledged: datetime | None, closed: datetime | None, state: State) -> None:
    assert state_of(acknowledged, closed) is state


def test_it_goes_to_the_backup_or_else_to_the_admins_and_never_to_its_owner() -> None:
    owner, backup, one, other = (uuid4() for _ in range(4))
    assert goes_to(owner, backup, [one, other]) == [backup]
    assert goes_to(owner, None, [one, owner, other]) == [one, other]
    assert goes_to(owner, owner, [one]) == [one]
    assert goes_to(owner, None, [owner]) == []


@pytest.mark.parametrize("hours", [0, -1, 169])
def test_hours_have_bounds(hours: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 168 hours"):
        checked_hours(hours)


def test_whatever_pauses_without_a_persons_wish_is_an_incident() -> None:
    assert {kind.value for kind, each in EVENT_TYPES.items() if each.recovery is not None} == {
        "GrantRevoked",
        "GrantExpired",
        "GrantMissing",
        "MailboxDisconnected",
        "ConnectionLost",
        "TenantDisconnected",
        "TenantLost",
        "MemberDeactivated",
        "StepRefused",
        "SendingLimitReached",
        "MailboxNotRead",
        "StillInDrafts",
        "MailboxHeld",
        "OrganizationHeld",
    }
