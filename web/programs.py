"""API and webhooks: keys and webhooks of other programs, their last calls, and the reference; for owners and admins."""

import json
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from pydantic import Field

from actions import programs
from actions import webhooks as actions
from db.access import page_results
from db.access.api_keys import PROVISION, SCOPES
from db.access.page_results import ShownOnce
from db.access.sessions import Session
from db.core.session import Transaction
from db.events import webhooks
from db.views import programs as lists
from domain.errors import NotFound
from web.api_call import SCIM
from web.forms import REFUSED, Filled, PageForm, Typed, again, id_of
from web.pages import form_alone, go, page
from web.protection import Administrator, Runtimed, administrator, runtime_of, transaction_of
from web.reference import description_of, groups_of
from web.return_to import freshly_signed_in
from web.rooms import waits_for_others

router = APIRouter(prefix="/settings/api")

_HERE, PROVISIONING = "/settings/api", "/settings/team/provisioning"
_MAY = {
    "read": ("Read", "See everything of the organization"),
    "manage": ("Manage", "Pause, resume, stop, suppress, write and ask; never give a permission"),
    "addresses": ("Addresses", "Change the sender addresses"),
}


class NewKey(PageForm):
    """``may``: scopes. ``until``: its last day, or empty. ``key``: of the form."""

    name: str = ""
    until: str = ""
    key: str = ""
    may: list[str] = Field(default_factory=list)


class NewWebhook(PageForm):
    """An https address. ``key``: of the form."""

    url: str = ""
    key: str = ""


form_alone(
    router,
    "/keys",
    "/webhooks",
    "/webhooks/{webhook:uuid}/test",
    to=_HERE,
)


@router.get("")
def show(request: Request) -> Response:
    """Show keys, webhooks and their last calls."""
    return _shown(request)


def _shown(
    request: Request,
    key: Filled | None = None,
    webhook: Filled | None = None,
    *,
    status: int = 200,
) -> Response:
    asked = request.query_params
    event, _, of = asked.get("before", "")[:80].partition("~")
    places = id_of(event), id_of(of)
    only, made = id_of(asked.get("webhook", "")), id_of(asked.get("made", ""))
    with transaction_of(request) as (tx, session):
        organization_id = administrator(request).member.organization_id
        calls = lists.calls(
            tx,
            organization_id,
            webhook_id=only,
            before=None if places[0] is None or places[1] is None else (places[0], places[1]),
            limit=lists.PER_PAGE + 1,
        )
        shown = calls[: lists.PER_PAGE]
        last = shown[-1] if len(calls) > len(shown) else None
        return page(
            request,
            "programs.html",
            keys=lists.keys(tx, organization_id, provision=False),
            webhooks=webhooks.listing(tx, organization_id),
            most=webhooks.MAX_WEBHOOKS,
            calls=shown,
            only=only,
            next="" if last is None else f"{last.event_id}~{last.webhook_id}",
            first=places[0] is not None,
            may=_MAY,
            key=key or Filled(),
            hook=webhook or Filled(),
            made=None if made is None else secret_of(request, tx, session, made),
            asked_for=made,
            form_key=str(uuid4()),
            status=status,
        )


def secret_of(request: Request, tx: Transaction, session: Session, result: UUID) -> dict[str, str] | None:
    """Return what a form has made and shows once; None after its minute."""
    member = session.member
    keys = runtime_of(request).web_keys
    return page_results.unseal(tx, keys, member.organization_id, member.id, result)


def _place(request: Request, session: Session, what: str, form: NewKey | NewWebhook) -> ShownOnce:
    """Return where the secret is kept that this form makes. Sent again, it leads there again."""
    named = form.name if isinstance(form, NewKey) else form.url
    return ShownOnce(
        runtime_of(request).web_keys,
        session.member.organization_id,
        session.member.id,
        f"{what}:{form.key[:200]}:{named.strip()}",
    )


def _made(request: Request, where: ShownOnce) -> Response:
    return go(request, f"{_HERE}?made={where.id}")


def _page(request: Request, key: UUID) -> str:
    with transaction_of(request) as (tx, session):
        return _page_of(lists.key(tx, session.member.organization_id, key))


def _page_of(key: lists.Key) -> str:
    """Return the page that lists a key."""
    return PROVISIONING if PROVISION in key.scopes else _HERE


def made_before(request: Request, where: ShownOnce) -> bool:
    """Did a click a moment ago do what this one was refused for?"""
    with transaction_of(request) as (tx, session):
        return secret_of(request, tx, session, where.id) is not None


@router.post("/keys")
def make_key(request: Request, runtime: Runtimed, form: Typed[NewKey]) -> Response:
    """Make a key, and lead to the page that shows it for a minute. A repeated request leads to the same."""
    administrator(request)
    session = freshly_signed_in(request, _HERE)
    chosen = [each for each in form.may if each in SCOPES]
    where = _place(request, session, "key", form)
    try:
        programs.make_key(
            runtime,
            session.member.organization_id,
            form.name,
            chosen,
            until=form.until,
            actor=session.member.name,
            shown=where,
        )
    except REFUSED as error:
        if made_before(request, where):
            return _made(request, where)
        places = {"name": "name", "scopes": "may", "until": "until"}
        return _shown(request, again(form.typed(), error, places, other="name", chosen=chosen), status=422)
    return _made(request, where)


@router.get("/keys/{key:uuid}/end")
def ask_end(request: Request, key: UUID) -> Response:
    """Ask before a key ends."""
    with transaction_of(request) as (tx, _):
        found = lists.key(tx, administrator(request).member.organization_id, key)
        if found.revoked_at is not None:
            return go(request, _page_of(found), f"The key {found.name} had already ended.")
        return page(
            request,
            "end_program.html",
            title=f"End the key {found.name}?",
            explanation="Programs that use it are refused from this moment. It cannot be taken back.",
            verb="End key",
            back=_page_of(found),
        )


@router.get("/keys/{key:uuid}/replace")
def ask_replace(request: Request, key: UUID) -> Response:
    """Ask before another key is made for the same program."""
    with transaction_of(request) as (tx, _):
        found = lists.key(tx, administrator(request).member.organization_id, key)
        if found.revoked_at is not None or found.expired:
            return go(request, _page_of(found), f"The key {found.name} has ended. Make another one.")
        return page(
            request,
            "end_program.html",
            title=f"Replace the key {found.name}?",
            explanation="You get a new key for the same program, which may do the same. The present one works for one more day.",
            verb="Replace key",
            back=_page_of(found),
        )


@router.post("/keys/{key:uuid}/replace")
def replace_key(request: Request, runtime: Runtimed, key: UUID) -> Response:
    """Make another key for the same program, and lead to the page that shows it for a minute. A repetition within it leads there too."""
    administrator(request)
    session = freshly_signed_in(request, f"{_HERE}/keys/{key}/replace")
    member = session.member
    where = ShownOnce(runtime.web_keys, member.organization_id, member.id, f"replace:{key}")
    if not made_before(request, where):
        programs.replace_key(runtime, member.organization_id, key, actor=member.name, shown=where)
    return go(request, f"{_page(request, key)}?made={where.id}")


@router.post("/keys/{key:uuid}/end")
def end_key(request: Request, session: Administrator, runtime: Runtimed, key: UUID) -> Response:
    """End a key. A repetition says so."""
    name, ended = programs.end_key(runtime, session.member.organization_id, key, actor=session.member.name)
    return go(
        request,
        _page(request, key),
        f"The key {name} has ended." if ended else f"The key {name} had already ended.",
    )


@router.post("/webhooks")
@waits_for_others
def add_webhook(
    request: Request, session: Administrator, runtime: Runtimed, form: Typed[NewWebhook]
) -> Response:
    """Add a webhook, and lead to the page that shows its secret for a minute. A repeated request leads to the same."""
    where = _place(request, session, "webhook", form)
    try:
        actions.add_webhook(
            runtime,
            session.member.organization_id,
            form.url.strip(),
            actor=session.member.name,
            shown=where,
        )
    except REFUSED as error:
        if made_before(request, where):
            return _made(request, where)
        return _shown(request, webhook=again(form.typed(), error, {}, other="url"), status=422)
    return _made(request, where)


@router.get("/webhooks/{webhook:uuid}/remove")
def ask_remove(request: Request, webhook: UUID) -> Response:
    """Ask before a webhook is removed."""
    with transaction_of(request) as (tx, _):
        standing = webhooks.listing(tx, administrator(request).member.organization_id)
        found = next((each for each in standing if each["id"] == webhook), None)
        if found is None:
            raise NotFound("There is no such webhook, or it was removed.")
        return page(
            request,
            "end_program.html",
            title=f"Remove the webhook at {found['host']}?",
            explanation="We stop calling it, also for events that are waiting. Its secret is erased.",
            verb="Remove webhook",
            back=_HERE,
        )


@router.post("/webhooks/{webhook:uuid}/remove")
def remove_webhook(request: Request, session: Administrator, runtime: Runtimed, webhook: UUID) -> Response:
    """Remove a webhook. A repetition says that it is gone."""
    try:
        actions.remove_webhook(runtime, session.member.organization_id, webhook, actor=session.member.name)
    except NotFound:
        return go(request, _HERE, "The webhook was already removed.")
    return go(request, _HERE, "The webhook is removed. We no longer call it.")


@router.post("/webhooks/{webhook:uuid}/test")
@waits_for_others
def try_webhook(request: Request, session: Administrator, runtime: Runtimed, webhook: UUID) -> Response:
    """Call a webhook with a test event, and say what it answered."""
    found = actions.try_webhook(runtime, session.member.organization_id, webhook, actor=session.member.name)
    return go(request, _HERE, actions.said(found))


@router.get("/reference")
def show_reference(request: Request) -> Response:
    """Show every call of the API, from the description that the running version gives of itself."""
    document = description_of(request)
    with transaction_of(request):
        administrator(request)
        return page(
            request,
            "reference.html",
            groups=groups_of(document)
            | groups_of(description_of(request, SCIM), SCIM, together="Provisioning (SCIM)"),
            words=document["info"]["description"],
            address=runtime_of(request).settings.public_url,
        )


@router.get("/openapi.json")
def show_description(request: Request, _: Administrator) -> Response:
    """Return the OpenAPI document as a file."""
    return Response(
        json.dumps(description_of(request), indent=1),
        media_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="onbehalf-openapi.json"'},
    )
