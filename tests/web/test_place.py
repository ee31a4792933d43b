"""Onbehalf under a path of a host: behind a proxy that strips the path, and behind one that does not."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from actions import withdraw
from domain.errors import OperatorMisconfigured
from lab.stage import Stage
from tests.web.asking import Asking
from tests.web.test_api import key_of
from tests.web.visitor import Visitor, email_of, known_account
from web.main import application
from web.place import Below, path_of

PATH = "/tools/onbehalf"
PUBLIC = f"https://www.acme.example{PATH}"


class BehindProxy(Visitor):
    """A browser that knows only the public address. ``strips``: whether the proxy strips the path."""

    def __init__(self, stage: Stage, *, strips: bool) -> None:
        stage.runtime.settings = replace(stage.runtime.settings, public_url=PUBLIC)
        self.strips = strips
        super().__init__(stage)
        self._inner: Any = self._app
        if strips:
            self._app = self._strip  # type: ignore[assignment]

    def _ask(self, method: str, path: str, **more: Any) -> Visitor:
        assert path == PATH or path.startswith(f"{PATH}/"), f"{path} is not behind the proxy"
        return super()._ask(method, f"https://www.acme.example{path}", **more)

    async def _strip(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What the proxy does to the path. The browser never sees it."""
        path = scope["path"].removeprefix(PATH) or "/"
        await self._inner({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    def send(self, path: str, headers: dict[str, str] | None = None, **fields: str | list[str]) -> Visitor:
        return super().send(path, {"Origin": "https://www.acme.example", **(headers or {})}, **fields)

    @property
    def links(self) -> set[str]:
        """Every link and resource of the last page."""
        return set(re.findall(r'(?:href|src|action)="([^"#]+)"', self.text))


@pytest.fixture(params=[True, False], ids=["stripped", "as it is"])
def visitor(request: pytest.FixtureRequest, stage: Stage) -> BehindProxy:
    """Olga, who looks after the organization, has signed in."""
    olga = stage.world.member("Olga Owner", role="owner")
    stage.mailbox(olga)
    known_account(stage, email_of(stage, olga))
    visitor = BehindProxy(stage, strips=request.param)
    visitor.get(f"{PATH}/sign-in")
    visitor.send(f"{PATH}/sign-in")
    visitor.come_back(visitor.at_microsoft(email_of(stage, olga)))
    assert "Sign out" in visitor.text, visitor.text
    return visitor


def test_signing_in_leads_to_microsoft_and_back_below_the_path(stage: Stage, visitor: BehindProxy) -> None:
    visitor.send(f"{PATH}/settings/sequences/connect")
    assert (
        f"redirect_uri={PUBLIC.replace(':', '%3A').replace('/', '%2F')}%2Fsign-in%2Fcallback" in visitor.url
    )


def test_every_link_form_and_file_of_every_page_is_below_the_path(stage: Stage, visitor: BehindProxy) -> None:
    pages = ["/settings/sequences", "/settings/email", "/sequences", "/notifications", "/nothing/here"]
    seen = set()
    for page in pages:
        visitor.get(f"{PATH}{page}")
        assert visitor.links
        seen |= visitor.links
    assert all(each.startswith(f"{PATH}/") for each in seen), seen
    for each in seen:
        assert visitor.get(each).status in (200, 303, 405), each


def test_styles_and_pictures_are_found(visitor: BehindProxy) -> None:
    for name in ("base.css", "icon.svg"):
        assert visitor.get(f"{PATH}/static/{name}").status == 200
        assert visitor.text == Path(f"web/static/{name}").read_text()
        assert "no-store" not in visitor.headers.get("cache-control", "")


def test_redirects_and_refusals_stay_below_the_path(stage: Stage, visitor: BehindProxy) -> None:
    assert visitor.get(PATH).status == 303
    assert visitor.url == f"{PATH}/sequences"
    visitor.get(f"{PATH}/settings/sequences")
    refused = visitor.send(
        f"{PATH}/settings/sequences/grants", headers={"Referer": f"{PUBLIC}/settings/email"}, to="x"
    )
    assert refused.status == 422
    assert f"{PATH}/settings/email" in visitor.links  # the way back
    stranger = BehindProxy(stage, strips=visitor.strips)
    wanted = f"{PATH}/sign-in?next=%2Fsequences"
    assert (stranger.get(f"{PATH}/sequences").status, stranger.url) == (303, wanted)


def test_cookies_are_for_the_path_and_end_with_the_session(stage: Stage, visitor: BehindProxy) -> None:
    (cookie,) = visitor.cookies.jar
    assert (cookie.name, cookie.path, cookie.secure) == ("__Secure-onbehalf", PATH, True)
    visitor.get(f"{PATH}/sequences").send(f"{PATH}/sign-out")
    assert list(visitor.cookies.jar) == []


def test_the_api_says_where_it_is(stage: Stage, visitor: BehindProxy) -> None:
    headers = {"Authorization": f"Bearer {key_of(stage.world, 'read')}"}
    assert visitor.get(f"{PATH}/api/v1/members", headers=headers).status == 200
    visitor.get(f"{PATH}/api/v1/openapi.json")
    assert json.loads(visitor.text)["servers"] == [{"url": f"{PATH}/api/v1"}]


def test_emails_and_subscriptions_name_the_whole_address(stage: Stage, visitor: BehindProxy) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)))
    withdraw.revoke_grant(stage.runtime, grant, actor="Hans")
    stage.run_outbox()
    links = [re.search(r"https://\S+/notifications", notice.body) for notice in stage.left("smtp")]
    assert links
    for link in links:
        assert link is not None
        assert visitor.get(urlsplit(link[0]).path).status == 200
    hook = f"{PATH}/hooks/microsoft?validationToken=abc"
    assert visitor._ask("POST", hook).text == "abc"
    assert visitor.get(f"{PATH}/health").status == 200


@pytest.mark.parametrize("path", ["/settings", "/static/x", "/api", "/health", "/sign-in"])
def test_a_path_that_is_what_a_page_is_called_is_refused_at_the_start(stage: Stage, path: str) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, public_url=f"https://acme.example{path}")
    with pytest.raises(OperatorMisconfigured, match="PUBLIC_URL"):
        application(stage.runtime)


def test_a_path_that_only_begins_alike_is_another(stage: Stage) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, public_url="https://acme.example/onbehalf")
    client = Asking(application(stage.runtime), base_url="https://acme.example")
    assert client.get("/onbehalf/sign-in").status_code == 200
    assert client.get("/onbehalfsign-in").status_code == 404
    assert client.get("/onbehalf-old/sign-in").status_code == 404


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (HTMLResponse('<a href="/x">&lt;a href="/y"&gt;</a><img src="//cdn/z">'), '<a href="/p/x">&lt;a href="/p/y"&gt;</a><img src="//cdn/z">'),
        (HTMLResponse('<form action="/x"><a class="b" hx-post="/y" href="z">'), '<form action="/p/x"><a class="b" hx-post="/p/y" href="z">'),
        (StreamingResponse(iter(["<a hr", 'ef="/x">']), media_type="text/html"), '<a href="/p/x">'),
        (StreamingResponse(iter(['<a href="/x">']), media_type="text/plain"), '<a href="/x">'),
    ],
)  # fmt: skip
def test_links_of_pages_are_put_right_and_nothing_else(answer: Any, said: str) -> None:
    client = Asking(Below(answer, path="/p"))
    got = client.get("/p/anything")
    assert got.text == said
    assert int(got.headers.get("content-length", len(said))) == len(said)


@pytest.mark.parametrize(("to", "leads"), [("/x?a=b", "/p/x?a=b"), ("//evil.example", "//evil.example"), ("https://a.b/", "https://a.b/")])  # fmt: skip
def test_redirects_within_are_put_right_and_others_left_alone(to: str, leads: str) -> None:
    client = Asking(Below(RedirectResponse(to), path="/p"))
    assert client.get("/").headers["location"] == leads


def test_a_hosts_root_has_no_path() -> None:
    assert path_of("https://acme.example") == ""
    assert httpx.URL(PUBLIC).path == path_of(PUBLIC) == PATH
