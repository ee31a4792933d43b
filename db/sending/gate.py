"""The send path's way in, after the claim: C2 notes a delivery's draft, C3 is the gate.

Order of locks everywhere: the lane first, then deliveries. Whoever can forbid a send locks the lane too,
so the gate and a withdrawal are ordered by one row; that is the whole proof that nothing leaves after a "no".
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import Statement
from db.sending.claims import Claim
from db.sending.moves import Move
from domain.delivery import LEASE, State
from domain.lane import CAPACITY, seconds_until_token, tokens_now
from domain.preflight import Clear, Wait

_DRAFTED, _PASSED = Move(State.DRAFTED, State.PREPARING), Move(State.SENDING, State.DRAFTED)
_NOTE_DRAFT = Statement(
    f"UPDATE deliveries SET {_DRAFTED.set}, draft_id = :draft_id, internet_message_id = :message_id,"
    "   conversation_id = :conversation_id, lease_until = clock_timestamp() + :lease"
    f" WHERE id = :id AND {_DRAFTED.by_key()} AND lease_token = :token"
)
_LOCK_LANE = Statement(
    "SELECT l.epoch, l.tokens, l.refilled_at, l.retry_after_until, l.wait_reason, l.daily_cap, l.sent_on, l.sent_today,"
    " clock_timestamp() AS now, (clock_timestamp() AT TIME ZONE l.zone)::date AS today,"
    " (((clock_timestamp() AT TIME ZONE l.zone)::date + 1)::timestamp AT TIME ZONE l.zone) AS tomorrow"
    " FROM lanes l WHERE l.mailbox_id = :mailbox_id FOR UPDATE"
)
_PASS_GATE = Statement(
    f"WITH passed AS (UPDATE deliveries SET {_PASSED.set}, epoch = :epoch, authority = CAST(:authority AS jsonb),"
    "   send_started_at = clock_timestamp(), lease_until = clock_timestamp() + :lease"
    f"   WHERE id = :id AND {_PASSED.by_key()} AND lease_token = :token RETURNING id),"
    # Those without a limit are not counted: that would be one more write for every email.
    " counted AS (UPDATE grants SET used_on = :today,"
    "   used_today = CASE WHEN used_on = :today THEN used_today + 1 ELSE 1 END"
    "   WHERE id = :grant_id AND daily_limit IS NOT NULL AND EXISTS (SELECT FROM passed))"
    " UPDATE lanes SET tokens = greatest(0, least(CAST(:capacity AS float8), :tokens) - 1), refilled_at = :now,"
    "   sent_on = :today, sent_today = :sent_today WHERE mailbox_id = :mailbox_id AND EXISTS (SELECT FROM passed)"
)
_HOLDS_GATE = Statement(
    "SELECT 1 FROM deliveries WHERE id = :id AND state || '' = 'sending' AND lease_token = :token"
)


def note_draft(
    tx: Transaction,
    claim: Claim,
    draft_id: str,
    internet_message_id: str,
    conversation_id: str,
) -> bool:
    """C2: the draft stands. False: the lease was lost meanwhile."""
    noted = _NOTE_DRAFT.run(
        tx,
        id=claim.delivery_id,
        token=claim.lease_token,
        draft_id=draft_id,
        message_id=internet_message_id,
        conversation_id=conversation_id,
        lease=LEASE,
    )
    return noted == 1


@dataclass(frozen=True, slots=True)
class LockedLane:
    """The gate row, held by this transaction. ``wait``: why the mailbox's pace does not allow an email now."""

    mailbox_id: UUID
    epoch: int
    now: datetime
    today: date
    tokens: float
    sent_today: int
    wait: Wait | None


def lock_lane(tx: Transaction, mailbox_id: UUID) -> LockedLane:
    """Lock the lane row and read its pace. What is read after this statement is read under the gate."""
    row = _LOCK_LANE.one_or_none(tx, mailbox_id=mailbox_id)  # every mailbox has one
    tokens = tokens_now(row.tokens, row.refilled_at, row.now)
    sent_today = row.sent_today if row.sent_on == row.today else 0
    wait = None
    if row.retry_after_until is not None and row.retry_after_until > row.now:
        wait = Wait(row.retry_after_until, row.wait_reason or "provider_asked_to_wait")
    elif sent_today >= row.daily_cap:
        wait = Wait(row.tomorrow, "daily_cap")
    elif tokens < 1:
        wait = Wait(row.now + timedelta(seconds=seconds_until_token(tokens)), "pace")
    return LockedLane(mailbox_id, row.epoch, row.now, row.today, tokens, sent_today, wait)


def pass_gate(tx: Transaction, claim: Claim, lane: LockedLane, clear: Clear) -> bool:
    """C3's write: debit the lane and turn the draft into a send. False: the lease was lost."""
    authority = {
        "authority": clear.authority,
        "grant_id": None if clear.grant is None else str(clear.grant.id),
        "grant_version": None if clear.grant is None else clear.grant.version,
        "owner_id": str(claim.facts.sequence_owner.id),
        "connection_version": claim.facts.connection_version,
        "step_version": claim.content.version,
        "checks": [
            {
                "check": check.name,
                "at": claim.facts.now.isoformat(),
                "detail": check.detail,
            }
            for check in clear.checks
        ],
    }
    passed = _PASS_GATE.run(
        tx,
        id=claim.delivery_id,
        token=claim.lease_token,
        epoch=lane.epoch,
        authority=dump_json(authority),
        lease=LEASE,
        capacity=CAPACITY,
        tokens=lane.tokens,
        now=lane.now,
        today=lane.today,
        sent_today=lane.sent_today + 1,
        mailbox_id=lane.mailbox_id,
        grant_id=None if clear.grant is None else clear.grant.id,
    )
    return passed == 1


def holds_gate(tx: Transaction, claim: Claim) -> bool:
    """After a commit whose answer was lost: did this worker's C3 stand?"""
    return _HOLDS_GATE.one_or_none(tx, id=claim.delivery_id, token=claim.lease_token) is not None
