"""What the sender's absence does to rows: one reading at a time, the owners notified once, and held emails moved up on return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.core.session import Transaction
from db.events import events
from db.sending.claims import Claim
from db.sending.gate import lock_lane
from domain.absence import STALE_AFTER, away_at, back_at, carried_over
from domain.events import EventKind
from domain.send_window import Absence
from domain.waits import moment_words

HELD = "sender_away"
_READING_TAKES = timedelta(seconds=30)
_UNREADABLE_FOR = timedelta(minutes=2)


def absences_in(settings: Mapping[str, Any] | None) -> list[Absence]:
    """The absences of a mailbox's stored settings."""
    return [Absence.from_json(each) for each in (settings or {}).get("absences", [])]


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is to read a mailbox's settings. ``mine``: read them. ``wait``: somebody is reading. Neither: send on."""

    mine: bool
    wait: bool


def take_turn(tx: Transaction, mailbox_id: UUID) -> Turn:
    """Ask for the turn: one reads, the others wait for what it finds. One that could not be read is left alone for a while."""
    row = tx.execute(
        text(
            "WITH taken AS (UPDATE mailboxes SET reading_until = clock_timestamp() + :takes WHERE id = :id"
            "   AND settings_at < clock_timestamp() - CAST(:stale AS interval)"
            "   AND coalesce(reading_until < clock_timestamp(), true) AND coalesce(unread_until < clock_timestamp(), true)"
            "   RETURNING id)"
            " SELECT EXISTS (SELECT FROM taken) AS mine, coalesce(reading_until > clock_timestamp(), false)"
            "   AND settings_at < clock_timestamp() - CAST(:stale AS interval) AS reading FROM mailboxes WHERE id = :id"
        ),
        {"id": mailbox_id, "takes": _READING_TAKES, "stale": STALE_AFTER},
    ).one()
    return Turn(row.mine, row.reading and not row.mine)


def could_not_read(tx: Transaction, mailbox_id: UUID) -> None:
    """Give the turn back. What was known before counts on."""
    tx.execute(
        text(
            "UPDATE mailboxes SET reading_until = NULL, unread_until = clock_timestamp() + :wait WHERE id = :id"
        ),
        {"id": mailbox_id, "wait": _UNREADABLE_FOR},
    )


def refresh(tx: Transaction, mailbox_id: UUID, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings to store, now that ``settings`` were read; emails that wait for the sender wait until the end that is known now.

    Locks the lane. They move up at once when the sender is back.
    """
    lane = lock_lane(tx, mailbox_id)
    stored = tx.execute(
        text("SELECT settings FROM mailboxes WHERE id = :id"), {"id": mailbox_id}
    ).scalar_one()
    before, read = absences_in(stored), absences_in(settings)
    after = carried_over(before, read)
    if after != before:
        _move(tx, mailbox_id, back_at(after, lane.now))
    return {**settings, "absences": [each.to_json() for each in after]}


def _move(tx: Transaction, mailbox_id: UUID, due_at: datetime) -> None:
    tx.execute(
        text(
            "WITH moved AS (UPDATE deliveries SET due_at = :due_at WHERE mailbox_id = :id AND state = 'pending' AND NOT held"
            "   AND reason = :reason RETURNING 1)"
            " UPDATE lanes SET next_due_at = least(coalesce(next_due_at, :due_at), :due_at)"
            " WHERE mailbox_id = :id AND EXISTS (SELECT FROM moved)"
        ),
        {"id": mailbox_id, "due_at": due_at, "reason": HELD},
    )


def notify(tx: Transaction, claim: Claim, absences: Sequence[Absence]) -> None:
    """Tell the sequence's owner that the sender is away, once an absence, when its first email waits."""
    away = away_at(absences, claim.facts.now)
    if away is None:
        return
    zone = tx.execute(
        text("SELECT time_zone FROM organizations WHERE id = :id"), {"id": claim.organization_id}
    ).scalar_one()
    owner = claim.facts.sequence_owner.id
    company = claim.facts.mailbox_owner is None
    payload = {
        "mailbox": claim.content.sender,
        "mailbox_id": str(claim.mailbox_id),
        "grantee_id": str(owner),
        "person": claim.content.sender if company else claim.content.values["sender_name"],
        "actor": "Onbehalf",
    }
    if away.ends is not None:
        payload |= {"ends": away.ends.isoformat(), "until": moment_words(away.ends, claim.facts.now, zone)}
    cause = f"away:{claim.mailbox_id}:{away.starts.isoformat()}:{owner}"
    events.record(tx, claim.organization_id, EventKind.SENDER_AWAY, cause, "onbehalf", payload)
