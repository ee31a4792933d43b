"""Microsoft's change notifications: answered at once, believed in nothing but that it is time to look.

See "Receive change notifications through webhooks" and "Lifecycle notifications" in Microsoft's Graph documentation.
"""

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from db import subscriptions
from db.session import Transaction
from web.limits import HOOKS, address_of, limiter_of
from web.protection import Whole
from workers.runtime import Runtime

log = structlog.get_logger()

router = APIRouter()
_BODY_AT_MOST = 256 * 1024
_TOKEN_AT_MOST = 2048
_NOTICES_AT_MOST = 1000


@router.post("/hooks/microsoft")
async def hear(request: Request, runtime: Whole) -> Response:
    """The handshake of a new subscription gets its token back as plain text; notifications get 202, whatever they are."""
    limiter_of(request).count(HOOKS, "hook", address_of(request))
    token = request.query_params.get("validationToken")
    if token is not None:
        return PlainTextResponse(token[:_TOKEN_AT_MOST])
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_AT_MOST:
            return Response(status_code=413)
    await run_in_threadpool(_take, runtime, _read(bytes(body)))
    return Response(status_code=202)


def _read(body: bytes) -> list[Mapping[str, Any]]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    notices = value.get("value") if isinstance(value, dict) else None
    return (
        [each for each in notices[:_NOTICES_AT_MOST] if isinstance(each, dict)]
        if isinstance(notices, list)
        else []
    )


def _take(runtime: Runtime, notices: list[Mapping[str, Any]]) -> None:
    seen = {
        (_text(each, "subscriptionId"), _text(each, "clientState"), _text(each, "lifecycleEvent"))
        for each in notices
    }
    for subscription_id, secret, event in sorted(seen):
        with runtime.database.transaction() as tx:
            _hint(tx, subscription_id, secret, event)


def _hint(tx: Transaction, subscription_id: str, secret: str, event: str) -> None:
    mailbox_id = subscriptions.mailbox_of(tx, subscription_id, secret)
    if mailbox_id is None:
        log.info("notification_ignored")
        return
    if event:
        if event in ("subscriptionRemoved", "reauthorizationRequired"):
            subscriptions.forget(tx, mailbox_id)
        subscriptions.check_soon(tx, mailbox_id)
    else:
        subscriptions.look_soon(tx, mailbox_id)
    log.info("notification_taken", mailbox_id=str(mailbox_id), lifecycle_event=event)


def _text(notice: Mapping[str, Any], name: str) -> str:
    value = notice.get(name)
    return value if isinstance(value, str) and "\x00" not in value and len(value) <= _TOKEN_AT_MOST else ""
