"""What every transport promises, whatever the provider. A test class per transport inherits it.

``left()`` is the judge: what recipients would receive, reported by the other side and never by the transport.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from domain.address import Address
from domain.errors import ConnectionRefused, DeliveryInDoubt, ProviderError, ProviderUnavailable, Throttled
from domain.message import OutgoingMessage
from transports.base import Draft, Thread, Traceable


def letter(number: int = 1, *, to: str = "anna@example.org", subject: str = "An offer") -> OutgoingMessage:
    """An email to write."""
    return OutgoingMessage(
        Address(to, "Anna Ärger"), subject, f"<p>Hello {number} • ä€😀</p>", f"Hello {number}"
    )


@dataclass
class Bench:
    """A transport on a mailbox, and its other side.

    ``fault`` makes the next call of a kind (``send``, ``prepare``, ``find``) fail: ``when`` before or after the
    effect, with a ``status`` and ``headers``, with a ``reset``, or with a ``body`` that is no valid answer.
    """

    transport: Traceable
    left: Callable[[], Sequence[Any]]
    sends_seen: Callable[[], int]
    fault: Callable[..., None]
    settle: Callable[[], None]
    disconnect: Callable[[], None]


class TraceableContract:
    """Tests for ``Traceable`` transports. Inherit it and provide a ``bench`` fixture."""

    def test_a_draft_is_invisible_outside_and_found_by_its_correlation_id(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        assert draft.id
        assert draft.internet_message_id
        assert bench.left() == []
        (found,) = bench.transport.find("correlation_id-1")
        assert (found.id, found.is_draft) == (draft.id, True)
        assert list(bench.transport.find("correlation_id-2")) == []

    def test_a_sent_email_leaves_once_as_written_and_is_found_as_sent(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(7), "correlation_id-1", None)
        assert bench.transport.send(draft).request_id
        bench.settle()
        (email,) = bench.left()
        assert (email.to, email.subject) == (["anna@example.org"], "An offer")
        assert "Hello 7 • ä€😀" in email.body
        (found,) = bench.transport.find("correlation_id-1")
        assert not found.is_draft
        assert found.internet_message_id == email.internet_message_id
        assert found.conversation_id == email.conversation_id

    def test_correlation_ids_are_kept_apart(self, bench: Bench) -> None:
        drafts = [
            bench.transport.prepare(letter(number), f"correlation_id-{number}", None) for number in range(5)
        ]
        for number, draft in enumerate(drafts):
            assert [item.id for item in bench.transport.find(f"correlation_id-{number}")] == [draft.id]

    @pytest.mark.parametrize("correlation_id", ["it's", "' or '1' eq '1", "a b&c=d", "ä", "%27", "+"])
    def test_a_correlation_id_is_never_read_as_a_question(self, bench: Bench, correlation_id: str) -> None:
        bench.transport.prepare(letter(), "another", None)
        assert list(bench.transport.find(correlation_id)) == []
        draft = bench.transport.prepare(letter(), correlation_id, None)
        assert [item.id for item in bench.transport.find(correlation_id)] == [draft.id]

    def test_new_words_replace_the_old_ones_in_the_same_draft(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(1), "correlation_id-1", None)
        changed = bench.transport.update(draft, letter(2, to="bert@example.org", subject="Another offer"))
        assert changed.id == draft.id
        bench.transport.send(changed)
        bench.settle()
        (email,) = bench.left()
        assert (email.to, email.subject) == (["bert@example.org"], "Another offer")
        assert "Hello 2" in email.body
        assert len(bench.transport.find("correlation_id-1")) == 1

    def test_a_follow_up_joins_the_conversation_and_reaches_the_same_person(self, bench: Bench) -> None:
        first = bench.transport.prepare(letter(1), "correlation_id-1", None)
        bench.transport.send(first)
        bench.settle()
        second = bench.transport.prepare(
            letter(2, subject="Re: An offer"), "correlation_id-2", Thread("correlation_id-1", "An offer", "")
        )
        assert [item.id for item in bench.transport.find("correlation_id-2")] == [second.id]
        bench.transport.send(second)
        bench.settle()
        one, two = bench.left()
        assert two.to == ["anna@example.org"]
        assert two.conversation_id == one.conversation_id
        assert two.in_reply_to == one.internet_message_id
        assert two.subject.lower() == "re: an offer"
        assert "Hello 2" in two.body

    def test_an_edited_follow_up_stays_in_its_conversation(self, bench: Bench) -> None:
        bench.transport.send(bench.transport.prepare(letter(1), "correlation_id-1", None))
        bench.settle()
        follow_up = letter(2, subject="Re: An offer")
        draft = bench.transport.prepare(
            follow_up, "correlation_id-2", Thread("correlation_id-1", "An offer", "")
        )
        bench.transport.update(draft, letter(3, subject="Re: An offer"))
        bench.transport.send(draft)
        bench.settle()
        one, two = bench.left()
        assert (two.conversation_id, two.subject.lower()) == (one.conversation_id, "re: an offer")
        assert "Hello 3" in two.body

    def test_a_follow_up_waits_until_its_parent_has_left_drafts(self, bench: Bench) -> None:
        parent = bench.transport.prepare(letter(1), "correlation_id-1", None)
        with pytest.raises(ProviderUnavailable):
            bench.transport.prepare(
                letter(2), "correlation_id-2", Thread("correlation_id-1", "An offer", parent.id)
            )
        assert list(bench.transport.find("correlation_id-2")) == []

    def test_a_follow_up_whose_parent_is_gone_is_a_new_email(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(2), "correlation_id-2", Thread("never-sent", "An offer", ""))
        bench.transport.send(draft)
        bench.settle()
        (email,) = bench.left()
        assert (email.subject, email.to) == ("Re: An offer", ["anna@example.org"])

    def test_a_recalled_draft_can_never_be_sent(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        assert bench.transport.recall(draft.id) is True
        assert bench.transport.recall(draft.id) is False
        with pytest.raises(DeliveryInDoubt):
            bench.transport.send(draft)
        bench.settle()
        assert bench.left() == []

    def test_a_sent_email_is_never_recalled(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        bench.transport.send(draft)
        bench.settle()
        (found,) = bench.transport.find("correlation_id-1")
        assert bench.transport.recall(found.id) is False
        assert len(bench.transport.find("correlation_id-1")) == 1

    def test_an_unknown_id_is_not_there(self, bench: Bench) -> None:
        assert bench.transport.recall("AAMkNoSuchItem/+=") is False
        with pytest.raises(DeliveryInDoubt):
            bench.transport.send(Draft("AAMkNoSuchItem/+="))

    @pytest.mark.parametrize(
        "fault",
        [
            {"reset": True},
            {"status": 500},
            {"status": 503},
            {"status": 504},
            {"status": 502, "body": "<html>"},
        ],
        ids=["reset", "500", "503", "504", "a page"],
    )
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_doubtful_answer_is_doubt_and_one_request(
        self, bench: Bench, fault: dict[str, Any], when: str
    ) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        bench.fault("send", when=when, **fault)
        with pytest.raises(DeliveryInDoubt):
            bench.transport.send(draft)
        assert bench.sends_seen() == 1
        bench.settle()
        assert len(bench.left()) == (1 if when == "after" else 0)
        (found,) = bench.transport.find("correlation_id-1")
        assert found.is_draft is (when == "before")

    def test_after_doubt_the_same_draft_leaves_once(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        bench.fault("send", when="before", status=503)
        with pytest.raises(DeliveryInDoubt):
            bench.transport.send(draft)
        bench.transport.send(draft)
        bench.settle()
        assert len(bench.left()) == 1

    def test_a_request_to_wait_names_the_time(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        bench.fault("send", status=429, headers={"Retry-After": "12"})
        with pytest.raises(Throttled) as raised:
            bench.transport.send(draft)
        assert raised.value.retry_after.total_seconds() == 12
        assert bench.sends_seen() == 1

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_failed_draft_is_unavailability_and_leaves_at_most_one_to_find(
        self, bench: Bench, when: str
    ) -> None:
        bench.fault("prepare", when=when, status=503)
        with pytest.raises(ProviderUnavailable):
            bench.transport.prepare(letter(), "correlation_id-1", None)
        assert len(bench.transport.find("correlation_id-1")) == (1 if when == "after" else 0)

    def test_a_failed_search_is_never_an_empty_answer(self, bench: Bench) -> None:
        bench.fault("find", status=200, body="<html>maintenance</html>")
        with pytest.raises(ProviderUnavailable):
            bench.transport.find("correlation_id-1")

    def test_a_disconnected_mailbox_says_so_on_every_call(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        bench.disconnect()
        calls: list[Callable[[], object]] = [
            bench.transport.verify,
            lambda: bench.transport.prepare(letter(), "correlation_id-2", None),
            lambda: bench.transport.send(draft),
            lambda: bench.transport.find("correlation_id-1"),
            lambda: bench.transport.update(draft, letter()),
            lambda: bench.transport.recall(draft.id),
        ]
        for call in calls:
            with pytest.raises(ConnectionRefused):
                call()
        bench.settle()
        assert bench.left() == []

    def test_no_error_repeats_an_address_or_a_word(self, bench: Bench) -> None:
        draft = bench.transport.prepare(letter(), "correlation_id-1", None)
        bench.fault("send", status=400, value={"error": {"code": "X", "message": "anna@example.org Hello"}})
        with pytest.raises(ProviderError) as raised:
            bench.transport.send(draft)
        assert "anna" not in f"{raised.value} {raised.value.code}"

    def test_verify_names_the_account_and_its_addresses(self, bench: Bench) -> None:
        facts = bench.transport.verify()
        assert facts.account_id
        assert all(address == address.lower() and "@" in address for address in facts.addresses)
        assert set(facts.settings) - {"offset_minutes"} == {"zone", "window", "absences", "purpose"}
