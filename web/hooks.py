"""Microsoft's change notifications: answered at once, and taken only as a hint to check a mailbox.

A notification is proven by its ``clientState``, a code over the mailbox's id that only our key can derive. A forged one is
ignored without the database. See "Receive change notifications through webhooks" and "Lifecycle notifications" in
Microsoft's Graph documentation.
"""

from collections.abc import Sequence

import orjson
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

import counters
from app.runtime import Runtime
from db.mailboxes import subscriptions
from db.mailboxes.subscriptions import Hint
from web.limits import HOOKS, limiter_of
from web.protection import Whole
from web.source import source_of

log = structlog.get_logger()

router = APIRouter()
_MAX_TOKEN = 2048
_MAX_ID = 200
_MAX_HINTS = 1000
_MAX_UNPROVEN = 20  # in one request: whoever has sent so many that are not Microsoft's is not read to the end
_LOST = ("subscriptionRemoved", "reauthorizationRequired")


@router.post("/hooks/microsoft")
async def hear(request: Request, runtime: Whole) -> Response:
    """Answer a new subscription's handshake with its token in plain text, and all notifications with 202."""
    limiter_of(request).count_here(HOOKS, "hook", source_of(request.scope))
    token = request.query_params.get("validationToken")
    if token is not None:
        return PlainTextResponse(token[:_MAX_TOKEN])
    hints, unknown = _read(runtime, await request.body())
    if hints:
        taken = await run_in_threadpool(_take, runtime, hints)
        unknown += len(hints) - taken
    if unknown:
        counters.NOTIFICATIONS.labels("ignored").inc(unknown)
        log.info("notifications_ignored", count=unknown)
    return Response(status_code=202)


def _take(runtime: Runtime, hints: frozenset[Hint]) -> int:
    with runtime.database.statement() as tx:
        taken = subscriptions.take(tx, hints)
    counters.NOTIFICATIONS.labels("taken").inc(taken)
    log.info("notifications_taken", count=taken)
    return taken


def _read(runtime: Runtime, body: bytes) -> tuple[frozenset[Hint], int]:
    """Return the hints that are proven, and how many notifications are not."""
    hints: set[Hint] = set()
    unknown = 0
    notices = _notices(body)
    for number, notice in enumerate(notices):
        if len(hints) == _MAX_HINTS or unknown == _MAX_UNPROVEN:
            return frozenset(hints), unknown + len(notices) - number
        hint = _hint(runtime, notice)
        if hint is None:
            unknown += 1
        else:
            hints.add(hint)
    return frozenset(hints), unknown


def _notices(body: bytes) -> Sequence[object]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    notices = value.get("value") if isinstance(value, dict) else None
    return notices if isinstance(notices, list) else ()


def _hint(runtime: Runtime, notice: object) -> Hint | None:
    if not isinstance(notice, dict):
        return None
    subscription, state = notice.get("subscriptionId"), notice.get("clientState")
    if not isinstance(subscription, str) or not 0 < len(subscription) <= _MAX_ID or "\0" in subscription:
        return None
    mailbox_id = subscriptions.proven(runtime.web_keys, state) if isinstance(state, str) else None
    if mailbox_id is None:
        return None
    event = notice.get("lifecycleEvent")
    if event in _LOST:
        return Hint(mailbox_id, subscription, "lost")
    return Hint(mailbox_id, subscription, "check" if event else "new")
