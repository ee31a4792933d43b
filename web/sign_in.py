"""Signing in and out, and the one place that Microsoft's sign-in page leads back to."""

import secrets

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sign_in as visits
from db import sessions
from domain.errors import ConnectionRefused, NotPermitted, OperatorMisconfigured, ProviderUnavailable
from web.limits import count_visit
from web.pages import message, page
from web.protection import OwnForm, Whole, cookies_of, same_origin, session_of
from web.rooms import asks_microsoft

log = structlog.get_logger()
router = APIRouter()

_CALLBACK = "/sign-in/callback"
_WITHIN = int(sessions.SIGN_IN_WITHIN.total_seconds())


@router.get("/sign-in")
def show(request: Request) -> Response:
    """The page with the one button."""
    if session_of(request) is not None:
        return RedirectResponse("/", status_code=303)
    return page(request, "sign_in.html")


@router.post("/sign-in")
@asks_microsoft
def start(request: Request, runtime: Whole) -> Response:
    """Off to Microsoft."""
    same_origin(request)
    count_visit(request)
    browser = secrets.token_urlsafe(32)
    url = visits.begin_sign_in(runtime, browser=browser, redirect_uri=callback_url(runtime))
    return visit(request, url, browser)


def visit(request: Request, url: str, browser: str) -> Response:
    """Send the browser to Microsoft, with a cookie that proves it is the same one when it comes back."""
    response = RedirectResponse(url, status_code=303)
    cookies = cookies_of(request)
    cookies.set(response, cookies.browser, browser, _WITHIN)
    return response


def callback_url(runtime: Whole) -> str:
    """Registered with the Entra app; one for all visits."""
    return f"{runtime.settings.public_url}{_CALLBACK}"


@router.get(_CALLBACK)
@asks_microsoft
def come_back(request: Request, runtime: Whole) -> Response:
    """Microsoft's answer."""
    count_visit(request)
    cookies = cookies_of(request)
    session = session_of(request)
    answer = {name: value[:4096] for name, value in request.query_params.items()}
    browser = request.cookies.get(cookies.browser, "")[:256]
    try:
        arrived = visits.finish(
            runtime, answer, browser=browser, signed_in=None if session is None else session.member
        )
    except (ConnectionRefused, NotPermitted, OperatorMisconfigured, ProviderUnavailable) as error:
        status = 403 if isinstance(error, NotPermitted | ConnectionRefused) else 503
        back = "/settings/sequences" if session else "/sign-in"
        response = message(request, "That did not work", advice(error), status=status, back=back)
        cookies.drop(response, cookies.browser)
        return response
    if arrived.approved:
        text = "Thank you. Your colleagues have been told and can connect their mailboxes now."
        response = message(request, "Onbehalf is approved", text, status=200)
    elif arrived.session:
        response = RedirectResponse("/", status_code=303)
        cookies.set(response, cookies.session, arrived.session, int(sessions.LONGEST.total_seconds()))
    else:
        where = "email" if arrived.company else "sequences"
        response = RedirectResponse(f"/settings/{where}?done=connected", status_code=303)
    cookies.drop(response, cookies.browser)
    return response


def advice(error: Exception) -> str:
    """The error's sentence, and what to do next where the visitor can do something."""
    if isinstance(error, OperatorMisconfigured):
        log.error("operator_misconfigured", error=str(error))
        return "Onbehalf is not set up correctly for Microsoft sign-in; its operators have been told. Please try again later."
    return {
        "consent_missing": f"{error} Please start again and accept all permissions that are listed.",
        "admin_approval_required": f"{error} Ask your IT team to approve Onbehalf; the page with your mailbox has a link for them.",
        "policy_blocked": f"{error} Your IT team can tell which policy it is; signing in again does not help.",
    }.get(getattr(error, "reason", ""), str(error))


@router.post("/sign-out")
def leave(request: Request, runtime: Whole, _form: OwnForm) -> Response:
    """End the session."""
    cookies = cookies_of(request)
    with runtime.database.transaction() as tx:
        sessions.close_session(tx, request.cookies.get(cookies.session, ""))
    response = RedirectResponse("/sign-in", status_code=303)
    cookies.drop(response, cookies.session)
    return response
