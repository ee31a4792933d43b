"""Reading mailboxes at Gmail: everything that came, oldest first, wherever it is, and what single items say."""

import email
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.errors import ConnectionRefused, ProviderUnavailable, Throttled
from lab.emulator.background import Running, running_emulator
from tests.transports.contract import letter
from tests.transports.odd_server import OddServer, Reply, Request, http, odd_server
from tests.transports.test_gmail import ADDRESS, GoogleTokens, sends_by
from tests.transports.test_graph_faults import Tokens
from transports import gmail_reading
from transports.base import MAX_RAW, Header, Reads
from transports.gmail import GmailProvider, GmailTransport
from transports.google import Google

ANNA = "anna@example.org"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture
def provider(running: Running) -> Iterator[GmailProvider]:
    made = GmailProvider(running.url)
    yield made
    made.close()


@pytest.fixture
def mailbox(running: Running, provider: GmailProvider) -> Iterator[GmailTransport]:
    running.control.reset()
    running.control.add_mailboxes({"address": ADDRESS, "google": True})
    running.control.switch(google_units_a_minute=100_000)
    google = Google("onbehalf", "demo-secret", running.url)
    yield provider.transport(GoogleTokens(google, running.control.refresh_token(ADDRESS)), sends_by)
    google.close()


def came(running: Running, seconds: float, **values: Any) -> str:
    moment = (START + timedelta(seconds=seconds)).isoformat()
    given = {"sender": ANNA, "subject": f"{seconds:g}", "received_at": moment} | values
    return running.control.incoming(ADDRESS, **given)


def read(mailbox: GmailTransport, seconds: float = 0) -> list[Header]:
    return [each for page in mailbox.incoming(START + timedelta(seconds=seconds)) for each in page]


def looks(running: Running) -> int:
    return int(running.control.stats()["requests"].get("GET /gmail/messages/{id}", 0))


def test_what_was_read_a_moment_ago_is_not_asked_for_again(running: Running, mailbox: GmailTransport) -> None:
    for second in range(5):
        came(running, second)
    first = read(mailbox)
    assert (len(first), looks(running)) == (5, 5)
    came(running, 9)
    again = read(mailbox)
    assert (again[:5], len(again), looks(running)) == (first, 6, 6)


def subjects(headers: list[Header]) -> list[str]:
    return [each.subject for each in headers]


def test_it_can_be_read(mailbox: GmailTransport) -> None:
    assert isinstance(mailbox, Reads)


def test_what_came_since_then_is_read_oldest_first_wherever_it_is(
    running: Running, mailbox: GmailTransport
) -> None:
    places = {3.0: "junkemail", 1.0: "archive", 2.0: "deleteditems", 0.0: "inbox", -1.0: "inbox"}
    for seconds, folder in places.items():
        came(running, seconds, folder=folder)
    assert subjects(read(mailbox)) == ["0", "1", "2", "3"]


def test_parts_of_a_second_are_compared(running: Running, mailbox: GmailTransport) -> None:
    came(running, 0.2)
    came(running, 0.7)
    assert subjects(read(mailbox, 0.5)) == ["0.7"]


def test_headers_say_who_wrote_to_whom_and_what_it_answers(running: Running, mailbox: GmailTransport) -> None:
    item = came(
        running, 1, from_name="Änne Ärger", to=[ADDRESS], cc=["Bert@example.org"], subject="Re: Ünser Gespräch",
        in_reply_to="<one@acme-g.example>", references="<zero@acme-g.example> <one@acme-g.example>",
        message_id="<yes@example.org>", headers={"Auto-Submitted": "auto-replied"},
    )  # fmt: skip
    (header,) = read(mailbox)
    assert (header.provider_id, header.sender, header.sender_name) == (item, ANNA, "Änne Ärger")
    assert header.recipients == (ADDRESS, "bert@example.org")
    assert header.subject == "Re: Ünser Gespräch"
    assert (header.internet_message_id, header.in_reply_to) == ("yes@example.org", ("one@acme-g.example",))
    assert header.references == ("zero@acme-g.example", "one@acme-g.example")
    assert header.headers["auto-submitted"] == ("auto-replied",)
    assert header.received_at == START + timedelta(seconds=1)
    assert (header.is_draft, header.in_sent_items, header.correlation_id) == (False, False, "")


def test_our_own_emails_and_drafts_are_told_apart_and_nobody_else_can_pose_as_them(
    running: Running, mailbox: GmailTransport
) -> None:
    mailbox.send(mailbox.prepare(letter(), "correlation_id-1", None))
    mailbox.prepare(letter(), "correlation id/2", None)
    running.control.incoming(ADDRESS, sender=ANNA, headers={"X-Onbehalf-Delivery": "correlation_id-1"})
    found = [(each.in_sent_items, each.is_draft, each.correlation_id) for each in read(mailbox)]
    assert sorted(found) == [(False, False, ""), (False, True, ""), (True, False, "correlation_id-1")]


def test_an_answer_shares_its_conversation(running: Running, mailbox: GmailTransport) -> None:
    draft = mailbox.prepare(letter(), "correlation_id-1", None)
    mailbox.send(draft)
    running.control.incoming(
        ADDRESS, sender=ANNA, subject="Re: An offer", in_reply_to=draft.internet_message_id
    )
    sent, answer = sorted(read(mailbox), key=lambda each: not each.in_sent_items)
    assert answer.conversation_id == sent.conversation_id
    assert answer.in_reply_to == (sent.internet_message_id,)


def test_many_come_in_pages_and_none_is_left_out(
    running: Running, mailbox: GmailTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail_reading, "_LISTED", 7)
    monkeypatch.setattr(gmail_reading, "_AT_ONCE", 5)
    for number in range(23):
        came(running, number)
    pages = list(mailbox.incoming(START))
    assert [len(each) for each in pages] == [5, 5, 5, 5, 3]
    assert subjects([each for page in pages for each in page]) == [str(number) for number in range(23)]


def test_what_is_deleted_while_it_is_read_is_passed_over(running: Running, mailbox: GmailTransport) -> None:
    first, second = came(running, 1), came(running, 2)
    reading = mailbox.incoming(START)
    running.control.fault("GET /gmail/messages/{id}", skip=1, status=404)
    assert subjects([each for page in reading for each in page]) == ["1"]
    assert mailbox.message(first) is not None
    assert running.control.delete(ADDRESS, second)
    assert mailbox.message(second) is None
    assert mailbox.raw(second) is None


class Seams:
    """A list of three pages whose tokens count items, from which one is deleted during the first pass."""

    def __init__(self) -> None:
        self.ids = [f"{number:x}" for number in range(30, 0, -1)]

    def __call__(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        if not parts.path.endswith("/messages"):
            item = parts.path.rpartition("/")[2]
            return http(200, {"id": item, "internalDate": str(1772442000000 + int(item, 16)), "payload": {}})
        begin = int(parse_qs(parts.query).get("pageToken", ["0"])[0])
        shown = self.ids[begin : begin + 10]
        if begin == 0 and len(self.ids) == 30:
            del self.ids[3]
        more = {"nextPageToken": str(begin + 10)} if begin + 10 < len(self.ids) else {}
        return http(200, {"messages": [{"id": each} for each in shown], **more})


def odd(server: OddServer) -> tuple[GmailProvider, GmailTransport]:
    provider = GmailProvider(server.url)
    return provider, provider.transport(Tokens(), sends_by)


def test_a_deletion_between_two_pages_passes_nothing_over() -> None:
    with odd_server(Seams()) as server:
        provider, mailbox = odd(server)
        found = {each.provider_id for page in mailbox.incoming(START) for each in page}
        provider.close()
    assert found == {f"{number:x}" for number in range(1, 31)}


def test_a_list_without_an_end_is_trouble_not_an_empty_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gmail_reading, "_MAX_PAGES", 3)
    with odd_server(lambda _: http(200, {"messages": [{"id": "1"}], "nextPageToken": "x"})) as server:
        provider, mailbox = odd(server)
        with pytest.raises(ProviderUnavailable):
            list(mailbox.incoming(START))
        provider.close()


@pytest.mark.parametrize("answer", [{"messages": {}}, {"messages": ["1"]}, {"messages": [{}]}, []], ids=str)
def test_an_answer_of_another_form_is_trouble_not_an_empty_mailbox(answer: Any) -> None:
    with odd_server(lambda _: http(200, answer)) as server:
        provider, mailbox = odd(server)
        with pytest.raises(ProviderUnavailable):
            list(mailbox.incoming(START))
        provider.close()


def test_texts_that_no_database_holds_are_read_all_the_same() -> None:
    item = {
        "id": "1",
        "internalDate": "1772442000000",
        "payload": {"headers": [{"name": "Subject", "value": "?"}]},
    }
    body = json.dumps(item).replace('"?"', '"a\\u0000b\\ud800"').encode()

    def answers(request: Request) -> Reply:
        listed = urlsplit(request.path).path.endswith("/messages")
        return http(200, {"messages": [{"id": "1"}]}) if listed else http(200, body)

    with odd_server(answers) as server:
        provider, mailbox = odd(server)
        (header,) = (each for page in mailbox.incoming(START) for each in page)
        provider.close()
    assert "\x00" not in header.subject
    header.subject.encode()


def test_a_message_says_its_text_its_html_and_its_files(running: Running, mailbox: GmailTransport) -> None:
    item = came(running, 1, text="Grüße", html="<p>Grüße</p>", attachments={"cv.pdf": "content"})
    content = mailbox.message(item)
    assert content is not None
    assert (content.text, content.html, content.cut) == ("Grüße", "<p>Grüße</p>", False)
    assert [(each.name, each.size) for each in content.attachments] == [("cv.pdf", 7)]


def test_html_alone_has_a_text_too(running: Running, mailbox: GmailTransport) -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = ANNA, "Yes"
    message.set_content("<p>Please remove me from your list</p><script>x()</script>", subtype="html")
    content = mailbox.message(running.control.incoming(ADDRESS, raw=message.as_bytes()))
    assert content is not None
    assert content.text.strip() == "Please remove me from your list"


def test_what_a_message_returns_or_forwards_is_not_its_own_text(
    running: Running, mailbox: GmailTransport
) -> None:
    inner, message = EmailMessage(), EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("unsubscribe")
    message["From"], message["Subject"] = ANNA, "Fwd"
    message.set_content("See below")
    message.add_attachment(inner)
    content = mailbox.message(running.control.incoming(ADDRESS, raw=message.as_bytes()))
    assert content is not None
    assert content.text.strip() == "See below"


def test_a_text_that_is_too_long_is_cut(
    running: Running, mailbox: GmailTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gmail_reading, "MAX_TEXT", 4096)
    content = mailbox.message(came(running, 1, text="word " * 4096))
    assert content is not None
    assert content.cut
    assert content.text.startswith("word word")


def test_the_whole_is_mime_and_only_its_beginning_if_it_is_long(
    running: Running, mailbox: GmailTransport
) -> None:
    short, long = came(running, 1, text="Grüße"), came(running, 2, text="x\n" * MAX_RAW)
    raw = mailbox.raw(short)
    assert raw is not None
    assert email.message_from_bytes(raw)["Subject"] == "1"
    beginning = mailbox.raw(long)
    assert beginning is not None
    assert len(beginning) == MAX_RAW
    assert email.message_from_bytes(beginning)["Subject"] == "2"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, ProviderUnavailable),
        ({"status": 429}, Throttled),
        ({"reset": True, "times": 2}, ProviderUnavailable),
    ],
)
@pytest.mark.parametrize("route", ["GET /gmail/messages", "GET /gmail/messages/{id}"])
def test_trouble_ends_a_reading(  # aiohttp asks again on its own where a kept connection broke, for a GET alone
    running: Running, mailbox: GmailTransport, route: str, fault: dict[str, Any], error: type[Exception]
) -> None:
    came(running, 1)
    running.control.fault(route, **fault)
    with pytest.raises(error):
        read(mailbox)


def test_a_lost_sign_in_ends_a_reading(running: Running, mailbox: GmailTransport) -> None:
    running.control.revoke(ADDRESS)
    with pytest.raises(ConnectionRefused):
        read(mailbox)
