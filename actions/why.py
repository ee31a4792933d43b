"""Why somebody's next email did or did not leave, in each of their sequences: for pages, programs and the CLI alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.access import authority
from db.core.session import Transaction
from db.sending import waits
from db.views import lookups, processes, tasks
from db.views.lookups import Situation
from domain import task
from domain.waits import opens_at, sentence
from domain.why import Around, When, Why, next_of, why


@dataclass(frozen=True, slots=True)
class Answer:
    """One sequence's. ``whole``: with who, where, and how much was sent. ``next``: what comes next alone."""

    enrollment_id: UUID
    situation: Situation
    whole: Why
    next: Why


def _task(tx: Transaction, row: Situation) -> str:
    """Whose task comes next, and what it asks for; empty if none does."""
    if row.delivery_id is None or row.state != "pending" or row.delivery_reason != task.WAITS:
        return ""
    found = tasks.one(tx, row.delivery_id)
    return f"{found.owner}: {found.said.title}"


def answers(tx: Transaction, enrollment_ids: Sequence[UUID], when: When) -> list[Answer]:
    """Return the answers for these enrollments, in their order. ``when`` writes moments. docs/states.md lists them."""
    found = [(each, lookups.situation(tx, each)) for each in enrollment_ids]
    sequences = [row.sequence_id for _, row in found if row]
    stops, roles = authority.blockers(tx, sequences), processes.roles(tx)
    standings = {each.sequence_id: each for each in waits.standings(tx, sequences)}
    said = []
    for each, row in found:
        if row is None:
            continue
        standing = standings.get(row.sequence_id)
        around = Around(
            None if standing is None else sentence(standing),
            stops[row.sequence_id],
            None if standing is None else opens_at(standing),
            roles,
            _task(tx, row),
        )
        said.append(Answer(each, row, why(row, around, when), next_of(row, around, when)))
    return said
