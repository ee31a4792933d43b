"""``python -m tests.benchmarks.loops http|sdk|book URL COUNT``: bare loops that make the calls of our hot path and nothing else.

Sixteen at a time, one create and one send for each email, tokens in hand. Prints JSON: seconds and CPU seconds.
"""

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import aiohttp
import httpx
import yarl

AT_ONCE = 16


def tokens_for(url: str, mailboxes: int) -> list[str]:
    """Fresh access tokens of fresh mailboxes, three requests at once at most for each."""
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
    """The email of one turn."""
    return {
        "subject": "A role at Acme",
        "body": {"contentType": "html", "content": "<p>Hello there, this is step 1.</p>"},
        "toRecipients": [{"emailAddress": {"address": f"candidate{number}@example.org"}}],
    }


async def http(url: str, count: int, tokens: list[str]) -> None:
    """aiohttp by hand."""
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


def sdk(url: str, count: int, tokens: list[str]) -> None:
    """msgraph-sdk done right, as our transport does it: builders and authentication, answers as bytes."""
    from domain.message import Address, OutgoingMessage
    from transports.base import AccessToken
    from transports.graph import GraphProvider

    provider = GraphProvider(url)
    expires_at = datetime.now(UTC) + timedelta(hours=1)

    class Held:
        def __init__(self, value: str) -> None:
            self._token = AccessToken(value, expires_at)

        def token(self, claims: str | None = None) -> AccessToken:
            return self._token

    def one(number: int) -> None:
        transport = provider.transport(Held(tokens[number % len(tokens)]))
        recipient = Address(f"candidate{number}@example.org", "Candidate")
        text = "Hello there, this is step 1."
        message = OutgoingMessage(recipient, "A role at Acme", f"<p>{text}</p>", text)
        transport.send(transport.prepare(message, f"loop-{number}", None))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(count)))
    provider.close()


async def book(url: str, count: int, tokens: list[str]) -> None:
    """msgraph-sdk as its documentation shows it: model objects in and out."""
    from tests.benchmarks.naive import client, message

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
    """One loop."""
    kind, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tokens = tokens_for(url, 32)
    for turns in (64, count):  # the first turns warm up imports and connections
        began, used = time.monotonic(), time.process_time()
        match kind:
            case "http":
                asyncio.run(http(url, turns, tokens))
            case "sdk":
                sdk(url, turns, tokens)
            case "book":
                asyncio.run(book(url, turns, tokens))
    print(
        json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - used, "emails": count})
    )


if __name__ == "__main__":
    main()
