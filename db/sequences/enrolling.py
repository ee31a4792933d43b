"""What the rule of who may be enrolled asks (``domain/enrolling.py``), and its number of days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.views.messages import KNOWS, Viewer
from domain.enrolling import Standing, check_days
from domain.errors import NotFound

_LISTED = 500  # sequences to choose from
_AT_ONCE = 5000  # addresses that one statement asks the suppression list for, each by a function: it has 30 s


@dataclass(frozen=True, slots=True)
class _Row:
    email: str
    suppressed: bool
    already: bool
    elsewhere: str
    last_sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Destination:
    """A sequence that people can be enrolled in."""

    id: UUID
    name: str
    status: str


_SQL = SqlFile(__name__)
_DESTINATIONS = _SQL.statement("destinations", Destination)
_EMAILS_OF = _SQL.statement("emails_of", str, knows=KNOWS)
_STANDINGS = _SQL.statement("standings", _Row)
_LOCK = Statement("SELECT pg_advisory_xact_lock(hashtextextended('enroll ' || :id, 0))")
_DAYS = Statement("SELECT recontact_days FROM organizations WHERE id = :id", int)
_SET_DAYS = Statement(
    "UPDATE organizations SET recontact_days = :days WHERE id = :id AND recontact_days <> :days"
)


def standings(
    tx: Transaction, organization_id: UUID, sequence_id: UUID | None, emails: Sequence[str]
) -> dict[str, Standing]:
    """Return what is known of each address, for somebody who would enroll it in the sequence."""
    return {
        row.email: Standing(row.suppressed, row.already, row.elsewhere, row.last_sent_at)
        for begin in range(0, len(emails), _AT_ONCE)
        for row in _STANDINGS.all(
            tx,
            organization_id=organization_id,
            sequence_id=sequence_id,
            emails=list(emails[begin : begin + _AT_ONCE]),
        )
    }


def lock(tx: Transaction, organization_id: UUID) -> None:
    """Let one transaction of an organization enroll people at a time: the next one sees whom this one has enrolled.

    No row's lock: those are taken after lanes' (``db/sending/enrollments.py``).
    """
    _LOCK.run(tx, id=str(organization_id))


def days(tx: Transaction, organization_id: UUID) -> int:
    """Return the days between an organization's last email to a person and a new sequence; 0: none."""
    return _DAYS.one(tx, id=organization_id)


def set_days(tx: Transaction, organization_id: UUID, days: int, *, actor: str) -> bool:
    """Set them, audited. Returns False if they were so. Raises ``InvalidInput``."""
    changed = _SET_DAYS.run(tx, id=organization_id, days=check_days(days)) > 0
    if changed:
        audit.write(
            tx,
            organization_id,
            actor,
            "recontact_days_changed",
            f"organization:{organization_id}",
            {"days": days},
        )
    return changed


def destinations(tx: Transaction, viewer: Viewer) -> list[Destination]:
    """Return the sequences that somebody can enroll people in: their own; for owners, admins and programs all. The newest 500."""
    return _destinations(tx, viewer, None)


def check_destination(tx: Transaction, viewer: Viewer, sequence_id: UUID) -> Destination:
    """Return the sequence. Raises ``NotFound`` unless they can."""
    found = _destinations(tx, viewer, sequence_id)
    if not found:
        raise NotFound("There is no such sequence of yours that people can be enrolled in.")
    return found[0]


def emails_of(tx: Transaction, viewer: Viewer, candidate_ids: Sequence[UUID]) -> list[str]:
    """Return the addresses of those of them whom the viewer may see."""
    return _EMAILS_OF.all(
        tx, organization_id=viewer.organization_id, member_id=viewer.member_id, ids=list(candidate_ids)
    )


def _destinations(tx: Transaction, viewer: Viewer, only: UUID | None) -> list[Destination]:
    return _DESTINATIONS.all(
        tx, organization_id=viewer.organization_id, member_id=viewer.member_id, only=only, most=_LISTED
    )
