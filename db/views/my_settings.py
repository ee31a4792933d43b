"""What a member's settings page shows: their mailbox, and the grants they gave and received."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access.authority import BY_HAND_OF, covers, in_force
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.sequences.imports import listed_mailbox, upsert_mailbox
from domain.connection import CLEARED_BY_SIGN_IN
from domain.errors import NotFound, NotPermitted

_DAILY_CAP = 200


@dataclass(frozen=True, slots=True)
class MyMailbox:
    """The member's own mailbox. ``status``: never_connected, connected or disconnected (with a reason)."""

    id: UUID
    address: str
    status: str
    status_reason: str | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    checked_at: datetime | None
    provider: str
    zone: str
    daily_cap: int
    sent_today: int
    only_a_test_helps: bool  # an email was refused for something that no sign-in changes
    renamed_from: str | None  # the address it had before Microsoft changed it
    renamed_at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenGrant:
    """A grant that the member gave. ``person`` None = everyone. ``sequences``: how many running sequences it covers.

    ``names``: the only sequences it covers; None = all. ``used_today`` counts only if there is a ``daily_limit``.
    ``by_hand_of``: who gave it in the member's name ("an operator's file (…)"); None: the member did.
    ``first_email``: None: it sends by itself; waits: the owner reads one before it leaves; read: they have.
    """

    id: UUID
    person: str | None
    given_at: datetime
    sequences: int
    expires_at: datetime | None
    daily_limit: int | None
    used_today: int
    names: list[str] | None
    zone: str
    person_id: UUID | None
    by_hand_of: str | None
    confirmed_at: datetime | None
    first_email: str | None


@dataclass(frozen=True, slots=True)
class ReceivedGrant:
    """A mailbox that the member may send from. ``first_email``: as of a ``GivenGrant``."""

    address: str
    mailbox_owner: str
    connected: bool
    for_everyone: bool
    given_at: datetime
    expires_at: datetime | None
    daily_limit: int | None
    names: list[str] | None
    zone: str
    used_today: int
    first_email: str | None


@dataclass(frozen=True, slots=True)
class EndedGrant:
    """A grant that ended when the mailbox was removed and was not renewed. ``person_id`` None = everyone."""

    person_id: UUID | None
    person: str | None
    ended_at: datetime


class _Member(NamedTuple):
    organization_id: UUID
    email: str
    time_zone: str


class _Sequence(NamedTuple):
    id: UUID
    name: str
    owner: str


class _Colleague(NamedTuple):
    id: UUID
    name: str
    email: str


_SQL = SqlFile(__name__)
_MAILBOX_OF = _SQL.statement("mailbox_of", MyMailbox)
_MEMBER = Statement(
    "SELECT m.organization_id, m.email, o.time_zone FROM members m JOIN organizations o ON o.id = m.organization_id"
    " WHERE m.id = :id AND m.active",
    _Member,
)
_GIVEN = _SQL.statement("given", GivenGrant, by_hand_of=BY_HAND_OF, covers=covers(), in_force=in_force())
_RECEIVED = _SQL.statement("received", ReceivedGrant, in_force=in_force())
_SEQUENCES_OF_OTHERS = _SQL.statement("sequences_of_others", _Sequence)
_COLLEAGUES = Statement(
    "SELECT p.id, p.name, p.email FROM members p JOIN members m ON m.organization_id = p.organization_id"
    " WHERE m.id = :id AND p.id <> m.id AND p.active ORDER BY lower(p.name), p.email LIMIT :limit",
    _Colleague,
)
_GAVE = Statement(
    "SELECT EXISTS (SELECT FROM grants WHERE id = :id AND mailbox_owner_id = :mailbox_owner)", bool
)
_ONLY_LENDS = Statement(
    "SELECT NOT EXISTS (SELECT FROM sequences WHERE owner_id = :id) AND (EXISTS (SELECT FROM grants WHERE mailbox_owner_id = :id)"
    " OR EXISTS (SELECT FROM grant_requests r JOIN mailboxes b ON b.id = r.mailbox_id WHERE b.owner_id = :id AND r.status = 'open'))",
    bool,
)
_ENDED_WITH_MAILBOX = _SQL.statement("ended_with_mailbox", EndedGrant)
_FIND_COLLEAGUE = _SQL.statement("find_colleague", _Colleague)


def mailbox_of(tx: Transaction, member_id: UUID) -> MyMailbox | None:
    """Return the member's own mailbox, or None."""
    return _MAILBOX_OF.one_or_none(tx, id=member_id, cleared=sorted(CLEARED_BY_SIGN_IN))


def make_mailbox(tx: Transaction, member_id: UUID) -> UUID:
    """Return the member's own mailbox; if there is none, create one with their address, not yet connected.

    Raises ``NotFound``, and ``NotPermitted`` if the address is listed as somebody else's.
    """
    found = mailbox_of(tx, member_id)
    if found is not None:
        return found.id
    row = _MEMBER.one_or_none(tx, id=member_id)
    if row is None:
        raise NotFound("There is no such active member.")
    mailbox_id, _ = upsert_mailbox(tx, row.organization_id, member_id, row.email, _DAILY_CAP, row.time_zone)
    listed = listed_mailbox(tx, row.organization_id, row.email)
    if listed is None or listed.owner_id != member_id:
        # If connected, it would send for the person it is listed under.
        raise NotPermitted(
            f"{row.email} is listed under somebody else's name. Ask an administrator to correct it."
        )
    return mailbox_id


def given(tx: Transaction, member_id: UUID) -> list[GivenGrant]:
    """Return active grants on the member's own mailbox."""
    return _GIVEN.all(tx, id=member_id)


def received(tx: Transaction, member_id: UUID) -> list[ReceivedGrant]:
    """Return other people's mailboxes that the member may send from."""
    return _RECEIVED.all(tx, id=member_id)


def sequences_of_others(
    tx: Transaction, mailbox_id: UUID, *, named: str = "", chosen: list[UUID] | None = None, limit: int = 50
) -> list[tuple[UUID, str, str]]:
    """Return (id, name, owner's name) of others' sequences that send from a mailbox, up to ``limit``.

    ``named``: part of the sequence's or owner's name. ``chosen`` sequences come first and ignore that filter.
    """
    return [*_SEQUENCES_OF_OTHERS.all(tx, id=mailbox_id, named=named, chosen=chosen or [], limit=limit)]


def colleagues(tx: Transaction, member_id: UUID, limit: int) -> list[tuple[UUID, str, str]]:
    """Return (id, name, address) of the other active members of the organization, up to ``limit``."""
    return [*_COLLEAGUES.all(tx, id=member_id, limit=limit)]


def gave(tx: Transaction, grant_id: UUID, mailbox_owner_id: UUID) -> bool:
    """Did this member give the grant, whether or not it is still active?"""
    return _GAVE.one(tx, id=grant_id, mailbox_owner=mailbox_owner_id)


def only_lends(tx: Transaction, member_id: UUID) -> bool:
    """Did the member give a permission, or is asked for one, and has no sequence?"""
    return _ONLY_LENDS.one(tx, id=member_id)


def ended_with_mailbox(tx: Transaction, member_id: UUID) -> list[EndedGrant]:
    """Return grants on the member's connected mailbox that ended when it was removed and were not renewed."""
    return _ENDED_WITH_MAILBOX.all(tx, id=member_id)


def find_colleague(tx: Transaction, member_id: UUID, said: str) -> list[tuple[UUID, str, str]]:
    """Return the active colleague with this address, or else up to ten whose name or address contains the text."""
    rows = _FIND_COLLEAGUE.all(tx, id=member_id, said=said)
    exact = [row for row in rows if row.email == said.lower()]
    return [(row.id, row.name, row.email) for row in exact or rows]
