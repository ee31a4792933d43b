"""Import people into an organization, and into a sequence: what a file would do, and doing it, in one transaction."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from db.audit import audit
from db.core.session import Database, Transaction, database_now
from db.sending.claims import content_of
from db.sending.enrollments import FirstStep, enroll_many, first_step
from db.sequences import candidates
from db.views import lookups
from domain.errors import InvalidInput, MessageRejected
from domain.merge import fields_in
from domain.person_name import full_name
from importing.candidates import CandidateSpec, Sheet, read_candidates
from importing.files import read_file
from importing.rejects import write_rejects
from workers.compose import compose_email

Progress = Callable[[str, int, int], None]  # what is being done, rows done, rows in all
MAX_FILE = 200 * 1024 * 1024  # bytes
MAX_CHANGES = 1000  # that a preview lists
_NEVER_EMPTY = {"email", "sender_name", "sender_first_name", "sender_email"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to read the file, and what to do with it. ``rejects``: where rows that are left out go; None: beside the file."""

    mapping: dict[str, str] = field(default_factory=dict)
    encoding: str | None = None
    strict: bool = False
    dry_run: bool = False
    rejects: Path | None = None


@dataclass(slots=True)
class PeopleSummary:
    """What was written (``dry_run``: what would be), and what was left alone."""

    dry_run: bool = False
    sequence: str | None = None
    candidates_created: int = 0
    candidates_updated: int = 0
    unchanged: int = 0
    enrolled: int = 0
    skipped_suppressed: int = 0
    skipped_already_enrolled: int = 0
    left_out: list[dict[str, Any]] = field(default_factory=list)
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    rejects_file: str | None = None
    first_step_at: datetime | None = None  # when the enrolled get step 1; None: they wait
    time_zone: str = "UTC"
    sender: str | None = None
    waits_because: str | None = None
    missing_fields: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    first_message: dict[str, str] | None = None
    columns: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Target:
    organization_id: UUID
    sequence_id: UUID | None
    declared: frozenset[str]


def import_people(
    database: Database,
    path: Path,
    *,
    sequence: str | None = None,
    organization: str | None = None,
    actor: str,
    progress: Progress | None = None,
    options: Options | None = None,
) -> PeopleSummary:
    """Raises ``InvalidInput`` (``ImportRejected`` when nobody can be taken), ``NotFound``; then nothing was written."""
    options = options or Options()
    with database.transaction() as tx:
        target = _target(tx, sequence, organization)
    raw = read_file(path, max_bytes=MAX_FILE)
    sheet = read_candidates(
        str(path),
        raw,
        _part_of(progress, "Reading", raw.count(b"\n")),
        mapping=options.mapping,
        encoding=options.encoding,
        keep=target.declared,
        strict=options.strict,
    )
    rows = [{name: value for name, value in asdict(each).items() if name != "line"} for each in sheet.people]
    summary = _summary(sheet, options)
    if options.dry_run:
        with database.transaction() as tx:
            _foresee(tx, target, sheet.people, rows, summary)
        return summary
    refused = [each for each in sheet.left_out if not each.repeated]
    rejects = write_rejects(path, options.rejects, sheet.titles, refused) if refused else None
    summary.rejects_file = None if rejects is None else str(rejects)
    try:
        with database.transaction() as tx:
            _write(tx, target, rows, summary, actor, progress)
    except BaseException:
        if rejects is not None:
            rejects.unlink(missing_ok=True)  # nothing was imported, so nothing was left out
        raise
    return summary


def _part_of(progress: Progress | None, what: str, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(what, min(done, total), total)


def _target(tx: Transaction, sequence: str | None, organization: str | None) -> _Target:
    if sequence is not None:
        sequence_id = lookups.by_name(tx, "sequence", sequence, organization=organization)
        organization_id = lookups.organization_of(tx, sequence_id)
    elif organization is not None:
        sequence_id, organization_id = None, lookups.by_name(tx, "organization", organization)
    else:
        raise InvalidInput(
            "Whose candidates are these?", fix="Give --sequence NAME (or --organization NAME)."
        )
    return _Target(organization_id, sequence_id, frozenset(candidates.declared_fields(tx, organization_id)))


def _summary(sheet: Sheet, options: Options) -> PeopleSummary:
    def listed(*, repeated: bool) -> list[dict[str, Any]]:
        return [{"line": each.line, "why": each.why} for each in sheet.left_out if each.repeated == repeated]

    return PeopleSummary(
        dry_run=options.dry_run,
        left_out=listed(repeated=False),
        duplicates=listed(repeated=True),
        columns=sheet.columns,
        warnings=list(sheet.warnings),
    )


def _write(
    tx: Transaction,
    target: _Target,
    rows: Sequence[dict[str, Any]],
    summary: PeopleSummary,
    actor: str,
    progress: Progress | None,
) -> None:
    emails = [str(row["email"]) for row in rows]
    summary.candidates_created, summary.candidates_updated = candidates.upsert_candidates(
        tx, target.organization_id, rows, _part_of(progress, "Writing", len(rows))
    )
    summary.unchanged = len(rows) - summary.candidates_created - summary.candidates_updated
    if target.sequence_id is not None:
        now = database_now(tx)
        new = _enrollable(tx, target, emails, summary)
        ids = candidates.ids_of(tx, target.organization_id, new)
        _describe(tx, target.sequence_id, first_step(tx, target.sequence_id, now), summary)
        needed = _needed(tx, target.sequence_id)
        if needed:
            known = candidates.known_candidates(tx, target.organization_id, new)
            _count_missing(needed, list(known.values()), summary)
        summary.enrolled = enroll_many(tx, target.sequence_id, ids, now)
    if summary.candidates_created or summary.candidates_updated or summary.enrolled:
        names = (
            "candidates_created", "candidates_updated", "unchanged", "enrolled", "skipped_suppressed", "skipped_already_enrolled",
        )  # fmt: skip
        counts = {name: getattr(summary, name) for name in names} | {"left_out": len(summary.left_out)}
        audit.write(
            tx,
            target.organization_id,
            actor,
            "candidates_imported",
            f"organization:{target.organization_id}",
            counts,
        )


def _foresee(
    tx: Transaction,
    target: _Target,
    people: Sequence[CandidateSpec],
    rows: Sequence[dict[str, Any]],
    summary: PeopleSummary,
) -> None:
    """What ``_write`` would do, by reading alone."""
    emails = [each.email for each in people]
    known = candidates.known_candidates(tx, target.organization_id, emails)
    merged = {}
    for row in rows:
        before = known.get(row["email"])
        after = candidates.merge(before or dict.fromkeys(candidates.COLUMNS, "") | {"fields": {}}, row)
        merged[row["email"]] = after | {"email": row["email"]}
        if before is None:
            summary.candidates_created += 1
        elif changed := _changes(before, after):
            summary.candidates_updated += 1
            if len(summary.changes) < MAX_CHANGES:
                summary.changes.append({"email": row["email"], "changes": changed})
        else:
            summary.unchanged += 1
    if target.sequence_id is None:
        return
    new = _enrollable(tx, target, emails, summary)
    summary.enrolled = len(new)
    begin = first_step(tx, target.sequence_id, database_now(tx))
    _describe(tx, target.sequence_id, begin, summary)
    _count_missing(_needed(tx, target.sequence_id), [merged[email] for email in new], summary)
    if new:
        summary.first_message = _first_message(tx, target.sequence_id, begin, merged[new[0]])


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[str]]:
    """Field -> [what it is, what it would be]."""
    was = {name: before[name] for name in candidates.COLUMNS} | before["fields"]
    becomes = {name: after[name] for name in candidates.COLUMNS} | after["fields"]
    return {name: [was.get(name, ""), value] for name, value in becomes.items() if was.get(name, "") != value}


def _enrollable(tx: Transaction, target: _Target, emails: Sequence[str], summary: PeopleSummary) -> list[str]:
    stays = candidates.not_enrollable(tx, target.organization_id, target.sequence_id, emails)
    counts = Counter(stays.values())
    summary.skipped_suppressed, summary.skipped_already_enrolled = counts["suppressed"], counts["already"]
    return [email for email in emails if email not in stays]


def _describe(tx: Transaction, sequence_id: UUID, begin: FirstStep, summary: PeopleSummary) -> None:
    """Where the people go, and when the first email leaves."""
    row = candidates.destination(tx, sequence_id)
    summary.sequence, summary.sender, summary.time_zone = row.name, row.sender, row.time_zone
    if begin.held:
        summary.waits_because = f"the sequence is {row.status}"
    elif row.mailbox_status != "connected":
        summary.waits_because = f"{row.sender} is not connected"
    else:
        summary.first_step_at = begin.due_at


def _needed(tx: Transaction, sequence_id: UUID) -> list[tuple[int, str]]:
    """(step, field) of every field without a fallback."""
    return [
        (step.position, name)
        for step in candidates.steps_of(tx, sequence_id)
        for name in sorted(
            {each.name for each in fields_in(f"{step.subject or ''} {step.body}") if not each.fallback}
            - _NEVER_EMPTY
        )
    ]


def _count_missing(
    needed: Sequence[tuple[int, str]], people: Sequence[dict[str, Any]], summary: PeopleSummary
) -> None:
    for step, name in needed:
        without = [each["email"] for each in people if not _value(each, name).strip()]
        if without:
            summary.missing_fields.append(
                {"step": step, "field": name, "people": len(without), "for_example": without[0]}
            )


def _value(person: dict[str, Any], name: str) -> str:
    if name == "full_name":
        return full_name(person["first_name"], person["last_name"])
    return str(person[name] if name in candidates.COLUMNS else person["fields"].get(name, ""))


def _first_message(
    tx: Transaction, sequence_id: UUID, begin: FirstStep, person: dict[str, Any]
) -> dict[str, str]:
    """Step 1 as the first of the new people would read it, or why they would not."""
    step, row = candidates.steps_of(tx, sequence_id)[0], candidates.destination(tx, sequence_id)
    facts = {
        **person,
        "extra_fields": row.fields,
        "sender_name": row.sender_name,
        "sender": row.sender,
        "step_id": begin.step_id,
        "version": 1,
        "position": step.position,
        "subject": step.subject,
        "body": step.body,
        "thread_subject": None,
    }
    try:
        email = compose_email(content_of(SimpleNamespace(**facts)))
    except MessageRejected as error:
        return {"to": person["email"], "refused": str(error)}
    return {"to": person["email"], "subject": email.subject, "text": email.text}
