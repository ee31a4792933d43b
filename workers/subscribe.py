"""Ask Microsoft to tell us when something changes in a mailbox. Only hints come of it: without them we look a little later.

Graph calls the web process and expects an answer at once, so it has to be reachable (``PUBLIC_URL``). See "Reduce missing
change notifications" and "Subscription resource type" in Microsoft's Graph documentation.
"""

from datetime import UTC, datetime, timedelta

import structlog

from db import subscriptions
from db.mailboxes import Mailbox
from db.subscriptions import Subscription
from domain.connection import Provider
from domain.errors import OperatorMisconfigured, ProviderError
from transports.graph import GraphTransport
from workers.runtime import Runtime

log = structlog.get_logger()

HOOK = "/hooks/microsoft"
_LIVES = timedelta(days=6)  # Graph allows seven for messages
_RENEW_BEFORE = timedelta(days=3)


def keep_subscribed(runtime: Runtime, mailbox: Mailbox) -> None:
    """Make or renew the mailbox's subscription, where Microsoft can reach us. A failure changes nothing else."""
    settings = runtime.settings
    if mailbox.provider != Provider.GRAPH or not (
        settings.public_url.startswith("https:") or settings.emulated
    ):
        return
    with runtime.database.transaction() as tx:
        known = subscriptions.load(tx, mailbox.id)
    now = datetime.now(UTC)
    if known is not None and known.key_id != runtime.keys.newest_id:
        known = None  # its key may be taken out of SECRET_KEYS any time: make another, which the newest one proves
    if known is not None and known.expires_at - now > _RENEW_BEFORE:
        return
    transport = runtime.transport(mailbox.id, mailbox.provider)
    assert isinstance(transport, GraphTransport)
    until = now + _LIVES
    try:
        if known is not None and known.expires_at > now and transport.renew_subscription(known.id, until):
            with runtime.database.transaction() as tx:
                subscriptions.renewed(tx, mailbox.id, Subscription(known.id, until, known.key_id))
            return
        state = subscriptions.client_state(runtime.keys, mailbox.id)
        made = transport.subscribe(settings.public_url + HOOK, state, until)
        with runtime.database.transaction() as tx:
            subscriptions.keep(
                tx, mailbox.id, mailbox.organization_id, Subscription(made, until, runtime.keys.newest_id)
            )
    except (ProviderError, OperatorMisconfigured) as error:
        log.info("not_subscribed", error=type(error).__name__, code=getattr(error, "code", ""))
