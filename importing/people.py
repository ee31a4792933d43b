"""Import people into an organization, and into a sequence: preview a file, or import it in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from db.core.crypto import KeyRing
from db.core.session import Database, Transaction
from db.sequences import candidates
from db.views import lookups
from db.withdrawing import suppressions
from domain.enrolling import check_reason
from domain.errors import InvalidInput
from importing.candidates import LeftOut, Sheet, read_candidates
from importing.files import read_file
from importing.rejects import write_rejects
from importing.writing import PeopleSummary, Progress, Target, foresee, write

MAX_FILE = 200 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Options:
    """How to read the file, and what to do with it. ``rejects``: where to write rows left out; None: beside the file.

    ``a_day``, ``anyway``: see ``importing.writing.Target``. ``member``: by address or id, who sees the people without a sequence.
    """

    mapping: dict[str, str] = field(default_factory=dict)
    encoding: str | None = None
    strict: bool = False
    dry_run: bool = False
    rejects: Path | None = None
    a_day: int | None = None
    anyway: str = ""
    member: str | None = None


def import_people(
    database: Database,
    path: Path,
    *,
    sequence: str | None = None,
    organization: str | None = None,
    actor: str,
    progress: Progress | None = None,
    options: Options | None = None,
    keys: KeyRing | None = None,
) -> PeopleSummary:
    """Import people. ``keys``: recognise those whose address was erased from the suppression list.

    Raises ``InvalidInput`` (``ImportRejected`` if nobody can be imported), ``NotFound``, and writes nothing then.
    """
    options = options or Options()
    with database.transaction() as tx:
        target = _target(tx, sequence, organization, options)
        declared = frozenset(candidates.declared_fields(tx, target.organization_id))
    raw = read_file(path, max_bytes=MAX_FILE)
    sheet = read_candidates(
        str(path),
        raw,
        _part_of(progress, "Reading", raw.count(b"\n")),
        mapping=options.mapping,
        encoding=options.encoding,
        keep=declared,
        strict=options.strict,
    )
    rows = rows_of(sheet)
    summary = summary_of(sheet, dry_run=options.dry_run)
    if options.dry_run:
        with database.transaction() as tx:
            erased: frozenset[str] = frozenset()
            if keys is not None:
                erased = suppressions.recognised(
                    tx, keys, target.organization_id, [each.email for each in sheet.people]
                )
            foresee(tx, target, rows, summary, erased)
        return summary
    refused = [each for each in sheet.left_out if not each.repeated]
    rejects = write_rejects(path, options.rejects, sheet.titles, refused) if refused else None
    summary.rejects_file = None if rejects is None else str(rejects)
    try:
        with database.transaction() as tx:
            if keys is not None:
                suppressions.recognise(tx, keys, target.organization_id, [str(row["email"]) for row in rows])
            write(tx, target, rows, summary, actor, _part_of(progress, "Writing", len(rows)))
    except BaseException:
        if rejects is not None:
            rejects.unlink(missing_ok=True)  # nothing was imported, so nothing was left out
        raise
    return summary


def rows_of(sheet: Sheet) -> list[dict[str, Any]]:
    """Return the people of a file as ``candidates.upsert_candidates`` takes them."""
    return [{name: value for name, value in asdict(each).items() if name != "line"} for each in sheet.people]


def _part_of(progress: Progress | None, what: str, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(what, min(done, total), total)


def _target(tx: Transaction, sequence: str | None, organization: str | None, options: Options) -> Target:
    sequence_id: UUID | None = None
    if sequence is not None:
        sequence_id = lookups.by_name(tx, "sequence", sequence, organization=organization)
        organization_id = lookups.organization_of(tx, sequence_id)
    elif organization is not None:
        organization_id = lookups.by_name(tx, "organization", organization)
    else:
        raise InvalidInput(
            "Whose candidates are these?", fix="Give --sequence NAME (or --organization NAME)."
        )
    if options.member is not None and sequence_id is not None:
        raise InvalidInput(
            "the sequence's owner sees these people", where="--member", fix="Leave it out, or the sequence."
        )
    member_id = None
    if options.member is not None:
        member_id = lookups.by_name(tx, "member", options.member, organization=organization)
    return Target(
        organization_id,
        sequence_id,
        options.a_day,
        check_reason(options.anyway, admin=True),
        member_id=member_id,
    )


def summary_of(sheet: Sheet, *, dry_run: bool) -> PeopleSummary:
    """Return what a file says of itself, before anything is written."""

    def listed(rows: Iterable[LeftOut]) -> list[dict[str, Any]]:
        return [{"line": each.line, "why": each.why} for each in rows]

    return PeopleSummary(
        dry_run=dry_run,
        left_out=listed(each for each in sheet.left_out if not each.repeated and not each.declined),
        declined=[
            {"line": each.line, "why": each.why, "email": each.declined}
            for each in sheet.left_out
            if each.declined
        ],
        duplicates=listed(each for each in sheet.left_out if each.repeated),
        columns=sheet.columns,
        warnings=list(sheet.warnings),
    )
