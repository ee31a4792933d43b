"""Incidents as pages, the API and commands list them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.errors import NotFound
from domain.event_types import EVENT_TYPES
from domain.events import EventKind
from domain.incidents import State, state_of

SHOWN = 50
_SETTLED = 20


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. ``member_id`` None: a program or an operator. ``whole``: also what others own; only for ``manages``."""

    organization_id: UUID
    member_id: UUID | None
    manages: bool
    whole: bool = False

    @classmethod
    def of_all(cls, organization_id: UUID) -> "Viewer":
        """Return somebody who sees everything in the organization."""
        return cls(organization_id, None, manages=True, whole=True)


@dataclass(frozen=True, slots=True)
class Line:
    """One incident. ``links``: [label, path] of its remedies. ``passes_on_at``: when it goes to ``backup``, or if that is None to the admins."""

    id: UUID
    title: str
    body: str
    links: Sequence[Sequence[str]]
    owner_id: UUID
    owner: str
    kind: str
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    escalated_at: datetime | None
    closed_at: datetime | None
    read_at: datetime | None
    passes_on_at: datetime
    backup: str | None

    @property
    def state(self) -> State:
        """Its state."""
        return state_of(self.acknowledged_at, self.closed_at)

    @property
    def passes_on(self) -> bool:
        """Does it go to others if nobody reads it?"""
        recovery = EVENT_TYPES[EventKind(self.kind)].recovery
        by_itself = recovery is not None and recovery.by_itself
        return (
            self.state is State.OPEN and not by_itself and self.read_at is None and self.escalated_at is None
        )


_SQL = SqlFile(__name__)
_SEEN = _SQL.fragment("seen")
_OPEN = _SQL.statement("listing", Line, which=_SQL.fragment("standing"), seen=_SEEN, order="n.id DESC")
_SETTLED_LATELY = _SQL.statement(
    "listing", Line, which=_SQL.fragment("settled"), seen=_SEEN, order="n.closed_at DESC"
)
_COUNT = _SQL.statement("count", int, seen=_SEEN)
_MAY_SEE = _SQL.statement("may_see", bool, seen=_SEEN)


def standing(tx: Transaction, viewer: Viewer, sequence_id: UUID | None = None) -> list[Line]:
    """Return the newest open incidents. ``sequence_id``: only those that paused this sequence."""
    return _OPEN.all(tx, **_values(viewer), sequence_id=sequence_id, limit=SHOWN)


def settled(tx: Transaction, viewer: Viewer) -> list[Line]:
    """Return those that closed within a day, the last first."""
    return _SETTLED_LATELY.all(tx, **_values(viewer), sequence_id=None, limit=_SETTLED)


def count(tx: Transaction, viewer: Viewer, *, most: int = 100) -> int:
    """Count incidents that nobody has acknowledged, up to ``most``."""
    return _COUNT.one(tx, **_values(viewer), most=most)


def check_seen(tx: Transaction, viewer: Viewer, incident_id: UUID) -> None:
    """Raise ``NotFound`` unless the viewer may see the incident."""
    if not _MAY_SEE.one(tx, **_values(viewer), id=incident_id):
        raise NotFound("There is no such incident.")


def _values(viewer: Viewer) -> dict[str, object]:
    return {
        "organization_id": viewer.organization_id,
        "member_id": viewer.member_id,
        "manages": viewer.manages,
        "whole": viewer.whole and viewer.manages,
    }
