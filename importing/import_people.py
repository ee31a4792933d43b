"""Check or import one file of people that somebody uploaded. An actor; it is here because it stands on all of importing.

A worker that dies leaves a lease behind: two minutes later another one begins anew. What it writes is one transaction, which ends
the round too: a round that was done, or is no longer asked for, writes nothing.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import structlog

from app.runtime import Runtime, current
from db.core.session import Transaction
from db.events import outbox
from db.sequences import candidates, people_imports
from db.sequences.people_imports import Work
from db.withdrawing import suppressions
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.jobs import ImportPeople
from importing.candidates import Sheet, read_candidates
from importing.headings import Heading, digest, headings
from importing.people import rows_of, summary_of
from importing.problems import ImportRejected
from importing.rejects import rejects_csv
from importing.writing import PeopleSummary, Target, foresee, write
from workers.actor import actor, read_id

log = structlog.get_logger()

MAX_ATTEMPTS = 3
_SUPERSEDED = "superseded"
_WAIT = timedelta(seconds=10)
_SHOWN = 20  # of each kind of row, in a report; all that are left out are in the file


@actor(ImportPeople.actor, ImportPeople.queue)
def import_people(outbox_id: object) -> None:
    """Take one outbox row."""
    do(current(), read_id("outbox_id", outbox_id))


def do(runtime: Runtime, outbox_id: UUID) -> None:
    """Do the row's round. It waits while a worker is at it or at another file of the organization."""
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, ImportPeople):
            return
        asked = job.people_import_id, int(job.round)
        work = people_imports.begin(tx, runtime.web_keys, *asked)
        if work is None:
            if people_imports.waits(tx, *asked):
                outbox.snooze(tx, outbox_id, _WAIT)
            else:
                outbox.consume(tx, ImportPeople.actor, outbox_id)
            return
    status = _Round(runtime, work).run()
    with runtime.database.transaction() as tx:
        if status == _SUPERSEDED:
            people_imports.release(tx, work)
        outbox.consume(tx, ImportPeople.actor, outbox_id)
    log.info("people_import_ended", people_import_id=str(work.id), status=status)


class _SupersededError(Exception):
    """Somebody has asked for another round meanwhile."""


class _Round:
    """One round of work on a file."""

    def __init__(self, runtime: Runtime, work: Work) -> None:
        self._runtime, self._work = runtime, work
        self._mapping: dict[str, str] = dict(work.mapping or {})
        self._columns: list[Heading] = []

    def run(self) -> str:
        """Do it, and return how the file stands then."""
        if self._work.attempts > MAX_ATTEMPTS:
            return self._refused("we could not read this file. The operators of Onbehalf can see why")
        try:
            self._read_columns()
            sheet = self._read()
            return self._import(sheet) if self._work.status == "importing" else self._check(sheet)
        except _SupersededError:
            return _SUPERSEDED
        except ImportRejected as error:
            first = error.problems[0]
            return self._refused(f"{first.what.rstrip('.')}. {_in_words(first.fix)}".strip())
        except (InvalidInput, NotFound, NotPermitted) as error:
            text = f"{error.what.rstrip('.')}. {error.fix}" if isinstance(error, InvalidInput) else str(error)
            return self._refused(text.strip())

    def _read_columns(self) -> None:
        work = self._work
        self._columns = headings(work.name, work.content, self._mapping)
        if work.mapping is None:
            with self._runtime.database.transaction() as tx:
                known = people_imports.remembered(tx, work.organization_id, self._headers())
            if known:
                self._mapping = known
                self._columns = headings(work.name, work.content, known)

    def _read(self) -> Sheet:
        work = self._work
        with self._runtime.database.transaction() as tx:
            keep = frozenset(candidates.declared_fields(tx, work.organization_id))
        lines = work.content.count(b"\n")
        return read_candidates(
            work.name, work.content, self._progress("Reading", lines), mapping=self._mapping, keep=keep
        )

    def _check(self, sheet: Sheet) -> str:
        runtime, work, summary = self._runtime, self._work, summary_of(sheet, dry_run=True)
        with runtime.database.transaction() as tx:
            emails = [each.email for each in sheet.people]
            erased = suppressions.recognised(tx, runtime.web_keys, work.organization_id, emails)
            foresee(tx, self._target(), rows_of(sheet), summary, erased)
            return "checked" if self._end(tx, "checked", summary, sheet) else _SUPERSEDED

    def _import(self, sheet: Sheet) -> str:
        runtime, work, summary = self._runtime, self._work, summary_of(sheet, dry_run=False)
        rows = rows_of(sheet)
        with runtime.database.transaction() as tx:
            emails = [each.email for each in sheet.people]
            suppressions.recognise(tx, runtime.web_keys, work.organization_id, emails)
            write(tx, self._target(), rows, summary, work.made_by, self._progress("Importing", len(rows)))
            if not self._end(tx, "imported", summary, sheet):
                tx.rollback()
                return _SUPERSEDED
            people_imports.remember(tx, work.organization_id, self._headers(), self._mapping)
        return "imported"

    def _refused(self, problem: str) -> str:
        with self._runtime.database.transaction() as tx:
            ended = self._end(tx, "refused", None, None, problem[:1].upper() + problem[1:])
        return "refused" if ended else _SUPERSEDED

    def _end(
        self,
        tx: Transaction,
        status: str,
        summary: PeopleSummary | None,
        sheet: Sheet | None,
        problem: str = "",
    ) -> bool:
        report: dict[str, object] = {"problem": problem, "columns": [asdict(each) for each in self._columns]}
        rows = ""
        if summary is not None and sheet is not None:
            report |= {"summary": _shortened(summary), "people": len(sheet.people)}
            left = [each for each in sheet.left_out if not each.repeated]
            rows = rejects_csv(sheet.titles, left) if left else ""
        return people_imports.end(
            tx, self._runtime.web_keys, self._work, status, report, mapping=self._mapping, left_out=rows
        )

    def _target(self) -> Target:
        work = self._work
        return Target(work.organization_id, work.sequence_id, work.a_day, work.anyway, work.member_id)

    def _headers(self) -> bytes:
        return digest([each.title for each in self._columns])

    def _progress(self, task: str, total: int) -> Callable[[int], None]:
        def say(done: int) -> None:
            with self._runtime.database.transaction() as tx:
                goes_on = people_imports.progress(tx, self._work, task, min(done, total), total)
            if not goes_on:
                raise _SupersededError

        return say


def _in_words(fix: str) -> str:
    """A page has no options."""
    return (
        "Choose the column with the addresses below."
        if fix.startswith("Say which")
        else "Add by hand who agrees to be written to."
        if "--map" in fix
        else "Save it as CSV UTF-8."
        if "--encoding" in fix
        else fix
    )


def _shortened(summary: PeopleSummary) -> dict[str, object]:
    """Return it with some examples of everything, and how many there are."""
    found = asdict(summary)
    kinds: dict[str, list[object]] = {}
    for each in summary.kept_out:
        kinds.setdefault(each["keeps"], []).append(each)
    for name in ("left_out", "declined", "still_written_to", "duplicates", "changes"):
        found[f"{name}_count"] = len(found[name])
        found[name] = found[name][:_SHOWN]
    found["kept_out"] = {keeps: each[:_SHOWN] for keeps, each in kinds.items()}
    return found
