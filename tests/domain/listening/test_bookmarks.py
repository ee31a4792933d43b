"""From where on a mailbox's log is read."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.listening.bookmarks import LOG_OVERLAP, Bookmarks, moved
from domain.listening.cadence import OVERLAP

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_a_first_reading_only_notes_where_the_log_stands() -> None:
    assert moved(Bookmarks(), "1", START, by_log=False) == Bookmarks(None, "1", START)


@pytest.mark.parametrize("by_log", [True, False])
def test_a_bookmark_counts_once_a_reading_began_long_enough_after_it(by_log: bool) -> None:
    known = Bookmarks("0" if by_log else None, "1", START)
    enough = LOG_OVERLAP if by_log else OVERLAP
    soon = START + enough - timedelta(seconds=1)
    assert moved(known, "2", soon, by_log=by_log) == known
    assert moved(known, "2", START + enough, by_log=by_log) == Bookmarks("1", "2", START + enough)


def test_what_comes_late_into_the_log_is_read_however_often_it_is_read() -> None:
    """A record shows up at most a minute after the log has passed it, whatever the rhythm of readings."""
    for apart in (0.25, 0.75, 1, 2, 7):
        known, missed = Bookmarks("0", None, None), []
        shown = at(4.3)
        for number in range(1, 60):
            began = at(number * apart)
            stands = str(number)
            reads_it = began >= shown and int(known.read or "0") * apart <= 3.3
            missed.append(reads_it)
            known = moved(known, stands, began, by_log=True)
        assert any(missed), apart
