"""Webhooks: checked before they are kept, and their secret is shown once."""

from uuid import UUID

from db import webhooks
from transports.addresses import resolve
from transports.web_calls import check_url
from workers.runtime import Runtime


def add_webhook(runtime: Runtime, organization_id: UUID, url: str, *, actor: str) -> tuple[UUID, str]:
    """Keep it; returns its id and its secret. Nothing is sent to it before something happens.

    Raises ``InvalidInput``, ``NotPermitted``, and ``ServerUnsafe`` or ``ProviderUnavailable`` for a name that leads inside or nowhere.
    """
    target = check_url(url, anywhere=runtime.settings.emulated)
    resolve(target.host, target.port, anywhere=runtime.settings.emulated)
    with runtime.database.transaction() as tx:
        return webhooks.add(tx, runtime.keys, organization_id, target.url, actor=actor)


def remove_webhook(runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str) -> None:
    """Tell it nothing any more. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        webhooks.remove(tx, organization_id, webhook_id, actor=actor)
