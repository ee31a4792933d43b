"""Why an email did or did not leave, and what a person can do about it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from db.views.lookups import Situation
from domain.connection import TRACEABLE, Provider
from domain.why import Around, Remedy, Why, next_of, why

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOTHING = Situation(
    status="active",
    reason=None,
    sequence_id=UUID(int=1),
    email="priya@candidates.example",
    sequence="Backend engineers",
    sequence_status="active",
    paused_reason=None,
    paused_at=NOW,
    address="hans@acme.example",
    delivery_id=UUID(int=2),
    state="pending",
    outcome=None,
    delivery_reason=None,
    held=False,
    due_at=NOW + timedelta(days=1),
    sent_at=None,
    attempts=0,
    position=2,
    owner="rita@acme.example",
    retry_after_until=None,
    wait_reason=None,
    lost_key=None,
    zone="UTC",
    provider="graph",
    still_draft_at=None,
    now=NOW,
    suppressed=None,
    hold=None,
    stuck_step=None,
    stuck_in=None,
    before=0,
    grace_until=None,
    sent=1,
    last_sent=NOW,
)
REVIEW = {"state": "review", "delivery_reason": "no_trace"}
SOON = NOW + timedelta(minutes=5)


def situation(**changed: Any) -> Situation:
    """Where somebody stands of whom only this is known."""
    return NOTHING._replace(**changed)


def said(row: Situation, *blockers: str, waits: str | None = None) -> Why:
    """What comes next."""
    return next_of(row, Around(waits, blockers), lambda at, _form: f"{at:%d %B %H:%M}")


def test_the_whole_answer_says_who_where_and_how_much_left() -> None:
    whole = why(situation(), Around(), lambda at, _form: f"{at:%d %B %H:%M}").text
    assert whole == (
        "priya@candidates.example in Backend engineers from hans@acme.example: 1 email sent, the last at 02 March 09:00."
        " Step 2 is planned for 03 March 09:00."
    )


@pytest.mark.parametrize(
    ("changed", "words", "remedy"),
    [
        ({}, "Step 2 is planned for 03 March 09:00.", Remedy.EARLIER),
        (
            {"due_at": NOW},
            "Step 2 is due and waits for the mailbox's pace: it is the next one of hans@acme.example.",
            Remedy.NONE,
        ),
        (
            {"due_at": NOW, "before": 31},
            "sends 31 emails before it, which takes about 2 minutes.",
            Remedy.NONE,
        ),
        (
            {"suppressed": "opt_out"},
            "the address is on the suppression list, because they want no more emails.",
            Remedy.LIFT,
        ),
        ({"status": "finished", "state": "sent"}, "All steps have been sent.", Remedy.NONE),
        ({"status": "finished", "state": "closed"}, "No step is left.", Remedy.NONE),
        (
            {"status": "stopped", "reason": "answered"},
            "Nothing more will be sent: they answered.",
            Remedy.NONE,
        ),
        (
            {"status": "stopped", "state": "closed", "outcome": "failed"},
            "Nothing more will be sent. The mail provider refused the email.",
            Remedy.DECIDE,
        ),
        ({"state": None}, "No step is planned.", Remedy.NONE),
        ({"state": "sent"}, "Step 2 was the last one sent.", Remedy.NONE),
        (
            {"state": "sent", "still_draft_at": NOW},
            "Microsoft accepted Step 2, but it is still in Drafts of hans@acme.example",
            Remedy.NONE,
        ),
        (
            {"state": "closed", "delivery_reason": "skipped_by_hand"},
            "will not be sent: somebody skipped it.",
            Remedy.NONE,
        ),
        (
            {"state": "in_doubt", "delivery_reason": "answer_lost"},
            "is in doubt, because the provider's answer was lost: we are looking for it in hans@",
            Remedy.NONE,
        ),
        (
            {"state": "in_doubt", "delivery_reason": "timeout", "grace_until": SOON},
            "looking for it in hans@acme.example, until 02 March 09:05 at least.",
            Remedy.NONE,
        ),
        ({"state": "sending"}, "Step 2 is on its way.", Remedy.NONE),
        ({"sequence_status": "draft"}, "Step 2 waits: the sequence is still a draft.", Remedy.START_SEQUENCE),
        ({"sequence_status": "archived"}, "Step 2 waits: the sequence is archived.", Remedy.NONE),
        (
            {"sequence_status": "paused", "paused_reason": "SequencePaused", "held": True},
            "waiting since 02 March 09:00: somebody paused the sequence. Resume",
            Remedy.RESUME_SEQUENCE,
        ),
        (
            {"status": "paused", "reason": "later"},
            "somebody paused this person: later.",
            Remedy.RESUME_PERSON,
        ),
        (
            {"status": "paused", "reason": "missing_merge_field: role"},
            "role is missing. Fill it in.",
            Remedy.FILL_IN,
        ),
        (
            {"held": True, "delivery_reason": "handed over"},
            "waits until somebody decides: handed over.",
            Remedy.RESUME_SEQUENCE,
        ),
        (
            {"stuck_step": 1, "stuck_in": "theo@acme.example"},
            "accepted step 1, but it is still in Drafts of theo@acme.example",
            Remedy.NONE,
        ),
        (
            {"retry_after_until": SOON},
            "Microsoft asked this mailbox to wait until 02 March 09:05",
            Remedy.NONE,
        ),
        (
            {"retry_after_until": SOON, "wait_reason": "sending_limit_reached"},
            "hans@acme.example has sent as much as it may",
            Remedy.NONE,
        ),
        ({"delivery_reason": "person_away"}, "is away. Automatic replies are on", Remedy.NONE),
        (
            {"delivery_reason": "person_away", "due_at": NOW},
            "is due and waits for the mailbox's pace",
            Remedy.NONE,
        ),
        ({"delivery_reason": "mailbox_not_read"}, "could not read hans@acme.example just now", Remedy.NONE),
    ],
)
def test_each_situation_has_an_answer_and_what_helps(
    changed: dict[str, Any], words: str, remedy: Remedy
) -> None:
    found = said(situation(**changed))
    assert words in found.text
    assert found.remedy is remedy
    assert (found.field == "role") is (remedy is Remedy.FILL_IN)


@pytest.mark.parametrize("changed", [{}, {"sequence_status": "paused", "paused_reason": "GrantRevoked"}])
def test_what_the_sequence_lacks_is_named_before_its_pause(changed: dict[str, Any]) -> None:
    found = said(situation(**changed), "Rita has no permission.")
    assert found == Why("Step 2 waits: Rita has no permission.", Remedy.PERMISSION)


def test_what_the_mailbox_waits_for_is_said() -> None:
    assert (
        said(situation(), waits="Sending hours begin at 9.").text == "Step 2 waits. Sending hours begin at 9."
    )


@pytest.mark.parametrize("provider", Provider)
def test_an_email_nobody_knows_of_names_its_provider_and_a_folder_only_where_it_can_be_searched(
    provider: Provider,
) -> None:
    found = said(situation(provider=provider, **REVIEW))
    assert found.remedy is Remedy.DECIDE
    assert found.text.endswith("settle it.")  # where the CLI adds the command
    names = dict.fromkeys((Provider.GRAPH, Provider.TENANT, Provider.MICROSOFT_SMTP), "Microsoft")
    names[Provider.GMAIL] = "Google"
    assert f"Step 2 went to {names.get(provider, 'the mail server')}, and" in found.text
    folders = {Provider.GRAPH: "Sent Items", Provider.TENANT: "Sent Items", Provider.GMAIL: "Sent"}
    folder = folders.get(provider, "nowhere")
    assert (f"Look in {folder} of hans@acme.example" in found.text) is (provider in TRACEABLE)
    assert "hans@acme.example" in found.text
    doubt = said(situation(provider=provider, state="in_doubt", delivery_reason="timeout")).text
    assert ("looking for it" in doubt) is (provider in TRACEABLE)


@pytest.mark.parametrize(
    ("provider", "others"), [("gmail", ("Microsoft", "Outlook", "Graph")), ("graph", ("Google", "Gmail"))]
)
def test_the_answer_for_a_mailbox_names_no_other_provider(provider: str, others: tuple[str, ...]) -> None:
    waits = [
        {"retry_after_until": SOON, "wait_reason": reason}
        for reason in (
            "sending_limit_reached",
            "refused_without_reason",
            "mailbox_read_first",
            "operator_misconfigured",
            None,
        )
    ]
    states = [{"state": each} for each in ("queued", "sending", "sent", "in_doubt")]
    closed = [
        {"state": "closed", "outcome": "failed", "status": "stopped", "delivery_reason": reason}
        for reason in ("recipient_rejected", "provider_unavailable")
    ]
    listening = [{"delivery_reason": "mailbox_not_read", "due_at": SOON}]
    each_case: list[dict[str, Any]] = [{}, REVIEW, *waits, *states, *closed, *listening]
    for changed in each_case:
        text = said(situation(provider=provider, **changed), waits="It may not send today.").text
        text += said(situation(provider=provider, **changed)).text
        assert not any(each in text for each in others), text
