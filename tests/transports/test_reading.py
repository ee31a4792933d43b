"""Reading mailboxes at Graph: everything that came, in order, whatever the lists leave out, and what single items say."""

import email
import email.policy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.connection import READABLE, Provider
from domain.errors import ConnectionRefused, ProviderUnavailable, Throttled
from lab.emulator.background import Running, running_emulator
from tests.transports.contract import letter
from tests.transports.odd_server import Reply, Request, http, odd_server
from tests.transports.test_graph import EntraTokens
from tests.transports.test_graph_faults import Tokens
from tests.transports.test_graph_requests import carried
from transports import graph_read_requests, graph_reading
from transports.base import MAX_RAW, Content, Header, HidesReplies, Reads
from transports.entra import Entra
from transports.graph import GraphProvider, GraphTransport
from transports.graph_client import Request as Call
from transports.lenient_json import read_json
from transports.providers import PROVIDERS

RITA, OTTO, ANNA = "rita@acme.example", "otto@acme.example", "anna@example.org"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LIST = "GET /me/messages"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture
def provider(running: Running) -> Iterator[GraphProvider]:
    running.control.reset()
    running.control.add_mailboxes({"address": RITA, "name": "Rita"}, {"address": OTTO})
    running.control.switch(drafts_delay=0.0)
    made = GraphProvider(running.url)
    yield made
    made.close()


@pytest.fixture
def mailbox(running: Running, provider: GraphProvider) -> GraphTransport:
    return opened(running, provider)


def opened(running: Running, provider: GraphProvider) -> GraphTransport:
    entra = Entra("onbehalf", "demo-secret", running.url)
    return provider.transport(EntraTokens(entra, running.control.refresh_token(RITA)))


def came(running: Running, seconds: float, **values: Any) -> str:
    moment = (START + timedelta(seconds=seconds)).isoformat()
    given = {"sender": ANNA, "subject": f"{seconds:g}", "received_at": moment} | values
    return running.control.incoming(RITA, **given)


def read(mailbox: GraphTransport, seconds: float = 0) -> list[Header]:
    return [each for page in mailbox.incoming(START + timedelta(seconds=seconds)) for each in page]


def subjects(headers: list[Header]) -> list[str]:
    return [each.subject for each in headers]


def asked(running: Running, route: str = LIST) -> int:
    return int(running.control.stats()["requests"].get(route, 0))


def test_who_can_read_shows_in_the_type() -> None:
    assert {name for name, each in PROVIDERS.items() if each.offers(Reads)} == READABLE
    assert PROVIDERS[Provider.GRAPH].offers(HidesReplies)


def test_what_came_is_read_oldest_first_from_a_moment_on_over_all_folders(
    running: Running, mailbox: GraphTransport
) -> None:
    came(running, 30, folder="archive")
    came(running, 10, folder="junkemail")
    came(running, 20)
    came(running, 0)
    assert subjects(read(mailbox, 10)) == ["10", "20", "30"]
    assert read(mailbox, 31) == []


def test_a_header_has_what_decides_whose_it_is(running: Running, mailbox: GraphTransport) -> None:
    item = came(
        running, 5, from_name="Anna Ärger", to=["Rita@Acme.example"], cc=["boss@example.org"], subject="Re: Grüße",
        message_id="<yes@example.org>", in_reply_to="<2@acme.example>", references="<1@acme.example> <2@acme.example>",
        headers={"Auto-Submitted": "auto-replied", "X-Key": "a"}, conversation_id="c-1",
    )  # fmt: skip
    (header,) = read(mailbox)
    assert header.provider_id == item
    assert header.received_at == START + timedelta(seconds=5)
    assert (header.internet_message_id, header.conversation_id) == ("yes@example.org", "c-1")
    assert (header.sender, header.sender_name) == (ANNA, "Anna Ärger")
    assert header.recipients == (RITA, "boss@example.org")
    assert (header.subject, header.message_class) == ("Re: Grüße", "IPM.Note")
    assert (header.in_reply_to, header.references) == (
        ("2@acme.example",),
        ("1@acme.example", "2@acme.example"),
    )
    assert (header.headers["auto-submitted"], header.headers["x-key"]) == (("auto-replied",), ("a",))
    assert (header.is_draft, header.in_sent_items, header.correlation_id) == (False, False, "")


@pytest.mark.parametrize(
    ("switch", "known"),
    [({"shows_headers": False}, True), ({"expands_several": False}, True), ({}, True)],
    ids=["no headers", "no properties", "both"],
)
def test_what_it_answers_is_known_from_headers_or_from_properties(
    running: Running, mailbox: GraphTransport, switch: dict[str, Any], known: bool
) -> None:
    running.control.switch(**switch)
    came(running, 0, in_reply_to="<2@acme.example>", references="<1@acme.example> <2@acme.example>")
    (header,) = read(mailbox)
    assert (header.in_reply_to, header.references) == (
        ("2@acme.example",),
        ("1@acme.example", "2@acme.example"),
    )
    assert bool(header.headers) is ("shows_headers" not in switch)


def test_drafts_and_what_we_or_the_owner_sent_are_read_too_and_marked(
    running: Running, mailbox: GraphTransport
) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    draft = mailbox.prepare(letter(1), "correlation_id-1", None)
    mailbox.send(mailbox.prepare(letter(2), "correlation_id-2", None))
    running.control.wrote_by_hand(RITA, ANNA, subject="Lunch?")
    running.control.incoming(RITA, sender=ANNA, subject="Yes")
    found = [each for page in mailbox.incoming(since) for each in page]
    marks = {
        (each.subject, each.is_draft, each.in_sent_items, each.correlation_id, each.sender) for each in found
    }
    assert marks == {
        ("An offer", True, False, "correlation_id-1", RITA),
        ("An offer", False, True, "correlation_id-2", RITA),
        ("Lunch?", False, True, "", RITA),
        ("Yes", False, False, "", ANNA),
    }
    assert draft.id in {each.provider_id for each in found}


@pytest.mark.parametrize(
    "switch",
    [{}, {"next_links": False}, {"repeats_across_pages": True}, {"includes_the_boundary": False}],
    ids=lambda each: next(iter(each), "as documented"),
)
@pytest.mark.parametrize("apart", [0.0, 0.01, 0.1, 0.4, 30.0], ids=lambda each: f"{each} s apart")
def test_nothing_is_left_out_however_the_pages_come(
    running: Running,
    mailbox: GraphTransport,
    monkeypatch: pytest.MonkeyPatch,
    switch: dict[str, Any],
    apart: float,
) -> None:
    monkeypatch.setattr(graph_read_requests, "PAGE", 5)
    running.control.switch(**switch)
    wanted = [came(running, 1 + number * apart) for number in range(23)]
    pages = list(mailbox.incoming(START))
    assert all(pages)
    assert max(len(page) for page in pages) <= 5
    found = [each.provider_id for page in pages for each in page]
    assert list(dict.fromkeys(found)) == wanted
    assert len(found) == len(wanted) or "repeats_across_pages" in switch
    assert asked(running) <= 2 * len(wanted) / 5 + 2


def test_a_read_without_news_is_one_request_and_one_with_news_two(
    running: Running, provider: GraphProvider, mailbox: GraphTransport
) -> None:
    assert read(mailbox) == []
    assert asked(running) == 1
    came(running, 1)
    assert len(read(mailbox)) == 1
    assert (asked(running), asked(running, "GET /me/mailFolders/{id}")) == (3, 1)
    assert len(read(opened(running, provider))) == 1
    assert (asked(running), asked(running, "GET /me/mailFolders/{id}")) == (5, 1)  # the folder is known


def test_thousands_at_once_are_read_page_by_page(running: Running, mailbox: GraphTransport) -> None:
    running.control.newsletters(RITA, 2000, received_at=START.isoformat())
    late = came(running, 600)
    found, longest = set(), 0
    for page in mailbox.incoming(START):
        longest = max(longest, len(page))
        found |= {each.provider_id for each in page}
    assert (len(found), late in found, longest) == (2001, True, graph_read_requests.PAGE)
    assert asked(running) <= 2001 / graph_read_requests.PAGE + 5


def test_what_is_deleted_while_pages_are_read_hides_nothing_else(
    running: Running, mailbox: GraphTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_read_requests, "PAGE", 5)
    items = [came(running, 10 * number) for number in range(20)]
    found: list[str] = []
    for page in mailbox.incoming(START):
        found += [each.provider_id for each in page]
        running.control.delete(RITA, items[len(found) // 6])  # one of those that were read before
    assert set(found) == set(items)


def test_a_list_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_reading, "_MAX_STALLED", 3)
    item = {"id": "a", "receivedDateTime": "2026-03-02T09:00:00Z", "parentFolderId": "f"}
    with odd_server(lambda _: http(200, {"id": "f", "value": [item]})) as server:
        provider = GraphProvider(server.url)
        pages = provider.transport(Tokens()).incoming(START)
        assert [each.provider_id for each in next(pages)] == ["a"]
        with pytest.raises(ProviderUnavailable) as ended:
            next(pages)
        provider.close()
    assert ended.value.code == "endless_pages"


@pytest.mark.parametrize(
    "answer",
    [
        {"value": "x"},
        {"value": [1]},
        {"value": [{"id": "a"}]},
        {"value": [{"receivedDateTime": "2026-03-02T09:00:00Z"}]},
        {"value": [{"id": "a", "receivedDateTime": "soon"}]},
        {},
    ],
)
def test_an_answer_that_is_none_is_never_taken_for_an_empty_mailbox(answer: dict[str, object]) -> None:
    with odd_server(lambda _: http(200, answer | {"id": "folder"})) as server:
        provider = GraphProvider(server.url)
        with pytest.raises(ProviderUnavailable) as raised:
            list(provider.transport(Tokens()).incoming(START))
        provider.close()
    assert raised.value.code == "unreadable_answer"


def test_odd_fields_are_left_empty() -> None:
    item: dict[str, object] = {
        "id": "a", "receivedDateTime": "2026-03-02T09:00:00.1234567Z", "from": None, "subject": None, "toRecipients": [{}, 7],
        "ccRecipients": "x", "internetMessageHeaders": [{"name": "X-A"}, 7, {"value": "b"}], "internetMessageId": None,
        "singleValueExtendedProperties": [7, {"id": "String 0x1A"}],
    }  # fmt: skip
    header = graph_reading.header_of(item)
    assert header == Header("a", datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC), headers={"x-a": ("",)})


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"refusal": "request_rate"}, Throttled),
        ({"status": 503}, ProviderUnavailable),
        (
            {"status": 410, "value": {"error": {"code": "SyncStateNotFound", "message": "x"}}},
            ProviderUnavailable,
        ),
        ({"reset": True, "times": 2}, ProviderUnavailable),
        ({"status": 200, "body": "<html>maintenance</html>"}, ProviderUnavailable),
        ({"status": 403}, ConnectionRefused),
    ],
    ids=["429", "503", "410", "reset", "a page", "403"],
)
def test_a_failed_read_says_so_in_our_words_and_the_next_one_begins_anew(
    running: Running, mailbox: GraphTransport, fault: dict[str, Any], error: type[Exception]
) -> None:
    came(running, 1)
    running.control.fault(LIST, **fault)
    with pytest.raises(error) as raised:
        read(mailbox)
    if isinstance(raised.value, Throttled):
        assert raised.value.retry_after == timedelta(seconds=30)
    assert len(read(mailbox)) == 1


def test_a_fault_between_pages_is_no_end(
    running: Running, mailbox: GraphTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_read_requests, "PAGE", 2)
    for number in range(5):
        came(running, 10 * number)
    running.control.fault(LIST, skip=1, status=503)
    pages = mailbox.incoming(START)
    assert len(next(pages)) == 2
    with pytest.raises(ProviderUnavailable):
        next(pages)


def test_a_mailbox_that_is_disconnected_cannot_be_read(running: Running, mailbox: GraphTransport) -> None:
    item = came(running, 1)
    running.control.revoke(RITA)
    for call in (lambda: read(mailbox), lambda: mailbox.message(item), lambda: mailbox.raw(item)):
        with pytest.raises(ConnectionRefused):
            call()


def test_an_item_says_its_text_what_is_new_in_it_its_html_and_names_its_files(
    running: Running, mailbox: GraphTransport
) -> None:
    text = "Yes, gladly.\n\nOn 2026-03-02 rita@acme.example wrote:\n> An offer\n"
    item = came(
        running, 1, text=text, html="<p>Yes</p>", attachments={"cv.pdf": "12345", "Anlage ä.txt": "1"}
    )
    content = mailbox.message(item)
    assert content is not None
    assert (content.text, content.new_text, content.html) == (text, "Yes, gladly.", "<p>Yes</p>\n")
    assert [(each.name, each.size) for each in content.attachments] == [("cv.pdf", 5), ("Anlage ä.txt", 1)]
    assert not content.cut
    plain = came(running, 2, text="Hello")
    assert mailbox.message(plain) == Content(
        "Hello\n", "Hello", "<html><body><pre>Hello\n</pre></body></html>"
    )


def test_an_item_that_is_too_long_is_read_in_part(
    running: Running, mailbox: GraphTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_read_requests, "MAX_TEXT", 2000)
    item = came(running, 1, text="Hello " * 1000)
    content = mailbox.message(item)
    assert content is not None
    assert (content.text, content.html, content.cut) == (("Hello " * 1000)[:255], "", True)
    long_html = came(running, 2, text="Hello", html=f"<p>{'x' * 3000}</p>")
    content = mailbox.message(long_html)
    assert content is not None
    assert (content.text, content.html, content.cut) == ("Hello\n", "", False)


def test_a_report_is_read_as_mime_up_to_a_limit(running: Running, mailbox: GraphTransport) -> None:
    running.control.behaviour(ANNA, kind="bounce")
    since = datetime.now(UTC) - timedelta(minutes=1)
    mailbox.send(mailbox.prepare(letter(), "correlation_id-1", None))
    (sent,) = running.control.ledger()
    report = next(each for page in mailbox.incoming(since) for each in page if each.correlation_id == "")
    assert report.message_class == "REPORT.IPM.Note.NDR"
    assert f"<{report.original_message_id}>" == sent.internet_message_id
    raw = mailbox.raw(report.provider_id)
    assert raw is not None
    mime = email.message_from_bytes(raw, policy=email.policy.default)
    assert mime.get_content_type() == "multipart/report"
    assert sent.internet_message_id in raw.decode()
    large = came(running, 1, text="x" * (MAX_RAW + 1000))
    assert len(mailbox.raw(large) or b"") == MAX_RAW


def test_what_is_gone_is_none(running: Running, mailbox: GraphTransport) -> None:
    item = came(running, 1)
    (header,) = read(mailbox)
    running.control.delete(RITA, item)
    assert (mailbox.message(header.provider_id), mailbox.raw(header.provider_id)) == (None, None)


def test_an_automatic_reply_from_the_same_organization_is_found_by_its_sender_only(
    running: Running, mailbox: GraphTransport
) -> None:
    running.control.behaviour(OTTO, kind="auto_reply")
    since = datetime.now(UTC) - timedelta(minutes=1)
    mailbox.send(mailbox.prepare(letter(to=OTTO), "correlation_id-1", None))
    assert [each.correlation_id for page in mailbox.incoming(since) for each in page] == ["correlation_id-1"]
    (reply,) = mailbox.written_by(OTTO)
    assert reply.message_class == "IPM.Note.Rules.OofTemplate.Microsoft"
    assert mailbox.written_by('x" OR from:"otto') == []


def test_a_subscription_to_the_inbox_hears_of_what_comes(running: Running, mailbox: GraphTransport) -> None:
    notices: Queue[dict[str, Any]] = Queue()

    def script(request: Request) -> Reply:
        if token := parse_qs(urlsplit(request.path).query).get("validationToken"):
            return http(200, token[0].encode())
        for each in json.loads(request.body)["value"]:
            notices.put(each)
        return http(202)

    with odd_server(script) as hook:
        until = datetime.now(UTC) + timedelta(hours=1)
        key = mailbox.subscribe(f"{hook.url}/hook", "secret", until, folder="inbox")
        mailbox.prepare(letter(), "correlation_id-1", None)
        item = came(running, 1)
        notice = notices.get(timeout=10)
        running.control.reset()
    assert (notice["subscriptionId"], notice["clientState"]) == (key, "secret")
    assert notice["resourceData"]["id"] == item


@pytest.mark.parametrize(
    ("request_of", "path"),
    [
        (graph_read_requests.list_received(START, 0), "/me/messages?"),
        (graph_read_requests.search_sender(ANNA), "/me/messages?"),
        (graph_read_requests.get_sent_folder(), "/me/mailFolders/sentitems?"),
        (graph_read_requests.get_text("a/b="), "/me/messages/a%2Fb%3D?"),
        (graph_read_requests.get_html("a/b="), "/me/messages/a%2Fb%3D?"),
        (graph_read_requests.get_preview("a/b="), "/me/messages/a%2Fb%3D?"),
        (graph_read_requests.list_attachments("a/b="), "/me/messages/a%2Fb%3D/attachments?"),
        (graph_read_requests.get_mime("a/b="), "/me/messages/a%2Fb%3D/$value"),
    ],
    ids=["list", "search", "folder", "text", "html", "preview", "attachments", "mime"],
)
def test_every_request_asks_for_ids_that_stay(request_of: Call, path: str) -> None:
    seen = carried(request_of)
    assert (seen.method, seen.body) == ("GET", b"")
    assert seen.path.startswith(f"/v1.0{path}")
    assert seen.headers["prefer"].count('IdType="ImmutableId"') == 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (rb"a\u0000b", "a\ufffdb"),
        (rb"a\ud83db", "a\ufffdb"),
        (rb"a\ude00b", "a\ufffdb"),
        (rb"a\ud83d\ude00b", "a\U0001f600b"),
        (rb"\ud83d\ude00\u0000", "\U0001f600\ufffd"),
        (rb"a\\u0000b", r"a\u0000b"),
    ],
)
def test_what_postgres_cannot_keep_is_replaced_in_all_that_people_wrote(text: bytes, kept: str) -> None:
    body = b'{"value": [{"subject": "%b", "from": {"emailAddress": {"name": "%b"}}, "size": 3}]}' % (
        text,
        text,
    )
    expected = {"value": [{"subject": kept, "from": {"emailAddress": {"name": kept}}, "size": 3}]}
    assert read_json(body) == expected


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        read_json(b"{")
