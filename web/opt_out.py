"""The public page on which the recipient of an email opts out: no sign-in, no cookies, in the recipient's words.

Scanners open every link, so opening it changes nothing. A POST acts, wherever it comes from: mail providers send it for their
users, without a page, an ``Origin`` or cookies (RFC 8058). What proves that it may is the token alone, so this is the one form that
needs no check of its origin: a site that does not know the token cannot act, and one that does has the email.
"""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from actions import opt_outs as actions
from db.listening import opt_out_tokens, opt_outs
from domain.errors import NotFound
from domain.message import ONE_CLICK
from domain.opt_out import TEST, OptOut
from web.opt_out_words import WORDS, language_of
from web.pages import bare_page
from web.protection import runtime_of
from web.rooms import withdraws

log = structlog.get_logger()

router = APIRouter()

_FIELD, _ONE_CLICK = ONE_CLICK.split("=")
_AROUND = ".,;:!?)>]}'\"\u201d\u2019\u00bb"  # what programs take into a link by mistake
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address is the proof
    "X-Robots-Tag": "noindex, nofollow",
}


class CutOffError(Exception):
    """The link is not ours, or it is cut off."""


def _named(request: Request, token: str) -> OptOut:
    found = opt_out_tokens.read(runtime_of(request).web_keys, token.rstrip(_AROUND))
    if found is None:
        raise CutOffError
    return found


Named = Annotated[OptOut, Depends(_named)]


@router.get(f"/o/{TEST}")
def show_test(request: Request) -> Response:
    """Say what the link of a step that somebody sent to themselves would be. Changes nothing."""
    response = bare_page(request, "opt_out_test.html", language="en")
    response.headers.update(_HEADERS)
    return response


@router.post(f"/o/{TEST}")
def stop_nothing() -> Response:
    """Answer a mail provider that sends the opt-out of a test for its user. Changes nothing."""
    return PlainTextResponse("This was a test. Nothing is stopped.\n", headers=_HEADERS)


@router.get("/o/{token}")
def show(request: Request, named: Named) -> Response:
    """Ask or, once it is done, show what was stopped. Changes nothing."""
    with runtime_of(request).for_tenant(named.organization_id).database.transaction() as tx:
        try:
            person = opt_outs.person_of(tx, named)
        except NotFound:
            raise CutOffError from None
        stand = opt_outs.stand(tx, named, person)
    filled = {"organization": person.organization, "sender": person.sender or person.organization}
    return _page(request, "opt_out.html", person=person, stand=stand, filled=filled, action=request.url.path)


@router.post("/o/{token}")
@withdraws
def stop(
    request: Request,
    named: Named,
    one_click: Annotated[str, Form(alias=_FIELD)] = "",
) -> Response:
    """Opt out; answers when no more emails can leave to this person. A repetition answers the same."""
    try:
        actions.opt_out(runtime_of(request).for_tenant(named.organization_id), named)
    except NotFound:
        raise CutOffError from None
    log.info("opted_out", outcome="one_click" if one_click else "page")
    if one_click == _ONE_CLICK:
        return PlainTextResponse("Stopped.\n", headers=_HEADERS)  # RFC 8058 allows no redirect
    return RedirectResponse(f"{request.url.path}", status_code=303, headers=_HEADERS)


def cut_off(request: Request, _error: Exception) -> Response:
    """Say that the link does not work. Nothing changed."""
    return _page(request, "opt_out_cut.html", status=404)


def _page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    language = language_of(request.headers.get("accept-language", ""))
    response = bare_page(request, template, status=status, words=WORDS[language], language=language, **values)
    response.headers.update(_HEADERS)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return response
