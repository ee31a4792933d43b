"""What providers tell us of changes: answered at once, and taken only as a hint to look into a mailbox.

One of Microsoft's is proven by its ``clientState``, a code over the mailbox's id that only our key can derive. A forged one is
ignored without the database. See "Receive change notifications through webhooks" and "Lifecycle notifications" in
Microsoft's Graph documentation. One of Gmail's comes through Cloud Pub/Sub, and is proven by a token that Google signs (``transports/google_push.py``).
Pub/Sub repeats whatever is not answered with a status of success, for days, and in no order.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import timedelta

import orjson
import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

import counters
from app.runtime import Runtime
from db.mailboxes import subscriptions
from db.mailboxes.subscriptions import Hint
from domain.connection import Provider
from domain.errors import ProviderUnavailable
from domain.listening.cadence import BEHIND
from transports.google_push import AnotherCaller, NotSigned
from web.limits import HOOKS, limiter_of
from web.protection import Whole
from web.source import source_of

log = structlog.get_logger()

router = APIRouter()
_MAX_TOKEN = 2048
_MAX_ID = 200
_MAX_HINTS = 1000
_MAX_UNPROVEN = 20  # in one request: whoever has sent so many that are not Microsoft's is not read to the end
_MAX_DATA = 4096
_ACCOUNT = re.compile(r"[^@\s\0]{1,64}@[^@\s\0]{1,255}")
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
        taken = await run_in_threadpool(_take, runtime, hints, Provider.GRAPH)
        unknown += len(hints) - taken
    if unknown:
        counters.HINTS.labels(Provider.GRAPH, "ignored").inc(unknown)
        log.info("notifications_ignored", count=unknown)
    return Response(status_code=202)


@router.post("/hooks/google")
async def hear_google(request: Request, runtime: Whole) -> Response:
    """Take a hint about one account: 204, also of one that nobody has connected. 404 where none is expected.

    401 or 403: it does not come from the operators' subscription. 400: it is no hint of Gmail's. 503: Google's certificates are missing.
    """
    limiter_of(request).count_here(HOOKS, "hook", source_of(request.scope))
    if (pushes := runtime.pushes) is None:
        return Response(status_code=404)
    try:
        await run_in_threadpool(pushes.check, request.headers.get("authorization", ""))
    except NotSigned:
        return _ignored(401, "not_signed")
    except AnotherCaller:
        return _ignored(403, "another_caller")
    except ProviderUnavailable as error:
        return _ignored(503, error.code)
    account = _account(await request.body())
    if account is None:
        return _ignored(400, "unreadable")
    codes = subscriptions.account_codes(runtime.web_keys, account)
    hints = frozenset(Hint(None, code, "new") for code in codes)
    if not await run_in_threadpool(_take, runtime, hints, Provider.GMAIL):
        return _ignored(204, "nobody_listens")
    return Response(status_code=204)


def _ignored(status: int, code: str) -> Response:
    counters.HINTS.labels(Provider.GMAIL, "ignored").inc()
    log.info("notifications_ignored", count=1, code=code)
    return Response(status_code=status)


def _account(body: bytes) -> str | None:
    """Return whose mailbox has changed ("Configure push notifications in Gmail API", "Receive notifications").

    The history id that comes with it is not needed: reading goes on where it stands.
    """
    try:
        data = orjson.loads(body)["message"]["data"]
        if not isinstance(data, str) or len(data) > _MAX_DATA:
            return None
        # Pub/Sub writes base64 in the standard's letters, and Gmail's documentation says those of addresses.
        said = orjson.loads(
            base64.b64decode(data + "=" * (-len(data) % 4), altchars=_letters(data), validate=True)
        )
        account = said["emailAddress"]
    except (orjson.JSONDecodeError, binascii.Error, ValueError, KeyError, TypeError, IndexError):
        return None
    return account if isinstance(account, str) and _ACCOUNT.fullmatch(account) else None


def _letters(data: str) -> bytes | None:
    return b"-_" if "-" in data or "_" in data else None


def _take(runtime: Runtime, hints: frozenset[Hint], provider: Provider) -> int:
    with runtime.database.statement() as tx:
        taken = subscriptions.take(tx, hints, BEHIND.get(provider, timedelta()))
    if taken:
        counters.HINTS.labels(provider, "taken").inc(taken)
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
