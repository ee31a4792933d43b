"""V1 of adding to the suppression list: the entries, and the end of everything that goes to the people they name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.withdrawing import people, suppressions
from db.withdrawing.withdrawals import Scope, close_lanes
from domain.suppression import Entry

REASON = "suppressed"


@dataclass(frozen=True, slots=True)
class Added:
    """``added``: entries that are new. ``known``: those on the list before. ``people``: who leave all sequences."""

    added: int
    known: int
    people: int


class _Concerned(NamedTuple):
    candidate_id: UUID
    mailbox_id: UUID


_SQL = SqlFile(__name__)
_CONCERNED = _SQL.statement("concerned", _Concerned)


def suppress_entries(
    tx: Transaction, organization_id: UUID, entries: Sequence[Entry], *, actor: str
) -> tuple[Added, Scope]:
    """Add entries, and stop whomever they forbid to write to."""
    now = close_lanes(tx, sorted({row.mailbox_id for row in _concerned(tx, organization_id, entries)}))
    added = suppressions.add(tx, organization_id, entries, actor=actor)
    # Read under the locks: those enrolled meanwhile are refused at the gate, and end here too.
    found = sorted({row.candidate_id for row in _concerned(tx, organization_id, entries)})
    stopped = 0
    for candidate_id in found:
        ended = people.end_person(tx, candidate_id, None, REASON)
        stopped += bool(ended)
        for each in ended:
            audit.write(
                tx,
                organization_id,
                actor,
                "enrollment_stopped",
                f"enrollment:{each}",
                {"reason": REASON},
            )
    scope = Scope(organization_id, now, candidate_ids=found, cause=f"list:{new_id()}", cancels=REASON)
    return Added(added, len(entries) - added, stopped), scope


def foresee(tx: Transaction, organization_id: UUID, entries: Sequence[Entry]) -> Added:
    """Return what adding them would do. Changes nothing."""
    known = len(suppressions.known(tx, organization_id, entries))
    concerned = {row.candidate_id for row in _concerned(tx, organization_id, entries)}
    return Added(len(entries) - known, known, len(concerned))


def _concerned(tx: Transaction, organization_id: UUID, entries: Sequence[Entry]) -> list[_Concerned]:
    return _CONCERNED.all(
        tx,
        organization_id=organization_id,
        addresses=[each.value for each in entries if each.kind == "address"],
        domains=[each.value for each in entries if each.kind == "domain"],
    )
