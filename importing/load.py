"""Load a file into the database, in one transaction: all of it, or nothing."""

import os
import stat
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from db import audit, imports, lookups
from db.enrollments import enroll_many
from db.session import Database, Transaction, database_now
from domain.errors import InvalidInput
from importing.candidates import read_candidates
from importing.organizations import Organizations, check_bound
from importing.problems import ImportRejected, Problem
from importing.summary import ImportSummary
from importing.tree import MAX_SIZE
from importing.world import read_world

Progress = Callable[[str, int, int], None]  # what is being done, rows done, rows in all
_MAX_SIZE = 200 * 1024 * 1024  # bytes of a file of candidates
_ORGANIZATIONS = (".yaml", ".yml")


def import_file(
    database: Database,
    path: Path,
    *,
    sequence: str | None = None,
    organization: str | None = None,
    actor: str,
    progress: Progress | None = None,
    default_domain: str = "",
    dry_run: bool = False,
    go_on: bool = False,
) -> ImportSummary:
    """Import a ``.yaml`` organization file or a ``.csv`` of candidates. ``default_domain``: of the default mail service.

    ``organization``: a file of organizations may hold this one alone. ``go_on``: people who had finished a sequence get what the
    file adds to it. ``dry_run``: everything is done and taken back. Whoever imports an organization file has to wait for
    ``ImportSummary.stopping`` (``actions/organization_files.py``). Raises ``InvalidInput`` (``ImportRejected``), ``NotFound``.
    """
    kind = path.suffix.lower()
    raw = _read(path, MAX_SIZE if kind in _ORGANIZATIONS else _MAX_SIZE)
    if kind in _ORGANIZATIONS:
        if sequence is not None:
            raise InvalidInput(
                "--sequence is for candidates; this is an organization file.", fix="Leave it out."
            )
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ImportRejected(
                str(path), [Problem(0, 0, f"it is not UTF-8 (byte {error.start})", "Save it as UTF-8.")]
            ) from None
        specs = read_world(str(path), text)
        if organization is not None:
            check_bound(str(path), specs, organization)
        return _in_one_transaction(
            database,
            lambda tx: Organizations(tx, str(path), actor, default_domain, go_on=go_on).load(specs),
            dry_run=dry_run,
        )
    if kind == ".csv":
        people = read_candidates(str(path), raw, _told(progress, "Reading", raw.count(b"\n")))
        rows = [
            {name: value for name, value in asdict(person).items() if name != "line"} for person in people
        ]
        return _in_one_transaction(
            database,
            lambda tx: _load_candidates(tx, rows, sequence, organization, actor, progress),
            dry_run=dry_run,
        )
    raise InvalidInput(
        f"{path.name} is neither .yaml nor .csv.",
        where=str(path),
        fix="Organization files are YAML, candidates are CSV.",
    )


def _in_one_transaction(
    database: Database, work: Callable[[Transaction], ImportSummary], *, dry_run: bool
) -> ImportSummary:
    with database.transaction() as tx:
        summary = work(tx)
        if dry_run:
            tx.rollback()
            summary.stopping.clear()
    return summary


def _read(path: Path, most: int) -> bytes:
    """The whole file, if it is one and no larger than ``most`` bytes, whatever its size is said to be."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(
                    "this is no ordinary file", where=str(path), fix="Save it to a file first, and name that."
                )
            raw = file.read(most + 1)
    except FileNotFoundError:
        raise InvalidInput("there is no such file", where=str(path), fix="Check the path.") from None
    except IsADirectoryError:
        raise InvalidInput("this is a folder", where=str(path), fix="Name one file in it.") from None
    except PermissionError:
        raise InvalidInput("the file cannot be read", where=str(path), fix="Check its permissions.") from None
    except OSError as error:
        raise InvalidInput(
            f"the file cannot be read ({error.strerror})", where=str(path), fix="Check the path."
        ) from None
    if len(raw) > most:
        raise InvalidInput(
            f"the file is larger than {most // 1024 // 1024} MiB", where=str(path), fix="Split it."
        )
    return raw


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe that nobody writes to would be opened for ever


def _told(progress: Progress | None, what: str, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(what, done, total)


def _load_candidates(
    tx: Transaction,
    rows: list[dict[str, object]],
    sequence: str | None,
    organization: str | None,
    actor: str,
    progress: Progress | None,
) -> ImportSummary:
    summary = ImportSummary()
    if sequence is not None:
        found_id = lookups.by_name(tx, "sequence", sequence, organization=organization)
        sequence_id: UUID | None = found_id
        organization_id = lookups.organization_of(tx, found_id)
    elif organization is not None:
        sequence_id, organization_id = None, lookups.by_name(tx, "organization", organization)
    else:
        raise InvalidInput(
            "Whose candidates are these?", fix="Give --sequence NAME (or --organization NAME)."
        )
    told = _told(progress, "Writing", len(rows))
    summary.candidates_created, summary.candidates_updated = imports.upsert_candidates(
        tx, organization_id, rows, told
    )
    summary.unchanged = len(rows) - summary.candidates_created - summary.candidates_updated
    if sequence_id is not None:
        found = imports.enrollable(tx, organization_id, sequence_id, [str(row["email"]) for row in rows])
        summary.skipped_suppressed = len(found["suppressed"])
        summary.skipped_already_enrolled = len(found["already"])
        summary.enrolled = enroll_many(tx, sequence_id, found["new"], database_now(tx))
    if summary.candidates_created or summary.candidates_updated or summary.enrolled:
        audit.write(
            tx,
            organization_id,
            actor,
            "candidates_imported",
            f"organization:{organization_id}",
            summary.counts(),
        )
    return summary
