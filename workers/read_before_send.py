"""Before a follow-up: read the mailboxes in which the person may have answered. One reading serves all follow-ups of its minute."""

from dataclasses import replace
from datetime import timedelta

import structlog

from app.runtime import Runtime
from db.listening import reads
from db.sending.claims import Claim, load_claim
from domain.preflight import NOT_READ, READ_AGAIN_IN, Clear, Decision, Wait, preflight
from workers import read_mailbox

# Our own emails of the last ten minutes are six pages at full pace. Who reads much more than that is no sender any more; the rest is
# another worker's.
_MAX_PAGES = 9
_READ_IN = timedelta(seconds=3)

log = structlog.get_logger()


def up_to_date(runtime: Runtime, claim: Claim, decision: Decision) -> tuple[Claim, Decision]:
    """Return the claim and decision after reading what is too old to send on.

    While another worker reads, the email waits for a moment; a mailbox that cannot be read just now holds it for a minute.
    """
    not_read = isinstance(decision, Wait) and decision.reason == NOT_READ
    heard, colleague = claim.facts.heard, _same_domain(claim)
    if heard is None or not (isinstance(decision, Clear) or not_read):
        return claim, decision
    to_read = set(claim.unread)
    if colleague and heard.readable:
        to_read.add(claim.mailbox_id)  # by itself a list would not show that they are away
    if not to_read:
        return claim, decision
    not_searched = False
    for mailbox_id in sorted(to_read):
        searched = claim.content.recipient if colleague and mailbox_id == claim.mailbox_id else None
        complete = read_mailbox.read(runtime, mailbox_id, max_pages=_MAX_PAGES, hidden_from=searched)
        not_searched |= searched is not None and not complete
    with runtime.database.statement() as tx:
        fresh = load_claim(tx, claim.delivery_id, claim.lease_token)
    if fresh is None:
        return claim, decision  # we lost the lease; the next write notices that
    claim = replace(claim, facts=fresh.facts, unread=fresh.unread)
    decision = preflight(claim.facts)
    if not_searched and isinstance(decision, Clear):
        # Whoever else reads the mailbox is fresh enough for the gate, and does not search for this person.
        decision = Wait(claim.facts.now + READ_AGAIN_IN, NOT_READ)
    if isinstance(decision, Wait) and decision.reason == NOT_READ:
        with runtime.database.transaction() as tx:
            soon = reads.goes_on(tx, claim.unread)
        log.info("follow_up_waits", reason=NOT_READ, outcome="being_read" if soon else "not_readable")
        if soon:
            decision = Wait(claim.facts.now + _READ_IN, NOT_READ)
    return claim, decision


def _same_domain(claim: Claim) -> bool:
    """Do sender and candidate look like one organization? Exchange hides automatic replies between its people."""
    return claim.content.recipient.rpartition("@")[2] == claim.content.sender.rpartition("@")[2]
