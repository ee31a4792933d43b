"""Every page is one of the office's, so that its layout, keys, accessibility and transactions are looked at."""

import re
from collections.abc import Iterator
from uuid import UUID

from fastapi.routing import APIRoute

from tests.web.every_route import pages
from tests.web.office import ALONE, PAGES, REFUSED
from web import main, people_import, routers
from web.forms import _WRITTEN

# What answers a GET and is no page: a form's address alone leads to its page.
FORM_ALONE = "form_alone.<locals>.lead"
NO_PAGES = {
    "/sign-in/callback": "leads on from Microsoft's pages",
    "/sign-in/google": "leads on from Google's pages",
    "/notifications/{notice}": "marks a notice as read, and leads to what it is about",
    "/live": "part of every page",
    "/settings/suppressions/export.csv": "a file",
    "/people/import/{people_import:uuid}/left-out.csv": "a file",
    "/people/{candidate}/export.json": "a file",
    "/people/export.csv": "a file",
    "/numbers/export.csv": "a file",
    "/settings/audit/export.jsonl": "a file",
    "/settings/api/openapi.json": "for programs",
    "/robots.txt": "for programs",
    "/favicon.ico": "for programs",
    "/health": "for programs",
    "/health/live": "for programs",
    "/health/ready": "for programs",
}


def gets() -> Iterator[APIRoute]:
    """What answers a GET."""
    for router in (*routers.PAGES, *main._OTHERS, people_import.uploads):
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
                yield route


def test_every_page_is_one_of_the_office() -> None:
    measured = [re.sub(r"\{\w+\}", str(UUID(int=1)), each).partition("?")[0] for each in (*PAGES, *ALONE)]
    left = {
        route.path
        for route in gets()
        if route.endpoint.__qualname__ != FORM_ALONE
        and not any(route.path_regex.match(each) for each in measured)
    }
    assert left == set(NO_PAGES)


# Forms that hold what somebody wrote, and are never shown again with it and an error.
NEVER_REFUSED = {
    "/sequences/{sequence}/preview/typed": "shows what is typed, and says what is wrong with it",
    "/settings/sequences/grants/{grant}/first": "its email is an id",
    "/settings/mail-server/{which}/microsoft": "its host is Microsoft's",
    "/settings/email/microsoft/check": "answers on a page of its own",
}


def test_every_form_that_somebody_writes_in_is_seen_refused() -> None:
    sent = [re.sub(r"\{\w+\}", "…", action) for _, action, _ in REFUSED]
    left = {
        route.path
        for route in pages()
        if route.method == "POST" and any(name in _WRITTEN for name in route.fields)
        if re.sub(r"\{\w+\}", "…", route.path) not in sent and not _named(route.path, sent)
    }
    assert left == set(NEVER_REFUSED)


def _named(path: str, sent: list[str]) -> bool:
    """Is it one of those that name a mailbox of one's own where others have an id?"""
    return re.sub(r"\{\w+\}", "mine", path) in sent
