"""Tell one person of one event: in the app, and by one email through the default mail service, never the broken mailbox."""

from datetime import timedelta
from uuid import UUID

import structlog

from db import events, notices, outbox
from domain.address import Address
from domain.errors import (
    DeliveryUnknown,
    OperatorMisconfigured,
    ProviderUnavailable,
    RecipientRejected,
)
from domain.events import CONSEQUENCES
from domain.jobs import NotifyOwner
from domain.notice import Notice
from transports.notice_mail import send_notice
from workers.broker import actor, read_id
from workers.runtime import Runtime, current

log = structlog.get_logger()

_WAIT_FOR_PAUSES = timedelta(seconds=1)
_WAIT_FOR_MAIL = timedelta(seconds=30)


@actor(NotifyOwner.actor, NotifyOwner.queue)
def notify_owner(outbox_id: object) -> None:
    """The actor: a bell for one outbox row."""
    notify(current(), read_id("outbox_id", outbox_id))


def notify(runtime: Runtime, outbox_id: UUID) -> None:
    """Write the notice once all pauses of the event are made, then mail it, once."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, NotifyOwner):
            return
        event = events.load(tx, job.event_id)
        if event is None:
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            return
        if outbox.unfinished_pauses(tx, event.id):
            outbox.snooze(tx, outbox_id, _WAIT_FOR_PAUSES)
            return
        if CONSEQUENCES[event.kind].pauses and not notices.concerns(tx, event, job.owner_id):
            # Resumed or archived before this was heard of: there is no pause left to tell of.
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            return
        notice = notices.write_in_app(tx, event, job.owner_id)
        if not runtime.settings.default_mail_url:
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            log.info("owner_notified", event_id=str(event.id), channel="in_app")
            return
        claim = notices.claim_mail(tx, event, job.owner_id, notice)
        if claim.state == "busy":
            outbox.snooze(tx, outbox_id, _WAIT_FOR_MAIL)
            return
        if claim.state != "new":
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
            return
    state = mail(runtime, Address(claim.address, claim.name), notice)
    with runtime.database.transaction() as tx:
        notices.record_mail(tx, event, job.owner_id, "failed" if state == "later" else state)
        if state == "later":
            outbox.snooze(tx, outbox_id, _WAIT_FOR_MAIL)
        else:
            outbox.consume(tx, NotifyOwner.actor, outbox_id)
    log.info("owner_notified", event_id=str(event.id), channel="email", state=state)


def mail(runtime: Runtime, reader: Address, notice: Notice) -> str:
    """Hand the email over once. ``later``: certainly not taken, worth another try."""
    sender = f"notices@{runtime.settings.default_mail_domain}"
    text = f"{notice.body}\n\nSee it in Onbehalf: {runtime.settings.public_url}/notifications\n"
    try:
        send_notice(runtime.settings.default_mail_url, sender, reader, notice.title, text)
    except ProviderUnavailable as error:
        log.warning("notice_mail_waits", code=error.code)
        return "later"
    except OperatorMisconfigured as error:
        log.critical("operator_misconfigured", error=str(error))
        return "later"
    except RecipientRejected:
        return "failed"
    except DeliveryUnknown:
        return "unknown"
    return "sent"
