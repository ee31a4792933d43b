"""What people do to bring people in: upload a file, map its columns, check it, import it; add one person; enroll known people."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.rates import CHECKS
from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.sequences import enrolling, people_imports
from db.sequences.people_imports import PeopleImport
from db.views.messages import Viewer
from domain.enrolling import check_reason
from domain.errors import InvalidInput, NotPermitted
from importing.candidates import read_candidates
from importing.people import rows_of, summary_of
from importing.problems import ImportRejected
from importing.workbooks import is_workbook
from importing.writing import PeopleSummary, Target, enroll, foresee, write

MAX_FILE = 10 * 1024 * 1024  # bytes; about 75,000 people
MAX_NAME = 200  # characters of a file's name
MAX_PEOPLE = 500  # known people who are enrolled at once
_FIELDS = ("email", "first_name", "last_name", "company", "title", "location")


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does it. ``admin``: an owner or admin, or a program of the organization; then ``viewer`` sees everybody.

    ``member_id``: who sees whom they bring in without a sequence; None: a program that names nobody.
    """

    viewer: Viewer
    member_id: UUID | None
    name: str
    admin: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """Where people go. ``a_day``: how many start on one day, None: all. ``anyway``: why an admin enrolls those whom the rule keeps out."""

    sequence_id: UUID | None = None
    a_day: int | None = None
    anyway: str = ""


def upload(runtime: Runtime, doer: Doer, *, name: str, content: bytes, sequence_id: UUID | None) -> UUID:
    """Keep a file and have it checked, which a worker does.

    Raises ``InvalidInput``, ``NotFound`` and ``TooMany``; keeps nothing then.
    """
    if not content.strip():
        raise InvalidInput("the file is empty", where="file", fix="Choose a CSV file or an Excel workbook.")
    if len(content) > MAX_FILE:
        raise InvalidInput(
            f"the file is larger than {MAX_FILE // (1024 * 1024)} MB", where="file", fix="Split it."
        )
    try:
        is_workbook(name, content)
    except ImportRejected as error:
        raise InvalidInput(error.problems[0].what, where="file", fix=error.problems[0].fix) from None
    runtime.limiter.count(CHECKS, "file", str(doer.viewer.organization_id))
    with runtime.database.transaction() as tx:
        _check(tx, doer, Choices(sequence_id))
        return people_imports.store(
            tx,
            runtime.web_keys,
            doer.viewer.organization_id,
            member_id=doer.member_id,
            made_by=doer.name,
            name=_name(name),
            content=content,
            sequence_id=sequence_id,
        )


def one(tx: Transaction, runtime: Runtime, doer: Doer, import_id: UUID) -> PeopleImport:
    """Return an import of theirs; admins see everybody's. Raises ``NotFound``."""
    only = None if doer.admin else doer.member_id
    return people_imports.one(tx, runtime.web_keys, doer.viewer.organization_id, import_id, only)


def check_again(
    runtime: Runtime, doer: Doer, import_id: UUID, mapping: Mapping[str, str] | None, choices: Choices
) -> bool:
    """Have a file checked by other choices. Returns False if it is being imported.

    Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``, ``TooMany``.
    """
    runtime.limiter.count(CHECKS, "file", str(doer.viewer.organization_id))
    with runtime.database.transaction() as tx:
        one(tx, runtime, doer, import_id)
        reason = _check(tx, doer, choices)
        return people_imports.check_again(
            tx, import_id, mapping, sequence_id=choices.sequence_id, a_day=choices.a_day, anyway=reason
        )


def confirm(runtime: Runtime, doer: Doer, import_id: UUID, checked: int) -> bool:
    """Import a file as round ``checked`` foresaw it. Returns False if that was asked for before.

    Raises ``NotFound``, and ``NotPermitted`` if it was checked again since, or never.
    """
    with runtime.database.transaction() as tx:
        found = one(tx, runtime, doer, import_id)
        if found.status in ("importing", "imported"):
            return False
        _check(tx, doer, Choices(found.sequence_id, found.a_day, found.anyway))
        if not people_imports.confirm(tx, import_id, checked):
            raise NotPermitted("What would happen has changed since. Nothing was imported. Read it again.")
        return True


def left_out(runtime: Runtime, doer: Doer, import_id: UUID) -> str:
    """Return the rows that were left out, as CSV. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        return people_imports.left_out(tx, runtime.web_keys, one(tx, runtime, doer, import_id))


def add(runtime: Runtime, doer: Doer, person: Mapping[str, str], choices: Choices) -> PeopleSummary:
    """Add one person, or what is new of a known one, and enroll them if a sequence is chosen. Raises ``InvalidInput``, ``NotFound``."""
    out = io.StringIO()
    csv.writer(out).writerows([_FIELDS, [" ".join(person.get(name, "").split()) for name in _FIELDS]])
    try:
        sheet = read_candidates("person", out.getvalue().encode(errors="replace"), encoding="utf-8")
    except ImportRejected as error:
        raise InvalidInput(error.problems[0].what, where="email", fix=error.problems[0].fix) from None
    summary = summary_of(sheet, dry_run=False)
    with runtime.database.transaction() as tx:
        write(tx, _target(tx, doer, choices), rows_of(sheet), summary, doer.name)
    return summary


def foresee_enrolling(
    runtime: Runtime, doer: Doer, candidate_ids: Sequence[UUID], choices: Choices
) -> PeopleSummary:
    """Return what enrolling known people would do. Raises ``InvalidInput``, ``NotFound``, ``NotPermitted``."""
    summary = PeopleSummary(dry_run=True)
    with runtime.database.transaction() as tx:
        target = _target(tx, doer, choices)
        foresee(tx, target, [{"email": each} for each in _emails(tx, doer, candidate_ids)], summary)
    return summary


def enroll_known(
    runtime: Runtime, doer: Doer, candidate_ids: Sequence[UUID], choices: Choices
) -> PeopleSummary:
    """Enroll known people. A repetition enrolls nobody twice. Raises ``InvalidInput``, ``NotFound``, ``NotPermitted``."""
    if choices.sequence_id is None:
        raise InvalidInput("no sequence is chosen", where="sequence", fix="Choose one.")
    summary = PeopleSummary()
    with runtime.database.transaction() as tx:
        target = _target(tx, doer, choices)
        about = enroll(tx, target, _emails(tx, doer, candidate_ids), summary)
        if summary.enrolled:
            audit.write(
                tx,
                target.organization_id,
                doer.name,
                "people_enrolled",
                f"sequence:{choices.sequence_id}",
                {"enrolled": summary.enrolled, **about},
            )
    return summary


def set_days(runtime: Runtime, doer: Doer, days: int) -> bool:
    """Set the days between the last email to a person and a new sequence, audited. Raises ``NotPermitted``, ``InvalidInput``."""
    if not doer.admin:
        raise NotPermitted("Only an owner or admin can change this.")
    with runtime.database.transaction() as tx:
        return enrolling.set_days(tx, doer.viewer.organization_id, days, actor=doer.name)


def _target(tx: Transaction, doer: Doer, choices: Choices) -> Target:
    reason = _check(tx, doer, choices)
    return Target(
        doer.viewer.organization_id, choices.sequence_id, choices.a_day, reason, member_id=doer.member_id
    )


def _check(tx: Transaction, doer: Doer, choices: Choices) -> str:
    """Return the reason of an admin. A member enrolls people in a sequence of theirs."""
    if choices.sequence_id is not None:
        enrolling.check_destination(tx, doer.viewer, choices.sequence_id)
    if choices.a_day is not None and not 1 <= choices.a_day <= 100_000:
        raise InvalidInput(
            "that is no number of people", where="a_day", fix="Give 1 or more, or leave it empty."
        )
    return check_reason(choices.anyway, admin=doer.admin)


def _emails(tx: Transaction, doer: Doer, candidate_ids: Sequence[UUID]) -> list[str]:
    if len(candidate_ids) > MAX_PEOPLE:
        raise InvalidInput(
            f"these are more than {MAX_PEOPLE} people", where="people", fix="Enroll them in parts."
        )
    found = enrolling.emails_of(tx, doer.viewer, candidate_ids)
    if not found:
        raise InvalidInput("nobody is chosen", where="people", fix="Choose people in the list.")
    return found


def _name(name: str) -> str:
    shown = "".join(
        each if each.isprintable() else " " for each in name.replace("\\", "/").rpartition("/")[2]
    )
    return shown.strip()[-MAX_NAME:] or "people.csv"
