"""Graph answers badly, or not at all: what is certain, what is in doubt, and that nothing is sent twice."""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from domain.address import Address
from domain.errors import (
    DeliveryInDoubt,
    MailboxDisconnected,
    OperatorMisconfigured,
    PreviousStillDraft,
    ProviderError,
    ProviderUnavailable,
    Throttled,
)
from domain.message import OutgoingMessage
from tests.transports.odd_server import Cut, Hang, OddServer, Reply, Request, graph_error, http, odd_server
from transports import once
from transports.base import AccessToken, Draft, Thread, Traceable, Transport
from transports.graph import GraphProvider, GraphTransport

DRAFT = Draft("AAk/+x==")
LETTER = OutgoingMessage(Address("anna@example.org", "Anna"), "Offer", "<p>Hello</p>", "Hello")
ITEM = {"id": "AAk1", "isDraft": True, "internetMessageId": "<1@x>", "conversationId": "c1"}


class Tokens:
    """A token source that counts, and returns a new token for each challenge."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.number = 0
        self.error: Exception | None = None

    organization = ""

    def token(self, claims: str | None = None) -> AccessToken:
        self.asked.append(claims)
        if self.error is not None:
            raise self.error
        if claims is not None:
            self.number += 1
        return AccessToken(f"token-{self.number}", datetime.now(UTC) + timedelta(hours=1))


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


Connect = Callable[[Callable[[Request], Reply]], tuple[OddServer, GraphTransport]]


@pytest.fixture
def connect(tokens: Tokens) -> Iterator[Connect]:
    opened = []

    def open_one(script: Callable[[Request], Reply]) -> tuple[OddServer, GraphTransport]:
        manager = odd_server(script)
        server = manager.__enter__()
        provider = GraphProvider(server.url)
        opened.append((manager, provider))
        return server, provider.transport(tokens)

    yield open_one
    for manager, provider in opened:
        provider.close()
        manager.__exit__(None, None, None)


def always(reply: Reply) -> Callable[[Request], Reply]:
    return lambda _request: reply


def test_it_is_a_transport_that_can_be_asked_afterwards(connect: Connect) -> None:
    _, transport = connect(always(http(202)))
    as_transport: Transport = transport
    as_traceable: Traceable = transport
    assert isinstance(as_traceable, Traceable)
    assert as_transport is as_traceable


def test_202_is_acceptance_even_with_retry_after(connect: Connect) -> None:
    server, transport = connect(always(http(202, Retry_After="10", request_id="7f-1")))
    assert transport.send(DRAFT).request_id == "7f-1"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1.0/me/messages/AAk%2F%2Bx%3D%3D/send")
    assert request.headers["content-length"] == "0"
    assert request.headers["authorization"] == "Bearer token-0"


IN_DOUBT = {
    "silence after the request, then the end": Cut(),
    "a reset after the request": Cut(reset=True),
    "a status line cut off": Cut(b"HTTP/1.1 20"),
    "no HTTP at all": Cut(b"SSH-2.0-OpenSSH\r\n\r\n"),
    "headers cut off": Cut(b"HTTP/1.1 202 Accepted\r\nContent-Le"),
    "a body cut off": Cut(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\n123"),
    "a body reset": Cut(b"HTTP/1.1 500 X\r\nContent-Length: 10\r\n\r\n123", reset=True),
    "a body that is not the gzip it says": http(202, b"plain", Content_Encoding="gzip"),
    "another success": http(200),
    "no content": http(204),
    "not modified": http(304),
    "a redirect": http(302, Location="http://127.0.0.1:1/elsewhere"),
    "a redirect to nowhere": http(307),
    "a gateway's page": http(403, b"<html>blocked</html>"),
    "an empty 400": http(400),
    "not found": graph_error(404, "ErrorItemNotFound"),
    "a timeout of theirs": graph_error(408, "ErrorTimeoutExpired"),
    "a conflict": graph_error(409, "ErrorIrresolvableConflict"),
    "500": graph_error(500, "ErrorInternalServerError"),
    "502": http(502, b"<html>Bad Gateway</html>"),
    "503 with Retry-After": graph_error(503, "ServiceUnavailable", Retry_After="1"),
    "504 with Retry-After": graph_error(504, "UnknownError", Retry_After="1"),
    "busy, said with a 400": graph_error(400, "ErrorServerBusy"),
}


@pytest.mark.parametrize("reply", IN_DOUBT.values(), ids=list(IN_DOUBT))
def test_a_submission_with_a_doubtful_answer_is_in_doubt_and_not_repeated(
    connect: Connect, reply: Reply
) -> None:
    server, transport = connect(always(reply))
    with pytest.raises(DeliveryInDoubt):
        transport.send(DRAFT)
    assert len(server.requests) == 1


@pytest.mark.parametrize("reply", IN_DOUBT.values(), ids=list(IN_DOUBT))
def test_on_a_connection_used_before_it_is_the_same(connect: Connect, reply: Reply) -> None:
    server, transport = connect(lambda request: http(202) if request is server.requests[0] else reply)
    transport.send(DRAFT)
    with pytest.raises(DeliveryInDoubt):
        transport.send(DRAFT)
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [429, 503, 504, 500, 502])
@pytest.mark.parametrize("retry_after", ["0", "1", None])
def test_nothing_in_the_stack_repeats_a_request(
    connect: Connect, status: int, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    server, transport = connect(always(graph_error(status, "UnknownError", **headers)))
    calls: list[Callable[[], object]] = [
        lambda: transport.send(DRAFT),
        lambda: transport.prepare(LETTER, "m", None),
        lambda: transport.find("m"),
        lambda: transport.update(DRAFT, LETTER),
        lambda: transport.recall("x"),
        transport.verify,
    ]
    for number, call in enumerate(calls, start=1):
        with pytest.raises(ProviderError):
            call()
        assert len(server.requests) == number


def test_silence_after_a_submission_ends_in_doubt(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    # Long enough for the request to leave on a busy machine. What has not left is not in doubt.
    monkeypatch.setattr(once, "CALL_CAP", 4.0)
    server, transport = connect(always(Hang()))
    with pytest.raises(DeliveryInDoubt):
        transport.send(DRAFT)
    assert len(server.requests) == 1


def test_an_answer_that_trickles_in_is_cut_off(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "CALL_CAP", 0.5)
    _, transport = connect(always(Hang()))
    with pytest.raises(ProviderUnavailable):
        transport.find("m")


@pytest.mark.parametrize("call", ["send", "find"])
def test_where_nobody_listens_nothing_has_left(tokens: Tokens, call: str) -> None:
    with odd_server(always(http(202))) as server:
        url = server.url
    provider = GraphProvider(url)
    transport = provider.transport(tokens)
    with pytest.raises(ProviderUnavailable):
        transport.send(DRAFT) if call == "send" else transport.find("m")
    provider.close()


def test_where_no_tls_comes_about_nothing_has_left(tokens: Tokens) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        provider = GraphProvider(f"https://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(ProviderUnavailable):
            provider.transport(tokens).send(DRAFT)
        provider.close()
        thread.join()


def test_an_unknown_name_means_that_nothing_has_left(tokens: Tokens) -> None:
    provider = GraphProvider("https://graph.invalid")
    with pytest.raises(ProviderUnavailable):
        provider.transport(tokens).send(DRAFT)
    provider.close()


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"id": "A', b"[]", b'"x"', b"null", b'{"id": 7}', b"{}", b'{"value": {}}',
     b'{"value": ["x"]}', b'{"value": [{"id": "A", "isDraft": "yes"}]}'],
)  # fmt: skip
def test_a_good_answer_that_says_nothing_is_unavailability(connect: Connect, body: bytes) -> None:
    _, transport = connect(always(http(200, body)))
    for call in (
        lambda: transport.prepare(LETTER, "m", None),
        lambda: transport.find("m"),
        lambda: transport.update(DRAFT, LETTER),
        transport.verify,
    ):
        with pytest.raises(ProviderUnavailable):
            call()


def test_a_bare_404_does_not_make_a_draft_gone(connect: Connect) -> None:
    _, transport = connect(always(http(404, b"<html>Not Found</html>")))
    with pytest.raises(ProviderUnavailable):
        transport.recall("x")


def test_a_draft_that_graph_does_not_know_is_gone(connect: Connect) -> None:
    _, transport = connect(always(graph_error(404, "ErrorItemNotFound")))
    assert transport.recall("x") is False


def test_every_call_asks_for_immutable_ids(connect: Connect) -> None:
    def script(request: Request) -> Reply:
        if request.path.endswith("/send"):
            return http(202)
        if "mailFolders" in request.path:
            return http(200, {"id": "drafts"})
        if request.path.endswith("permanentDelete"):
            return http(204)
        if request.method == "GET" and "filter" in request.path:
            return http(200, {"value": [{**ITEM, "isDraft": False}]})
        to = [{"emailAddress": {"address": "Anna@example.org"}}]
        return http(200, {**ITEM, "parentFolderId": "drafts", "toRecipients": to})

    server, transport = connect(script)
    transport.prepare(LETTER, "m", None)
    transport.prepare(LETTER, "m", Thread("parent", "Offer", "AAk1"))
    transport.update(DRAFT, LETTER)
    transport.send(DRAFT)
    assert transport.recall("x")
    assert len(server.requests) == 10
    assert {request.headers.get("prefer") for request in server.requests} == {'IdType="ImmutableId"'}


def test_a_claims_challenge_is_met_once_with_the_claims_it_names(connect: Connect, tokens: Tokens) -> None:
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    challenge = (
        'Bearer realm="", authorization_uri="https://x", error="insufficient_claims", '
        f'claims="{base64.b64encode(claims.encode()).decode()}"'
    )

    def script(request: Request) -> Reply:
        fresh = request.headers["authorization"] == "Bearer token-1"
        return http(202) if fresh else http(401, b"", WWW_Authenticate=challenge)

    server, transport = connect(script)
    transport.send(DRAFT)
    assert [request.headers["authorization"] for request in server.requests] == [
        "Bearer token-0",
        "Bearer token-1",
    ]
    assert tokens.asked == [None, claims]


@pytest.mark.parametrize("padding", ["", "=="])
def test_a_challenge_may_follow_another(connect: Connect, tokens: Tokens, padding: str) -> None:
    claims = '{"access_token":{"nbf":1}}'
    named = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=") + padding
    challenge = f'Bearer error="insufficient_claims", claims="{named}"'
    replies = {
        "Bearer token-0": graph_error(401, "InvalidAuthenticationToken"),
        "Bearer token-1": http(401, b"", WWW_Authenticate=challenge),
        "Bearer token-2": http(202),
    }
    server, transport = connect(lambda request: replies[request.headers["authorization"]])
    transport.send(DRAFT)
    assert len(server.requests) == 3
    assert tokens.asked == [None, "{}", claims]


def test_a_token_does_not_travel_in_the_clear(tokens: Tokens) -> None:
    provider = GraphProvider("http://graph.invalid")
    for ask in (lambda: provider.transport(tokens).send(DRAFT), lambda: provider.transport(tokens).find("m")):
        with pytest.raises(ProviderUnavailable) as refused:
            ask()
        assert refused.value.code == "UnencryptedError"
    provider.close()


def test_a_submission_says_that_it_has_no_body(connect: Connect) -> None:
    server, transport = connect(always(http(202)))
    transport.send(DRAFT)
    headers = server.requests[0].headers
    assert headers["content-length"] == "0"
    assert "content-type" not in headers


def test_a_401_without_claims_is_asked_once_more_with_a_newer_token(connect: Connect, tokens: Tokens) -> None:
    server, transport = connect(
        lambda request: (
            http(202)
            if request.headers["authorization"] == "Bearer token-1"
            else graph_error(401, "InvalidAuthenticationToken")
        )
    )
    tokens.number = 0
    real = tokens.token
    tokens.token = lambda claims=None: real(claims)  # type: ignore[method-assign]
    assert transport.send(DRAFT)
    assert len(server.requests) == 2


def test_two_401s_are_a_dead_connection(connect: Connect) -> None:
    server, transport = connect(always(graph_error(401, "InvalidAuthenticationToken")))
    with pytest.raises(MailboxDisconnected):
        transport.send(DRAFT)
    assert len(server.requests) == 2


def test_a_send_steps_back_when_its_first_token_took_long(connect: Connect, tokens: Tokens) -> None:
    server, transport = connect(always(http(202)))
    real = tokens.token

    def slow(claims: str | None = None) -> AccessToken:
        time.sleep(2.1)
        return real(claims)

    tokens.token = slow  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable) as raised:
        transport.send(DRAFT)
    assert raised.value.code == "stepped_back"
    assert server.requests == []


def test_a_send_steps_back_when_renewing_the_token_took_long(connect: Connect, tokens: Tokens) -> None:
    server, transport = connect(always(graph_error(401, "InvalidAuthenticationToken")))
    real = tokens.token

    def slow(claims: str | None = None) -> AccessToken:
        if claims is not None:
            time.sleep(2.1)
        return real(claims)

    tokens.token = slow  # type: ignore[method-assign]
    with pytest.raises(ProviderUnavailable) as raised:
        transport.send(DRAFT)
    assert raised.value.code == "stepped_back"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MailboxDisconnected("x"), MailboxDisconnected),
        (OperatorMisconfigured("x"), OperatorMisconfigured),
        (ProviderUnavailable("x"), ProviderUnavailable),
        (RuntimeError("secret"), ProviderUnavailable),
    ],
)
def test_without_a_token_nothing_leaves(
    connect: Connect, tokens: Tokens, error: Exception, expected: type[Exception]
) -> None:
    server, transport = connect(always(http(202)))
    tokens.error = error
    with pytest.raises(expected) as raised:
        transport.send(DRAFT)
    assert "secret" not in str(raised.value)
    assert server.requests == []


def test_cookies_of_one_mailbox_never_reach_another(connect: Connect) -> None:
    server, transport = connect(always(http(202, Set_Cookie="who=anna; Path=/")))
    transport.send(DRAFT)
    transport.send(DRAFT)
    assert "cookie" not in server.requests[1].headers


def test_the_environment_names_no_proxy(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    _, transport = connect(always(http(202)))
    transport.send(DRAFT)


def test_a_link_to_another_host_is_not_followed(connect: Connect) -> None:
    with odd_server(always(http(200, {"value": []}))) as stranger:
        link = f"{stranger.url}/v1.0/me/messages"
        _, transport = connect(always(http(200, {"value": [], "@odata.nextLink": link})))
        with pytest.raises(ProviderUnavailable):
            transport.find("m")
        assert stranger.requests == []


def test_empty_pages_are_followed_to_the_last(connect: Connect) -> None:
    def script(request: Request) -> Reply:
        page = int(request.path.partition("skip=")[2] or 0)
        if page == 3:
            return http(200, {"value": [ITEM]})
        return http(200, {"value": [], "@odata.nextLink": f"{server.url}/v1.0/me/messages?skip={page + 1}"})

    server, transport = connect(script)
    assert [item.id for item in transport.find("m")] == ["AAk1"]


def test_pages_without_end_are_given_up(connect: Connect) -> None:
    link = {"value": [], "@odata.nextLink": ""}
    server, transport = connect(
        lambda _: http(200, {**link, "@odata.nextLink": f"{server.url}/v1.0/me/messages"})
    )
    with pytest.raises(ProviderUnavailable):
        transport.find("m")
    assert len(server.requests) == 20


def test_a_reply_whose_recipients_were_not_taken_is_removed_and_not_used(connect: Connect) -> None:
    def script(request: Request) -> Reply:
        if request.method == "GET" and "filter" in request.path:
            return http(200, {"value": [{**ITEM, "isDraft": False}]})
        if "mailFolders" in request.path:
            return http(200, {"id": "drafts"})
        if request.path.endswith("permanentDelete"):
            return http(204)
        strangers = [{"emailAddress": {"address": "myself@example.org"}}]
        return http(200, {**ITEM, "parentFolderId": "drafts", "toRecipients": strangers})

    server, transport = connect(script)
    with pytest.raises(ProviderUnavailable) as raised:
        transport.prepare(LETTER, "m", Thread("parent", "Offer", "AAk1"))
    assert raised.value.code == "recipients_not_taken"
    assert server.requests[-1].path.endswith("permanentDelete")


def test_a_reply_carries_its_correlation_id_from_the_first_request(connect: Connect) -> None:
    def script(request: Request) -> Reply:
        if request.method == "GET":
            return http(200, {"value": [{**ITEM, "isDraft": False}]})
        return http(200, {**ITEM, "toRecipients": [{"emailAddress": {"address": "anna@example.org"}}]})

    server, transport = connect(script)
    transport.prepare(LETTER, "correlation_id-1", Thread("parent", "Offer", "AAk1"))
    created = json.loads(server.requests[1].body)["Message"]
    patched = json.loads(server.requests[2].body)
    assert server.requests[1].path.endswith("/createReplyAll")
    assert server.requests[2].method == "PATCH"
    for body in (created, patched):
        assert body["singleValueExtendedProperties"][0]["value"] == "correlation_id-1"
        assert [to["emailAddress"]["address"] for to in body["toRecipients"]] == ["anna@example.org"]
        assert body["ccRecipients"] == body["bccRecipients"] == []
        assert "subject" not in body


REPLY = {**ITEM, "id": "reply", "toRecipients": [{"emailAddress": {"address": "anna@example.org"}}]}
LEFT = Thread("parent", "Offer", "AAk1", conversation_id="c1", left=True)


def test_an_email_known_to_have_left_is_answered_without_a_search(connect: Connect) -> None:
    server, transport = connect(always(http(200, REPLY)))
    assert transport.prepare(LETTER, "m", LEFT).id == "reply"
    assert [(each.method, each.path.rpartition("/")[2]) for each in server.requests] == [
        ("POST", "createReplyAll"),
        ("PATCH", "reply"),
    ]


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "ErrorItemNotFound"), (400, "ErrorInvalidMailboxItemId"), (400, "SomethingNew")],
)
def test_an_email_that_has_left_under_another_id_is_searched_for(
    connect: Connect, status: int, code: str
) -> None:
    def script(request: Request) -> Reply:
        if request.method == "GET":
            return http(200, {"value": [{**ITEM, "id": "moved", "isDraft": False}]})
        if request.path.endswith("/AAk1/createReplyAll"):
            return graph_error(status, code)
        return http(200, REPLY)

    server, transport = connect(script)
    assert transport.prepare(LETTER, "m", LEFT).id == "reply"
    assert server.requests[2].path.endswith("/moved/createReplyAll")


def test_a_reply_outside_its_conversation_is_removed_and_what_it_answers_searched_for(
    connect: Connect,
) -> None:
    def script(request: Request) -> Reply:
        if request.method == "GET" and "filter" in request.path:
            return http(200, {"value": [ITEM]})
        if "mailFolders" in request.path:
            return http(200, {"id": "drafts"})
        if request.path.endswith("permanentDelete"):
            return http(204)
        return http(200, {**REPLY, "conversationId": "of its own", "parentFolderId": "drafts"})

    server, transport = connect(script)
    with pytest.raises(PreviousStillDraft):
        transport.prepare(LETTER, "m", LEFT)
    assert server.requests[-2].path.endswith("/reply/permanentDelete")
    assert [each for each in server.requests if each.method == "PATCH"] == []


def test_a_follow_up_waits_while_its_parent_is_a_draft(connect: Connect) -> None:
    server, transport = connect(always(http(200, {"value": [ITEM]})))
    with pytest.raises(ProviderUnavailable) as raised:
        transport.prepare(LETTER, "m", Thread("parent", "Offer", "AAk1"))
    assert raised.value.code == "thread_not_sent_yet"
    assert len(server.requests) == 1


@pytest.mark.parametrize("seen", [True, False])
def test_a_follow_up_without_a_parent_is_a_new_email(connect: Connect, seen: bool) -> None:
    def script(request: Request) -> Reply:
        if request.method == "GET":
            return http(200, {"value": [{**ITEM, "isDraft": False}] if seen else []})
        if request.path.endswith("createReplyAll"):
            return graph_error(404, "ErrorItemNotFound")
        return http(201, ITEM)

    server, transport = connect(script)
    assert transport.prepare(LETTER, "m", Thread("parent", "Offer", "AAk1")).id == "AAk1"
    assert json.loads(server.requests[-1].body)["subject"] == "Re: Offer"


def test_throttled_says_how_long(connect: Connect) -> None:
    _, transport = connect(always(graph_error(429, "TooManyRequests", Retry_After="12")))
    with pytest.raises(Throttled) as raised:
        transport.send(DRAFT)
    assert raised.value.retry_after == timedelta(seconds=12)


def test_many_threads_share_one_client(connect: Connect) -> None:
    server, transport = connect(always(http(202)))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                transport.send(DRAFT)
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(server.requests) == 80


def test_a_closed_provider_opens_again(connect: Connect, tokens: Tokens) -> None:
    server, _ = connect(always(http(202)))
    provider = GraphProvider(server.url)
    provider.transport(tokens).send(DRAFT)
    provider.close()
    provider.transport(tokens).send(DRAFT)
    provider.close()
    provider.close()
