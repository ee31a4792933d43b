"""Delta, subscriptions, batches and the limits in time, as the emulator plays them."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from tests.lab.emulator.local import MESSAGES, RITA, Local, at, code, letter

DRAFTS = "/v1.0/me/mailFolders/drafts/messages/delta"


@pytest.fixture
def graph() -> Iterator[Local]:
    local = Local()
    yield local
    local.runner.close()


def follow(graph: Local, link: str, **more: Any) -> dict[str, Any]:
    parts = urlsplit(link)
    answer = graph(
        "GET", parts.path, params={name: values[0] for name, values in parse_qs(parts.query).items()}, **more
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_a_delta_shows_everything_once_and_then_only_what_changed(graph: Local) -> None:
    first, second = graph.draft(), graph.draft()
    start = follow(graph, DRAFTS)
    assert {each["id"] for each in start["value"]} == {first["id"], second["id"]}
    assert follow(graph, start["@odata.deltaLink"])["value"] == []
    graph("PATCH", at(first), {"subject": "Another"})
    graph("POST", at(second, "/permanentDelete"))
    third = graph.draft()
    changed = follow(graph, start["@odata.deltaLink"])["value"]
    by_id = {each["id"]: each for each in changed}
    assert set(by_id) == {first["id"], second["id"], third["id"]}
    assert by_id[first["id"]]["subject"] == "Another"
    assert by_id[second["id"]] == {"id": second["id"], "@removed": {"reason": "deleted"}}


def test_a_sent_item_leaves_the_drafts_of_a_delta(graph: Local) -> None:
    draft = graph.draft()
    start = follow(graph, DRAFTS)
    graph.send(draft)
    assert follow(graph, start["@odata.deltaLink"])["value"] == [
        {"id": draft["id"], "@removed": {"reason": "deleted"}}
    ]


def test_a_long_delta_comes_in_pages(graph: Local) -> None:
    wanted = {graph.draft()["id"] for _ in range(5)}
    page = follow(graph, DRAFTS, headers={})
    seen = [each["id"] for each in page["value"]]
    assert set(seen) == wanted
    (answer,) = graph.call(
        (
            "GET",
            DRAFTS,
            {"headers": {"Authorization": f"Bearer {graph.token}", "Prefer": "odata.maxpagesize=2"}},
        )
    )
    body, paged = answer.json(), []
    assert len(body["value"]) == 2
    while True:
        paged += [each["id"] for each in body["value"]]
        if "@odata.deltaLink" in body:
            break
        body = follow(graph, body["@odata.nextLink"])
    assert sorted(paged) == sorted(wanted)


def test_a_forgotten_delta_token_is_gone(graph: Local) -> None:
    start = follow(graph, DRAFTS)
    graph.control("forget-deltas")
    token = urlsplit(start["@odata.deltaLink"]).query
    assert code(graph("GET", f"{DRAFTS}?{token}")) == (410, "SyncStateNotFound")


def test_many_requests_travel_in_one_and_are_answered_each(graph: Local) -> None:
    requests = [
        {
            "id": "1",
            "method": "POST",
            "url": "/me/messages",
            "body": letter(),
            "headers": {"Content-Type": "application/json"},
        },
        {"id": "2", "method": "GET", "url": "/me/messages/unknown"},
    ]
    answer = graph("POST", "/v1.0/$batch", {"requests": requests})
    assert [(each["id"], each["status"]) for each in answer.json()["responses"]] == [("1", 201), ("2", 404)]
    assert len(graph.listed("drafts")) == 1
    assert graph("POST", "/v1.0/$batch", {"requests": requests * 11}).status_code == 400


def test_an_item_is_shown_as_mime_and_can_be_forwarded(graph: Local) -> None:
    draft = graph.draft(letter(internetMessageHeaders=[{"name": "x-key", "value": "7"}]))
    email = message_from_bytes(graph("GET", at(draft, "/$value")).content)
    assert (email["To"], email["Subject"], email["x-key"]) == ("anna@example.org", "An offer", "7")
    forward = graph("POST", at(draft, "/createForward")).json()
    assert (forward["subject"], forward["toRecipients"]) == ("FW: An offer", [])
    ids = graph("POST", "/v1.0/me/translateExchangeIds", {"inputIds": [draft["id"]]}).json()["value"]
    assert ids == [{"sourceId": draft["id"], "targetId": draft["id"]}]


def test_too_many_requests_in_ten_minutes_are_refused_with_the_time_to_wait(graph: Local) -> None:
    graph.switch(requests_in_ten_minutes=5)
    answers = [graph("GET", MESSAGES) for _ in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [429]
    assert 590 <= int(answers[-1].headers["Retry-After"]) <= 601


def test_more_than_thirty_emails_in_a_minute_are_a_violation_named_once(graph: Local) -> None:
    for _ in range(33):
        graph.send(graph.draft())
    assert graph.world.violations == [f"{RITA}: 31 emails in a minute"]


class Endpoint:
    """A web server that receives notifications, and proves itself by the handshake if ``polite``."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.polite = True
        self.url = ""

    async def heard(self, count: int) -> None:
        """Wait for so many notifications."""
        async with asyncio.timeout(30):
            while len(self.received) < count:
                self.news.clear()
                await self.news.wait()

    async def start(self) -> web.ServerRunner:
        async def receive(request: web.BaseRequest) -> web.Response:
            if "validationToken" in request.query:
                return web.Response(text=request.query["validationToken"] if self.polite else "hello")
            self.received += (await request.json())["value"]
            self.news.set()
            return web.Response(status=202)

        runner = web.ServerRunner(web.Server(receive))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return runner


def wanted(endpoint: Endpoint, **changes: object) -> dict[str, object]:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    known = {
        "changeType": "created,updated",
        "notificationUrl": endpoint.url,
        "lifecycleNotificationUrl": endpoint.url,
    }
    return (
        known
        | {"resource": "me/mailFolders('inbox')/messages", "expirationDateTime": until, "clientState": "s"}
        | changes
    )


def test_a_subscription_is_proved_notified_renewed_and_ended(graph: Local) -> None:
    endpoint = Endpoint()
    runner = graph.runner.run(endpoint.start())
    made = graph("POST", "/v1.0/subscriptions", wanted(endpoint))
    assert made.status_code == 201, made.text
    assert "clientState" not in made.json()
    item = graph.control("deliver", mailbox=RITA, **{"from": "anna@example.org", "subject": "Yes"})
    graph.runner.run(endpoint.heard(1))
    (notice,) = endpoint.received
    assert (notice["changeType"], notice["resourceData"]["id"], notice["clientState"]) == (
        "created",
        item["id"],
        "s",
    )
    assert notice["subscriptionId"] == made.json()["id"]
    assert graph.control("lifecycle", mailbox=RITA, event="subscriptionRemoved") == {"notified": 1}
    graph.runner.run(endpoint.heard(2))
    assert endpoint.received[-1]["lifecycleEvent"] == "subscriptionRemoved"
    path = f"/v1.0/subscriptions/{made.json()['id']}"
    assert code(graph("PATCH", path, wanted(endpoint))) == (404, "ResourceNotFound")
    again = graph("POST", "/v1.0/subscriptions", wanted(endpoint)).json()
    path = f"/v1.0/subscriptions/{again['id']}"
    assert graph("PATCH", path, wanted(endpoint)).status_code == 200
    assert [each["id"] for each in graph("GET", "/v1.0/subscriptions").json()["value"]] == [again["id"]]
    assert graph("DELETE", path).status_code == 204
    assert graph("GET", "/v1.0/subscriptions").json()["value"] == []
    graph.runner.run(runner.cleanup())


def test_an_endpoint_that_does_not_prove_itself_and_a_life_too_long_are_refused(graph: Local) -> None:
    endpoint = Endpoint()
    runner = graph.runner.run(endpoint.start())
    endpoint.polite = False
    assert code(graph("POST", "/v1.0/subscriptions", wanted(endpoint))) == (400, "ValidationError")
    late = (datetime.now(UTC) + timedelta(days=8)).isoformat()
    assert graph("POST", "/v1.0/subscriptions", wanted(endpoint, expirationDateTime=late)).status_code == 400
    assert graph("GET", "/v1.0/subscriptions").json()["value"] == []
    graph.runner.run(runner.cleanup())


def test_a_subscriber_to_the_inbox_hears_of_what_arrives_later_and_not_of_other_folders(graph: Local) -> None:
    endpoint = Endpoint()
    runner = graph.runner.run(endpoint.start())
    assert graph("POST", "/v1.0/subscriptions", wanted(endpoint, changeType="created")).status_code == 201
    values = {"from": "anna@example.org"}
    item = graph.control("incoming", mailbox=RITA, values=values | {"after": 0.1})
    graph.control("incoming", mailbox=RITA, values=values | {"folder": "archive"})
    graph.control("incoming", mailbox=RITA, values=values | {"hidden": True})
    graph.runner.run(endpoint.heard(1))  # nobody asks for anything meanwhile
    assert [each["resourceData"]["id"] for each in endpoint.received] == [item["id"]]
    graph.runner.run(runner.cleanup())
