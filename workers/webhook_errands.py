"""Call a webhook with an event that means nothing, so that its receiver can be tried."""

import time
from datetime import UTC, datetime

import orjson

from app.runtime import Runtime
from db.events import webhooks
from db.events.errands import Errand
from domain.errors import NotFound
from domain.webhooks import TEST
from workers.call_webhook import post


def try_webhook(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Make one signed call, without repeating it. Raises ``NotFound``: it was removed."""
    with runtime.database.transaction() as tx:
        webhook = webhooks.open_one(tx, runtime.keys, errand.subject_id)
    if webhook is None or webhook.organization_id != errand.organization_id:
        raise NotFound("There is no such webhook.")
    began = time.monotonic()
    body = {"type": TEST, "timestamp": datetime.now(UTC), "data": {}}
    answer, taken = post(runtime, webhook, str(errand.id), orjson.dumps(body))
    return {"answer": answer, "taken": taken, "seconds": round(time.monotonic() - began, 2)}
