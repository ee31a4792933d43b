"""Why somebody's next email did or did not leave, in each of their sequences: for pages, programs and the CLI alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.access import authority
from db.core.session import Transaction
from db.sending import waits
from db.views import lookups
from db.views.lookups import Situation
from domain.why import When, Why, next_of, why


@dataclass(frozen=True, slots=True)
class Answer:
    """One sequence's. ``whole``: with who, where, and how much was sent. ``next``: what comes next alone."""

    enrollment_id: UUID
    situation: Situation
    whole: Why
    next: Why


def answers(tx: Transaction, enrollment_ids: Sequence[UUID], when: When) -> list[Answer]:
    """Return the answers for these enrollments, in their order. ``when`` writes moments."""
    found = [(each, lookups.situation(tx, each)) for each in enrollment_ids]
    sequences = [row.sequence_id for _, row in found if row]
    said, stops = waits.of_sequences(tx, sequences), authority.blockers(tx, sequences)
    return [
        Answer(
            each,
            row,
            why(row, said.get(row.sequence_id), stops[row.sequence_id], when),
            next_of(row, said.get(row.sequence_id), stops[row.sequence_id], when),
        )
        for each, row in found
        if row
    ]
