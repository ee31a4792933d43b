"""Signing in and out, and the addresses that Microsoft and Google redirect back to, one each."""

import secrets
from collections.abc import Callable
from functools import partial

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from actions import sign_in as visits
from app.runtime import Runtime
from db.access import sessions
from db.mailboxes import approvals
from domain.connection import Provider
from domain.errors import (
    AdminApprovalRequired,
    ConnectionRefused,
    NotPermitted,
    OperatorMisconfigured,
    ProviderUnavailable,
    Throttled,
)
from domain.provider_words import PROVIDER_WORDS
from transports.providers import SignIn
from web.forms import PageForm, Typed
from web.limits import count_visit
from web.my_sessions import in_words
from web.pages import message, page
from web.protection import SignedIn, Whole, cookies_of, runtime_of, session_of, transaction_of
from web.return_to import safe
from web.rooms import asks_provider

log = structlog.get_logger()
router = APIRouter()

# An address of its own for each: an answer of one never counts as the other's.
_CALLBACKS = {SignIn.MICROSOFT: "/sign-in/callback", SignIn.GOOGLE: "/sign-in/google"}
_WITHIN = int(sessions.SIGN_IN_WITHIN.total_seconds())
# What an ended session has cost.
_LOST = {
    "session": "Your session has ended. Sign in again to return to the page you were on.",
    "form": "Your session had ended, so nothing was changed. Sign in again to return to the page you were on, and send the"
    " form once more.",
}


class SignInForm(PageForm):
    """``next``: the page to go to afterwards. ``fresh``: Microsoft asks for the password again."""

    next: str = ""
    fresh: str = ""


@router.get("/sign-in")
def show(request: Request) -> Response:
    """Show the sign-in page. ``next``: the page to go to afterwards."""
    wanted = safe(request.query_params.get("next", ""))
    if session_of(request) is not None:
        return RedirectResponse(wanted or "/", status_code=303)
    lost = _LOST.get(request.query_params.get("lost", ""), "")
    return page(request, "sign_in.html", wanted=wanted, lost=lost)


@router.post("/sign-in")
@asks_provider
def start(request: Request, runtime: Whole, form: Typed[SignInForm]) -> Response:
    """Redirect to Microsoft's sign-in."""
    count_visit(request)
    wanted, fresh = safe(form.next), form.fresh == "yes"
    return visit(request, partial(visits.begin_sign_in, runtime, wanted=wanted, fresh=fresh))


def visit(request: Request, begin: Callable[..., str], sign_in: SignIn = SignIn.MICROSOFT) -> Response:
    """Redirect to a provider, with a cookie that proves it is the same browser when it returns.

    ``begin``: one of ``actions.sign_in``. All visits to a provider share one callback, which is registered with the app there.
    """
    browser = secrets.token_urlsafe(32)
    public_url = runtime_of(request).settings.public_url
    response = RedirectResponse(
        begin(browser=browser, redirect_uri=f"{public_url}{_CALLBACKS[sign_in]}"), status_code=303
    )
    cookies = cookies_of(request)
    cookies.set(response, cookies.browser, browser, _WITHIN)
    return response


@router.get(_CALLBACKS[SignIn.MICROSOFT])
@asks_provider
def come_back(request: Request, runtime: Whole) -> Response:
    """Take Microsoft's answer."""
    return _come_back(request, runtime, SignIn.MICROSOFT)


@router.get(_CALLBACKS[SignIn.GOOGLE])
@asks_provider
def come_back_from_google(request: Request, runtime: Whole) -> Response:
    """Take Google's answer."""
    return _come_back(request, runtime, SignIn.GOOGLE)


def _come_back(request: Request, runtime: Runtime, sign_in: SignIn) -> Response:
    count_visit(request)
    cookies = cookies_of(request)
    session = session_of(request)
    answer = {name: value[:4096] for name, value in request.query_params.items()}
    browser = request.cookies.get(cookies.browser, "")[:256]
    visitor = visits.Visitor(
        browser,
        cookie=request.cookies.get(cookies.session, "")[:256],
        signed_in=None if session is None else session.member,
        words=in_words(request.headers.get("user-agent", "")),
    )
    try:
        arrived = visits.finish(runtime, answer, visitor, sign_in)
    except (ConnectionRefused, NotPermitted, OperatorMisconfigured, ProviderUnavailable, Throttled) as error:
        response = _refused(request, session, error, sign_in)
        cookies.drop(response, cookies.browser)
        return response
    if arrived.approved:
        text = (
            "We are checking with Microsoft whether Onbehalf is approved. When it is, we notify your colleagues, who can then"
            " connect their mailboxes. You can close this page."
        )
        response = message(request, "Thank you: we are checking", text, status=200)
    elif arrived.session:
        response = RedirectResponse(safe(arrived.wanted) or "/", status_code=303)
        cookies.set(response, cookies.session, arrived.session, int(sessions.LONGEST.total_seconds()))
    elif arrived.tenant:
        response = RedirectResponse("/settings/email/microsoft", status_code=303)
    else:
        where = "email" if arrived.sender_address else "sequences"
        response = RedirectResponse(f"/settings/{where}?done=connected", status_code=303)
    cookies.drop(response, cookies.browser)
    return response


def _refused(
    request: Request,
    session: sessions.Session | None,
    error: ConnectionRefused | NotPermitted | OperatorMisconfigured | ProviderUnavailable | Throttled,
    sign_in: SignIn,
) -> Response:
    """Return a page that says what was refused, and what to do."""
    code = getattr(error, "code", "")
    log.warning("sign_in_failed", reason=getattr(error, "reason", type(error).__name__), code=code)
    approvable = isinstance(error, AdminApprovalRequired) and sign_in is SignIn.MICROSOFT
    if approvable and session is not None:
        runtime = runtime_of(request)
        with transaction_of(request) as (tx, _):
            waiting = approvals.waiting(tx, runtime.web_keys, session.member.id)
        if waiting is not None:
            link = f"{runtime.settings.public_url}/approve/{waiting[1]}"
            return page(request, "approval_needed.html", status=403, text=str(error), link=link)
    status = 403 if isinstance(error, NotPermitted | ConnectionRefused) else 503
    back = "/settings/sequences" if session else "/sign-in"
    return message(request, "Sign-in not completed", advice(error, sign_in), status=status, back=back)


def advice(error: Exception, sign_in: SignIn = SignIn.MICROSOFT) -> str:
    """Return the error's sentence, and what the visitor can do next."""
    words = PROVIDER_WORDS[Provider.GMAIL if sign_in is SignIn.GOOGLE else Provider.GRAPH]
    if isinstance(error, OperatorMisconfigured):
        log.error("operator_misconfigured", error=str(error))
        return f"Onbehalf is not set up correctly for {words.name} sign-in. We have alerted its operators. Try again later."
    return {
        "consent_missing": f"{error} Start again and {words.accept}.",
        "admin_approval_required": f"{error} Ask your IT team to approve Onbehalf."
        if sign_in is SignIn.MICROSOFT
        else f"{error} Ask your {words.admin}: {words.approval}. Then start again.",
        "not_assigned": f"{error} Ask your IT team to assign you in Microsoft Entra, under Enterprise applications, Onbehalf,"
        " Users and groups. Then start again.",
        "account_disabled": f"{error} Your IT team can enable it again.",
        "organization_gone": f"{error} Signing in again does not help. Your organization's administrators have to resolve this"
        f" with {words.name}.",
        "refusal_unexplained": f"{error} Start again. If that does not help, show your IT team the code.",
        "tenant_refused": f"{error} Have your Microsoft 365 administrator give the consent, then start again.",
        "policy_blocked": f"{error} Your IT team can tell which policy it is. Signing in again does not help.",
    }.get(getattr(error, "reason", ""), str(error))


@router.post("/sign-out")
def leave(request: Request, runtime: Whole, _session: SignedIn) -> Response:
    """End this browser's session."""
    cookies = cookies_of(request)
    with runtime.database.transaction() as tx:
        sessions.close_session(tx, request.cookies.get(cookies.session, ""))
    response = RedirectResponse("/sign-in", status_code=303)
    cookies.drop(response, cookies.session)
    return response
