"""A sender's absence: read their settings one worker at a time, notify owners once, and move held emails up on return."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.sending.claims import Claim
from db.sending.gate import lock_lane
from domain.absence import STALE_AFTER, away_at, back_at, carried_over
from domain.event_payloads import SenderAway
from domain.send_window import Absence
from domain.waits import moment_words

HELD = "sender_away"
_READING_TAKES = timedelta(seconds=30)
_UNREADABLE_FOR = timedelta(minutes=2)


class _Turns(NamedTuple):
    mine: bool
    reading: bool | None


class _Stored(NamedTuple):
    settings: Json | None


_SQL = SqlFile(__name__)
_TAKE_TURN = _SQL.statement("take_turn", _Turns)
_GIVE_TURN_BACK = Statement(
    "UPDATE mailboxes SET reading_until = NULL, unread_until = clock_timestamp() + :wait WHERE id = :id"
)
_STORED = Statement("SELECT settings FROM mailboxes WHERE id = :id", _Stored)
_MOVE = _SQL.statement("move")
_ZONE = Statement("SELECT time_zone FROM organizations WHERE id = :id", str)


def absences_in(settings: Json | None) -> list[Absence]:
    """The absences of a mailbox's stored settings."""
    return [Absence.from_json(each) for each in (settings or {}).get("absences", [])]


@dataclass(frozen=True, slots=True)
class Turn:
    """The turn to read a mailbox's settings. ``mine``: we read them. ``wait``: another worker is reading. Neither: just send."""

    mine: bool
    wait: bool


def take_turn(tx: Transaction, mailbox_id: UUID) -> Turn:
    """Ask for the turn. One worker reads; the others wait for the result. After a failed read, nobody reads for a while."""
    row = _TAKE_TURN.one(tx, id=mailbox_id, takes=_READING_TAKES, stale=STALE_AFTER)
    return Turn(row.mine, bool(row.reading) and not row.mine)


def could_not_read(tx: Transaction, mailbox_id: UUID) -> None:
    """Give the turn back after a failed read. The settings we already have stay in force."""
    _GIVE_TURN_BACK.run(tx, id=mailbox_id, wait=_UNREADABLE_FOR)


def refresh(tx: Transaction, mailbox_id: UUID, settings: Json) -> Json:
    """Return the settings to store after reading ``settings``. Locks the lane.

    If the absences changed, emails held for the sender get the new return time as their due time; if the sender is
    back, they are due at once.
    """
    lane = lock_lane(tx, mailbox_id)
    stored = _STORED.one(tx, id=mailbox_id).settings
    before, read = absences_in(stored), absences_in(settings)
    after = carried_over(before, read)
    if after != before:
        _MOVE.run(tx, id=mailbox_id, due_at=back_at(after, lane.now), reason=HELD)
    return {**settings, "absences": [each.to_json() for each in after]}


def notify(tx: Transaction, claim: Claim, absences: Sequence[Absence]) -> None:
    """Notify the sequence's owner that the sender is away: once per absence, when its first email is held."""
    away = away_at(absences, claim.facts.now)
    if away is None:
        return
    zone = _ZONE.one(tx, id=claim.organization_id)
    owner = claim.facts.sequence_owner.id
    company = claim.facts.mailbox_owner is None
    payload = SenderAway(
        mailbox=claim.content.sender,
        mailbox_id=claim.mailbox_id,
        grantee_id=owner,
        person=claim.content.sender if company else claim.content.values["sender_name"],
        actor="Onbehalf",
        ends=None if away.ends is None else away.ends.isoformat(),
        until=None if away.ends is None else moment_words(away.ends, claim.facts.now, zone),
    )
    cause = f"away:{claim.mailbox_id}:{away.starts.isoformat()}:{owner}"
    events.record(tx, claim.organization_id, payload, cause, "onbehalf")
