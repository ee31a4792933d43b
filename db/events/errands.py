"""Errands: what web and commands ask of workers, and what came of it. All waiting is these rows, on the database's clock."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.audit.audit import columns_of
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from domain.audit import Actor, ActorKind
from domain.errands import ErrandKind

_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Errand:
    """One that a worker has begun. ``subject_id`` and ``detail``: as its kind has it."""

    id: UUID
    organization_id: UUID
    kind: ErrandKind
    subject_id: UUID
    detail: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class Progress:
    """``answer`` None at its end: it came to nothing, and the worker's log says why. ``late``: nobody may begin it any more."""

    begun: bool
    ended: bool
    late: bool
    answer: dict[str, Any] | None


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
    """Write one down; returns its id."""
    errand_id = new_id()
    tx.execute(
        text(
            "INSERT INTO errands (id, organization_id, kind, subject_id, detail, actor_kind, actor_id, actor_name, begin_until)"
            " VALUES (:id, :organization_id, :kind, :subject_id, :detail, :actor_kind, :actor_id, :actor_name,"
            " clock_timestamp() + CAST(:within AS interval))"
        ),
        {
            "id": errand_id,
            "organization_id": organization_id,
            "kind": kind,
            "subject_id": subject_id,
            "detail": detail,
            **columns_of(actor),
            "within": begin_within,
        },
    )
    return errand_id


def begin(tx: Transaction, errand_id: UUID) -> Errand | None:
    """Take it. None: it was begun before, or whoever asked has given up."""
    row = tx.execute(
        text(
            "UPDATE errands SET begun_at = clock_timestamp() WHERE id = :id AND begun_at IS NULL"
            " AND begin_until > clock_timestamp() RETURNING *"
        ),
        {"id": errand_id},
    ).one_or_none()
    if row is None:
        return None
    actor = Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name)
    return Errand(row.id, row.organization_id, ErrandKind(row.kind), row.subject_id, row.detail, actor)


def end(tx: Transaction, errand_id: UUID, answer: Mapping[str, object] | None) -> None:
    """It is over."""
    tx.execute(
        text(
            "UPDATE errands SET ended_at = clock_timestamp(), answer = CAST(:answer AS jsonb) WHERE id = :id"
        ),
        {"id": errand_id, "answer": None if answer is None else dump_json(answer)},
    )


def progress(tx: Transaction, errand_ids: Collection[UUID]) -> dict[UUID, Progress]:
    """How each of them stands."""
    rows = tx.execute(
        text(
            "SELECT id, begun_at IS NOT NULL AS begun, ended_at IS NOT NULL AS ended,"
            " begin_until <= clock_timestamp() AS late, answer FROM errands WHERE id = ANY(:ids)"
        ),
        {"ids": list(errand_ids)},
    )
    return {row.id: Progress(row.begun, row.ended, row.late, row.answer) for row in rows}


def give_up(tx: Transaction, errand_ids: Collection[UUID]) -> None:
    """Whoever asked waits no longer: what is not begun yet is not begun any more."""
    tx.execute(
        text(
            "UPDATE errands SET begin_until = clock_timestamp() WHERE id = ANY(:ids) AND begun_at IS NULL"
            " AND begin_until > clock_timestamp()"
        ),
        {"ids": list(errand_ids)},
    )


def purge(tx: Transaction) -> None:
    """Forget those of a day ago."""
    tx.execute(
        text("DELETE FROM errands WHERE created_at < clock_timestamp() - CAST(:kept AS interval)"),
        {"kept": _KEPT},
    )
