"""Graph's requests: the SDK's builders and models write them, one adapter sends each with its own mailbox's token."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.body_type import BodyType
from msgraph.generated.models.email_address import EmailAddress
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.message import Message
from msgraph.generated.models.recipient import Recipient
from msgraph.generated.models.single_value_legacy_extended_property import SingleValueLegacyExtendedProperty

from domain.address import Address
from domain.message import OutgoingMessage
from tests.transports.odd_server import OddServer, Reply, Request, http, odd_server
from transports import graph_requests as requests
from transports import once
from transports.base import AccessToken, Thread
from transports.graph_adapter import expanded
from transports.graph_client import GraphClient
from transports.graph_client import Request as Call
from transports.graph_requests import CORRELATION_ID_PROPERTY
from transports.once import ForeignAddressError, UnansweredError

EMAIL = OutgoingMessage(
    Address("anna@example.org", "Anna Ä"), "Offer", "<p>Hello &amp; “welcome”</p>", "Hello"
)
UNTIL = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


class Tokens:
    """One mailbox's token."""

    def __init__(self, name: str) -> None:
        self.name = name

    organization = ""

    def token(self, claims: str | None = None) -> AccessToken:
        return AccessToken(f"token-of-{self.name}", datetime.now(UTC) + timedelta(hours=1))


def carried(request: Call) -> Request:
    """The request as a server sees it."""
    with odd_server(lambda _: http(200, {})) as server:
        client = GraphClient(server.url)
        client.call(Tokens("rita"), request)
        client.close()
        (seen,) = server.requests
        return seen


@pytest.mark.parametrize(
    ("request_of", "method", "path"),
    [
        (requests.get_person(), "GET", "/me?%24select=id,mail,userPrincipalName,proxyAddresses"),
        (requests.get_organization(), "GET", "/organization?%24select=id,verifiedDomains"),
        (requests.get_settings(), "GET", "/me/mailboxSettings"),
        (requests.get_drafts_folder(), "GET", "/me/mailFolders/drafts?%24select=id"),
        (requests.list_drafts(), "GET", "/me/mailFolders/drafts/messages?%24select=id,isDraft&%24top=1000"),
        (requests.create_draft(EMAIL, "Offer", "m"), "POST", "/me/messages"),
        (requests.create_reply("A/+=", EMAIL, "m"), "POST", "/me/messages/A%2F%2B%3D/createReplyAll"),
        (requests.patch_draft("A/+=", EMAIL), "PATCH", "/me/messages/A%2F%2B%3D"),
        (requests.send("A/+="), "POST", "/me/messages/A%2F%2B%3D/send"),
        (requests.purge("A/+="), "POST", "/me/messages/A%2F%2B%3D/permanentDelete"),
        (requests.subscribe("https://x", "s", UNTIL, "inbox"), "POST", "/subscriptions"),
        (requests.renew_subscription("a/b", UNTIL), "PATCH", "/subscriptions/a%2Fb"),
    ],
)
def test_requests_go_where_microsofts_documentation_says(request_of: Call, method: str, path: str) -> None:
    seen = carried(request_of)
    assert (seen.method, seen.path) == (method, f"/v1.0{path}")
    assert seen.headers["authorization"] == "Bearer token-of-rita"


def test_a_draft_says_all_that_the_sdks_own_model_says() -> None:
    property_ = SingleValueLegacyExtendedProperty(id=CORRELATION_ID_PROPERTY, value="m")
    by_the_book = Message(
        subject="Offer",
        body=ItemBody(content_type=BodyType.Html, content=EMAIL.html),
        to_recipients=[
            Recipient(email_address=EmailAddress(address=EMAIL.recipient.email, name=EMAIL.recipient.name))
        ],
        cc_recipients=[],
        bcc_recipients=[],
        single_value_extended_properties=[property_],
    )
    ours = carried(requests.create_draft(EMAIL, "Offer", "m"))
    theirs = carried(lambda client: client.me.messages.post(by_the_book))
    assert json.loads(ours.body) == json.loads(theirs.body)
    assert ours.headers["content-type"] == "application/json"


def test_a_draft_that_goes_on_with_a_lost_thread_names_what_it_answers() -> None:
    thread = Thread("p", "Offer", "d", "<2@x>", ("<1@x>", "<2@x>"))
    body = json.loads(carried(requests.create_draft(EMAIL, "Re: Offer", "m", thread)).body)
    assert body["singleValueExtendedProperties"] == [
        {"id": CORRELATION_ID_PROPERTY, "value": "m"},
        {"id": "String 0x1042", "value": "<2@x>"},
        {"id": "String 0x1039", "value": "<1@x> <2@x>"},
    ]


@pytest.mark.parametrize("item", ["AAMk-_AA==", "a/b", "ä ö%2F", "{message}", "x?y#z", "~.!*'()"])
@pytest.mark.parametrize(
    "template",
    [
        "{+baseurl}/users/{user%2Did}/messages/{message%2Did}/send",
        "{+baseurl}/users/{user%2Did}/messages/{message%2Did}{?%24expand,%24select}",
    ],
)
def test_addresses_are_those_that_kiota_writes(item: str, template: str) -> None:
    values = {"baseurl": "https://graph.microsoft.com/v1.0", "user%2Did": "me", "message%2Did": item}
    asked = RequestInformation(Method.POST, template, dict(values))
    assert expanded(asked) == asked.url


def test_a_token_is_shown_to_the_configured_address_only() -> None:
    with odd_server(lambda _: http(200, {})) as stranger, odd_server(lambda _: http(200, {})) as server:
        client = GraphClient(server.url)
        for link in (
            f"{stranger.url}/v1.0/me/messages",
            f"{server.url}/beta/me",
            f"{server.url}/v1.0.evil/me",
        ):
            with pytest.raises(UnansweredError) as refused:
                client.call(Tokens("rita"), requests.next_page(link))
            assert isinstance(refused.value.__cause__, ForeignAddressError)
            assert not refused.value.left
        client.close()
        assert stranger.requests == server.requests == []


def test_mailboxes_that_share_the_client_keep_their_own_tokens() -> None:
    everybody = threading.Barrier(8, timeout=20)

    def script(_: Request) -> Reply:
        everybody.wait()  # so that all eight are in flight at once
        return http(202)

    with odd_server(script) as server, ThreadPoolExecutor(8) as pool:
        client = GraphClient(server.url)

        def submit(name: str) -> None:
            client.call(Tokens(name), requests.send(f"draft-of-{name}"))

        list(pool.map(submit, "abcdefgh"))
        client.close()
        assert sorted(
            (seen.path.split("/")[4], seen.headers["authorization"]) for seen in server.requests
        ) == [(f"draft-of-{name}", f"Bearer token-of-{name}") for name in "abcdefgh"]


def test_a_request_that_cannot_be_written_has_not_left() -> None:
    with odd_server(lambda _: http(202)) as server:
        client = GraphClient(server.url)
        with pytest.raises(UnansweredError) as refused:
            client.call(Tokens("rita"), requests.send(None))  # type: ignore[arg-type]
        client.close()
        assert not refused.value.left
        assert server.requests == []


def test_a_forked_process_opens_its_own_connections() -> None:
    def ask(server: OddServer, client: GraphClient) -> int:
        return client.call(Tokens("rita"), requests.send("x")).status if server else 0

    with odd_server(lambda _: http(202)) as server:
        client = GraphClient(server.url)
        assert ask(server, client) == 202
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if ask(server, client) == 202 else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert ask(server, client) == 202
        client.close()
        assert len(server.requests) == 3


def test_a_loop_that_does_not_answer_leaves_a_submission_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd_server(lambda _: http(202)) as server:
        client = GraphClient(server.url)
        client.call(Tokens("rita"), requests.send("x"))
        opened = client._adapter._once._opened
        assert opened is not None
        opened[0]._loop.call_soon_threadsafe(time.sleep, 2)
        monkeypatch.setattr(once, "CALL_CAP", -4.5)  # half a second for the loop thread
        with pytest.raises(UnansweredError) as lost:
            client.call(Tokens("rita"), requests.send("y"))
        assert lost.value.left
        client.close()
        assert len(server.requests) == 1
