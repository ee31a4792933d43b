"""Another organization's rows do not exist, for nobody and nowhere: every page, form and call is asked with their ids.

A member, an admin and a key of one organization use the ids of another. Each gets what unknown ids get; nothing of the other
organization changes, and none of its names appears.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from db.access import sessions
from db.access.api_keys import PROVISION
from lab.access_records import Member
from lab.factories import World
from lab.records import Candidate, Sequence
from lab.stage import Stage
from tests.web.every_route import Route, body_of, calls, ids_of, pages
from tests.web.office import busy_office
from tests.web.test_api import API, key_of
from tests.web.visitor import Visitor, as_web, email_of
from web.api import make_api
from web.api_call import SCIM
from web.api_scim import make_scim
from web.main import application

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# They end the session that asks, or need no id of anything: signing in and out.
ENDS_IT = ("/sign-out", "/settings/sessions/end-all", "/sign-in")


def names_of(stage: Stage) -> set[str]:
    """What would reveal something: names and addresses of the stage's organization."""
    people = [
        part
        for each in stage.all(Candidate)
        for part in (each.email, f"{each.first_name} {each.last_name}".strip())
    ]
    members = [part for each in stage.all(Member) for part in (each.email, each.name)]
    return {
        each for each in (*people, *members, *(each.name for each in stage.all(Sequence))) if len(each) > 5
    }


def entered(stage: Stage, elsewhere: World, role: str) -> Visitor:
    """A member of the other organization, who is signed in."""
    who = elsewhere.member("Olaf Other", role=role)
    address = email_of(stage, who)
    stage.emulator.control.add_mailboxes({"address": address})
    account = stage.emulator.world.mailboxes[address]
    with elsewhere.database.transaction() as tx:
        sessions.trust_tenant(tx, elsewhere.organization_id, account.tenant_id, actor="test")
    return Visitor(stage).sign_in(address)


class Asking:
    """Asks for everything twice, with ids of the other organization and with unknown ones, and keeps what differs."""

    def __init__(self, ids: dict[str, str], names: set[str]) -> None:
        self._ids, self._names = ids, names
        self.wrong: list[str] = []
        self.asked = 0

    def theirs(self, kind: str) -> str:
        return self._ids[kind]

    def unknown(self, _kind: str) -> str:
        return str(uuid4())

    async def page(self, client: httpx.AsyncClient, route: Route, who: str) -> None:
        def fields(value: Callable[[str], str]) -> dict[str, str]:
            return {each: value(each) for each in (route.fields or self._ids) if each in self._ids}

        async def ask(path: str, value: Callable[[str], str]) -> httpx.Response:
            if route.method == "GET":
                return await client.get(path, params=fields(value))
            return await client.post(path, data=fields(value))

        for own, other in zip(route.filled(self.theirs), route.filled(self.unknown), strict=True):
            await self._compare(
                f"{who} {route.method} {own}",
                route,
                await ask(own, self.theirs),
                partial(ask, other, self.unknown),
            )

    async def call(self, client: httpx.AsyncClient, route: Route, at: str = API) -> None:
        async def ask(path: str, value: Callable[[str], str]) -> httpx.Response:
            body = body_of(route.fields, value) if route.fields else None
            query = {
                each: body_of(kind, value, each)
                for each, kind in route.query["properties"].items()
                if each in route.query["required"] or each.removesuffix("_id") in self._ids
            }
            return await client.request(route.method, at + path, json=body, params=query)

        (own,), (other,) = route.filled(self.theirs), route.filled(self.unknown)
        answer = await ask(own, self.theirs)
        await self._compare(f"key {route.method} {own}", route, answer, partial(ask, other, self.unknown))
        if route.holes and answer.status_code != 404:
            self.wrong.append(
                f"{route.method} {route.path}: {answer.status_code}, not 404: {answer.text[:300]}"
            )

    async def _compare(
        self, what: str, route: Route, answer: httpx.Response, again: Callable[[], Any]
    ) -> None:
        self.asked += 1
        said = answer.text + answer.headers.get("location", "")
        if shown := [each for each in self._names if each in said]:
            self.wrong.append(f"{what} reveals {shown}")
        if answer.status_code >= 500:
            self.wrong.append(f"{what}: {answer.status_code}")
        if route.holes:
            if (one := plain(answer)) != (other := plain(await again())):
                self.wrong.append(f"{what}: {one[:200]} is not {other[:200]}")
            if route.method == "GET" and answer.status_code == 200:
                self.wrong.append(f"{what} is shown")


def plain(answer: httpx.Response) -> str:
    """An answer without the ids that were asked for."""
    body = answer.text if answer.headers.get("content-type", "").startswith("application/") else ""
    return f"{answer.status_code} {_ID.sub('ID', answer.headers.get('location', ''))} {_ID.sub('ID', body)}"


def test_what_another_organization_has_is_unknown_to_every_page_form_and_call(stage: Stage) -> None:
    office = busy_office(stage)
    elsewhere = World(stage.world.database)
    Visitor(stage).sign_in(office.address)
    ids, names = ids_of(stage), names_of(stage)
    asking = Asking(ids, names)
    visitors = {role: entered(stage, elsewhere, role) for role in ("member", "admin")}
    runtime = as_web(stage)
    key, token = key_of(elsewhere, "read", "manage", "addresses"), key_of(elsewhere, PROVISION)
    before = stage.rows_of(stage.world.organization_id)

    async def sweep() -> None:
        wire = httpx.ASGITransport(application(runtime), raise_app_exceptions=True)
        for who, visitor in visitors.items():
            own = {"Origin": visitor.public_url, "Sec-Fetch-Site": "same-origin"}
            async with httpx.AsyncClient(
                transport=wire, base_url=visitor.public_url, cookies=visitor.cookies, headers=own
            ) as client:
                for route in pages():
                    if route.path not in ENDS_IT:
                        await asking.page(client, route, who)
                assert (await client.get("/sequences")).status_code == 200  # still signed in
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=wire, base_url=visitor.public_url, headers=headers) as client:
            for route in calls(make_api(runtime)):
                await asking.call(client, route)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=wire, base_url=visitor.public_url, headers=headers) as client:
            for route in calls(make_scim(runtime)):
                await asking.call(client, route, SCIM)

    asyncio.run(sweep())
    assert not asking.wrong, "\n".join(asking.wrong)
    assert asking.asked > 500
    after = stage.rows_of(stage.world.organization_id)
    assert [each for each in after if after[each] != before[each]] == []
