"""Notify one person of one event: in the app, and by one email through the default mail service, never the broken mailbox."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

import counters
from app.runtime import Runtime, current
from db.events import events, notice_facts, notice_preferences, notices, outbox
from domain.address import Address
from domain.errors import (
    DeliveryInDoubt,
    OperatorMisconfigured,
    ProviderUnavailable,
    RecipientRejected,
    Throttled,
)
from domain.jobs import NotifyChannel, NotifyOwner
from domain.notice import Notice
from domain.notice_preferences import ByEmail
from transports.notice_mail import send_notice
from workers.actor import actor, read_id

log = structlog.get_logger()

_WAIT_FOR_CONNECTION = timedelta(seconds=2)
_WAIT_FOR_MAIL = timedelta(seconds=30)
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
_AFTER_ALARM = timedelta(minutes=5)
_UNCLEAR_FOR = timedelta(days=1)  # for this long, a refusal without a reason may be about the relay's sender
# Relays take few concurrent connections per client (Exchange: 3), and our other processes may hold one.
_RELAY_CONNECTIONS = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Mailed:
    """How one attempt ended. ``again_after``: it was certainly not accepted; try again then."""

    state: str
    again_after: timedelta | None = None


@actor(NotifyOwner.actor, NotifyOwner.queue)
def notify_owner(outbox_id: object) -> None:
    """Take one outbox row."""
    notify(current(), read_id("outbox_id", outbox_id))


def notify(runtime: Runtime, outbox_id: UUID) -> None:
    """Word the notice in the app, then mail it, once."""
    with _relay_connection() as free:
        _notify(runtime, outbox_id, may_mail=free)


def _notify(runtime: Runtime, outbox_id: UUID, *, may_mail: bool) -> None:
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, NotifyOwner):
            return
        event = events.load(tx, job.event_id)
        if event is None:
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            return
        structlog.contextvars.bind_contextvars(organization_id=str(event.organization_id))
        if not notice_facts.concerns(tx, event, job.owner_id):
            # Resumed, archived or settled since, or the recipient's own act: it is no news to them, and not worth an email.
            if notice_facts.has_paused(tx, event, job.owner_id):
                notices.write_in_app(tx, event, job.owner_id)
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            return
        if event.type.only_by_email:
            notice = notice_facts.word(tx, event, job.owner_id)
        else:
            notice = notices.write_in_app(tx, event, job.owner_id)
        course = notice_preferences.course(tx, job.owner_id, event.type.category)
        if course.left:
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            return
        by_email = ByEmail.AT_ONCE if event.type.only_by_email else course.way.by_email
        for channel_id in () if event.type.only_by_email else course.way.channels:
            outbox.put(tx, NotifyChannel(event.id, job.owner_id, channel_id))
        if by_email is ByEmail.DAILY:
            notice_preferences.keep_for_summary(tx, event.incident, job.owner_id)
        if by_email is not ByEmail.AT_ONCE or not runtime.settings.default_mail_url:
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            log.info("owner_notified", event_id=str(event.id), channel="in_app")
            return
        if course.quiet_for is not None:
            outbox.snooze(tx, outbox_id, course.quiet_for)
            return
        if not may_mail:
            outbox.snooze(tx, outbox_id, _WAIT_FOR_CONNECTION)
            return
        claim = notices.claim_mail(tx, event, job.owner_id, notice)
        if claim.state == "busy":
            outbox.snooze(tx, outbox_id, _WAIT_FOR_MAIL)
            return
        if claim.state != "new":
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            return
    mailed = mail(runtime, Address(claim.address, claim.name), notice, event.occurred_at, claim.now)
    with runtime.database.transaction() as tx:
        notices.record_mail(tx, event, job.owner_id, mailed.state)
        if mailed.again_after is not None:
            outbox.snooze(tx, outbox_id, mailed.again_after)
        else:
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
    counters.NOTICES.labels("email", mailed.state).inc()
    log.info("owner_notified", event_id=str(event.id), channel="email", state=mailed.state)


@contextmanager
def _relay_connection() -> Iterator[bool]:
    """Take one of this process's connections to the relay, if free. Waiting here would block a thread that pauses sequences."""
    free = _RELAY_CONNECTIONS.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _RELAY_CONNECTIONS.release()


def mail(
    runtime: Runtime, recipient: Address, notice: Notice, occurred_at: datetime, now: datetime
) -> Mailed:
    """Send the email once; returns how that ended."""
    settings = runtime.settings
    sender = f"notices@{settings.default_mail_domain}"
    text = f"{notice.as_email(settings.public_url)}\n"
    wait = min(max((now - occurred_at) / 4, _SHORTEST_WAIT), _LONGEST_WAIT)
    try:
        send_notice(
            settings.default_mail_url,
            sender,
            recipient,
            notice.title,
            text,
            ehlo_name=settings.smtp_ehlo_name,
        )
    except Throttled as error:
        # The relay sets its own pace. The spread keeps emails it refused together from all coming back together.
        asked = min(max(error.retry_after, _SHORTEST_WAIT), _LONGEST_WAIT)
        log.warning("notice_mail_waits", code=error.code)
        return Mailed("failed", asked * random.uniform(1, 1.5))  # noqa: S311 - spreads retries, guards nothing
    except ProviderUnavailable as error:
        log.warning("notice_mail_waits", code=error.code)
        return Mailed("failed", wait)
    except OperatorMisconfigured as error:
        log.critical("operator_misconfigured", error=str(error))
        return Mailed("failed", max(wait, _AFTER_ALARM))
    except RecipientRejected as error:
        if not error.certain and now - occurred_at < _UNCLEAR_FOR:
            log.warning("notice_mail_waits", code=error.code)
            return Mailed("failed", wait)
        log.warning("notice_mail_refused", code=error.code)
        return Mailed("failed")
    except DeliveryInDoubt:
        return Mailed("unknown")
    return Mailed("sent")
