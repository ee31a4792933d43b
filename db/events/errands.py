"""Errands: work that web and commands ask of workers, and its results. The rows hold all waiting, on the database's clock."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from db.audit.audit import columns_of
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.audit import Actor, ActorKind
from domain.errands import ErrandKind

_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Errand:
    """An errand that a worker has begun. Its kind defines ``subject_id`` and ``detail``."""

    id: UUID
    organization_id: UUID
    kind: ErrandKind
    subject_id: UUID
    detail: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class Progress:
    """An errand's progress. ``late``: it may no longer begin.

    If it ended with ``answer`` None, it failed, and the worker's log says why.
    """

    begun: bool
    ended: bool
    late: bool
    answer: dict[str, Any] | None


class _Begun(NamedTuple):
    id: UUID
    organization_id: UUID
    kind: str
    subject_id: UUID
    detail: str
    actor_kind: str
    actor_id: str
    actor_name: str


class _Progress(NamedTuple):
    id: UUID
    begun: bool
    ended: bool
    late: bool
    answer: dict[str, Any] | None


_SQL = SqlFile(__name__)
_ASK, _BEGIN = _SQL.statement("ask"), _SQL.statement("begin", _Begun)
_END = Statement(
    "UPDATE errands SET ended_at = clock_timestamp(), answer = CAST(:answer AS jsonb) WHERE id = :id"
)
_PROGRESS, _GIVE_UP = _SQL.statement("progress", _Progress), _SQL.statement("give_up")
_PURGE = Statement("DELETE FROM errands WHERE created_at < clock_timestamp() - CAST(:kept AS interval)")


def ask(
    tx: Transaction,
    organization_id: UUID,
    kind: ErrandKind,
    subject_id: UUID,
    *,
    actor: str,
    begin_within: timedelta,
    detail: str = "",
) -> UUID:
    """Add an errand; returns its id."""
    errand_id = new_id()
    _ASK.run(
        tx,
        id=errand_id,
        organization_id=organization_id,
        kind=kind,
        subject_id=subject_id,
        detail=detail,
        **columns_of(actor),
        within=begin_within,
    )
    return errand_id


def begin(tx: Transaction, errand_id: UUID) -> Errand | None:
    """Take an errand. Returns None if it has begun already or the asker has given up."""
    row = _BEGIN.one_or_none(tx, id=errand_id)
    if row is None:
        return None
    actor = Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name)
    return Errand(row.id, row.organization_id, ErrandKind(row.kind), row.subject_id, row.detail, actor)


def end(tx: Transaction, errand_id: UUID, answer: Mapping[str, object] | None) -> None:
    """Record that the errand has ended, with its answer."""
    _END.run(tx, id=errand_id, answer=None if answer is None else dump_json(answer))


def progress(tx: Transaction, errand_ids: Collection[UUID]) -> dict[UUID, Progress]:
    """Return the progress of each errand."""
    rows = _PROGRESS.all(tx, ids=list(errand_ids))
    return {row.id: Progress(row.begun, row.ended, row.late, row.answer) for row in rows}


def give_up(tx: Transaction, errand_ids: Collection[UUID]) -> None:
    """Stop waiting for these errands: any that have not begun never will."""
    _GIVE_UP.run(tx, ids=list(errand_ids))


def purge(tx: Transaction) -> None:
    """Delete errands older than a day."""
    _PURGE.run(tx, kept=_KEPT)
