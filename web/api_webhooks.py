"""The JSON API's webhooks: which addresses hear of pauses and connections."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from actions import webhooks as actions
from db.events import webhooks
from db.views import programs
from domain.errors import InvalidInput
from web.api_call import Called, RefusedError
from web.api_models import REFUSALS, Asked
from web.rooms import waits_for_others

router = APIRouter(responses=REFUSALS)


class NewWebhook(Asked):
    """Your https address."""

    url: str = Field(min_length=1, max_length=2000)


class Added(BaseModel):
    """``secret`` is shown only once; it verifies the header webhook-signature (Standard Webhooks)."""

    id: UUID
    secret: str


class Webhooks(BaseModel):
    """All webhooks, by host, each with the results of its calls of the last month."""

    items: list[dict[str, Any]]


@router.get("/webhooks", response_model=Webhooks)
def list_webhooks(call: Called) -> Webhooks:
    """The addresses that we notify of pauses and connections."""
    with call.runtime.database.transaction() as tx:
        return Webhooks(items=webhooks.listing(tx, call.caller.organization_id))


@router.post("/webhooks", response_model=Added, status_code=201)
def add_webhook(call: Called, asked: NewWebhook) -> Response:
    """Notify this address from now on. Events are signed, may arrive twice, and each has its own id."""
    call.may("manage")
    if call.once:
        # Its answer would have to be kept, and with it the secret. The same URL twice is refused anyway.
        raise RefusedError(
            422, "Leave out the Idempotency-Key here: the answer holds a secret, which we do not keep."
        )
    webhook_id, secret = actions.add_webhook(
        call.runtime, call.caller.organization_id, asked.url, actor=call.caller.name
    )
    return JSONResponse({"id": str(webhook_id), "secret": secret}, 201)


class Calls(BaseModel):
    """One page, newest first. ``next_before``: event and webhook of the last one; null on the last page."""

    items: list[dict[str, Any]]
    next_before: str | None


class Tested(BaseModel):
    """``answer``: a status, or the kind of failure. All null: the test did not end in time."""

    answer: str | None = None
    taken: bool | None = None
    seconds: float | None = None


@router.get("/webhooks/calls", response_model=Calls)
def list_calls(
    call: Called,
    webhook_id: UUID | None = None,
    before: Annotated[str, Query(max_length=80, description="next_before of the previous page")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = programs.PER_PAGE,
) -> Calls:
    """What webhooks were called for in the last month, and how that went."""
    event, _, webhook = before.partition("~")
    with call.runtime.database.transaction() as tx:
        found = programs.calls(
            tx,
            call.caller.organization_id,
            webhook_id=webhook_id,
            before=(_id(event), _id(webhook)) if before else None,
            limit=limit + 1,
        )
    shown = found[:limit]
    return Calls(
        items=[asdict(each) for each in shown],
        next_before=f"{shown[-1].event_id}~{shown[-1].webhook_id}" if len(found) > limit else None,
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(
            "This place is not valid.", where="before", fix="Use next_before of the last page."
        ) from None


@router.post("/webhooks/{webhook}/test", response_model=Tested)
@waits_for_others
def try_webhook(call: Called, webhook: UUID) -> Response:
    """Call a webhook once, with a signed event of the type webhook.test."""
    return call.do(
        lambda: (
            actions.try_webhook(call.runtime, call.caller.organization_id, webhook, actor=call.caller.name)
            or {}
        )
    )


class NewEvents(Asked):
    """``events`` null: all, also those of later releases."""

    events: list[str] | None = Field(min_length=1, max_length=100)


class Secret(BaseModel):
    """``secret`` is shown only once. Both it and the one before sign until you confirm it."""

    secret: str


class Changed(BaseModel):
    """``changed``: false if it was so."""

    changed: bool


@router.post("/webhooks/{webhook}/events", response_model=Changed)
def choose_events(call: Called, webhook: UUID, wanted: NewEvents) -> Response:
    """Choose the types of events that a webhook hears of."""
    organization_id, actor = call.caller.organization_id, call.caller.name
    return call.do(
        lambda: {
            "changed": actions.choose_events(
                call.runtime, organization_id, webhook, wanted.events, actor=actor
            )
        }
    )


@router.post("/webhooks/{webhook}/disable", response_model=Changed)
def disable_webhook(call: Called, webhook: UUID) -> Response:
    """Call it no more. What waits is given up, and can be sent again once it is enabled."""
    organization_id, actor = call.caller.organization_id, call.caller.name
    return call.do(lambda: {"changed": actions.disable(call.runtime, organization_id, webhook, actor=actor)})


@router.post("/webhooks/{webhook}/enable", response_model=Changed)
def enable_webhook(call: Called, webhook: UUID) -> Response:
    """Call it again, for events from now on."""
    organization_id, actor = call.caller.organization_id, call.caller.name
    return call.do(lambda: {"changed": actions.enable(call.runtime, organization_id, webhook, actor=actor)})


@router.post("/webhooks/{webhook}/secret", response_model=Secret, status_code=201)
def replace_secret(call: Called, webhook: UUID) -> Response:
    """Make another secret. Both sign until you confirm that you know the new one."""
    call.may("manage")
    if call.once:
        raise RefusedError(
            422, "Leave out the Idempotency-Key here: the answer holds a secret, which we do not keep."
        )
    secret = actions.replace_secret(
        call.runtime, call.caller.organization_id, webhook, actor=call.caller.name
    )
    return JSONResponse({"secret": secret}, 201)


@router.post("/webhooks/{webhook}/secret/confirm", response_model=Changed)
def confirm_secret(call: Called, webhook: UUID) -> Response:
    """You know the new secret: the one before it signs no more."""
    organization_id, actor = call.caller.organization_id, call.caller.name
    return call.do(
        lambda: {"changed": actions.confirm_secret(call.runtime, organization_id, webhook, actor=actor)}
    )


@router.post("/webhooks/{webhook}/calls/{event}/again", response_model=Changed)
def send_again(call: Called, webhook: UUID, event: UUID) -> Response:
    """Call it for an event of the last month once more. False: it waits already."""
    organization_id = call.caller.organization_id
    return call.do(lambda: {"changed": actions.send_again(call.runtime, organization_id, webhook, event)})


@router.post("/webhooks/{webhook}/remove", response_model=Webhooks)
def remove_webhook(call: Called, webhook: UUID) -> Response:
    """Stop notifying this address."""
    organization_id = call.caller.organization_id

    def work() -> dict[str, Any]:
        actions.remove_webhook(call.runtime, organization_id, webhook, actor=call.caller.name)
        with call.runtime.database.transaction() as tx:
            return {"items": webhooks.listing(tx, organization_id)}

    return call.do(work)
