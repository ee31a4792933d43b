"""What Google gives a mailbox a minute is kept: what requests cost, how fast a mailbox is read, and that its emails give way."""

from collections.abc import Iterator

import pytest

from domain.lane import CAPACITY, PER_MINUTE
from lab.emulator.background import Running, running_emulator
from lab.emulator.gmail_routes import UNITS as CHARGED
from tests.transports.contract import letter
from tests.transports.test_gmail import ADDRESS, GoogleTokens, sends_by
from transports import gmail_quota
from transports.base import Thread
from transports.gmail import GmailProvider, GmailTransport
from transports.gmail_client import Service
from transports.gmail_quota import A_MINUTE, A_SECOND, FREE, UNITS, Pace, gives_way
from transports.google import Google

AN_EMAIL = 155


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture
def mailbox(running: Running) -> Iterator[GmailTransport]:
    running.control.reset()
    running.control.add_mailboxes({"address": ADDRESS, "google": True})
    google, provider = Google("onbehalf", "demo-secret", running.url), GmailProvider(running.url)
    yield provider.transport(GoogleTokens(google, running.control.refresh_token(ADDRESS)), sends_by)
    provider.close()
    google.close()


def charged(running: Running) -> int:
    return sum(
        n * CHARGED.get(route, 0)
        for route, n in running.control.stats()["requests"].items()
        if "/gmail/" in route
    )


def test_everything_together_stays_below_it_in_any_minute() -> None:
    """A full pace of emails, and the longest reading: while it goes on, emails give way in part."""
    emails = AN_EMAIL * (CAPACITY + PER_MINUTE)
    few = FREE * 5  # short readings, each at least 15 s after the one before
    assert emails + few <= A_MINUTE
    page = 50 * gmail_quota.LOOK
    takes, held = page / A_SECOND, gives_way(page).total_seconds()
    assert held <= takes  # the hold of a page is over when the next page's begins
    assert 60 * A_SECOND + AN_EMAIL * PER_MINUTE * (1 - held / takes) + FREE <= A_MINUTE


def test_every_request_has_its_cost() -> None:
    service = Service("")
    assert service.drafts is not None
    for built in (
        service.drafts.create(userId="me", body={}),
        service.drafts.send(userId="me", body={}),
        service.history.list(userId="me", startHistoryId="1"),
        service.send_as.list(userId="me"),
        service.settings.getVacation(userId="me"),
        service.who.get(),
    ):
        assert built.name in UNITS


def test_a_request_without_a_known_cost_is_refused(mailbox: GmailTransport) -> None:
    from domain.errors import ProviderUnavailable
    from transports.gmail_errors import Purpose

    with pytest.raises(ProviderUnavailable):
        mailbox.ask(lambda gmail: gmail.users.labels().list(userId="me"), Purpose.READ)


def test_the_costliest_email_costs_what_the_lane_counts_on(running: Running, mailbox: GmailTransport) -> None:
    mailbox.send(mailbox.prepare(letter(), "one", None))
    since = mailbox.stands()
    before = charged(running)
    answered = Thread("one", "An offer", "no-draft", "", ())
    mailbox.send(mailbox.prepare(letter(2), "two", answered))
    added = mailbox.added(since)
    assert added is not None
    assert sum(len(page) for page in added.pages) == 1
    assert charged(running) - before == AN_EMAIL + UNITS["gmail.users.history.list"]


def test_a_mailbox_is_read_at_its_pace_and_no_other_waits_for_it() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(300):
        pace.spend("a", 20)
    assert clock.now == pytest.approx((300 * 20 - FREE) / A_SECOND)
    slow = clock.now
    pace.spend("b", FREE)
    assert clock.now == slow
    clock.now += 60
    pace.spend("a", FREE)
    assert clock.now == slow + 60


def test_in_any_minute_a_reading_costs_no_more_than_its_share() -> None:
    clock = Clock()
    pace, spent = Pace(clock, clock.sleep), list[tuple[float, int]]()
    for _ in range(1_000):
        pace.spend("a", 20)
        spent.append((clock.now, 20))
    for begin, _ in spent[::50]:
        assert sum(units for at, units in spent if begin <= at < begin + 60) <= FREE + 60 * A_SECOND + 20


def test_emails_give_way_to_a_long_reading_and_not_to_our_own_emails_in_it(
    running: Running, mailbox: GmailTransport
) -> None:
    since = mailbox.stands()
    for number in range(14):
        mailbox.send(mailbox.prepare(letter(number), f"d-{number}", None))
    added = mailbox.added(since)
    assert added is not None
    assert len([each for page in added.pages for each in page]) == 14
    assert mailbox.gives_way().total_seconds() == 0
    running.control.newsletters(ADDRESS, 14)
    added = mailbox.added(added.stands)
    assert added is not None
    assert len([each for page in added.pages for each in page]) == 14
    assert mailbox.gives_way().total_seconds() == pytest.approx(2.8, abs=0.1)
    assert mailbox.gives_way().total_seconds() == 0
