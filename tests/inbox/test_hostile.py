"""Nothing that arrives crashes the parser or the judge, or takes more than a bounded time and memory."""

import resource
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.listening.kinds import Judged, Kind
from domain.listening.message import MatchedBy, Sent
from inbox.judge import judge
from inbox.parse import UnreadableMessage, parse
from tests.inbox.shapes import INPUTS, whole

NOW = datetime(2026, 12, 7, 9, tzinfo=UTC)
SECONDS = 6.0  # on a busy machine; most take milliseconds
SENT = Sent(
    delivery_id=UUID(int=1),
    message_id="ours.1@example.com",
    conversation_id=None,
    recipient="ann@example.org",
    sender="rita@example.com",
    sent_at=datetime(2026, 12, 1, tzinfo=UTC),
    recipient_addresses=("ann@example.org",),
    token="tk_0123456789abcdef",
)


def judged(raw: bytes) -> Judged:
    return judge(parse(raw, now=NOW), [SENT], ["rita@example.com"])


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_a_hostile_message_is_judged_in_bounded_time_and_memory(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    try:
        said = judged(whole(INPUTS[name]))
    except UnreadableMessage:
        return
    assert time.process_time() - began < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
    assert isinstance(said.kind, Kind)
    assert all(len(each) < 1_000 for each in (said.why, said.opt_out_words or "") if each)


def test_there_are_a_hundred_of_them() -> None:
    assert len(INPUTS) >= 100


def test_a_subject_injects_no_header_and_no_line() -> None:
    read = parse(whole(INPUTS["a subject that injects"]), now=NOW)
    assert "\n" not in read.subject
    assert "bcc" not in read.headers


def forged(sender: str, extra: str = "", text: str = "Please remove me from your list.") -> Judged:
    return judged(
        f"From: {sender}\r\nTo: rita@example.com\r\nDate: Mon, 7 Dec 2026 09:00:00 +0000\r\n{extra}\r\n{text}".encode()
    )


def test_an_opt_out_of_a_stranger_without_our_message_id_concerns_nobody() -> None:
    said = forged("mallory@else.example")
    assert (said.kind, said.match) == (Kind.OTHER, None)


def test_a_wrong_token_concerns_nobody() -> None:
    assert forged("mallory@else.example", "Subject: unsubscribe tk_ffffffffffffffff\r\n").match is None


def test_a_forged_message_id_is_shown_as_a_strangers() -> None:
    said = forged(
        "mallory@else.example", "In-Reply-To: <ours.1@example.com>\r\n", "Call me at another number."
    )
    assert said.match is not None
    assert said.match.matched_by is MatchedBy.THREAD_STRANGER


def test_the_mailboxs_own_address_as_sender_is_no_answer() -> None:
    said = forged("rita@example.com", "In-Reply-To: <ours.1@example.com>\r\n")
    assert (said.kind, said.match) == (Kind.OTHER, None)
