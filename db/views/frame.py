"""What is around every page: the zone and the time, and the numbers beside the navigation's entries."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.access import operators
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement

MOST = 100  # a page writes "99+"


@dataclass(frozen=True, slots=True)
class Around:
    """``zone``: the member's own or else the organization's. ``unread``: notices, and ``messages`` that wait: up to ``MOST``.

    ``operates``: the member is an operator of the installation.
    """

    zone: str
    now: datetime
    unread: int
    messages: int
    operates: bool


@dataclass(frozen=True, slots=True)
class Here:
    """``zone``: the member's own or else the organization's."""

    zone: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Zones:
    """``own``: None = the organization's."""

    own: str | None
    organization: str


_SQL = SqlFile(__name__)
_AROUND = _SQL.statement("around", Around, operates=operators.HOLDS)
_HERE = Statement(
    "SELECT coalesce(m.time_zone, o.time_zone) AS zone, clock_timestamp() AS now FROM members m"
    " JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id",
    Here,
)
_ZONES = Statement(
    "SELECT m.time_zone AS own, o.time_zone AS organization FROM members m JOIN organizations o ON o.id = m.organization_id"
    " WHERE m.id = :id",
    Zones,
)
_SET_ZONE = Statement("UPDATE members SET time_zone = :zone WHERE id = :id")


def around(tx: Transaction, member_id: UUID) -> Around:
    """Return what surrounds the member's pages. Bounded work, because each open page asks every two seconds."""
    return _AROUND.one(tx, id=member_id, most=MOST)


def here(tx: Transaction, member_id: UUID) -> Here:
    """Return the zone in which the member reads times, and the time."""
    return _HERE.one(tx, id=member_id)


def zones(tx: Transaction, member_id: UUID) -> Zones:
    """Return in which zones the member may read times."""
    return _ZONES.one(tx, id=member_id)


def set_zone(tx: Transaction, member_id: UUID, zone: str | None) -> None:
    """Have the member read times in a zone of the IANA database; None = the organization's."""
    _SET_ZONE.run(tx, id=member_id, zone=zone)
