"""The JSON API's webhooks: which addresses hear of pauses and connections."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from actions import webhooks as actions
from db.events import webhooks
from web.api_call import Called, RefusedError
from web.api_models import REFUSALS, Asked

router = APIRouter(responses=REFUSALS)


class NewWebhook(Asked):
    """An https address of yours."""

    url: str = Field(min_length=1, max_length=2000)


class Added(BaseModel):
    """``secret`` is shown this once; it verifies the header webhook-signature (Standard Webhooks)."""

    id: UUID
    secret: str


class Webhooks(BaseModel):
    """All that stand, by their hosts, each with what became of its calls of the last month."""

    items: list[dict[str, Any]]


@router.get("/webhooks", response_model=Webhooks)
def list_webhooks(call: Called) -> Webhooks:
    """Who hears of pauses and connections."""
    with call.runtime.database.transaction() as tx:
        return Webhooks(items=webhooks.listing(tx, call.caller.organization_id))


@router.post("/webhooks", response_model=Added, status_code=201)
def add_webhook(call: Called, asked: NewWebhook) -> Response:
    """Tell this address from now on. Events come signed, perhaps twice, and each with an id of its own."""
    call.may("manage")
    if call.once:
        # Its answer would have to be kept, and with it the secret. The same URL twice is refused anyway.
        raise RefusedError(
            422, "Leave out the Idempotency-Key here: the answer holds a secret, which is kept nowhere."
        )
    webhook_id, secret = actions.add_webhook(
        call.runtime, call.caller.organization_id, asked.url, actor=call.caller.name
    )
    return JSONResponse({"id": str(webhook_id), "secret": secret}, 201)


@router.post("/webhooks/{webhook}/remove", response_model=Webhooks)
def remove_webhook(call: Called, webhook: UUID) -> Response:
    """Tell it nothing any more."""
    organization_id = call.caller.organization_id

    def work() -> dict[str, Any]:
        actions.remove_webhook(call.runtime, organization_id, webhook, actor=call.caller.name)
        with call.runtime.database.transaction() as tx:
            return {"items": webhooks.listing(tx, organization_id)}

    return call.do(work)
