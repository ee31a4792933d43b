"""Write people of a file, or foresee what writing them would do: within one transaction, for every way to import."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

from db.access import authority
from db.audit import audit
from db.core.session import Transaction, database_now
from db.sending.content import content_of
from db.sending.enrollments import FirstStep, enroll_many, first_step, starts
from db.sequences import candidates, enrolling
from domain.enrolling import ADMINS_MAY, Keeps, Standing, in_parts, keeps_out, sort_out
from domain.errors import InvalidInput, MessageRejected
from domain.merge import fields_in
from domain.person_name import full_name
from workers.compose import compose_email

Who = TypeVar("Who")
Progress = Callable[[str, int, int], None]  # the current task, rows done, rows in total
MAX_CHANGES = 1000  # listed in a preview, and so many who are kept out
MOST_PARTS = 260  # business days
_NEVER_EMPTY = {"email", "sender_name", "sender_first_name", "sender_email"}
_COUNTED = {
    Keeps.SUPPRESSED: "skipped_suppressed",
    Keeps.ALREADY: "skipped_already_enrolled",
    Keeps.ELSEWHERE: "skipped_elsewhere",
    Keeps.CONTACTED: "skipped_contacted",
}


@dataclass(slots=True)
class PeopleSummary:
    """What was written (``dry_run``: would be), and what was left alone."""

    dry_run: bool = False
    sequence: str | None = None
    candidates_created: int = 0
    candidates_updated: int = 0
    unchanged: int = 0
    enrolled: int = 0
    skipped_suppressed: int = 0
    skipped_already_enrolled: int = 0
    skipped_elsewhere: int = 0
    skipped_contacted: int = 0
    kept_out: list[dict[str, Any]] = field(default_factory=list)  # email, what keeps them out, detail
    left_out: list[dict[str, Any]] = field(default_factory=list)  # rows that cannot be read
    declined: list[dict[str, Any]] = field(default_factory=list)  # rows left out because they say: no email
    still_written_to: list[dict[str, Any]] = field(
        default_factory=list
    )  # email and sequence of such people, if they are in one
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    rejects_file: str | None = None
    days: int = 1  # on which people start
    first_step_at: datetime | None = None  # when the enrolled people get step 1; None: they wait
    time_zone: str = "UTC"
    sender: str | None = None
    waits_because: str | None = None
    missing_fields: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    first_message: dict[str, str] | None = None
    columns: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Target:
    """Where people go. ``a_day``: how many of them start on one day; None: all at once. ``anyway``: why an admin enrolls people whom
    the rule keeps out (``domain/enrolling.py``), or "".

    ``member_id``: who brings them in, and sees them although no sequence of theirs has them; None: nobody in particular.
    """

    organization_id: UUID
    sequence_id: UUID | None
    a_day: int | None = None
    anyway: str = ""
    member_id: UUID | None = None


def write(
    tx: Transaction,
    target: Target,
    rows: Sequence[Mapping[str, Any]],
    summary: PeopleSummary,
    actor: str,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write people, enroll them, and say in ``summary`` what was done. A row: see ``candidates.upsert_candidates``."""
    emails = [str(row["email"]) for row in rows]
    summary.still_written_to = _still_written_to(tx, target, summary)
    summary.candidates_created, summary.candidates_updated = candidates.upsert_candidates(
        tx, target.organization_id, rows, progress
    )
    summary.unchanged = len(rows) - summary.candidates_created - summary.candidates_updated
    if target.member_id is not None and target.sequence_id is None:
        candidates.bring_in(tx, target.organization_id, target.member_id, emails)
    enrolled = enroll(tx, target, emails, summary)
    if summary.candidates_created or summary.candidates_updated or summary.enrolled:
        names = (
            "candidates_created", "candidates_updated", "unchanged", "enrolled", "skipped_suppressed", "skipped_already_enrolled",
            "skipped_elsewhere", "skipped_contacted",
        )  # fmt: skip
        counts = {name: getattr(summary, name) for name in names} | {
            "left_out": len(summary.left_out) + len(summary.declined)
        }
        audit.write(
            tx,
            target.organization_id,
            actor,
            "candidates_imported",
            f"organization:{target.organization_id}",
            {**counts, **enrolled},
        )


def enroll(
    tx: Transaction, target: Target, emails: Sequence[str], summary: PeopleSummary
) -> dict[str, object]:
    """Enroll known people in the sequence, if there is one, and return what the audit trail says of it besides numbers."""
    if target.sequence_id is None:
        return {}
    now = database_now(tx)
    enrolling.lock(tx, target.organization_id)
    standings = enrolling.standings(tx, target.organization_id, target.sequence_id, emails)
    new = _enrollable(tx, target, emails, standings, summary, now)
    ids = candidates.ids_of(tx, target.organization_id, new)
    begin = first_step(tx, target.sequence_id, now)
    _describe(tx, target.sequence_id, begin, summary)
    needed = _needed(tx, target.sequence_id)
    if needed:
        known = candidates.known_candidates(tx, target.organization_id, new)
        _count_missing(needed, list(known.values()), summary)
    parts = _parts(begin, target, ids)
    for part, start in zip(parts, starts(tx, target.sequence_id, now, len(parts)), strict=True):
        summary.enrolled += enroll_many(tx, target.sequence_id, part, start)
    summary.days = max(1, len(parts))
    about: dict[str, object] = {"sequence_id": str(target.sequence_id)}
    if target.anyway:
        ruled = sort_out(standings, days=enrolling.days(tx, target.organization_id), now=now)
        about |= {
            "anyway": target.anyway,
            "enrolled_anyway": sum(each in ADMINS_MAY for each in ruled.values()),
        }
    return about


def foresee(
    tx: Transaction,
    target: Target,
    rows: Sequence[Mapping[str, Any]],
    summary: PeopleSummary,
    erased: frozenset[str] = frozenset(),
) -> None:
    """Work out what ``write`` would do, by reading only. ``erased``: addresses that the real import refuses by their hash."""
    emails = [str(row["email"]) for row in rows]
    summary.still_written_to = _still_written_to(tx, target, summary)
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
    now = database_now(tx)
    standings = enrolling.standings(tx, target.organization_id, target.sequence_id, emails)
    standings |= {email: Standing(suppressed=True) for email in erased}
    new = _enrollable(tx, target, emails, standings, summary, now)
    summary.enrolled = len(new)
    begin = first_step(tx, target.sequence_id, now)
    summary.days = max(1, len(_parts(begin, target, new)))
    _describe(tx, target.sequence_id, begin, summary)
    _count_missing(_needed(tx, target.sequence_id), [merged[email] for email in new], summary)
    if new:
        summary.first_message = _first_message(tx, target.sequence_id, begin, merged[new[0]])


def _still_written_to(tx: Transaction, target: Target, summary: PeopleSummary) -> list[dict[str, Any]]:
    """Find those in a sequence of whom the file says that they get no email.

    A file does not stop anybody: a column may be misread, and the sequence may be somebody else's. A person does, on their page.
    """
    emails = sorted({str(each["email"]) for each in summary.declined})
    standings = enrolling.standings(tx, target.organization_id, None, emails)
    return [
        {"email": each, "sequence": standings[each].elsewhere} for each in emails if standings[each].elsewhere
    ]


def _parts(begin: FirstStep, target: Target, people: Sequence[Who]) -> list[list[Who]]:
    """Split people by the day on which they start. Raises ``InvalidInput``."""
    if target.a_day and begin.held:
        raise InvalidInput(
            "a sequence that is not running starts everybody at once",
            where="a_day",
            fix="Start the sequence first, or leave out the number a day.",
        )
    parts = in_parts(people, target.a_day)
    if len(parts) > MOST_PARTS:
        raise InvalidInput(
            f"that takes {len(parts)} days",
            where="a_day",
            fix=f"Give a number that takes at most {MOST_PARTS} days.",
        )
    return parts


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[str]]:
    """Return field -> [old value, new value]."""
    was = {name: before[name] for name in candidates.COLUMNS} | before["fields"]
    becomes = {name: after[name] for name in candidates.COLUMNS} | after["fields"]
    return {name: [was.get(name, ""), value] for name, value in becomes.items() if was.get(name, "") != value}


def _enrollable(
    tx: Transaction,
    target: Target,
    emails: Sequence[str],
    standings: Mapping[str, Standing],
    summary: PeopleSummary,
    now: datetime,
) -> list[str]:
    """Return whom nothing keeps out, and count the others."""
    days = enrolling.days(tx, target.organization_id)
    kept: dict[str, Keeps] = {}
    for email in emails:
        each = standings[email]
        if keeps := keeps_out(each, days=days, now=now, anyway=bool(target.anyway)):
            kept[email] = keeps
            if len(summary.kept_out) < MAX_CHANGES:
                last = each.last_sent_at.isoformat() if each.last_sent_at and keeps is Keeps.CONTACTED else ""
                detail = each.elsewhere if keeps is Keeps.ELSEWHERE else last
                summary.kept_out.append({"email": email, "keeps": keeps.value, "detail": detail})
    counts = Counter(kept.values())
    for keeps, name in _COUNTED.items():
        setattr(summary, name, counts[keeps])
    return [email for email in emails if email not in kept]


def _describe(tx: Transaction, sequence_id: UUID, begin: FirstStep, summary: PeopleSummary) -> None:
    """Describe where the people go, and when the first email leaves."""
    row = candidates.destination(tx, sequence_id)
    summary.sequence, summary.sender, summary.time_zone = row.name, row.sender, row.time_zone
    if begin.held:
        summary.waits_because = f"the sequence is {row.status}"
    elif blockers := authority.blockers(tx, [sequence_id])[sequence_id]:
        summary.waits_because = " ".join(blockers).removesuffix(".")
    else:
        summary.first_step_at = begin.due_at


def _needed(tx: Transaction, sequence_id: UUID) -> list[tuple[int, str]]:
    """Return (step, field) for every field without a fallback."""
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
    """Return step 1 as the first new person would get it, or why they would not."""
    step, row = candidates.steps_of(tx, sequence_id)[0], candidates.destination(tx, sequence_id)
    facts = {
        **person,
        "extra_fields": row.fields,
        "sender_name": row.sender_name,
        "sender": row.sender,
        "signature": row.signature,
        "signature_version": row.signature_version,
        "with_signature": row.with_signature,
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
