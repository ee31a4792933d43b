"""Webhooks: validated before they are stored; their secret is shown once."""

from typing import Any
from uuid import UUID

from actions import errands
from app.runtime import Runtime
from db.access import page_results
from db.access.page_results import ShownOnce
from db.events import webhook_settings, webhooks
from domain.errands import ErrandKind
from domain.errors import InvalidInput, NotFound, ProviderError
from domain.event_types import WEBHOOK_TYPES
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


def choose_events(
    runtime: Runtime, organization_id: UUID, webhook_id: UUID, types: list[str] | None, *, actor: str
) -> bool:
    """Choose the types of events that it hears of, None: all. Returns False if it was so. Raises ``NotFound``, ``InvalidInput``."""
    if types is not None and (not types or not set(types) <= set(WEBHOOK_TYPES)):
        raise InvalidInput(
            "Nothing is chosen" if not types else "There is no such event",
            where="events",
            fix="Choose all events, or some of the list.",
        )
    chosen = None if types is None else sorted(set(types))
    with runtime.database.transaction() as tx:
        return webhook_settings.set_events(tx, organization_id, webhook_id, chosen, actor=actor)


def disable(runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str) -> bool:
    """Call it no more; what waits is given up, and can be sent again. Returns False if it was so. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        return webhook_settings.set_disabled(tx, organization_id, webhook_id, disabled=True, actor=actor)


def enable(runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str) -> bool:
    """Call it again, for events from now on. Returns False if it was so. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        return webhook_settings.set_disabled(tx, organization_id, webhook_id, disabled=False, actor=actor)


def replace_secret(
    runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str, shown: ShownOnce | None = None
) -> str:
    """Make another secret and return it; both sign until it is confirmed. ``shown``: a page shows it. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        secret = webhook_settings.new_secret(tx, runtime.sealer, organization_id, webhook_id, actor=actor)
        if shown is not None:
            name = next(
                each["host"] for each in webhooks.listing(tx, organization_id) if each["id"] == webhook_id
            )
            page_results.seal(tx, shown, {"what": "Secret of the webhook", "name": name, "secret": secret})
        return secret


def confirm_secret(runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str) -> bool:
    """The receiver knows the new secret: the one before it signs no more. Returns False if there is no new one. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        return webhook_settings.confirm_secret(tx, organization_id, webhook_id, actor=actor)


def send_again(runtime: Runtime, organization_id: UUID, webhook_id: UUID, event_id: UUID) -> bool:
    """Call it for an event once more. Returns False if it waits already. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        return webhook_settings.send_again(tx, organization_id, webhook_id, event_id)


def said(found: dict[str, Any] | None) -> str:
    """Return what a test found, in a sentence."""
    if found is None:
        return "The test did not end in time. Try again in a minute."
    answer = str(found["answer"]).replace("_", " ")
    if found["taken"]:
        return f"The test was accepted: {answer}, in {found['seconds']} s."
    return f"The test was not accepted: {answer}. Any answer from 200 to 299 accepts an event."
