"""Ten thousand new messages at once: nothing is lost, nothing kept twice, no page held in memory, and a dead worker's reading goes on."""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from lab.listening_records import IncomingMessage, MailboxRead
from lab.records import Delivery, Enrollment, Event
from lab.stage import Stage
from lab.tables import ago
from tests.workers.test_read_mailbox import MINUTE, enrolled
from transports.base import Header
from workers import read_mailbox

PEOPLE, EACH = 12, 25  # who writes, and how often: three hundred messages that matter
BATCHES, BATCH = 100, 97  # newsletters, 30 seconds apart
WEIGHT = 8_000  # characters in a header of each: all pages together would take some 80 MB
PAGES_TWICE = 60  # of the ten minutes that readings overlap, and of the page at which the first one died
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


class Killed(BaseException):
    """The worker dies."""


def resident() -> float:
    """Megabytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_SIZE / 2**20


def flood(stage: Stage, box: UUID) -> None:
    """Ten thousand messages of the last fifty minutes, in which people answer."""
    newsletter = (
        "From: The Weekly <news@newsletter.example>\nTo: you\nSubject: Ten offers\nMessage-ID: <{0}@newsletter.example>\n"
        f"X-Campaign: {'x' * WEIGHT}\nPrecedence: bulk\n\nNumber {{0}}.\n"
    )
    address, began = stage.address(box), ago(minutes=51)
    written = {entry.to[0]: entry for entry in stage.left()}
    answers = [entry for entry in written.values() for _ in range(EACH)]
    for number in range(BATCHES):
        at = (began + number * timedelta(seconds=30)).isoformat()
        stage.emulator.control.newsletters(address, BATCH, raw=newsletter.format(number), received_at=at)
        for entry in answers[number::BATCHES]:
            stage.emulator.control.incoming(
                address,
                sender=entry.to[0],
                subject=f"Re: {entry.subject}",
                text="Please call me tomorrow.",
                in_reply_to=entry.internet_message_id,
                received_at=at,
            )


def watched(monkeypatch: pytest.MonkeyPatch, dies_at: int | None = None) -> list[tuple[int, float]]:
    """Size of each page, and the process's memory after it. ``dies_at``: number of the page at which the worker dies."""
    seen: list[tuple[int, float]] = []
    keep_page: Callable[..., None] = read_mailbox._keep_page

    def measured(
        runtime: object, reading: object, transport: object, page: Sequence[Header], upto: object
    ) -> None:
        keep_page(runtime, reading, transport, page, upto)
        seen.append((len(page), resident()))
        if len(seen) == dies_at:
            raise Killed

    monkeypatch.setattr(read_mailbox, "_keep_page", measured)
    return seen


def test_ten_thousand_messages_at_once_are_each_read_once_though_the_worker_dies(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = stage.mailbox(stage.world.member("Hans Holder"))
    enrolled(stage, box, PEOPLE)
    for _ in range(PEOPLE // 4):  # the pace of a mailbox is a few emails at once
        stage.later(MINUTE)
        stage.send_due()
    assert stage.count(Delivery, state="sent") == PEOPLE
    stage.older(Delivery, "sent_at", seconds=52 * MINUTE)
    flood(stage, box)
    with monkeypatch.context() as patched:
        first = watched(patched, dies_at=100)
        with pytest.raises(Killed):
            stage.read(box)
    assert stage.only(MailboxRead, box).read_as_of is None  # so that no follow-up rests on it
    before = stage.count(IncomingMessage)
    assert 0 < before < PEOPLE * EACH
    stage.later(MINUTE)
    second = watched(monkeypatch)
    assert stage.read(box)
    answers = stage.all(IncomingMessage)
    assert len({each.message_id for each in answers}) == len(answers) == PEOPLE * EACH
    assert {each.kind for each in answers} == {"answer"}
    assert [each.standing for each in stage.all(Enrollment)] == [("stopped", "answered")] * PEOPLE
    assert stage.count(Event, kind="CandidateAnswered") == PEOPLE
    pages = (BATCHES * BATCH + PEOPLE * EACH) // 50
    assert len(second) < pages - len(first) + PAGES_TWICE
    assert max(size for size, _ in first + second) <= 50
    assert max(memory for _, memory in first + second) - first[0][1] < 40
