"""The steps of a sequence, edited while it runs: which is which, what each says, and who has had what it says already."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from domain.step_edits import Known, Words, holds, match

_ELSEWHERE = (
    1_000_000  # where steps wait for their new place: two cannot have the same one, not even for a moment
)
# Its email has certainly not been begun, so it can be planned anew. Everything else stays as it is, whatever is edited.
MOVABLE = (
    "d.state = 'pending' AND d.draft_id IS NULL AND d.recalled_draft IS NULL AND d.send_started_at IS NULL"
    " AND d.attempts = d.releases"
)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step as it stands after an edit. ``was``: as it stood before, None for a new one (or one that had been taken out)."""

    id: UUID
    position: int
    words: Words
    was: Known | None

    @property
    def reworded(self) -> bool:
        """Does it say something else than before?"""
        return self.was is not None and (self.was.words.subject, self.was.words.body) != (
            self.words.subject,
            self.words.body,
        )

    @property
    def delay_before(self) -> str:
        """Its delay before the edit."""
        return self.words.delay if self.was is None else self.was.words.delay


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What an edit made of the steps. ``removed``: taken out by it."""

    steps: Sequence[StepRow]
    removed: Sequence[Known]
    changed: bool


def version_of(tx: Transaction, step_id: UUID) -> int:
    """Which version of its text a step has now."""
    found: int = tx.execute(text("SELECT version FROM steps WHERE id = :id"), {"id": step_id}).scalar_one()
    return found


def known_steps(tx: Transaction, sequence_id: UUID) -> list[Known]:
    """Every step that the sequence has or had."""
    rows = tx.execute(
        text("SELECT * FROM steps WHERE sequence_id = :id ORDER BY position, id"), {"id": sequence_id}
    ).all()
    return [
        Known(
            row.id,
            row.position,
            row.version,
            Words(row.delay, row.subject, row.body, row.key),
            row.retired_at is not None,
            [(int(version), said["body"]) for version, said in row.former.items()],
        )
        for row in rows
    ]


def rewrite(tx: Transaction, organization_id: UUID, sequence_id: UUID, wanted: Sequence[Words]) -> Rewritten:
    """Make the sequence's steps these. Whoever calls holds the lanes and lets people follow (``db/sequences/following.py``)."""
    known = known_steps(tx, sequence_id)
    found = match(known, wanted)
    steps = [
        StepRow(
            new_id() if step is None else step.id,
            position,
            words,
            None if step is None or step.retired else step,
        )
        for position, (words, step) in enumerate(zip(wanted, found, strict=True), start=1)
    ]
    kept = {step.id for step in steps}
    removed = [each for each in known if not each.retired and each.id not in kept]
    before = {each.id: each for each in known}
    changed = bool(removed) or any(_differs(step) for step in steps)
    if not changed:
        return Rewritten(steps, removed, False)
    tx.execute(
        text("UPDATE steps SET retired_at = clock_timestamp() WHERE id = ANY(:ids)"),
        {"ids": [each.id for each in removed]},
    )
    tx.execute(
        text("UPDATE steps SET position = position + :far WHERE id = ANY(:ids) AND retired_at IS NULL"),
        {"ids": list(kept), "far": _ELSEWHERE},
    )
    for step in steps:
        _write(tx, organization_id, sequence_id, step, before.get(step.id))
    tx.execute(text("UPDATE sequences SET version = version + 1 WHERE id = :id"), {"id": sequence_id})
    return Rewritten(steps, removed, True)


def _differs(step: StepRow) -> bool:
    was = step.was
    if was is None or was.position != step.position or step.reworded or was.words.delay != step.words.delay:
        return True
    return step.words.key is not None and was.words.key != step.words.key


def _write(
    tx: Transaction, organization_id: UUID, sequence_id: UUID, step: StepRow, before: Known | None
) -> None:
    values = {
        "id": step.id,
        "organization_id": organization_id,
        "sequence_id": sequence_id,
        "position": step.position,
        "delay": step.words.delay,
        "subject": step.words.subject,
        "body": step.words.body,
        "key": step.words.key,
    }
    if before is None:
        tx.execute(
            text(
                "INSERT INTO steps (id, organization_id, sequence_id, position, delay, subject, body, key)"
                " VALUES (:id, :organization_id, :sequence_id, :position, :delay, :subject, :body, :key)"
            ),
            values,
        )
        return
    said = {"subject": before.words.subject, "body": before.words.body}
    tx.execute(
        text(
            "UPDATE steps SET position = :position, delay = :delay, subject = :subject, body = :body, retired_at = NULL,"
            " key = coalesce(:key, key), version = version + CASE WHEN :changed THEN 1 ELSE 0 END,"
            " former = former || CASE WHEN :reworded THEN jsonb_build_object(version, CAST(:said AS jsonb)) ELSE '{}' END"
            " WHERE id = :id"
        ),
        {
            **values,
            "said": dump_json(said),
            "changed": (before.words.delay, before.words.subject, before.words.body)
            != (step.words.delay, step.words.subject, step.words.body),
            "reworded": (before.words.subject, before.words.body) != (step.words.subject, step.words.body),
        },
    )


def said_before(known: Sequence[Known], step: StepRow) -> list[tuple[UUID, int]]:
    """(step, version) of other steps whose words hold what this one says now. ``known``: as they are after the edit."""
    return [
        (each.id, version)
        for each in known
        if each.id != step.id
        for version, body in [*each.former, (each.version, each.words.body)]
        if holds(body, step.words.body)
    ]
