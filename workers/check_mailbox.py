"""Ask the provider whether a mailbox can still send, before a send needs it, and whether a lost one can send again."""

from typing import TypeAlias
from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.core.session import Transaction
from db.events import outbox
from db.mailboxes import approvals, mailboxes, renames, tenants
from db.mailboxes.mailboxes import Mailbox
from db.sending import reconcile_attempts
from db.withdrawing.losing import lose_connection
from domain.connection import REFUSED_BY, Provider
from domain.errors import ConnectionRefused, MailboxUnsuitable, OperatorMisconfigured, ProviderError
from domain.jobs import CheckMailbox
from transports.base import UNUSABLE, MailboxFacts
from workers.actor import actor, read_id
from workers.subscribe import keep_subscribed
from workers.try_approval import try_approval

log = structlog.get_logger()

Asked: TypeAlias = MailboxFacts | ProviderError | OperatorMisconfigured


@actor(CheckMailbox.actor, CheckMailbox.queue)
def check_mailbox(outbox_id: object) -> None:
    """Take one outbox row."""
    check(current(), read_id("outbox_id", outbox_id))


def check(runtime: Runtime, outbox_id: UUID) -> None:
    """Make one check. A transient failure shows nothing; the next round tries again."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, CheckMailbox):
            return
        structlog.contextvars.bind_contextvars(mailbox_id=str(job.mailbox_id))
        mailbox = mailboxes.load(tx, job.mailbox_id)
        waits = None if mailbox is None else approvals.waits_with_token(tx, mailbox.id)
        slot = None
        if waits is None and mailbox is not None and not mailbox.out_of_use:
            slot = reconcile_attempts.take_slot(tx, job.mailbox_id)
        if waits is None and (mailbox is None or slot is None):
            outbox.consume(tx, CheckMailbox.actor, outbox_id)
            return
    assert mailbox is not None
    if waits is not None:
        try_approval(runtime, mailbox, waits)
        with runtime.database.transaction() as tx:
            outbox.consume(tx, CheckMailbox.actor, outbox_id)
        return
    assert slot is not None
    answer = ask(runtime, mailbox)
    if isinstance(answer, MailboxFacts):
        keep_subscribed(runtime, mailbox)
    with runtime.database.transaction() as tx:
        record(tx, mailbox, answer)
        reconcile_attempts.free_slot(tx, mailbox.id, slot)
        outbox.consume(tx, CheckMailbox.actor, outbox_id)


def ask(runtime: Runtime, mailbox: Mailbox) -> Asked:
    """Return the provider's answer: facts, or its refusal."""
    try:
        facts = runtime.transport(mailbox.id, mailbox.provider).verify()
    except OperatorMisconfigured as error:
        log.critical("operator_misconfigured", error=str(error))
        return error
    except ProviderError as error:
        return error
    if purpose := UNUSABLE.get(str(facts.settings.get("purpose", "user"))):
        return MailboxUnsuitable(f"The mailbox is {purpose} now.", code=purpose)
    return facts


def record(tx: Transaction, mailbox: Mailbox, answer: Asked) -> None:
    """Apply the answer to ``mailbox`` as it was when we asked. Transient errors change nothing. The caller has locked no lane."""
    if mailbox.provider == Provider.TENANT and isinstance(answer, MailboxFacts):
        found = tenants.lock(tx, mailbox.organization_id)
        if found is None or found.status == "disconnected":
            return  # an administrator has ended it since we asked
        tenants.recovered(tx, mailbox.organization_id)
    match answer:
        case MailboxFacts() if mailbox.refused_sending is not None:
            # Reading always worked. Only an email can show that it can send again (``actions/verify.py``).
            mailboxes.refresh_settings(tx, mailbox.id, mailbox.connection_version, answer.settings)
            log.info("sending_still_unproved")
        case MailboxFacts() if mailbox.status == "disconnected":
            mailboxes.lock(tx, mailbox)
            if mailboxes.load(tx, mailbox.id) == mailbox:  # nobody has removed or connected it since
                mailboxes.mark_connected(
                    tx,
                    mailbox,
                    actor=REFUSED_BY[mailbox.provider],
                    provider=mailbox.provider,
                    scopes=mailbox.scopes,
                    tenant_id=mailbox.tenant_id or "",
                    account_id=answer.account_id,
                    settings=answer.settings,
                )
                log.info("connection_recovered")
        case MailboxFacts():
            address = answer.sends_as(mailbox.address)
            renames.try_to_follow(tx, mailbox, address, actor=REFUSED_BY[mailbox.provider])
            mailboxes.refresh_settings(tx, mailbox.id, mailbox.connection_version, answer.settings)
        case ConnectionRefused():
            lose_connection(
                tx,
                mailbox.id,
                connection_version=mailbox.connection_version,
                reason=answer.reason,
                detail=answer.code,
                on_send=answer.on_send,
            )
    code = getattr(answer, "code", "")
    log.info(
        "mailbox_checked",
        outcome="ok" if isinstance(answer, MailboxFacts) else type(answer).__name__,
        code=code,
    )
