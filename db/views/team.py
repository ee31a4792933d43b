"""The members of an organization, for its owners and admins. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.errors import NotFound
from domain.team import Role

PER_PAGE = 50
BOXES = ("connected", "lost", "none")


@dataclass(frozen=True, slots=True)
class Listed:
    """A member. ``given``, ``held``: permissions in force. ``mailbox_status`` None: they have no mailbox here."""

    id: UUID
    name: str
    email: str
    role: str
    active: bool
    deactivated_at: datetime | None
    mailbox_status: str | None
    mailbox_reason: str | None
    sequences: int
    given: int
    held: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which members. ``role``, ``box`` "": any. ``box``: connected, lost (it cannot send, and somebody has to act) or none."""

    active: bool = True
    role: str = ""
    search: str = ""
    box: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """``away``: members who left."""

    active: int
    away: int


_SQL = SqlFile(__name__)
_PAGE, _ONE = _SQL.statement("page", Listed), _SQL.statement("one", Listed)
_ORGANIZATION = Statement("SELECT organization_id FROM members WHERE id = :id", UUID)
_COUNTS, _RESULT = _SQL.statement("counts", Counts), _SQL.statement("result", UUID)


def page(
    tx: Transaction,
    organization_id: UUID,
    wanted: Wanted,
    *,
    after: tuple[str, UUID] | None = None,
    limit: int = PER_PAGE,
) -> list[Listed]:
    """Return members by name. ``after``: name and id of the last one on the page before."""
    name, member_id = after or ("", None)
    return _PAGE.all(
        tx,
        organization_id=organization_id,
        active=wanted.active,
        role=wanted.role if wanted.role in set(Role) else "",
        search=wanted.search,
        box=wanted.box if wanted.box in BOXES else "",
        after=name,
        after_id=member_id,
        limit=limit,
    )


def counts(tx: Transaction, organization_id: UUID) -> Counts:
    """Count the members."""
    return _COUNTS.one(tx, organization_id=organization_id)


def one(tx: Transaction, organization_id: UUID, member_id: UUID) -> Listed:
    """Return a member. Raises ``NotFound``."""
    found = _ONE.one_or_none(tx, id=member_id, organization_id=organization_id)
    if found is None:
        raise NotFound("There is no such member.")
    return found


def departure_of(tx: Transaction, member_id: UUID) -> UUID | None:
    """Return the withdrawal of the last time the member's access ended, if any."""
    return _RESULT.one_or_none(tx, id=member_id)


def organization_of(tx: Transaction, member_id: UUID) -> UUID:
    """Return the organization of a member that there is."""
    return _ORGANIZATION.one(tx, id=member_id)
