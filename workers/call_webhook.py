"""Call one webhook for one event: signed, retried after failures for about half a day, then given up."""

import random
import time
from datetime import timedelta
from uuid import UUID

import orjson
import structlog

import counters
from app.runtime import Runtime, current
from db.events import events, outbox, webhooks
from db.events.webhooks import Busy
from domain.errors import InvalidInput, ProviderError
from domain.jobs import CallWebhook
from domain.webhooks import next_attempt, signature
from transports import web_calls
from workers.actor import actor, read_id

log = structlog.get_logger()

_WAIT_FOR_OTHERS = timedelta(
    seconds=5
)  # at least; random, so that calls to one slow receiver do not all come back at once


@actor(CallWebhook.actor, CallWebhook.queue)
def call_webhook(outbox_id: object) -> None:
    """Take one outbox row."""
    call(current(), read_id("outbox_id", outbox_id))


def call(runtime: Runtime, outbox_id: UUID) -> None:
    """Make one attempt. A receiver may get an event twice and can recognize it by its id."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, CallWebhook):
            return
        event = events.load(tx, job.event_id)
        if event is not None:
            structlog.contextvars.bind_contextvars(organization_id=str(event.organization_id))
        begun = None if event is None else webhooks.begin_call(tx, runtime.keys, job.webhook_id, job.event_id)
        if isinstance(begun, Busy):
            outbox.snooze(tx, outbox_id, _WAIT_FOR_OTHERS * (1 + 5 * random.random()))  # noqa: S311 - no secret
            return
        if event is None or begun is None or event.type.webhook is None:
            outbox.consume(tx, CallWebhook.actor, outbox_id)
            return
        body = {
            "type": event.type.webhook.type,
            "timestamp": event.occurred_at,
            "data": webhooks.payload(tx, event),
        }
    webhook, attempt = begun
    answer, taken = post(runtime, webhook, str(event.id), orjson.dumps(body))
    wait = None if taken else next_attempt(attempt)
    with runtime.database.transaction() as tx:
        state = "taken" if taken else "given_up" if wait is None else "waiting"
        if not webhooks.end_call(tx, webhook.id, event.id, attempt, state, answer):
            return
        if wait is None:
            outbox.consume(tx, CallWebhook.actor, outbox_id)
        else:
            outbox.snooze(tx, outbox_id, wait)
    counters.WEBHOOK_CALLS.labels(state).inc()
    log.info("webhook_called", webhook_id=str(webhook.id), event_id=str(event.id), state=state, answer=answer)


def post(runtime: Runtime, webhook: webhooks.Webhook, message_id: str, body: bytes) -> tuple[str, bool]:
    """Return the answer in a word, and whether it was taken (any 2xx)."""
    now, anywhere = int(time.time()), runtime.settings.emulated
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Onbehalf",
        "webhook-id": message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(
            signature(each, message_id, now, body)
            for each in (webhook.secret, webhook.next_secret)
            if each is not None
        ),
    }
    try:
        status = web_calls.post(
            web_calls.check_url(webhook.url, anywhere=anywhere), body, headers, anywhere=anywhere
        )
    except ProviderError as error:
        return error.code, False
    except InvalidInput:  # a demo may have allowed it
        return "not_allowed", False
    return str(status), 200 <= status < 300
