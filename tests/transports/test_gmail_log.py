"""What came into a mailbox at Gmail, by its history, and when the history does not say it for sure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.errors import ConnectionRefused, ProviderUnavailable, Throttled
from lab.emulator.background import Running, running_emulator
from tests.transports.contract import letter
from tests.transports.odd_server import Reply, Request, http, odd_server
from tests.transports.test_gmail import ADDRESS, GoogleTokens, sends_by
from tests.transports.test_gmail_reading import odd
from transports import gmail_log
from transports.base import Header, KeepsLog
from transports.gmail import GmailProvider, GmailTransport
from transports.google import Google

ANNA = "anna@example.org"
LIST = "GET /gmail/history"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture
def mailbox(running: Running) -> Iterator[GmailTransport]:
    running.control.reset()
    running.control.add_mailboxes({"address": ADDRESS, "google": True})
    running.control.switch(google_units_a_minute=100_000)
    google, provider = Google("onbehalf", "demo-secret", running.url), GmailProvider(running.url)
    yield provider.transport(GoogleTokens(google, running.control.refresh_token(ADDRESS)), sends_by)
    provider.close()
    google.close()


def came(running: Running, subject: str, **values: Any) -> str:
    return running.control.incoming(ADDRESS, sender=ANNA, subject=subject, **values)


def read(mailbox: GmailTransport, since: str) -> list[Header]:
    added = mailbox.added(since)
    assert added is not None
    return [each for page in added.pages for each in page]


def subjects(headers: list[Header]) -> list[str]:
    return [each.subject for each in headers]


def requests(running: Running) -> dict[str, int]:
    return {name: n for name, n in running.control.stats()["requests"].items() if name.startswith("GET")}


def test_what_came_since_is_read_wherever_it_is_and_what_was_there_is_not(
    running: Running, mailbox: GmailTransport
) -> None:
    assert isinstance(mailbox, KeepsLog)
    came(running, "before")
    since = mailbox.stands()
    for place in ("inbox", "junkemail", "archive", "deleteditems"):
        came(running, place, folder=place)
    assert subjects(read(mailbox, since)) == ["inbox", "junkemail", "archive", "deleteditems"]


def test_one_request_says_that_nothing_came(running: Running, mailbox: GmailTransport) -> None:
    since = mailbox.stands()
    before = requests(running)
    assert read(mailbox, since) == []
    assert requests(running) == before | {LIST: 1}


def test_it_goes_on_where_it_stood(running: Running, mailbox: GmailTransport) -> None:
    since = mailbox.stands()
    came(running, "1")
    added = mailbox.added(since)
    came(running, "2")
    assert added is not None
    assert subjects([each for page in added.pages for each in page]) == ["1"]
    assert subjects(read(mailbox, added.stands)) == ["2"]


def test_our_own_emails_are_read_and_drafts_cost_no_request(
    running: Running, mailbox: GmailTransport
) -> None:
    since = mailbox.stands()
    mailbox.send(mailbox.prepare(letter(), "correlation_id-1", None))
    mailbox.prepare(letter(), "correlation_id-2", None)
    looked = requests(running).get("GET /gmail/messages/{id}", 0)
    assert [each.correlation_id for each in read(mailbox, since)] == ["correlation_id-1"]
    assert requests(running)["GET /gmail/messages/{id}"] == looked + 1


def test_what_is_gone_again_is_passed_over(running: Running, mailbox: GmailTransport) -> None:
    since = mailbox.stands()
    first = came(running, "1")
    came(running, "2")
    assert running.control.delete(ADDRESS, first)
    assert subjects(read(mailbox, since)) == ["2"]


def test_all_pages_are_read_and_each_message_once(
    running: Running, mailbox: GmailTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail_log, "_LISTED", 3)
    since = mailbox.stands()
    for number in range(8):
        came(running, str(number))
    assert subjects(read(mailbox, since)) == [str(number) for number in range(8)]
    assert requests(running)[LIST] == 3


def test_an_id_that_is_too_old_is_a_gap(running: Running, mailbox: GmailTransport) -> None:
    since = mailbox.stands()
    came(running, "1")
    running.control.forget_history()
    assert mailbox.added(since) is None


def test_more_than_anybody_is_sent_is_a_gap(
    running: Running, mailbox: GmailTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail_log, "_LISTED", 1)
    monkeypatch.setattr(gmail_log, "_MAX_PAGES", 2)
    since = mailbox.stands()
    for number in range(3):
        came(running, str(number))
    assert mailbox.added(since) is None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, ProviderUnavailable),
        ({"status": 429}, Throttled),
        ({"reset": True, "times": 2}, ProviderUnavailable),
    ],
)
def test_trouble_is_no_gap(
    running: Running, mailbox: GmailTransport, fault: dict[str, Any], error: type[Exception]
) -> None:
    since = mailbox.stands()
    running.control.fault(LIST, **fault)
    with pytest.raises(error):
        mailbox.added(since)


def test_a_lost_sign_in_is_no_gap(running: Running, mailbox: GmailTransport) -> None:
    since = mailbox.stands()
    running.control.revoke(ADDRESS)
    with pytest.raises(ConnectionRefused):
        mailbox.added(since)


def added(*pages: dict[str, Any]) -> tuple[str, list[str]] | None:
    """Where the history stands and what came since 100, by a server that answers like this."""

    def answers(request: Request) -> Reply:
        parts = urlsplit(request.path)
        if parts.path.endswith("/history"):
            return http(200, pages[int(parse_qs(parts.query).get("pageToken", ["0"])[0])])
        item = parts.path.rpartition("/")[2]
        moment = str(int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000))
        return http(200, {"id": item, "internalDate": moment, "payload": {}})

    with odd_server(answers) as server:
        provider, mailbox = odd(server)
        try:
            found = mailbox.added("100")
            if found is None:
                return None
            return found.stands, [each.provider_id for page in found.pages for each in page]
        finally:
            provider.close()


def new(item: str, *labels: str) -> dict[str, Any]:
    return {"messagesAdded": [{"message": {"id": item, "labelIds": [*labels]}}]}


def labelled(item: str, *labels: str) -> dict[str, Any]:
    return {"labelsAdded": [{"message": {"id": item}, "labelIds": [*labels]}]}


def test_pages_without_records_are_not_the_last() -> None:
    assert added({"historyId": "200", "nextPageToken": "1"}, {"historyId": "300", "history": [new("a")]}) == (
        "200",
        ["a"],
    )


def test_the_first_page_says_where_we_stand() -> None:
    """What comes while we page may be in neither page, though the last one has a later id."""
    pages = ({"historyId": "200", "history": [new("a")], "nextPageToken": "1"}, {"historyId": "999"})
    assert added(*pages) == ("200", ["a"])


def test_a_draft_that_is_sent_by_hand_is_read_and_a_persons_filing_is_not() -> None:
    records = [
        new("a", "DRAFT"),
        labelled("a", "SENT"),
        labelled("b", "Label_7", "STARRED"),
        labelled("c", "INBOX"),
    ]
    assert added({"historyId": "200", "history": records}) == ("200", ["a", "c"])


@pytest.mark.parametrize("page", [{"historyId": "99"}, {}, {"historyId": "x"}], ids=str)
def test_a_history_that_is_behind_or_says_not_where_it_stands_is_a_gap(page: dict[str, Any]) -> None:
    assert added(page) is None


@pytest.mark.parametrize(
    "records",
    [{}, ["a"], [{"messagesAdded": [{}]}], [{"messagesAdded": {}}], [labelled("", "INBOX")]],
    ids=str,
)
def test_an_answer_of_another_form_is_trouble_not_an_empty_mailbox(records: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        added({"historyId": "200", "history": records})
