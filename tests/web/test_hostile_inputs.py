"""Two thousand hostile requests, drawn from a seed: every one is refused in words, nothing is saved, nothing is sent.

Then every form and call, from the routes, with hostile values for what is the organization's own.
"""

import asyncio
import random
import string
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from starlette.datastructures import FormData

from db.access.api_keys import PROVISION
from lab.access_records import (
    ApiKey,
    Credentials,
    Grant,
    GrantRequest,
    Mailbox,
    Member,
    Organization,
    SmtpSettings,
    Subscription,
    Webhook,
)
from lab.records import Delivery, Enrollment, Event, Notice, OutboxJob, Sequence, Suppression
from lab.stage import Stage
from lab.tables import ago
from tests.web.every_route import Route, calls, ids_of, pages
from tests.web.office import busy_office
from tests.web.test_api import API, key_of
from tests.web.test_other_organizations import ENDS_IT
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, as_web, email_of
from web.api import make_api
from web.api_call import SCIM
from web.api_scim import make_scim
from web.forms import written
from web.main import application

PER_SEED = 250
_NASTY = (
    "", " ", "\x00", "\r\nSet-Cookie: a=b", "../../etc/passwd", "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "%00", "%0d%0a",
    "\ud7ff\uffff", "\U0001d4b3" * 40, "A" * 3000, "-1", "1e309", "NaN", "null", "[]", "javascript:alert(1)", "//evil.example", "https://evil.example/",
    "http://169.254.169.254/latest/meta-data", "0" * 40, "é@ü.example", "a@b\nbcc: c@d", "${jndi:ldap://x}", "٣", "2026-02-30", "9999-12-31",
)  # fmt: skip


class Attacker:
    """Draws requests. ``own``: has a session and says that it comes from our pages; else comes from outside."""

    def __init__(self, seed: int, key: str) -> None:
        self.draw = random.Random(seed)
        self._key = key

    def text(self) -> str:
        if self.draw.random() < 0.7:
            return self.draw.choice(_NASTY)
        return "".join(
            self.draw.choice(string.printable + "äß€\u202e") for _ in range(self.draw.randrange(60))
        )

    def identifier(self) -> str:
        return str(uuid4()) if self.draw.random() < 0.4 else self.text()

    def callback(self) -> dict[str, Any]:
        names = (
            "state",
            "code",
            "error",
            "error_description",
            "admin_consent",
            "tenant",
            "session_state",
            "iss",
        )
        query = {name: self.text() for name in names if self.draw.random() < 0.6}
        return {"method": "GET", "url": "/sign-in/callback", "params": query}

    def page(self) -> dict[str, Any]:
        start = self.draw.choice(
            (
                "/",
                "/settings/sequences/",
                "/sequences/",
                "/approve/",
                "/settings/sequences/grants/",
                "/static/",
                "/settings/email/",
                "/settings/mail-server/",
                "/settings/email/addresses/",
                "/operations/",
                "/operations?over=",
            )
        )
        tail = quote(self.identifier(), safe=self.draw.choice(("", "/.%")))
        return {"method": self.draw.choice(("GET", "HEAD", "PUT", "DELETE", "POST")), "url": start + tail}

    def form(self) -> dict[str, Any]:
        """From our own page, so that only what is in the form can be refused."""
        path = self.draw.choice(
            (
                "/settings/sequences/grants",
                f"/settings/sequences/grants/{uuid4()}/revoke",
                f"/settings/sequences/requests/{uuid4()}/accept",
                f"/settings/sequences/requests/{uuid4()}/decline",
                f"/sequences/{uuid4()}/resume",
                f"/sequences/{uuid4()}/pause",
                f"/sequences/{uuid4()}/settings",
                f"/sequences/{uuid4()}/answers",
                f"/sequences/{uuid4()}/steps/new",
                f"/sequences/{uuid4()}/steps/{uuid4()}",
                f"/sequences/{uuid4()}/steps/{uuid4()}/move",
                f"/sequences/{uuid4()}/changes/{uuid4()}",
                f"/sequences/{uuid4()}/duplicate",
                "/outbox/approvals",
                f"/outbox/{uuid4()}/approve",
                f"/outbox/{uuid4()}/take-back",
                f"/attention/tasks/{uuid4()}",
                f"/settings/email/grants/{uuid4()}/end",
                "/settings/email/addresses",
                "/settings/email/sender-name",
                f"/settings/email/addresses/{uuid4()}/connect",
                "/settings/mail-server/mine",
                "/settings/mail-server/mine/microsoft",
                f"/settings/mail-server/{uuid4()}/activate",
            )
        )
        fields = {
            name: self.text()
            for name in (
                "to",
                "until",
                "a_day",
                "sequences",
                "late",
                "address",
                "entity",
                "kind",
                "host",
                "port",
                "encryption",
                "account",
                "password",
            )
            if self.draw.random() < 0.7
        }
        fields["to"] = self.identifier()
        if path.startswith("/outbox/"):
            email = self.identifier()
            fields |= {"tick": email, "mark": self.text(), "read": self.text(), "whose": self.text()}
            fields |= {f"mark-{email}": self.text(), f"read-{email}": self.text()}
        return {
            "method": "POST",
            "url": path,
            "data": fields,
            "own": True,
        }

    def stranger(self) -> dict[str, Any]:
        """Another site's form, with a cookie that is none."""
        headers = {
            "Origin": self.draw.choice(("https://evil.example", "null", "http://localhost.evil.example")),
            "Cookie": f"onbehalf={quote(self.text())}",
        }
        path = self.draw.choice(
            ("/settings/sequences/remove", "/sign-out", "/notifications/read", "/sign-in")
        )
        return {"method": "POST", "url": path, "headers": headers, "data": {"to": self.text()}}

    def hook(self) -> dict[str, Any]:
        """As if it came from Microsoft."""
        notice = {
            name: self.text() for name in ("subscriptionId", "clientState", "lifecycleEvent", "resource")
        }
        body: object = self.draw.choice(
            ({"value": [notice]}, {"value": self.text()}, [notice], {"value": [None, 7, notice]})
        )
        query = {"validationToken": self.text()} if self.draw.random() < 0.2 else {}
        return {"method": "POST", "url": "/hooks/microsoft", "params": query, "json": body}

    def api(self) -> dict[str, Any]:
        path = self.draw.choice(
            (
                "grant-requests",
                f"grants/{self.identifier()[:200]}/revoke",
                f"sequences/{uuid4()}/pause",
                f"sequences/{self.identifier()[:200]}/resume",
                f"enrollments/{uuid4()}/stop",
                f"candidates/{uuid4()}/suppress",
                f"mailboxes/{uuid4()}/test",
                "approvals",
                f"deliveries/{uuid4()}/approve",
                f"deliveries/{uuid4()}/take-back",
                f"tasks/{self.identifier()[:200]}/done",
                f"tasks/{uuid4()}/skip",
                "webhooks",
                f"webhooks/{uuid4()}/remove",
            )
        )
        body: object = self.draw.choice(
            (
                None,
                [],
                self.text(),
                {"reason": self.text()},
                {"reason": {"a": [1] * 50}},
                {"mailbox": self.text(), "requester_id": self.identifier(), "words": self.text()},
                {"skip_older_than": self.text()},
                {"mark": self.text()},
                {"marks": {self.identifier(): self.text()}},
                {"url": self.text()},
                {"url": f"https://{self.text()}/"},
                {self.text(): self.text()},
            )
        )
        headers = (
            {"Authorization": f"Bearer {self._key}"}
            if self.draw.random() < 0.7
            else {"Authorization": "Basic eDp5"}
        )
        if self.draw.random() < 0.4:
            headers["Idempotency-Key"] = str(self.draw.random())
        return {"method": "POST", "url": f"/api/v1/{quote(path)}", "json": body, "headers": headers}

    def cursor(self) -> dict[str, Any]:
        query = {"cursor": self.text(), "limit": self.text()}
        headers = {"Authorization": f"Bearer {self._key}"}
        return {"method": "GET", "url": "/api/v1/members", "params": query, "headers": headers}

    def next(self) -> dict[str, Any]:
        kinds: tuple[Callable[[], dict[str, Any]], ...] = (
            self.callback, self.page, self.form, self.stranger, self.hook, self.api, self.cursor,
        )  # fmt: skip
        return self.draw.choice(kinds)()


def snapshot(stage: Stage) -> object:
    """Everything that must not change."""
    return stage.everything(
        Member, Mailbox, Grant, GrantRequest, Sequence, Enrollment, Delivery, Suppression, Event, OutboxJob, Notice,
        Organization, ApiKey, Credentials, SmtpSettings, Webhook, Subscription,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_hostile_requests_change_nothing_and_break_nothing(stage: Stage, seed: int) -> None:
    hans = member(stage, "Hans Holder")
    stage.put(Member, hans, role="admin")
    stage.world.enroll(stage.world.sequence(hans, stage.mailbox(hans), ("P1D",)), 2)
    visitor = Visitor(stage).sign_in(email_of(stage, hans)).get("/settings/sequences")
    key = key_of(stage.world, "read", "manage")
    stage.put(ApiKey, used_at=ago())
    # As in production: only the open internet may be named.
    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    attacker = Attacker(seed, key)
    before = snapshot(stage)

    async def attack() -> list[str]:
        broken = []
        wire = httpx.ASGITransport(application(stage.runtime), raise_app_exceptions=True)
        base = visitor.public_url
        async with (
            httpx.AsyncClient(transport=wire, base_url=base) as stranger,
            httpx.AsyncClient(
                transport=wire, base_url=base, cookies=visitor.cookies, headers={"Origin": base}
            ) as own,
        ):
            for _ in range(PER_SEED):
                request = attacker.next()
                client = own if request.pop("own", False) else stranger
                answer = await client.request(**request)
                leads_to = answer.headers.get("location", "").partition("?")[
                    0
                ]  # a query names what was asked for
                if answer.status_code >= 500 or "evil.example" in leads_to:
                    broken.append(f"{answer.status_code} {request}")
                page = answer.headers.get("content-type", "").startswith("text/html")
                if (page and "<script>" in answer.text) or "Traceback" in answer.text:
                    broken.append(f"echoed {request}")
        return broken

    assert asyncio.run(attack()) == []
    assert snapshot(stage) == before
    assert stage.left() == []
    assert stage.left("smtp") == []


ERRORS = {API: "application/problem+json", SCIM: "application/scim+json"}
_LAST = ("archive", "stop", "end", "remove", "erase", "discard")  # what others need is gone then


class Hostile:
    """Fills every form and body with hostile values. Ids are the office's own, so that the values get as far as they can."""

    def __init__(self, ids: dict[str, str], seed: int) -> None:
        self.ids, self.attacker = ids, Attacker(seed, "")
        self.wrong: list[str] = []
        self.kept: set[str] = set()

    def value(self, kind: Any, *, depth: int = 0) -> Any:
        """What is no value of that kind, or a nasty one."""
        draw = self.attacker.draw
        if depth < 3 and isinstance(kind, dict) and draw.random() < 0.8:
            match kind.get("type"):
                case "object" if "properties" in kind:
                    asked = kind["properties"].items()
                    return {
                        name: self.value(each, depth=depth + 1) for name, each in asked if draw.random() < 0.9
                    }
                case "object":
                    return {self.attacker.text(): self.attacker.text()}
                case "array":
                    return [self.value(kind["items"], depth=depth + 1) for _ in range(draw.randrange(4))]
                case "integer":
                    return draw.choice((-1, 0, 1, 2**31, 2**63, 10**30, 1.5, "7"))
                case "string" if "enum" in kind:
                    return draw.choice(kind["enum"])
        return draw.choice(
            (self.attacker.text(), self.attacker.text(), self.attacker.identifier(), None, [], {}, True)
        )

    async def form(self, client: httpx.AsyncClient, route: Route, *, typed: bool) -> None:
        """Send it, with hostile values or, ``typed``, with a text in each field that has to be there again if it is refused."""
        for path in route.filled(self.ids.__getitem__):
            own = {each: self.ids[each] for each in route.fields if each in self.ids}
            if typed:
                texts = {each: f"typed {each}" for each in route.fields if written(FormData({each: "typed"}))}
                answer = await client.post(path, data=own | texts)
                shown = {each for each in texts.values() if each in answer.text}
                if answer.status_code == 422 and texts and not shown:
                    self.wrong.append(f"{route.path} forgot {sorted(texts)}")
                self.kept |= {route.path} if shown else set()
            else:
                values = {each: self.attacker.text() for each in route.fields}
                answer = await client.post(
                    path, data=values | (own if self.attacker.draw.random() < 0.5 else {})
                )
            self.judge(f"POST {path}", answer)

    async def call(self, client: httpx.AsyncClient, route: Route, at: str = API) -> None:
        """Make it."""
        (path,) = route.filled(self.ids.__getitem__)
        if route.method == "GET":
            query = {name: self.attacker.text() for name in route.query["properties"]}
            answer = await client.get(at + path, params=query)
        else:
            body = self.value(route.fields) if route.fields else None
            answer = await client.request(route.method, at + path, json=body)
        if answer.status_code >= 400 and answer.headers["content-type"] != ERRORS[at]:
            self.wrong.append(f"{route.method} {path}: {answer.headers['content-type']}")
        self.judge(f"{route.method} {path}", answer)

    def judge(self, what: str, answer: httpx.Response) -> None:
        page = answer.headers.get("content-type", "").startswith("text/html")
        if answer.status_code >= 500 and answer.status_code not in (
            502,
            503,
        ):  # a server that does not answer is said so
            self.wrong.append(f"{what}: {answer.status_code}")
        if (page and "<script>alert" in answer.text) or "Traceback" in answer.text or "a" in answer.cookies:
            self.wrong.append(f"{what} echoed")


def test_every_form_and_call_takes_anything_and_forgets_nothing(stage: Stage) -> None:
    office = busy_office(stage)
    visitor = Visitor(stage).sign_in(office.address)
    ids = ids_of(stage) | {"one": str(uuid4()), "field": "first_name"}
    key, token = key_of(stage.world, "read", "manage", "addresses"), key_of(stage.world, PROVISION)
    hostile, runtime = Hostile(ids, 17), as_web(stage)
    forms = [each for each in pages() if each.method == "POST" and each.path not in ENDS_IT]
    forms.sort(key=lambda each: each.path.endswith(_LAST))

    async def attack() -> None:
        wire = httpx.ASGITransport(application(runtime), raise_app_exceptions=False)
        own = {"Origin": visitor.public_url, "Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(
            transport=wire, base_url=visitor.public_url, cookies=visitor.cookies, headers=own
        ) as client:
            for typed in (True, False):
                for route in forms:
                    await hostile.form(client, route, typed=typed)
            assert (await client.get("/sequences")).status_code == 200  # still signed in
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=wire, base_url=visitor.public_url, headers=headers) as client:
            for route in calls(make_api(runtime)):
                for _ in range(2):
                    await hostile.call(client, route)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=wire, base_url=visitor.public_url, headers=headers) as client:
            for route in calls(make_scim(runtime)):
                for _ in range(8):
                    await hostile.call(client, route, SCIM)

    asyncio.run(attack())
    assert not hostile.wrong, "\n".join(hostile.wrong)
    assert len(hostile.kept) > 10
