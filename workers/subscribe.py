"""Ask providers to tell us of changes in a mailbox. They are only hints: without them we look a little later.

Graph calls the web process and expects an answer at once, so that must be reachable (``PUBLIC_URL``). See "Reduce missing
change notifications" and "Subscription resource type" in Microsoft's Graph documentation. Gmail publishes to the operators' topic of
Cloud Pub/Sub (``transports/gmail_watch.py``), from which it is pushed to the web process.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from app.runtime import Runtime
from config import Settings
from db.mailboxes import subscriptions
from db.mailboxes.mailboxes import Mailbox
from db.mailboxes.subscriptions import Subscription
from domain.connection import Folder
from domain.errors import HintsRefused, MessageRejected, OperatorMisconfigured, ProviderError
from transports.hints import Publishes, Subscribes
from transports.providers import PROVIDERS

log = structlog.get_logger()

HOOK = "/hooks/microsoft"
_FOLDERS: tuple[Folder, ...] = ("sent", "inbox")
_LONGEST = timedelta(minutes=10_070)  # Graph's current documentation allows 10,080 for messages
_SHORTER = timedelta(minutes=4_200)  # an earlier version allowed 4,230, and some tenants still refuse more
_WATCHED_FOR = timedelta(
    days=1
)  # "call watch once per day": should Gmail have forgotten it, hints are missing that long
_REFUSED_FIRST, _REFUSED_LONGEST = timedelta(minutes=15), timedelta(days=1)
# Asks for a mailbox's folder, where what is known is no longer enough; returns for how long it was given.
_Ask = Callable[[Runtime, Mailbox, Folder, Subscription | None, timedelta], timedelta]


def heard(settings: Settings, provider: str) -> bool:
    """Can the provider tell us of changes in its mailboxes?"""
    kind = PROVIDERS[provider]
    if kind.offers(Publishes):
        return bool(settings.google_pubsub_topic)
    return kind.offers(Subscribes) and (settings.public_url.startswith("https:") or settings.emulated)


def keep_subscribed(runtime: Runtime, mailbox: Mailbox) -> None:
    """Ask the provider to tell us of changes, or to go on, if it can. A failure changes nothing else."""
    if not heard(runtime.settings, mailbox.provider):
        return
    if PROVIDERS[mailbox.provider].offers(Publishes):
        _keep(runtime, mailbox, "inbox", _watch)
        return
    for folder in _FOLDERS:
        _keep(runtime, mailbox, folder, _subscribe_for_long)


def _keep(runtime: Runtime, mailbox: Mailbox, folder: Folder, ask: _Ask) -> None:
    with runtime.database.transaction() as tx:
        known = subscriptions.load(tx, mailbox.id, folder)
        asked = subscriptions.asked(tx, mailbox.id, folder)
    now = datetime.now(UTC)
    lives = _LONGEST if asked.minutes is None else timedelta(minutes=asked.minutes)
    if known is not None and known.key_id != runtime.web_keys.newest_id:
        known = None  # its key may be removed any time; create another that the newest key authenticates
    enough = max(lives - _WATCHED_FOR, lives / 2) if ask is _watch else lives / 2
    if known is not None and known.expires_at - now > enough:
        return
    if asked.retry_at is not None and asked.retry_at > now:
        return
    try:
        lives = ask(runtime, mailbox, folder, known, lives)
    except (ProviderError, OperatorMisconfigured) as error:
        wait = min(_REFUSED_FIRST * 2 ** min(asked.refusals, 10), _REFUSED_LONGEST)
        code = getattr(error, "code", "") or type(error).__name__
        with runtime.database.transaction() as tx:
            subscriptions.refused(tx, mailbox.id, folder, mailbox.organization_id, wait, code)
        say = log.warning if isinstance(error, HintsRefused | OperatorMisconfigured) else log.info
        say(
            "not_subscribed",
            error=type(error).__name__,
            code=code,
            attempts=asked.refusals + 1,
            seconds=wait.total_seconds(),
        )
        return
    with runtime.database.transaction() as tx:
        subscriptions.taken(tx, mailbox.id, folder, mailbox.organization_id, int(lives.total_seconds() // 60))


def _watch(
    runtime: Runtime, mailbox: Mailbox, folder: Folder, _: Subscription | None, __: timedelta
) -> timedelta:
    """Have Gmail publish, or go on. The hints name the account, which need not be the mailbox's address."""
    transport = runtime.transport(mailbox.id, mailbox.provider)
    assert isinstance(transport, Publishes)
    watch = transport.watch(runtime.settings.google_pubsub_topic)
    code = subscriptions.account_codes(runtime.web_keys, watch.account)[0]
    made = Subscription(code, watch.expires_at, runtime.web_keys.newest_id)
    with runtime.database.transaction() as tx:
        subscriptions.keep(tx, mailbox.id, folder, mailbox.organization_id, made)
    return max(watch.expires_at - datetime.now(UTC), timedelta(minutes=1))


def _subscribe_for_long(
    runtime: Runtime, mailbox: Mailbox, folder: Folder, known: Subscription | None, lives: timedelta
) -> timedelta:
    transport = runtime.transport(mailbox.id, mailbox.provider)
    assert isinstance(transport, Subscribes)
    try:
        _subscribe(runtime, transport, mailbox, folder, known, lives)
    except MessageRejected:  # a 400, perhaps because of the lifetime; only a shorter one shows whether it is
        if lives <= _SHORTER:
            raise
        lives = _SHORTER
        _subscribe(runtime, transport, mailbox, folder, known, lives)
    return lives


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
