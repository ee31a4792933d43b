"""The send path after the claim: C2 records a delivery's draft, C3 is the gate.

Locks are always taken in this order: the lane, then deliveries. Everything that can forbid a send locks the lane too, so
one row orders the gate and a withdrawal. That is the whole proof that nothing leaves after a "no".
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sending.claims import Claim
from db.sending.moves import Move
from domain.changes import mark_of
from domain.delivery import LEASE, State
from domain.lane import CAPACITY, seconds_until_token, tokens_now
from domain.preflight import Clear, Wait


class _Pace(NamedTuple):
    epoch: int
    tokens: float
    refilled_at: datetime
    retry_after_until: datetime | None
    wait_reason: str | None
    daily_cap: int
    sent_on: date | None
    sent_today: int
    now: datetime
    today: date
    tomorrow: datetime


_DRAFTED, _PASSED = Move(State.DRAFTED, State.PREPARING), Move(State.SENDING, State.DRAFTED)
_SQL = SqlFile(__name__)
_NOTE_DRAFT = _SQL.statement("note_draft", drafted=_DRAFTED.set, preparing=_DRAFTED.by_key())
_LOCK_LANE = _SQL.statement("lock_lane", _Pace)
_PASS_GATE = _SQL.statement("pass_gate", passed=_PASSED.set, drafted=_PASSED.by_key())
_HOLDS_GATE = Statement(
    "SELECT 1 FROM deliveries WHERE id = :id AND state || '' = 'sending' AND lease_token = :token", int
)


def note_draft(
    tx: Transaction,
    claim: Claim,
    draft_id: str,
    internet_message_id: str,
    conversation_id: str,
) -> bool:
    """Record the draft (C2). Returns False if we lost the lease."""
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
    """The gate's row, locked by this transaction. ``wait``: why the mailbox's pace does not allow an email now."""

    mailbox_id: UUID
    epoch: int
    now: datetime
    today: date
    tokens: float
    sent_today: int
    wait: Wait | None


def lock_lane(tx: Transaction, mailbox_id: UUID) -> LockedLane:
    """Lock the lane's row and read its pace. Anything read after this is read under the gate."""
    row = _LOCK_LANE.one(tx, mailbox_id=mailbox_id)  # every mailbox has a lane
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


def authority_of(claim: Claim, clear: Clear) -> str:
    """On whose authority an email may leave, and what was checked, as JSON: what its receipt will say."""
    return dump_json(
        {
            "authority": clear.authority,
            "grant_id": None if clear.grant is None else str(clear.grant.id),
            "grant_version": None if clear.grant is None else clear.grant.version,
            "owner_id": str(claim.facts.sequence_owner.id),
            "connection_version": claim.facts.connection_version,
            "step_version": claim.content.version,
            "signature_version": claim.content.signature.version,
            "own_text": _own_text(claim),
            "checks": [
                {
                    "check": check.name,
                    "at": claim.facts.now.isoformat(),
                    "detail": check.detail,
                }
                for check in clear.checks
            ],
        }
    )


def pass_gate(tx: Transaction, claim: Claim, lane: LockedLane, clear: Clear) -> bool:
    """C3's write: debit the lane and turn the draft into a send. Returns False if we lost the lease."""
    passed = _PASS_GATE.run(
        tx,
        id=claim.delivery_id,
        token=claim.lease_token,
        epoch=lane.epoch,
        authority=authority_of(claim, clear),
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


def _own_text(claim: Claim) -> str | None:
    """The digest of a text that only this email has, as written, for its receipt."""
    return mark_of(claim.content.subject, claim.content.body) if claim.content.own_text else None


def holds_gate(tx: Transaction, claim: Claim) -> bool:
    """Did this worker's C3 commit? Call it when the answer to the commit was lost."""
    return _HOLDS_GATE.one_or_none(tx, id=claim.delivery_id, token=claim.lease_token) is not None
