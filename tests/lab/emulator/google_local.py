"""The emulator in the test's own process, with Gina signed in at Google."""

import base64
from email.message import EmailMessage
from typing import Any

import httpx

from lab.emulator.google import DEFAULT_SCOPES
from tests.lab.emulator.local import Local

GINA = "gina@acme-g.example"
API = "/gmail/v1/users/me"


def mime(
    text: str = "Hello", *, to: str = "anna@example.org", subject: str = "An offer", **headers: str
) -> EmailMessage:
    message = EmailMessage()
    if to:
        message["To"] = to
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def encoded(message: EmailMessage) -> str:
    return base64.urlsafe_b64encode(message.as_bytes()).decode()


def reason(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


class GoogleLocal(Local):
    """``Local`` with a mailbox at Gmail, whose token is the usual one."""

    def __init__(self) -> None:
        super().__init__()
        self.microsoft = self.token
        self.control("mailboxes", mailboxes=[{"address": GINA, "name": "Gina", "google": True}])
        self.token = self.google(GINA)

    def redeem(self, **form: str) -> httpx.Response:
        form = {"client_id": "onbehalf", "client_secret": "demo-secret", **form}
        return self.call(("POST", "/token", {"data": form}))[0]

    def refresh_token(self, address: str = GINA, scopes: str = DEFAULT_SCOPES) -> str:
        body = {"address": address, "scopes": scopes, "client_id": "onbehalf"}
        return str(self.control("refresh-tokens", **body)["refresh_token"])

    def google(self, address: str, scopes: str = DEFAULT_SCOPES) -> str:
        answer = self.redeem(grant_type="refresh_token", refresh_token=self.refresh_token(address, scopes))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def drafted(self, message: EmailMessage | None = None, thread: str = "") -> dict[str, Any]:
        body = {"raw": encoded(message or mime())} | ({"threadId": thread} if thread else {})
        answer = self("POST", f"{API}/drafts", {"message": body})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def submit(self, draft: dict[str, Any]) -> httpx.Response:
        return self("POST", f"{API}/drafts/send", {"id": draft["id"]})

    def sent(self, message: EmailMessage | None = None, thread: str = "") -> dict[str, Any]:
        answer = self.submit(self.drafted(message, thread))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def one(self, item: dict[str, Any] | str, **query: Any) -> dict[str, Any]:
        item_id = item if isinstance(item, str) else item["id"]
        answer = self("GET", f"{API}/messages/{item_id}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def search(self, words: str = "", **query: Any) -> list[dict[str, Any]]:
        answer = self("GET", f"{API}/messages", params={"q": words, **query})
        assert answer.status_code == 200, answer.text
        return list(answer.json().get("messages", []))


def header(item: dict[str, Any], name: str) -> str:
    """The value of one of an item's headers."""
    (value,) = (each["value"] for each in item["payload"]["headers"] if each["name"].lower() == name.lower())
    return str(value)
