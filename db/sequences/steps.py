"""The steps of a sequence, edited while it runs: which is which, what each says, and who already had that text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.ids import new_id
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.approval import StepKind
from domain.step_edits import Known, Words, holds, match

_ELSEWHERE = 1_000_000  # a temporary offset while steps change places: no two may share a position, not even for a moment
# Emails that have certainly not begun, and that nobody has given a text of their own, can be replanned. An edit leaves all others as they are.
MOVABLE = (
    "d.state = 'pending' AND d.draft_id IS NULL AND d.recalled_draft IS NULL AND d.send_started_at IS NULL"
    " AND d.attempts = d.releases AND d.own_body IS NULL"
)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step after an edit. ``was``: the step before it; None for a new step, or one that had been removed."""

    id: UUID
    position: int
    words: Words
    was: Known | None

    @property
    def reworded(self) -> bool:
        """Did the edit change its text?"""
        return self.was is not None and (self.was.words.subject, self.was.words.body) != (
            self.words.subject,
            self.words.body,
        )

    @property
    def kind_before(self) -> StepKind | None:
        """What kind it was, if the edit made it another."""
        if self.was is None or self.words.kind in (None, self.was.words.kind):
            return None
        return self.was.words.kind

    @property
    def delay_before(self) -> str:
        """Its delay before the edit."""
        return self.words.delay if self.was is None else self.was.words.delay


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The result of an edit. ``removed``: the steps that it took out."""

    steps: Sequence[StepRow]
    removed: Sequence[Known]
    changed: bool


class _Stored(NamedTuple):
    id: UUID
    position: int
    whole_delay: str
    subject: str | None
    body: str
    version: int
    retired_at: datetime | None
    key: str | None
    former: Json
    kind: str


_SQL = SqlFile(__name__)
_VERSION_OF = Statement("SELECT version FROM steps WHERE id = :id", int)
_KNOWN = Statement("SELECT * FROM steps WHERE sequence_id = :id ORDER BY position, id", _Stored)
_RETIRE = Statement("UPDATE steps SET retired_at = clock_timestamp() WHERE id = ANY(:ids)")
_MOVE_AWAY = Statement(
    "UPDATE steps SET position = position + :far WHERE id = ANY(:ids) AND retired_at IS NULL"
)
_COUNT_VERSION = Statement("UPDATE sequences SET version = version + 1 WHERE id = :id")
_ADD = Statement(
    "INSERT INTO steps (id, organization_id, sequence_id, position, delay, at, subject, body, key, kind)"
    " VALUES (:id, :organization_id, :sequence_id, :position, :delay, :at, :subject, :body, :key,"
    " coalesce(CAST(:kind AS text), 'automatic'))"
)
_CHANGE = _SQL.statement("change")


def version_of(tx: Transaction, step_id: UUID) -> int:
    """Return the current version of a step's text."""
    return _VERSION_OF.one(tx, id=step_id)


def known_steps(tx: Transaction, sequence_id: UUID) -> list[Known]:
    """Return every step that the sequence has or had."""
    return [
        Known(
            row.id,
            row.position,
            row.version,
            Words(row.whole_delay, row.subject, row.body, row.key, StepKind(row.kind)),
            row.retired_at is not None,
            [(int(version), said["body"]) for version, said in row.former.items()],
        )
        for row in _KNOWN.all(tx, id=sequence_id)
    ]


def rewrite(tx: Transaction, organization_id: UUID, sequence_id: UUID, wanted: Sequence[Words]) -> Rewritten:
    """Set the sequence's steps, recognized by their ids in a file, words and places.

    The caller holds the lanes and has people follow (``db/sequences/following.py``).
    """
    known = known_steps(tx, sequence_id)
    found = match(known, wanted)
    named = [
        (new_id() if step is None else step.id, words) for words, step in zip(wanted, found, strict=True)
    ]
    return rewrite_named(tx, organization_id, sequence_id, known, named)


def rewrite_named(
    tx: Transaction,
    organization_id: UUID,
    sequence_id: UUID,
    known: Sequence[Known],
    wanted: Sequence[tuple[UUID, Words]],
) -> Rewritten:
    """Set the sequence's steps, each with its id. ``known``: the steps before, read under the same lanes."""
    before = {each.id: each for each in known}
    steps = [
        StepRow(step_id, position, words, None if was is None or was.retired else was)
        for position, (step_id, words) in enumerate(wanted, start=1)
        for was in [before.get(step_id)]
    ]
    kept = {step.id for step in steps}
    removed = [each for each in known if not each.retired and each.id not in kept]
    changed = bool(removed) or any(_differs(step) for step in steps)
    if not changed:
        return Rewritten(steps, removed, False)
    _RETIRE.run(tx, ids=[each.id for each in removed])
    _MOVE_AWAY.run(tx, ids=list(kept), far=_ELSEWHERE)
    for step in steps:
        _write(tx, organization_id, sequence_id, step, before.get(step.id))
    _COUNT_VERSION.run(tx, id=sequence_id)
    return Rewritten(steps, removed, True)


def _differs(step: StepRow) -> bool:
    was = step.was
    if was is None or was.position != step.position or step.reworded or was.words.delay != step.words.delay:
        return True
    if step.kind_before is not None:
        return True
    return step.words.key is not None and was.words.key != step.words.key


def _write(
    tx: Transaction, organization_id: UUID, sequence_id: UUID, step: StepRow, before: Known | None
) -> None:
    delay, _, at = step.words.delay.partition(" at ")
    values = {
        "id": step.id,
        "organization_id": organization_id,
        "sequence_id": sequence_id,
        "position": step.position,
        "delay": delay,
        "at": at or None,
        "subject": step.words.subject,
        "body": step.words.body,
        "key": step.words.key,
        "kind": step.words.kind,
    }
    if before is None:
        _ADD.run(tx, **values)
        return
    said = {"subject": before.words.subject, "body": before.words.body}
    _CHANGE.run(
        tx,
        **values,
        said=dump_json(said),
        changed=(before.words.delay, before.words.subject, before.words.body)
        != (step.words.delay, step.words.subject, step.words.body)
        or step.words.kind not in (None, before.words.kind),
        reworded=(before.words.subject, before.words.body) != (step.words.subject, step.words.body),
    )


def said_before(known: Sequence[Known], step: StepRow) -> list[tuple[UUID, int]]:
    """Return (step, version) of other steps whose text contains what this one says now. ``known``: the steps after the edit."""
    return [
        (each.id, version)
        for each in known
        if each.id != step.id
        for version, body in [*each.former, (each.version, each.words.body)]
        if holds(body, step.words.body)
    ]
