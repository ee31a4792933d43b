"""What each worker process of ``python -m workers`` loads: settings, logging, the broker and every actor, listed by name."""

import sys

import dramatiq

import counters
from app import (
    outside,  # noqa: F401 - now, and not during the first email
    runtime,
    telemetry,
)
from app.readiness import check_at_start
from app.servers import open_broker
from config import Settings
from domain.errors import OperatorMisconfigured
from observability import log_whatever_ends_a_process
from workers import logs
from workers.actor import register_actors
from workers.watchdog import Watchdog

try:
    settings = Settings.from_environment()
    logs.configure(settings, counters.logged)
    unwatch = telemetry.start("worker")
    # As many connections as threads, so that no thread waits for another's.
    runtime.install(
        runtime.Runtime.open(settings, application="onbehalf-worker", pool_size=16),
        sender=runtime.Runtime.open(settings, application="onbehalf-sender", pool_size=16, by_key=True),
    )
    broker = open_broker(settings, Watchdog(runtime.current(), at_end=unwatch))
    check_at_start(runtime.current().database, ring=runtime.current().keys, broker=broker.client)
except OperatorMisconfigured as error:
    sys.exit(f"onbehalf: {error}")

log_whatever_ends_a_process()
logs.log_what_is_printed()

from importing import import_people  # noqa: E402
from workers import (  # noqa: E402 - the list of all actors; each registers itself when imported
    announce,
    call_webhook,
    check_drafts,
    check_mailbox,
    fan_out,
    notify_channel,
    notify_owner,
    pause_sequence,
    process_mail,
    read_mailbox,
    reconcile_delivery,
    run_errand,
    send_step,
)

ACTORS = (
    announce,
    call_webhook,
    check_drafts,
    check_mailbox,
    fan_out,
    import_people,
    notify_channel,
    notify_owner,
    pause_sequence,
    process_mail,
    read_mailbox,
    reconcile_delivery,
    run_errand,
    send_step,
)

register_actors(broker)
dramatiq.set_broker(broker)
