"""Somebody with a browser: visits our pages and, where they lead there, Microsoft's sign-in page."""

import asyncio
import dataclasses
import re
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import dns.resolver
import httpx

from app.limiter import Limiter
from app.runtime import Runtime
from db.access import operators, sessions
from db.core.crypto import KeyRing, Seal
from lab.access_records import Member
from lab.emulator.world import Mailbox
from lab.stage import Stage
from transports.entra import Entra
from transports.entra_app import EntraApp
from transports.gmail import GmailProvider
from transports.google import Google
from transports.graph import GraphProvider
from web.main import application


def known_account(stage: Stage, address: str) -> Mailbox:
    """An account at the emulator, in a tenant that the organization trusts."""
    stage.emulator.control.add_mailboxes({"address": address})
    account = stage.emulator.world.mailboxes[address]
    with stage.world.database.transaction() as tx:
        sessions.trust_tenant(tx, stage.world.organization_id, account.tenant_id, actor="test")
    return account


def made_operator(stage: Stage, member_id: UUID) -> str:
    """Have a member sign in for the first time, as far as the database knows, and make them an operator; returns the address."""
    address = email_of(stage, member_id)
    account = known_account(stage, address)
    with stage.world.database.transaction() as tx:
        assert sessions.member_of(tx, account.tenant_id, account.user_id, [address]) == member_id
        assert operators.add(tx, member_id, actor="test")
    return address


def email_of(stage: Stage, member_id: UUID) -> str:
    return stage.only(Member, member_id).email


class _AsWeb(Runtime):
    """What the web process works with: its own role in the database, and everything else as the stage has it now."""

    def __init__(self, stage: Stage, changed: dict[str, str]) -> None:
        self._stage, self._changed, self.database = stage.runtime, changed, stage.web_database
        self._keys = None

    def __getattr__(self, name: str) -> Any:
        if name == "settings":
            own = {
                "web_secret_keys": self._stage.keys.web_keys(),
                "sealing_public_key": self._stage.keys.public_key,
            }
            return dataclasses.replace(self._stage.settings, secret_keys=(), **own, **self._changed)  # type: ignore[arg-type]  # texts
        if name == "web_keys":
            return KeyRing(self.settings.web_secret_keys)
        if name == "sealer":
            return Seal(self.settings.sealing_public_key)
        return getattr(self._stage, name)

    @property
    def entra(self) -> Entra:
        return self._stage.entra

    @property
    def entra_app(self) -> EntraApp:
        return self._stage.entra_app

    @property
    def google(self) -> Google:
        return self._stage.google

    @property
    def gmail(self) -> GmailProvider:
        return self._stage.gmail

    @property
    def graph(self) -> GraphProvider:
        return self._stage.graph

    @property
    def resolver(self) -> dns.resolver.Resolver:
        return self._stage.resolver

    @property
    def limiter(self) -> Limiter:
        return self._stage.limiter


def as_web(stage: Stage, **settings: str) -> Runtime:
    """The stage's runtime as the web process has it: its role, its keys, and a worker beside it."""
    stage.attend()
    return _AsWeb(stage, settings)


class Visitor:
    """One browser. ``text`` and ``status`` are of the last page."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.public_url = stage.runtime.settings.public_url
        self.cookies = httpx.Cookies()
        self._app = application(as_web(stage))
        self.text, self.status, self.url = "", 0, ""
        self.headers = httpx.Headers()

    def get(self, path: str, headers: dict[str, str] | None = None) -> "Visitor":
        return self._ask("GET", path, headers=headers)

    def send(self, path: str, headers: dict[str, str] | None = None, **fields: str | list[str]) -> "Visitor":
        """Send a form of the last page."""
        said = {"Origin": self.public_url, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        hidden = dict(re.findall('name="(member)" value="([^"]+)"', self.text))
        return self._ask("POST", path, data={**hidden, **fields}, headers=said)

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> "Visitor":
        """Send a form of the last page with a file."""
        said = {"Origin": self.public_url, "Sec-Fetch-Site": "same-origin"}
        hidden = dict(re.findall('name="(member)" value="([^"]+)"', self.text))
        return self._ask(
            "POST", path, data={**hidden, **fields}, files={"file": (name, content)}, headers=said
        )

    def send_unsaid(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> "Visitor":
        """Send a form as nothing but ``headers`` says where it comes from."""
        return self._ask("POST", path, data=fields, headers=headers)

    def at_microsoft(self, address: str) -> str:
        """Sign in there as ``address`` and approve; returns the address that leads back."""
        assert self.status == 303, self.text
        assert self.url.startswith(self._stage.emulator.url)
        answer = httpx.get(f"{self.url}&login_hint={address}&approve=yes", trust_env=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def at_google(self, address: str) -> str:
        """The same on Google's page."""
        assert "/o/oauth2/v2/auth?" in self.url
        return self.at_microsoft(address)

    def sign_in(self, address: str) -> "Visitor":
        """All the way."""
        self.get("/sign-in")
        self.send("/sign-in")
        return self.come_back(self.at_microsoft(address))

    def come_back(self, location: str) -> "Visitor":
        parts = urlsplit(location)
        return self.get(f"{parts.path}?{parts.query}").follow()

    def hidden(self, name: str) -> str:
        """Return what a hidden field of the last page holds."""
        return str(re.findall(f'type="hidden" name="{name}" value="([^"]*)"', self.text)[0])

    def follow(self) -> "Visitor":
        """Go where the last answer leads, on our own site."""
        while self.status == 303 and urljoin(self.public_url, self.url).startswith(self.public_url):
            self.get(urlsplit(self.url).path + (f"?{urlsplit(self.url).query}" if "?" in self.url else ""))
        return self

    def _ask(self, method: str, path: str, **more: Any) -> "Visitor":
        async def ask() -> httpx.Response:
            wire = httpx.ASGITransport(self._app, raise_app_exceptions=True)
            async with httpx.AsyncClient(
                transport=wire, base_url=self.public_url, cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **more)
                self.cookies = client.cookies
                return answer

        answer = asyncio.run(ask())
        self.text, self.status, self.headers = answer.text, answer.status_code, answer.headers
        self.url = answer.headers.get("location", "")
        return self
