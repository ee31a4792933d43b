from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.listening.match import match, same_person
from domain.listening.message import Incoming, MatchedBy, Report, ReportedRecipient, Sent

SENT_AT = datetime(2026, 12, 7, 8, tzinfo=UTC)
LATER = SENT_AT + timedelta(days=2)
MAILBOX = ["rita@example.com"]
OURS = Sent(
    delivery_id=UUID(int=1),
    message_id="ours.1@example.com",
    conversation_id="conversation",
    recipient="ann@example.org",
    sender="rita@example.com",
    sent_at=SENT_AT,
    recipient_addresses=("ann@example.org", "ann@private.example"),
    token="tk_0123456789abcdef",
)
FOLLOW_UP = replace(
    OURS, delivery_id=UUID(int=2), message_id="ours.2@example.com", sent_at=SENT_AT + timedelta(days=1)
)
TO_BEN = replace(
    OURS, delivery_id=UUID(int=3), message_id="ours.3@example.com", recipient="ben@example.net",
    recipient_addresses=("ben@example.net",), conversation_id="conversation", token=None,
)  # fmt: skip
ALL = [OURS, FOLLOW_UP, TO_BEN]
FROM_ANN = Incoming("ann@example.org", LATER)


def found(incoming: Incoming) -> tuple[int, MatchedBy] | None:
    matched = match(incoming, ALL, MAILBOX)
    return (matched.sent.delivery_id.int, matched.matched_by) if matched else None


def test_a_message_id_of_ours_is_certain() -> None:
    assert found(replace(FROM_ANN, in_reply_to=("ours.1@example.com",))) == (1, MatchedBy.MESSAGE_ID)
    assert found(replace(FROM_ANN, references=("x@y", "ours.1@example.com", "z@y"))) == (
        1,
        MatchedBy.MESSAGE_ID,
    )


def test_of_several_ids_the_one_that_it_answers_counts() -> None:
    both = ("ours.1@example.com", "ours.2@example.com")
    assert found(replace(FROM_ANN, references=both)) == (2, MatchedBy.MESSAGE_ID)
    assert found(replace(FROM_ANN, in_reply_to=both[:1], references=both)) == (1, MatchedBy.MESSAGE_ID)


def test_an_id_is_compared_without_its_case_and_folds() -> None:
    assert found(replace(FROM_ANN, in_reply_to=("Ours.1@\r\n EXAMPLE.com",))) == (1, MatchedBy.MESSAGE_ID)


def test_a_known_address_in_our_conversation_or_after_our_email() -> None:
    in_thread = replace(FROM_ANN, conversation_id="conversation")
    assert found(in_thread) == (2, MatchedBy.CONVERSATION)
    assert found(replace(in_thread, sender="ben@example.net")) == (3, MatchedBy.CONVERSATION)
    assert found(replace(FROM_ANN, sender="ann@private.example")) == (2, MatchedBy.ADDRESS)
    assert found(replace(FROM_ANN, received_at=SENT_AT + timedelta(hours=1))) == (1, MatchedBy.ADDRESS)
    assert found(replace(FROM_ANN, received_at=SENT_AT - timedelta(hours=1))) is None


@pytest.mark.row("N2")
def test_a_stranger_in_our_thread() -> None:
    stranger = Incoming("colleague@example.org", LATER, in_reply_to=("ours.1@example.com",))
    assert found(stranger) == (1, MatchedBy.THREAD_STRANGER)


@pytest.mark.row("N10")
def test_a_subject_or_a_conversation_alone_never_matches() -> None:
    assert (
        found(Incoming("colleague@example.org", LATER, conversation_id="conversation", subject="Re: Hi"))
        is None
    )


@pytest.mark.row("N3")
def test_our_own_outgoing_email_never_matches() -> None:
    own = Incoming(
        "rita@example.com", LATER, recipients=("ann@example.org",), message_id="ours.1@example.com"
    )
    assert found(own) is None
    assert found(replace(own, sender="ann@example.org")) is None


def test_the_senders_own_email_to_the_candidate_matches_and_to_others_does_not() -> None:
    own = Incoming(
        "rita@example.com", LATER, recipients=("ann@private.example",), message_id="by.hand@example.com"
    )
    assert found(own) == (2, MatchedBy.ADDRESS)
    assert found(replace(own, in_reply_to=("ours.1@example.com",))) == (1, MatchedBy.MESSAGE_ID)
    assert found(replace(own, recipients=("boss@example.com",), in_reply_to=("ours.1@example.com",))) is None
    assert found(replace(own, received_at=SENT_AT - timedelta(days=1))) is None
    assert found(replace(own, headers={"auto-submitted": ("auto-replied",)})) is None


def test_a_token_names_the_email() -> None:
    by_token = Incoming("someone@else.example", LATER, subject="unsubscribe tk_0123456789abcdef")
    assert found(by_token) == (2, MatchedBy.THREAD_STRANGER)
    assert found(replace(by_token, sender="ann@example.org")) == (2, MatchedBy.ADDRESS)


def test_a_quoted_token_says_less_than_the_thread_that_an_answer_is_in() -> None:
    quoting = Incoming(
        "someone@else.example", LATER, text="Gladly.\n> https://x.example/o/tk_0123456789abcdef"
    )
    assert found(quoting) == (2, MatchedBy.THREAD_STRANGER)
    answer = replace(quoting, sender="ann@example.org", in_reply_to=("ours.2@example.com",))
    assert found(answer) == (2, MatchedBy.MESSAGE_ID)


def test_a_report_matches_by_the_originals_id_then_by_its_recipient() -> None:
    report = Report(
        "delivery-status", (ReportedRecipient("ben@example.net", "failed"),), ("ours.1@example.com",)
    )
    bounce = Incoming("mailer-daemon@mx.example", LATER, report=report)
    assert found(bounce) == (1, MatchedBy.MESSAGE_ID)
    assert found(replace(bounce, report=replace(report, original_ids=()))) == (3, MatchedBy.ADDRESS)
    late = replace(bounce, report=replace(report, original_ids=()), received_at=SENT_AT + timedelta(days=30))
    assert found(late) is None


def test_a_report_by_its_class_alone_matches_by_its_headers() -> None:
    by_class = Incoming(
        "x@mx.example", LATER, message_class="REPORT.IPM.Note.NDR", in_reply_to=("ours.3@example.com",)
    )
    assert found(by_class) == (3, MatchedBy.MESSAGE_ID)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ann+jobs@example.org", "Ann@example.org", True),
        ("no.body.at.all@gmail.com", "nobodyatall@googlemail.com", True),
        ("a.nn@example.org", "ann@example.org", False),
        ("", "", False),
    ],
)
def test_one_persons_addresses(one: str, other: str, *, same: bool) -> None:
    assert same_person(one, other) is same
