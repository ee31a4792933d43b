"""Place and end holds: of a mailbox, of an organization, or of everybody (a drain). What one means: ``domain/holds.py``.

A hold is committed first, and the lanes are locked after that, in another transaction. Whoever reads a hold under a lane's lock from then on
is refused; whoever read before still has the lock, so that the lanes' transaction waits for them, and finds what they let pass. That also
covers a mailbox that is added meanwhile, which a lock of all lanes would miss.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.withdrawing.withdrawals import MAILBOX, Scope, close_lanes
from domain.errors import NotFound
from domain.hold_payloads import MailboxHeld, OrganizationHeld
from domain.holds import Level, SendingHold, checked_until, lasts_longer
from domain.notice import shown_at

_NOBODY = UUID(int=0)
_BY_ITSELF = "onbehalf"
# What every organization's trail says of a drain.
_OF_DRAIN = {"sending_held": "drain_begun", "hold_released": "drain_ended"}


@dataclass(frozen=True, slots=True)
class Whose:
    """What is held. ``organization_id`` None: everybody. ``mailbox_id`` None: all of the organization's."""

    organization_id: UUID | None
    mailbox_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """``known``: somebody of that level held it before. ``hold_id``: the one that holds it now."""

    hold_id: UUID
    known: bool


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """An email that a worker has claimed and not settled. ``delivery_id`` None: a test email. ``since``: None if nobody knows."""

    delivery_id: UUID | None
    organization: str
    address: str
    state: str
    since: datetime | None


class Mailbox(NamedTuple):
    """One that can be held."""

    id: UUID
    address: str


class _Present(NamedTuple):
    id: UUID
    until: datetime | None
    now: datetime


class _Own(NamedTuple):
    hold: Json


class _Expired(NamedTuple):
    id: UUID
    organization_id: UUID | None
    mailbox_id: UUID | None


class _Listed(NamedTuple):
    id: UUID
    organization_id: UUID | None
    mailbox_id: UUID | None
    level: str
    held_by: str
    reason: str
    since: datetime
    until: datetime | None
    organization: str | None
    address: str | None
    owner_id: UUID | None


class Listed(NamedTuple):
    """A hold that is not over, with the organization's name, and the mailbox's address and owner; empty if it is of none."""

    hold: SendingHold
    organization: str
    address: str
    owner_id: UUID | None


_SQL = SqlFile(__name__)
_TAKE_TURN = _SQL.statement("take_turn")
_PRESENT = _SQL.statement("present", _Present)
_OWN = _SQL.statement("own", _Own)
_PLACE, _LENGTHEN = _SQL.statement("place"), _SQL.statement("lengthen")
_RELEASE = _SQL.statement("release", UUID)
_EXPIRE = _SQL.statement("expire", _Expired)
_LANES_OF = _SQL.statement("lanes_of", UUID)
_LOCK_SOME = _SQL.statement("lock_some", UUID)
_ON_THE_WAY = _SQL.statement("on_the_way", OnTheWay)
_LISTED = _SQL.statement("listed", _Listed)
_MAILBOXES = _SQL.statement("mailboxes", Mailbox)
_IS_OF = Statement(
    "SELECT EXISTS (SELECT FROM mailboxes WHERE organization_id = :organization_id AND id = :id)", bool
)
_NOW = Statement("SELECT clock_timestamp()", datetime)
_ZONE = Statement("SELECT time_zone FROM organizations WHERE id = :id", str)


def place(
    tx: Transaction, whose: Whose, *, level: Level, actor: str, reason: str, until: datetime | None
) -> Placed:
    """Hold it, from the commit on. A second hold of the same level only makes the first one last longer, and is no new event.

    Raises ``NotFound``, and ``InvalidInput`` if ``until`` has passed.
    """
    zone = None if whose.organization_id is None else _ZONE.one_or_none(tx, id=whose.organization_id)
    if whose.organization_id is not None and zone is None:
        raise NotFound("There is no such organization.")
    checked_until(until, _NOW.one(tx))
    _TAKE_TURN.run(tx, what=f"{whose.organization_id} {whose.mailbox_id}")
    found = _PRESENT.one_or_none(tx, **_named(whose), level=level.value)
    if found is not None:
        if lasts_longer(until, found.until):
            _LENGTHEN.run(tx, id=found.id, until=until, held_by=actor, reason=reason)
            _audit(tx, whose, actor, "hold_lengthened", {"reason": reason, "until": until})
        return Placed(found.id, known=True)
    hold_id = new_id()
    _PLACE.run(tx, id=hold_id, **_named(whose), level=level.value, held_by=actor, reason=reason, until=until)
    _audit(tx, whose, actor, "sending_held", {"reason": reason, "until": until, "level": level.value})
    if whose.organization_id is not None and zone is not None:
        said = None if until is None else shown_at(until, zone)
        _record(tx, whose.organization_id, whose.mailbox_id, hold_id, level, actor, reason, said)
    return Placed(hold_id, known=False)


def _record(
    tx: Transaction,
    organization_id: UUID,
    mailbox_id: UUID | None,
    hold_id: UUID,
    level: Level,
    actor: str,
    reason: str,
    until: str | None,
) -> None:
    payload: MailboxHeld | OrganizationHeld
    if mailbox_id is None:
        payload = OrganizationHeld(
            actor=actor, hold_id=hold_id, reason=reason, level=level.value, until=until
        )
    else:
        address = MAILBOX.one(tx, id=mailbox_id).address
        payload = MailboxHeld(
            mailbox=address,
            mailbox_id=mailbox_id,
            actor=actor,
            hold_id=hold_id,
            reason=reason,
            level=level.value,
            until=until,
        )
    events.record(tx, organization_id, payload, f"hold:{hold_id}", actor)


def close(tx: Transaction, whose: Whose, hold_id: UUID) -> Scope:
    """Lock the lanes of what is held, and return what may have passed the gate before. The hold is committed already."""
    if whose.organization_id is None:
        raise ValueError("all lanes at once are a drain's")
    ids = (
        [whose.mailbox_id]
        if whose.mailbox_id is not None
        else _LANES_OF.all(tx, organization_id=whose.organization_id)
    )
    now = close_lanes(tx, ids)
    return Scope(whose.organization_id, now, mailbox_ids=ids, cause=f"hold:{hold_id}")


def wait_for_some(tx: Transaction, after: UUID | None) -> UUID | None:
    """Lock the next lanes after this one, and so wait for whoever is at their gates. Returns the last one, or None if there is none."""
    locked = _LOCK_SOME.all(tx, after=after or _NOBODY)
    return locked[-1] if locked else None


def on_the_way(tx: Transaction) -> list[OnTheWay]:
    """Return what workers have claimed and not settled, the oldest first."""
    return _ON_THE_WAY.all(tx)


def release(tx: Transaction, whose: Whose, *, level: Level, actor: str) -> bool:
    """End the holds that somebody of this level may release. Returns False if there was none. What waits goes on by itself."""
    ended = _RELEASE.all(tx, **_named(whose), levels=level.releases, ended_by=actor)
    if ended:
        _audit(tx, whose, actor, "hold_released", {})
    return bool(ended)


def own(tx: Transaction, whose: Whose) -> SendingHold | None:
    """Return the hold of exactly this, not of what it is part of: the one of the highest level, or None."""
    found = [SendingHold.from_json(row.hold) for row in _OWN.all(tx, **_named(whose))]
    return max(found, key=lambda each: len(each.level.releases), default=None)


def expire(tx: Transaction) -> UUID | None:
    """Record that the time of one hold is over, which the gate knows by itself; returns it, or None if there is none."""
    ended = _EXPIRE.one_or_none(tx)
    if ended is None:
        return None
    _audit(tx, Whose(ended.organization_id, ended.mailbox_id), _BY_ITSELF, "hold_expired", {})
    return ended.id


def listed(tx: Transaction, organization_id: UUID | None) -> list[Listed]:
    """Return the holds that are not over, of an organization (with a drain, if there is one) or, None, all of them."""
    return [
        Listed(
            SendingHold(
                row.id,
                row.organization_id,
                row.mailbox_id,
                Level(row.level),
                row.held_by,
                row.reason,
                row.since,
                row.until,
            ),
            row.organization or "",
            row.address or "",
            row.owner_id,
        )
        for row in _LISTED.all(tx, organization_id=organization_id)
    ]


def mailboxes(tx: Transaction, organization_id: UUID) -> list[Mailbox]:
    """Return an organization's mailboxes that were ever connected, up to 500."""
    return _MAILBOXES.all(tx, organization_id=organization_id)


def is_of(tx: Transaction, organization_id: UUID, mailbox_id: UUID) -> bool:
    """Is it one of the organization's mailboxes?"""
    return _IS_OF.one(tx, organization_id=organization_id, id=mailbox_id)


def organization_of(tx: Transaction, mailbox_id: UUID) -> UUID:
    """Return whose mailbox it is."""
    return MAILBOX.one(tx, id=mailbox_id).organization_id


def _named(whose: Whose) -> dict[str, object]:
    return {"organization_id": whose.organization_id, "mailbox_id": whose.mailbox_id}


def _audit(tx: Transaction, whose: Whose, actor: str, action: str, data: dict[str, object]) -> None:
    kept = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in data.items()
        if value is not None
    }
    if whose.organization_id is None:
        if action in _OF_DRAIN:
            audit.write_for_all(tx, actor, _OF_DRAIN[action], kept)
        return
    subject = (
        f"organization:{whose.organization_id}" if whose.mailbox_id is None else f"mailbox:{whose.mailbox_id}"
    )
    audit.write(tx, whose.organization_id, actor, action, subject, kept)
