"""Bare loops with the calls of our hot path and nothing else.

``python -m lab.benchmarks.loops http|sdk|book URL COUNT``: sixteen at a time, one create and one send per email,
with tokens fetched beforehand. Prints JSON: seconds and CPU seconds.
"""

import asyncio
import json
import sys
import time
from typing import Any, cast
from urllib.parse import quote

import aiohttp
import httpx
import httpx_aiohttp
import orjson
import yarl

AT_ONCE = 16


def tokens_for(url: str, mailboxes: int) -> list[str]:
    """Fetch access tokens for fresh mailboxes, enough that each has three requests at once at most."""
    found = []
    with httpx.Client(base_url=url, trust_env=False) as http:
        for number in range(mailboxes):
            address = f"loop{number}.{time.monotonic_ns()}@loop.example"
            http.post("/_control/mailboxes", json={"mailboxes": [{"address": address}]})
            refresh = http.post("/_control/refresh-tokens", json={"address": address}).json()["refresh_token"]
            form = {"client_secret": "demo-secret", "grant_type": "refresh_token", "refresh_token": refresh}
            found.append(http.post("/organizations/oauth2/v2.0/token", data=form).json()["access_token"])
    return found


def letter(number: int) -> dict[str, object]:
    """The email of one iteration."""
    return {
        "subject": "A role at Acme",
        "body": {"contentType": "html", "content": "<p>Hello there, this is step 1.</p>"},
        "toRecipients": [{"emailAddress": {"address": f"candidate{number}@example.org"}}],
    }


async def http(url: str, count: int, tokens: list[str]) -> None:
    """aiohttp, with hand-written requests."""
    turns = iter(range(count))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def work() -> None:
            for number in turns:
                headers = {"Authorization": f"Bearer {tokens[number % len(tokens)]}"}
                async with session.post(
                    f"{url}/v1.0/me/messages", json=letter(number), headers=headers
                ) as answer:
                    item = (await answer.json())["id"]
                path = f"{url}/v1.0/me/messages/{quote(item, safe='')}/send"
                async with session.post(yarl.URL(path, encoded=True), headers=headers) as answer:
                    assert answer.status == 202, answer.status

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def sdk(url: str, count: int, tokens: list[str]) -> None:
    """msgraph-sdk done right: one HTTP client on aiohttp, no retries, responses as bytes and decoded by hand."""
    from kiota_http.middleware.options import RetryHandlerOption
    from msgraph.graph_request_adapter import options as defaults
    from msgraph_core import GraphClientFactory

    from lab.benchmarks.naive import client, message

    no_retries = RetryHandlerOption(max_retries=0, should_retry=False)
    turns = iter(range(count))
    async with httpx_aiohttp.HttpxAiohttpClient(trust_env=False, timeout=20) as http:
        options = {**defaults, no_retries.get_key(): no_retries}
        shared = GraphClientFactory.create_with_default_middleware(client=http, options=options)
        clients = [client(url, token, shared) for token in tokens]

        async def work() -> None:
            for number in turns:
                graph = clients[number % len(clients)]
                letter = message(f"candidate{number}@example.org", correlation_id=f"loop-{number}")
                post = graph.me.messages.to_post_request_information(letter)
                adapter = cast("Any", graph.request_adapter)
                draft = orjson.loads(await adapter.send_primitive_async(post, "bytes", {}))
                submit = graph.me.messages.by_message_id(draft["id"]).send.to_post_request_information()
                await adapter.send_primitive_async(submit, "bytes", {})

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def book(url: str, count: int, tokens: list[str]) -> None:
    """msgraph-sdk as its documentation shows it, with model objects in and out."""
    from lab.benchmarks.naive import client, message

    turns = iter(range(count))
    clients = [client(url, token) for token in tokens]

    async def work() -> None:
        for number in turns:
            graph = clients[number % len(clients)]
            draft = await graph.me.messages.post(message(f"candidate{number}@example.org"))
            assert draft is not None
            assert draft.id is not None
            await graph.me.messages.by_message_id(draft.id).send.post()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


def main() -> None:
    """Run one loop."""
    kind, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tokens = tokens_for(url, 32)
    for turns in (64, count):  # the first iterations warm up imports and connections
        began, used = time.monotonic(), time.process_time()
        match kind:
            case "http":
                asyncio.run(http(url, turns, tokens))
            case "sdk":
                asyncio.run(sdk(url, turns, tokens))
            case "book":
                asyncio.run(book(url, turns, tokens))
    print(
        json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - used, "emails": count})
    )


if __name__ == "__main__":
    main()
