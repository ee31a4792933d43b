"""What every page and form is protected by."""

import re
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from fastapi import Request
from fastapi.routing import APIRoute

from lab.access_records import Grant, Mailbox, Session
from lab.stage import Stage
from tests.web.test_sequences_settings import at_settings, member
from tests.web.visitor import Visitor, email_of, known_account
from web import routers
from web.main import application
from web.return_to import page_before

PAGES = [
    "/settings/sequences",
    "/settings/sequences/remove",
    "/settings/sequences/grants/new",
    "/settings/email",
    "/sequences",
    "/notifications",
]
FORMS = [
    "/sign-out",
    "/settings/sequences/connect",
    "/settings/sequences/remove",
    "/settings/sequences/test",
    "/settings/sequences/verify",
    "/settings/sequences/grants",
    "/settings/sequences/requests",
    "/notifications/read",
]


@pytest.fixture
def visitor(stage: Stage) -> Visitor:
    """Somebody who has signed in and looks at their settings."""
    member_id = stage.world.member("Hans Holder")
    stage.mailbox(member_id)
    known_account(stage, email_of(stage, member_id))
    return Visitor(stage).sign_in(email_of(stage, member_id)).get("/settings/sequences")


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_strangers_to_the_sign_in(stage: Stage, path: str) -> None:
    stranger = Visitor(stage).get(path)
    assert (stranger.status, stranger.url) == (303, f"/sign-in?{urlencode({'next': path})}")


@pytest.mark.parametrize("path", FORMS)
def test_a_form_that_does_not_say_where_it_comes_from_changes_nothing(
    stage: Stage, visitor: Visitor, path: str
) -> None:
    assert visitor.send_unsaid(path, to="everyone").status == 403
    assert stage.only(Mailbox).status == "connected"
    assert stage.count(Session) == 1
    assert stage.count(Grant) == 0


@pytest.mark.parametrize("path", [*FORMS, "/sign-in"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(visitor: Visitor, path: str, headers: dict[str, str]) -> None:
    visitor.send(path, headers=headers, to="everyone")
    assert visitor.status == 403
    assert "another site" in visitor.text


@pytest.mark.parametrize("said", ["Origin", "Sec-Fetch-Site"])
def test_a_browser_that_says_one_of_both_is_believed(visitor: Visitor, said: str) -> None:
    value = visitor.public_url if said == "Origin" else "same-origin"
    assert visitor.send_unsaid("/notifications/read", headers={said: value}).status == 303


def test_every_form_of_every_page_has_to_say_where_it_comes_from(visitor: Visitor) -> None:
    paths = [
        re.sub(r"{[^}]+}", str(uuid4()), route.path)
        for router in routers.PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    ]
    assert len(paths) > 30
    assert {path: visitor.send_unsaid(path).status for path in paths} == dict.fromkeys(paths, 403)


@pytest.mark.parametrize(
    "path", ["/sign-in", "/settings/sequences", "/nothing/here", "/static/base.css", "/health"]
)
def test_every_answer_carries_the_headers_that_keep_other_sites_out(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src 'self'; connect-src 'self'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert ("no-store" in headers.get("cache-control", "")) == (not path.startswith("/static/"))
    assert "server" not in headers


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(stage: Stage) -> None:
    member_id = stage.world.member()
    known_account(stage, email_of(stage, member_id))
    visitor = Visitor(stage)
    visitor.get("/sign-in").send("/sign-in")
    cookie = visitor.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    "path", ["/nothing/here", "/settings/sequences/grants/nonsense/revoke", "/docs", "/openapi.json"]
)
def test_what_is_not_there_gets_a_page_that_says_so(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status == 404
    assert "Not found" in visitor.text


def test_a_form_that_is_too_large_is_not_read(visitor: Visitor) -> None:
    assert visitor.send("/settings/sequences/grants", to="x" * 100_000).status == 413


def test_another_host_name_is_refused(visitor: Visitor) -> None:
    assert visitor.get("/sign-in", headers={"Host": "evil.example"}).status == 400


def test_what_members_are_called_is_text_and_never_markup(stage: Stage) -> None:
    member_id = stage.world.member("<script>alert(1)</script>")
    known_account(stage, email_of(stage, member_id))
    visitor = Visitor(stage).sign_in(email_of(stage, member_id))
    assert "<script>" not in visitor.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in visitor.text


def test_without_its_database_a_page_says_to_try_again(
    stage: Stage, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db.core.session import DatabaseUnavailable

    def away() -> None:
        raise DatabaseUnavailable("The database is away.")

    monkeypatch.setattr(stage.web_database, "transaction", away)
    assert visitor.get("/notifications").status == 503
    assert "Try again in a moment" in visitor.text


def test_a_nul_character_is_refused_wherever_it_comes(stage: Stage) -> None:
    """Postgres keeps none: without this, each would be a failure of ours."""
    hans = member(stage, "Hans Holder")
    visitor = at_settings(stage, hans)
    for path in ("/approve/%00", "/settings/mail-server/%00", "/sequences?done=%00", "/nothing/a%00b"):
        assert visitor.get(path).status == 404
    visitor = at_settings(stage, hans)
    assert visitor.send("/settings/sequences/requests", mailbox="a\0b@acme.example", words="x").status == 422
    visitor.get("/settings/sequences")
    assert visitor.send("/settings/sequences/requests", mailbox="mona@acme.example", words="\0").status == 422


@pytest.mark.parametrize(
    ("before", "back"),
    [
        ("/settings/email?done=x#y", "/settings/email?done=x"),
        ("/\\evil.example", ""),
        ("/a\\b", ""),
        ("//evil.example", ""),
        ("", ""),
        (".evil.example/x", ""),
    ],
)
def test_the_way_back_is_a_page_of_ours(stage: Stage, before: str, back: str) -> None:
    referer = f"{stage.runtime.settings.public_url}{before}".encode()
    scope = {"type": "http", "app": application(stage.runtime), "headers": [(b"referer", referer)]}
    assert page_before(Request(scope)) == back


def test_a_refusal_leads_back_to_the_page_of_its_form_without_what_that_had_said(visitor: Visitor) -> None:
    before = f"{visitor.public_url}/settings/email?done=connected"
    visitor.send("/notifications/read", headers={"Referer": before, "Origin": "https://evil.example"})
    assert 'href="/settings/email">Back' in visitor.text
