"""Rows as ``lab/tables.py`` returns them: files of people that are imported on pages."""

from dataclasses import dataclass
from uuid import UUID

from db.schema import import_models
from lab.records import Record


@dataclass(frozen=True, slots=True)
class PeopleImport(Record):
    """A file of people."""

    table = import_models.people_imports
    id: UUID
    status: str
    round: int
    content: bytes | None
    report: bytes | None
    left_out: bytes | None


@dataclass(frozen=True, slots=True)
class BroughtIn(Record):
    """A person whom a member brought in."""

    table = import_models.brought_in
    member_id: UUID
    candidate_id: UUID
