"""The emulator in the test's own process, and helpers to call it."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx

from lab.emulator.app import create_app
from lab.emulator.world import World

RITA, OTTO = "rita@acme.example", "otto@acme.example"
SCOPES = "User.Read Mail.ReadWrite Mail.Send MailboxSettings.Read"
MARKER = "String {00020329-0000-0000-C000-000000000046} Name SendKey"
MESSAGES = "/v1.0/me/messages"


def to(*addresses: str) -> list[dict[str, Any]]:
    return [{"emailAddress": {"address": address}} for address in addresses]


def letter(**changes: Any) -> dict[str, Any]:
    body = {"contentType": "html", "content": "<p>Hello</p>"}
    return {"subject": "An offer", "body": body, "toRecipients": to("anna@example.org"), **changes}


def marked(value: str = "key-1") -> dict[str, Any]:
    return letter(singleValueExtendedProperties=[{"id": MARKER, "value": value}])


def filtering(name: str = MARKER, value: str = "key-1") -> dict[str, str]:
    return {"$filter": f"singleValueExtendedProperties/any(e:e/id eq '{name}' and e/value eq '{value}')"}


def at(item: dict[str, Any] | str, action: str = "") -> str:
    return f"{MESSAGES}/{quote(item if isinstance(item, str) else item['id'], safe='')}{action}"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class Local:
    """The emulator in this process over ASGI, with Rita and Otto signed in."""

    def __init__(self) -> None:
        self.world = World()
        self.app = create_app(self.world)
        self.runner = asyncio.Runner()
        self.control("mailboxes", mailboxes=[{"address": RITA, "name": "Rita"}, {"address": OTTO}])
        self.switch(drafts_delay=0.0)
        self.token = self.sign_in(RITA)

    def call(self, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """Send all at once."""

        async def run() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x", trust_env=False) as http:
                return await asyncio.gather(
                    *(http.request(verb, path, **more) for verb, path, more in requests)
                )

        return self.runner.run(run())

    def __call__(
        self, verb: str, path: str, body: Any = None, *, token: str = "", **more: Any
    ) -> httpx.Response:
        more["headers"] = {"Authorization": f"Bearer {token or self.token}"}
        return self.call((verb, path, {"json": body, **more} if body is not None else more))[0]

    def control(self, verb: str, **body: Any) -> Any:
        (answer,) = self.call(("POST", f"/_control/{verb}", {"json": body}))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def switch(self, **switches: Any) -> None:
        self.control("switches", switches=switches)

    def sign_in(self, address: str, scopes: str = SCOPES) -> str:
        refresh = self.control("refresh-tokens", address=address, scopes=scopes)["refresh_token"]
        form = {"client_secret": "demo-secret", "grant_type": "refresh_token", "refresh_token": refresh}
        (answer,) = self.call(("POST", "/organizations/oauth2/v2.0/token", {"data": form}))
        return str(answer.json()["access_token"])

    def draft(self, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self("POST", MESSAGES, letter() if body is None else body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def send(self, item: dict[str, Any]) -> httpx.Response:
        return self("POST", at(item, "/send"))

    def listed(self, folder: str = "", **query: str) -> list[dict[str, Any]]:
        path = f"/v1.0/me/mailFolders/{folder}/messages" if folder else MESSAGES
        answer = self("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    def ledger(self) -> list[dict[str, Any]]:
        return list(self.call(("GET", "/_control/ledger", {}))[0].json())
