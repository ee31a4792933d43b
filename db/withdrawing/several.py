"""V1 for several at once: people of a sequence who are paused or stopped, sequences that are paused or archived."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import Statement
from db.withdrawing import people
from db.withdrawing.withdrawals import Scope, close_lanes
from domain.errors import NotFound, NotPermitted


class _Sequence(NamedTuple):
    id: UUID
    organization_id: UUID
    mailbox_id: UUID
    status: str


class _InSequence(NamedTuple):
    id: UUID
    candidate_id: UUID
    status: str


_SEQUENCES = Statement(
    "SELECT id, organization_id, mailbox_id, status FROM sequences WHERE id = ANY(:ids) ORDER BY id",
    _Sequence,
)
_PEOPLE = Statement(
    "SELECT id, candidate_id, status FROM enrollments WHERE sequence_id = :id AND id = ANY(:ids) ORDER BY id FOR UPDATE",
    _InSequence,
)


def end_enrollments(
    tx: Transaction,
    sequence_id: UUID,
    enrollment_ids: Sequence[UUID],
    status: str,
    *,
    actor: str,
    reason: str,
) -> Scope:
    """Pause or stop a sequence for several people. Whoever has reached an end is left as they are. Raises ``NotFound``."""
    for sequence in _SEQUENCES.all(tx, ids=[sequence_id]):
        now = close_lanes(tx, [sequence.mailbox_id])
        found = _PEOPLE.all(tx, id=sequence_id, ids=list(enrollment_ids))
        for each in found:
            people.end_locked(
                tx, sequence.organization_id, each.id, each.status, status, actor=actor, reason=reason
            )
        return Scope(
            sequence.organization_id,
            now,
            sequence_id=sequence_id,
            candidate_ids=[each.candidate_id for each in found],
            cause=f"people:{new_id()}",
            cancels=f"enrollment_{status}",
        )
    raise NotFound("There is no such sequence.")


def end_sequences(
    tx: Transaction, sequence_ids: Sequence[UUID], *, archive: bool, actor: str, reason: str
) -> list[Scope]:
    """Archive several sequences, or pause those that run. Raises ``NotPermitted`` if none is left to pause."""
    close_lanes(tx, sorted({each.mailbox_id for each in _SEQUENCES.all(tx, ids=list(sequence_ids))}))
    found = _SEQUENCES.all(tx, ids=list(sequence_ids))  # as it is now that nobody else changes it
    if archive:
        return [people.archive_sequence(tx, each.id, actor=actor, reason=reason) for each in found]
    running = [each for each in found if each.status == "active"]
    if not running:
        raise NotPermitted("None of these sequences runs any more.")
    return [people.pause_sequence(tx, each.id, actor=actor, reason=reason) for each in running]
