"""One webhook: its events, whether it is called, its secret, and a delivery once more; for owners and admins."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from actions import webhooks as actions
from db.access.page_results import ShownOnce
from db.events import webhooks
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.event_types import WEBHOOK_TYPES
from web.forms import Filled, PageForm, Typed, again, id_of
from web.pages import form_alone, go, page
from web.programs import made_before, secret_of
from web.protection import Administrator, Runtimed, administrator, transaction_of

router = APIRouter(prefix="/settings/api/webhooks")

_ALL = "/settings/api"
_HERE = "/settings/api/webhooks"


class EventsForm(PageForm):
    """``which``: all or some; ``event``: those."""

    which: str = ""
    event: list[str] = Field(default_factory=list)


form_alone(router, "/{webhook:uuid}/calls/{event:uuid}/again", to=_ALL)
form_alone(
    router,
    *(f"/{{webhook:uuid}}/{each}" for each in ("disable", "enable", "secret", "confirm")),
    to="/settings/api/webhooks/{webhook}",
)


@router.get("/{webhook:uuid}")
def show_webhook(request: Request, webhook: UUID) -> Response:
    """Show one webhook: its events, whether it is called, and its secret's replacement."""
    return _webhook(request, webhook, Filled())


def _webhook(request: Request, webhook: UUID, filled: Filled, *, status: int = 200) -> Response:
    with transaction_of(request) as (tx, session):
        standing = webhooks.listing(tx, administrator(request).member.organization_id)
        found = next((each for each in standing if each["id"] == webhook), None)
        if found is None:
            raise NotFound("There is no such webhook, or it was removed.")
        made = id_of(request.query_params.get("made", ""))
        return page(
            request,
            "webhook.html",
            found=found,
            types=WEBHOOK_TYPES,
            chosen=filled.chosen if filled.values else frozenset(found["events"] or ()),
            made=None if made is None else secret_of(request, tx, session, made),
            filled=filled,
            status=status,
        )


@router.post("/{webhook:uuid}")
def choose_events(
    request: Request, session: Administrator, runtime: Runtimed, webhook: UUID, form: Typed[EventsForm]
) -> Response:
    """Choose the events that it hears of."""
    types = None if form.which == "all" else form.event
    member = session.member
    try:
        actions.choose_events(runtime, member.organization_id, webhook, types, actor=member.name)
    except InvalidInput as error:
        filled = again(form.typed(), error, {"events": "event"}, chosen=form.event)
        return _webhook(request, webhook, filled, status=422)
    return go(request, f"{_HERE}/{webhook}", "Saved. It counts for events from now on.")


@router.post("/{webhook:uuid}/disable")
def disable_webhook(request: Request, session: Administrator, runtime: Runtimed, webhook: UUID) -> Response:
    """Call it no more."""
    actions.disable(runtime, session.member.organization_id, webhook, actor=session.member.name)
    return go(request, f"{_HERE}/{webhook}", "It is disabled. We do not call it.")


@router.post("/{webhook:uuid}/enable")
def enable_webhook(request: Request, session: Administrator, runtime: Runtimed, webhook: UUID) -> Response:
    """Call it again."""
    actions.enable(runtime, session.member.organization_id, webhook, actor=session.member.name)
    return go(request, f"{_HERE}/{webhook}", "It is enabled, for events from now on.")


@router.post("/{webhook:uuid}/secret")
def replace_secret(request: Request, session: Administrator, runtime: Runtimed, webhook: UUID) -> Response:
    """Make another secret, and lead to where it is shown for a minute. A repetition within it leads there too."""
    member = session.member
    where = ShownOnce(runtime.web_keys, member.organization_id, member.id, f"secret:{webhook}")
    if not made_before(request, where):
        actions.replace_secret(runtime, member.organization_id, webhook, actor=member.name, shown=where)
    return go(request, f"{_HERE}/{webhook}?made={where.id}")


@router.post("/{webhook:uuid}/confirm")
def confirm_secret(request: Request, session: Administrator, runtime: Runtimed, webhook: UUID) -> Response:
    """The receiver knows the new secret. A repetition changes nothing."""
    actions.confirm_secret(runtime, session.member.organization_id, webhook, actor=session.member.name)
    return go(request, f"{_HERE}/{webhook}", "The new secret alone signs from now on.")


@router.post("/{webhook:uuid}/calls/{event:uuid}/again")
def send_again(
    request: Request, session: Administrator, runtime: Runtimed, webhook: UUID, event: UUID
) -> Response:
    """Call it for an event once more."""
    try:
        done = actions.send_again(runtime, session.member.organization_id, webhook, event)
    except NotPermitted as error:
        return go(request, _ALL, str(error))
    return go(request, _ALL, "It is sent again." if done else "It waits already.")
