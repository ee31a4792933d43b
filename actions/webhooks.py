"""Webhooks: checked before they are kept, and their secret is shown once."""

from uuid import UUID

from app.runtime import Runtime
from db.events import webhooks
from domain.errors import InvalidInput, ProviderError
from transports.addresses import resolve
from transports.web_calls import check_url


def add_webhook(runtime: Runtime, organization_id: UUID, url: str, *, actor: str) -> tuple[UUID, str]:
    """Keep it; returns its id and its secret. Nothing is sent to it before something happens.

    Raises ``InvalidInput``, also for a name that leads inside or nowhere, and ``NotPermitted``.
    """
    target = check_url(url, anywhere=runtime.settings.emulated)
    try:
        resolve(target.host, target.port, anywhere=runtime.settings.emulated)
    except ProviderError as error:
        raise InvalidInput(
            str(error).rstrip("."), where="url", fix="Name a server of the open internet."
        ) from error
    with runtime.database.transaction() as tx:
        return webhooks.add(tx, runtime.sealer, runtime.web_keys, organization_id, target.url, actor=actor)


def remove_webhook(runtime: Runtime, organization_id: UUID, webhook_id: UUID, *, actor: str) -> None:
    """Tell it nothing any more. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        webhooks.remove(tx, organization_id, webhook_id, actor=actor)
