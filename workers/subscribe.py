"""Subscribe to Microsoft's notifications of changes in a mailbox. They are only hints: without them we look a little later.

Graph calls the web process and expects an answer at once, so that must be reachable (``PUBLIC_URL``). See "Reduce missing
change notifications" and "Subscription resource type" in Microsoft's Graph documentation.
"""

from datetime import UTC, datetime, timedelta

import structlog

from app.runtime import Runtime
from config import Settings
from db.mailboxes import subscriptions
from db.mailboxes.mailboxes import Mailbox
from db.mailboxes.subscriptions import Subscription
from domain.connection import Folder
from domain.errors import MessageRejected, OperatorMisconfigured, ProviderError
from transports.base import Subscribes
from transports.providers import PROVIDERS

log = structlog.get_logger()

HOOK = "/hooks/microsoft"
_FOLDERS: tuple[Folder, ...] = ("sent", "inbox")
_LONGEST = timedelta(minutes=10_070)  # Graph's current documentation allows 10,080 for messages
_SHORTER = timedelta(minutes=4_200)  # an earlier version allowed 4,230, and some tenants still refuse more
_REFUSED_FIRST, _REFUSED_LONGEST = timedelta(minutes=15), timedelta(days=1)


def reachable(settings: Settings) -> bool:
    """Can Microsoft call us?"""
    return settings.public_url.startswith("https:") or settings.emulated


def keep_subscribed(runtime: Runtime, mailbox: Mailbox) -> None:
    """Create or renew the mailbox's subscriptions if Microsoft can reach us. A failure changes nothing else."""
    if PROVIDERS[mailbox.provider].offers(Subscribes) and reachable(runtime.settings):
        for folder in _FOLDERS:
            _keep(runtime, mailbox, folder)


def _keep(runtime: Runtime, mailbox: Mailbox, folder: Folder) -> None:
    with runtime.database.transaction() as tx:
        known = subscriptions.load(tx, mailbox.id, folder)
        asked = subscriptions.asked(tx, mailbox.id, folder)
    now = datetime.now(UTC)
    lives = _LONGEST if asked.minutes is None else timedelta(minutes=asked.minutes)
    if known is not None and known.key_id != runtime.web_keys.newest_id:
        known = None  # its key may be removed any time; create another that the newest key authenticates
    if known is not None and known.expires_at - now > lives / 2:
        return
    if asked.retry_at is not None and asked.retry_at > now:
        return
    transport = runtime.transport(mailbox.id, mailbox.provider)
    assert isinstance(transport, Subscribes)
    try:
        try:
            _subscribe(runtime, transport, mailbox, folder, known, lives)
        except (
            MessageRejected
        ):  # a 400, perhaps because of the lifetime; only a shorter one shows whether it is
            if lives <= _SHORTER:
                raise
            lives = _SHORTER
            _subscribe(runtime, transport, mailbox, folder, known, lives)
    except (ProviderError, OperatorMisconfigured) as error:
        wait = min(_REFUSED_FIRST * 2 ** min(asked.refusals, 10), _REFUSED_LONGEST)
        with runtime.database.transaction() as tx:
            subscriptions.refused(tx, mailbox.id, folder, mailbox.organization_id, wait)
        log.info(
            "not_subscribed",
            error=type(error).__name__,
            code=getattr(error, "code", ""),
            attempts=asked.refusals + 1,
            seconds=wait.total_seconds(),
        )
        return
    with runtime.database.transaction() as tx:
        subscriptions.taken(tx, mailbox.id, folder, mailbox.organization_id, int(lives.total_seconds() // 60))


def _subscribe(
    runtime: Runtime,
    transport: Subscribes,
    mailbox: Mailbox,
    folder: Folder,
    known: Subscription | None,
    lives: timedelta,
) -> None:
    """Renew the known subscription or create one, for ``lives`` from now."""
    now = datetime.now(UTC)
    until = now + lives
    if known is not None and known.expires_at > now and transport.renew_subscription(known.id, until):
        with runtime.database.transaction() as tx:
            subscriptions.renewed(tx, mailbox.id, Subscription(known.id, until, known.key_id))
        return
    state = subscriptions.client_state(runtime.web_keys, mailbox.id)
    made = transport.subscribe(runtime.settings.public_url + HOOK, state, until, folder)
    with runtime.database.transaction() as tx:
        subscriptions.keep(
            tx,
            mailbox.id,
            folder,
            mailbox.organization_id,
            Subscription(made, until, runtime.web_keys.newest_id),
        )
