"""Ask the provider whether a mailbox can still send, before a send needs it, or whether a lost one can send again."""

from uuid import UUID

import structlog

from db import looks, mailboxes, outbox
from db.gate import lock_lane
from db.withdrawals import lose_connection
from domain.errors import ConnectionRefused, MailboxUnsuitable, OperatorMisconfigured, ProviderError
from domain.jobs import CheckMailbox
from transports.base import UNUSABLE, MailboxFacts
from workers.broker import actor, read_id
from workers.runtime import Runtime, current

log = structlog.get_logger()


@actor(CheckMailbox.actor, CheckMailbox.queue)
def check_mailbox(outbox_id: object) -> None:
    """The actor: a bell for one outbox row."""
    check(current(), read_id("outbox_id", outbox_id))


def check(runtime: Runtime, outbox_id: UUID) -> None:
    """One check. A transient failure says nothing and is left to the next round."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, CheckMailbox):
            return
        structlog.contextvars.bind_contextvars(mailbox_id=str(job.mailbox_id))
        mailbox = mailboxes.load(tx, job.mailbox_id)
        slot = None
        if mailbox is not None and mailbox.status != "never_connected":
            slot = looks.take_slot(tx, job.mailbox_id)
        if mailbox is None or slot is None:
            outbox.consume(tx, CheckMailbox.actor, outbox_id)
            return
    answer: MailboxFacts | ConnectionRefused | None
    try:
        answer = runtime.transport(mailbox.id).verify()
        if purpose := UNUSABLE.get(str(answer.settings.get("purpose", "user"))):
            answer = MailboxUnsuitable(f"The mailbox is {purpose} now.", code=purpose)
    except ConnectionRefused as error:
        answer = error
    except OperatorMisconfigured as error:
        log.critical("operator_misconfigured", error=str(error))
        answer = None
    except ProviderError as error:
        log.info("check_unanswered", error=type(error).__name__, code=error.code)
        answer = None
    with runtime.database.transaction() as tx:
        looks.free_slot(tx, mailbox.id, slot)
        match answer:
            case MailboxFacts() if mailbox.status == "disconnected":
                lock_lane(tx, mailbox.id)
                now = mailboxes.load(tx, mailbox.id)
                if now == mailbox:  # nobody has removed or connected it meanwhile
                    mailboxes.mark_connected(
                        tx,
                        mailbox,
                        actor="Microsoft",
                        scopes=mailbox.scopes,
                        tenant_id=mailbox.tenant_id or "",
                        account_id=answer.account_id,
                        settings=answer.settings,
                    )
                    log.info("connection_recovered")
            case MailboxFacts():
                mailboxes.refresh_settings(tx, mailbox.id, mailbox.connection_version, answer.settings)
            case ConnectionRefused():
                lose_connection(
                    tx,
                    mailbox.id,
                    connection_version=mailbox.connection_version,
                    reason=answer.reason,
                    detail=answer.code,
                )
        outbox.consume(tx, CheckMailbox.actor, outbox_id)
    log.info(
        "mailbox_checked",
        outcome="ok" if isinstance(answer, MailboxFacts) else type(answer).__name__,
    )
