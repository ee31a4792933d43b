"""Give a permission to send, and confirm it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from db.access import first_emails
from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.events import events
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.grant import UNBOUNDED, Bounds, Hand, Person, check_bounds, check_grant
from domain.grant_payloads import GrantGiven, GrantToConfirm

ENDS_SOON = timedelta(hours=48)  # a permission that ends within this time can be replaced by a longer one


class _Mailbox(NamedTuple):
    organization_id: UUID
    owner_id: UUID | None
    address: str


class _Owned(NamedTuple):
    organization_id: UUID
    owner_id: UUID
    address: str


class _Standing(NamedTuple):
    id: UUID
    expires_at: datetime | None
    sequence_ids: list[UUID] | None
    daily_limit: int | None


class _Confirmed(NamedTuple):
    organization_id: UUID
    confirmed_at: datetime | None
    given_by_kind: str


@dataclass(frozen=True, slots=True)
class EndedGrant:
    """A grant that has ended. ``grantee_id`` None = it was for everyone."""

    grantee_id: UUID | None
    ended_at: datetime
    reason: str


_SQL = SqlFile(__name__)
_MAILBOX = Statement("SELECT organization_id, owner_id, address FROM mailboxes WHERE id = :id", _Mailbox)
_OWNED = Statement("SELECT organization_id, owner_id, address FROM mailboxes WHERE id = :id", _Owned)
_LOCK_LANE = Statement("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE")
_STANDING = Statement(
    "SELECT id, expires_at, sequence_ids, daily_limit FROM grants WHERE mailbox_id = :mailbox_id"
    " AND archived_at IS NULL AND grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)",
    _Standing,
)
_CHANGE = Statement(
    "UPDATE grants SET archived_at = clock_timestamp(), archived_reason = 'replaced' WHERE id = :id"
)
_ADD = _SQL.statement("add")
_SETTLE_REQUESTS = Statement(
    "UPDATE grants g SET used_on = old.used_on, used_today = old.used_today FROM grants old"
    " WHERE g.id = :id AND old.id = :old"
)
_HANDS = Statement(
    "SELECT coalesce(m.email, 'everyone') AS who FROM grants g LEFT JOIN members m ON m.id = g.grantee_id"
    " WHERE g.id = ANY(:ids) ORDER BY 1",
    str,
)
_CONFIRM = Statement(
    "SELECT organization_id, confirmed_at, given_by_kind FROM grants WHERE id = :id AND mailbox_owner_id = :mailbox_owner_id"
    " AND archived_at IS NULL FOR UPDATE",
    _Confirmed,
)
_SET_CONFIRMED = Statement("UPDATE grants SET confirmed_at = clock_timestamp() WHERE id = :id")
_ENDED_FOR = _SQL.statement("ended_for", EndedGrant)
_FITTING = Statement(
    "SELECT count(*) FROM sequences WHERE id = ANY(:ids) AND mailbox_id = :mailbox_id AND status <> 'archived'"
    " AND (CAST(:grantee_id AS uuid) IS NULL OR owner_id = :grantee_id)",
    int,
)
_PERSON = Statement("SELECT id, organization_id, email, active FROM members WHERE id = :id", Person)


def give(
    tx: Transaction,
    *,
    mailbox_id: UUID,
    mailbox_owner_id: UUID,
    grantee_id: UUID | None,
    actor: str,
    bounds: Bounds = UNBOUNDED,
    by: Hand = "member",
) -> UUID:
    """Give ``grantee_id`` (None = everyone) permission; returns the grant, or the existing one if it is the same.

    ``by``: who gives it. If that is not the owner, we ask the owner to confirm (a file asks once for everything it gives:
    ``ask_to_confirm``). Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    check_bounds(bounds, database_now(tx))
    mailbox = _MAILBOX.one_or_none(tx, id=mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    grantee = None if grantee_id is None else _person(tx, grantee_id)
    check_grant(
        mailbox_owner=_person(tx, mailbox.owner_id),
        giver=_person(tx, mailbox_owner_id),
        grantee=grantee,
    )
    _LOCK_LANE.run(tx, id=mailbox_id)
    standing = _STANDING.one_or_none(tx, mailbox_id=mailbox_id, grantee_id=grantee_id)
    replaced: UUID | None = None
    if standing is not None:
        named = None if standing.sequence_ids is None else frozenset(standing.sequence_ids)
        if replace(bounds, reads_first=False) == Bounds(standing.expires_at, named, standing.daily_limit):
            if bounds.reads_first:
                first_emails.ask(tx, standing.id, actor=actor)
            return standing.id
        if _gives_more_time(standing.expires_at, named, bounds, database_now(tx)):
            # The new grant replaces the old one in one transaction, so nothing that relies on it pauses.
            _CHANGE.run(tx, id=standing.id)
            audit.write(tx, mailbox.organization_id, actor, "grant_replaced", f"grant:{standing.id}", {})
            replaced = standing.id
            standing = None
    if standing is not None:
        who = "everyone" if grantee is None else grantee.email
        raise NotPermitted(
            f"There is already a permission for {who}, with other limits. End it first, then give the new one."
        )
    _check_sequences(tx, mailbox_id, grantee_id, bounds)
    grant_id = new_id()
    _ADD.run(
        tx,
        id=grant_id,
        organization_id=mailbox.organization_id,
        mailbox_id=mailbox_id,
        mailbox_owner_id=mailbox_owner_id,
        grantee_id=grantee_id,
        expires_at=bounds.expires_at,
        sequence_ids=None if bounds.sequence_ids is None else sorted(bounds.sequence_ids),
        daily_limit=bounds.daily_limit,
        by=by,
        actor=actor,
        reads_first=bounds.reads_first,
    )
    first_emails.release(tx, mailbox_id)  # what waited on another permission may leave on this one
    if replaced is not None:  # today's emails still count
        _SETTLE_REQUESTS.run(tx, id=grant_id, old=replaced)
    data = {
        "mailbox_id": str(mailbox_id),
        "grantee_id": "everyone" if grantee_id is None else str(grantee_id),
        "until": "" if bounds.expires_at is None else bounds.expires_at.isoformat(),
        "sequences": "all"
        if bounds.sequence_ids is None
        else " ".join(sorted(map(str, bounds.sequence_ids))),
        "a_day": bounds.daily_limit,
        "reads_first": bounds.reads_first,
        "by": by,
    }
    audit.write(tx, mailbox.organization_id, actor, "grant_given", f"grant:{grant_id}", data)
    payload = GrantGiven(
        mailbox=mailbox.address,
        mailbox_id=mailbox_id,
        actor=actor,
        grant_id=grant_id,
        grantee_id=grantee_id,
        recipient=grantee_id,
    )
    events.record(tx, mailbox.organization_id, payload, f"grant_given:{grant_id}", actor)
    if by == "operator":
        ask_to_confirm(tx, mailbox_id, [grant_id], actor=actor)
    return grant_id


def _gives_more_time(
    ends_at: datetime | None, named: frozenset[UUID] | None, bounds: Bounds, now: datetime
) -> bool:
    """Does it extend a grant that ends soon, for at least the same sequences?"""
    if ends_at is None or ends_at >= now + ENDS_SOON:
        return False
    later = bounds.expires_at is None or bounds.expires_at > ends_at
    return later and (bounds.sequence_ids is None or (named is not None and named <= bounds.sequence_ids))


def ask_to_confirm(tx: Transaction, mailbox_id: UUID, grant_ids: Sequence[UUID], *, actor: str) -> None:
    """Ask the mailbox's owner, once for all of them, to confirm grants that were given in their name."""
    mailbox = _OWNED.one(tx, id=mailbox_id)
    payload = GrantToConfirm(
        mailbox=mailbox.address,
        mailbox_id=mailbox_id,
        person=", ".join(_HANDS.all(tx, ids=list(grant_ids))),
        actor=actor,
        recipient=mailbox.owner_id,
    )
    cause = f"grant_to_confirm:{min(grant_ids)}"
    events.record(tx, mailbox.organization_id, payload, cause, actor)


def confirm(tx: Transaction, grant_id: UUID, *, mailbox_owner_id: UUID, actor: str) -> None:
    """Record that the owner confirms a grant given in their name. A second call changes nothing. Raises ``NotFound``."""
    grant = _CONFIRM.one_or_none(tx, id=grant_id, mailbox_owner_id=mailbox_owner_id)
    if grant is None:
        raise NotFound("You gave no such permission, or it has ended.")
    if grant.confirmed_at is not None or grant.given_by_kind == "member":
        return
    _SET_CONFIRMED.run(tx, id=grant_id)
    audit.write(tx, grant.organization_id, actor, "grant_confirmed", f"grant:{grant_id}", {})


def ended_for(tx: Transaction, mailbox_id: UUID, grantee_id: UUID | None) -> EndedGrant | None:
    """Return the last ended grant on this mailbox for this person (None = everyone). Only the mailbox's owner may renew it.

    A grant for everyone included each person, and each person's grant is part of one for everyone. A grantee's departure
    does not affect others.
    """
    return _ENDED_FOR.one_or_none(tx, mailbox_id=mailbox_id, grantee_id=grantee_id)


def _check_sequences(tx: Transaction, mailbox_id: UUID, grantee_id: UUID | None, bounds: Bounds) -> None:
    if bounds.sequence_ids is None:
        return
    fitting = _FITTING.one(tx, ids=list(bounds.sequence_ids), mailbox_id=mailbox_id, grantee_id=grantee_id)
    if fitting != len(bounds.sequence_ids):
        raise InvalidInput(
            "This permission cannot cover one of these sequences.",
            where="sequences",
            fix="Choose their sequences that send from this mailbox.",
        )


def _person(tx: Transaction, member_id: UUID | None) -> Person:
    found = _PERSON.one_or_none(tx, id=member_id)
    if found is None:
        raise NotFound("There is no such member.")
    return found
