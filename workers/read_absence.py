"""Before a send after a long wait: is the sender away now? One worker reads the settings; others of that mailbox wait."""

from dataclasses import replace
from datetime import timedelta

import structlog

from app.runtime import Runtime
from db.mailboxes import mailboxes
from db.sending import absences
from db.sending.claims import Claim, load_claim
from domain.absence import STALE_AFTER
from domain.preflight import Decision, Wait, preflight
from transports.base import MailboxFacts
from transports.providers import PROVIDERS
from workers.check_mailbox import ask

_READ_IN = timedelta(seconds=2)

log = structlog.get_logger()


def up_to_date(runtime: Runtime, claim: Claim, decision: Decision) -> tuple[Claim, Decision]:
    """Return the claim and decision with the mailbox's current settings, reading them if they are too old.

    Failures change nothing.
    """
    now, read_at = claim.facts.now, claim.settings_at
    if not PROVIDERS[claim.facts.provider].tells_absences or read_at is None or now - read_at < STALE_AFTER:
        return claim, decision
    with runtime.database.transaction() as tx:
        turn = absences.take_turn(tx, claim.mailbox_id)
        mailbox = mailboxes.load(tx, claim.mailbox_id) if turn.mine else None
    if turn.wait:
        return claim, Wait(now + _READ_IN, "reading_mailbox_settings")
    if mailbox is not None:
        answer = ask(runtime, mailbox)
        log.info(
            "settings_read_before_send",
            outcome="ok" if isinstance(answer, MailboxFacts) else type(answer).__name__,
        )
        with runtime.database.transaction() as tx:
            if isinstance(answer, MailboxFacts):
                mailboxes.refresh_settings(tx, mailbox.id, mailbox.connection_version, answer.settings)
            else:
                absences.could_not_read(tx, mailbox.id)
    with runtime.database.statement() as tx:
        fresh = load_claim(tx, claim.delivery_id, claim.lease_token)
    if fresh is None:
        return claim, decision  # we lost the lease; the next write notices that
    claim = replace(claim, facts=fresh.facts)
    return claim, preflight(claim.facts)
