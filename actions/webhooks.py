"""Webhooks: validated before they are stored; their secret is shown once."""

from typing import Any
from uuid import UUID

from actions import errands
from app.runtime import Runtime
from db.access import page_results
from db.access.page_results import ShownOnce
from db.events import webhooks
from domain.errands import ErrandKind
from domain.errors import InvalidInput, NotFound, ProviderError
from transports.addresses import resolve
from transports.web_calls import check_url


def add_webhook(
    runtime: Runtime, organization_id: UUID, url: str, *, actor: str, shown: ShownOnce | None = None
) -> tuple[UUID, str]:
    """Add a webhook; returns its id and its secret. We call it only when something happens.

    ``shown``: a page shows the secret. Raises ``InvalidInput``, also for a host that is private or does not resolve, ``NotPermitted``, ``TooMany``.
    """
    target = check_url(url, anywhere=runtime.settings.emulated)
    try:
        with runtime.limiter.check(organization_id, "webhook"):
            resolve(target.host, target.port, anywhere=runtime.settings.emulated)
    except ProviderError as error:
        raise InvalidInput(
            str(error).rstrip("."), where="url", fix="Name a server of the open internet."
        ) from error
    with runtime.database.transaction() as tx:
        webhook_id, secret = webhooks.add(
            tx, runtime.sealer, runtime.web_keys, organization_id, target.url, actor=actor
        )
        if shown is not None:
            page_results.seal(tx, shown, {"what": "Secret of the webhook", "name": url, "secret": secret})
        return webhook_id, secret


def remove_webhook(runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str) -> None:
    """Remove a webhook, which stops all its calls. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        webhooks.remove(tx, organization_id, webhook_id, actor=actor)


def try_webhook(
    runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str
) -> dict[str, Any] | None:
    """Call a webhook once with a signed event of the type ``webhook.test``: a worker does, which can read its address.

    Returns ``answer`` (a status, or the kind of failure), ``taken`` and ``seconds``; None if it failed or takes too long. Raises
    ``NotFound``, ``WorkersSilent``, ``TooMany``.
    """
    with runtime.database.transaction() as tx:
        if webhook_id not in webhooks.standing(tx, organization_id):
            raise NotFound("There is no such webhook.")
    with runtime.limiter.check(organization_id, "webhook"):
        return errands.ask(runtime, organization_id, ErrandKind.TEST_WEBHOOK, webhook_id, actor=actor).wait()


def said(found: dict[str, Any] | None) -> str:
    """Return what a test found, in a sentence."""
    if found is None:
        return "The test did not end in time. Try again in a minute."
    answer = str(found["answer"]).replace("_", " ")
    if found["taken"]:
        return f"The test was accepted: {answer}, in {found['seconds']} s."
    return f"The test was not accepted: {answer}. Any answer from 200 to 299 accepts an event."
