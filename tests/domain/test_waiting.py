"""What a planned email waits for, in a word and a sentence."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from db.views.outbox import PlannedEmail
from domain.waiting import WaitsFor, waits_for

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOTHING = PlannedEmail(
    id=UUID(int=1),
    enrollment_id=UUID(int=2),
    candidate_id=UUID(int=3),
    person="Priya Raman",
    sequence_id=UUID(int=4),
    sequence="Backend engineers",
    kind="sequence",
    owner_id=UUID(int=5),
    sequence_status="active",
    paused_reason=None,
    position=2,
    sender="Hans Holder",
    due_at=NOW,
    not_before=None,
    held=False,
    reason=None,
    own_text=False,
    approved=False,
    enrollment_status="active",
    enrollment_reason=None,
    steps=3,
    hold=None,
)


def planned(blockers: str = "", **changed: Any) -> WaitsFor:
    """What an email waits for of which only this is known."""
    return waits_for(NOTHING._replace(**changed), blockers)


HELD: dict[str, Any] = {
    "id": str(UUID(int=6)),
    "organization_id": str(UUID(int=7)),
    "mailbox_id": str(UUID(int=8)),
    "level": "admin",
    "held_by": "Rita Recruiter",
    "reason": "the offer changed.",
    "since": "2026-03-02T08:00:00+00:00",
    "until": None,
    "ended_at": None,
    "ended_by": None,
}
EVERY_MAILBOX = HELD | {"mailbox_id": None}
DRAIN = EVERY_MAILBOX | {"organization_id": None, "level": "operator"}


PAUSED = {"sequence_status": "paused", "held": True}
PERSON = {"enrollment_status": "paused", "held": True}


@pytest.mark.parametrize(
    ("changed", "word", "sentence"),
    [
        ({}, "Its time", ""),
        ({"sequence_status": "draft"}, "Draft", "The sequence has not been started."),
        ({"sequence_status": "archived"}, "Paused", "The sequence is archived."),
        (PAUSED | {"paused_reason": "SequencePaused"}, "Paused", "Somebody paused the sequence."),
        (PAUSED | {"paused_reason": "GrantRevoked"}, "Permission", None),
        (PAUSED | {"paused_reason": "ConnectionLost"}, "Mailbox", None),
        (PERSON | {"enrollment_reason": "on leave"}, "Paused", "Somebody paused this person."),
        (
            PERSON | {"enrollment_reason": "missing_merge_field: job_title"},
            "Field",
            "Job title is missing.",
        ),
        ({"held": True}, "Paused", "It waits for a decision."),
        ({"held": True, "hold": HELD}, "Paused", "It waits for a decision."),
        ({"hold": HELD}, "On hold", "Rita Recruiter holds the mailbox: the offer changed."),
        ({"hold": EVERY_MAILBOX}, "On hold", "Rita Recruiter holds all sending: the offer changed."),
        ({"hold": DRAIN}, "On hold", "Onbehalf's operators have stopped all sending for a while."),
        ({"blockers": "Rita has no permission."}, "Permission", "Rita has no permission."),
        (PAUSED | {"blockers": "Rita has no permission."}, "Permission", "Rita has no permission."),
        ({"reason": "person_away"}, "Away", "Their automatic reply is on."),
        ({"reason": "sender_away"}, "Away", "The sender is away."),
        ({"reason": "unclear_answer"}, "Its time", "They wrote, and we could not tell what it means."),
        ({"reason": "outside_sending_window"}, "Sending hours", ""),
        ({"reason": "daily_cap"}, "Daily limit", "Today's limit of this mailbox is used up."),
        ({"reason": "mailbox_not_read"}, "Mailbox", None),
        ({"reason": "previous_email_still_in_drafts"}, "Mailbox", "The email before it is still in Drafts."),
    ],
)
def test_each_cause_has_a_word_and_a_sentence(
    changed: dict[str, Any], word: str, sentence: str | None
) -> None:
    found = planned(**changed)
    assert found.word == word
    assert sentence is None or found.sentence == sentence
