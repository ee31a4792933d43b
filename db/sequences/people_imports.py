"""Files of people that members and programs import: kept encrypted until they are imported, a day at most."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from db.core.crypto import KeyRing, Place
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import outbox
from domain.errors import NotFound
from domain.jobs import ImportPeople


@dataclass(frozen=True, slots=True)
class _Kept:
    id: UUID
    organization_id: UUID
    member_id: UUID | None
    made_by: str
    name: str
    status: str
    round: int
    sequence_id: UUID | None
    a_day: int | None
    anyway: str


@dataclass(frozen=True, slots=True)
class _Shown(_Kept):
    size: int
    sequence: str | None
    has_left_out: bool
    task: str
    done: int
    total: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _Row(_Shown):
    report: bytes | None


@dataclass(frozen=True, slots=True)
class PeopleImport(_Shown):
    """A file, and how far it is. ``report``: what the last round found or did; empty before the first one ends."""

    report: dict[str, Any]

    @property
    def works(self) -> bool:
        """Is a worker at it, or about to be?"""
        return self.status in ("checking", "importing")


@dataclass(frozen=True, slots=True)
class Work(_Kept):
    """What a worker takes on. ``mapping`` None: as the organization mapped such columns before. ``attempts``: this one included."""

    mapping: Mapping[str, str] | None
    content: bytes
    attempts: int


_SQL = SqlFile(__name__)
_STORE, _ONE = _SQL.statement("store"), _SQL.statement("one", _Row)
_CHECK_AGAIN, _CONFIRM = _SQL.statement("check_again", int), _SQL.statement("confirm", int)
_LOCK, _BEGIN, _WAITS = (
    _SQL.statement("lock"),
    _SQL.statement("begin", Work),
    _SQL.statement("waits", bool),
)
_PROGRESS, _END, _REMEMBER = _SQL.statement("progress"), _SQL.statement("end"), _SQL.statement("remember")
_RELEASE = _SQL.statement("release")
_LEFT_OUT = Statement("SELECT left_out FROM people_imports WHERE id = :id", bytes)
_MAPPING = Statement(
    "SELECT mapping FROM column_mappings WHERE organization_id = :organization_id AND headers = :headers",
    dict,
)
_FORGET = Statement("DELETE FROM people_imports WHERE created_at < clock_timestamp() - interval '1 day'")


def store(
    tx: Transaction,
    keys: KeyRing,
    organization_id: UUID,
    *,
    member_id: UUID | None,
    made_by: str,
    name: str,
    content: bytes,
    sequence_id: UUID | None,
) -> UUID:
    """Keep a file, and have it checked. ``member_id`` None: a program's. ``keys``: of pages."""
    import_id = new_id()
    _STORE.run(
        tx,
        id=import_id,
        organization_id=organization_id,
        member_id=member_id,
        made_by=made_by,
        name=name,
        size=len(content),
        sequence_id=sequence_id,
        content=keys.encrypt_bytes(content, _place(organization_id, import_id, "content")),
    )
    outbox.put(tx, ImportPeople(import_id, "1"))
    return import_id


def one(
    tx: Transaction, keys: KeyRing, organization_id: UUID, import_id: UUID, member_id: UUID | None
) -> PeopleImport:
    """Return an import. ``member_id``: whose it has to be; None: anybody's. Raises ``NotFound``, also a day later."""
    row = _ONE.one_or_none(tx, id=import_id, organization_id=organization_id, member_id=member_id)
    if row is None:
        raise NotFound("There is no such import any more. We keep a file for a day.")
    place = _place(row.organization_id, row.id, "report")
    report = {} if row.report is None else json.loads(keys.decrypt(bytes(row.report), place))
    return PeopleImport(**asdict(row) | {"report": report})


def left_out(tx: Transaction, keys: KeyRing, found: PeopleImport) -> str:
    """Return its rows that were left out, as CSV. Raises ``NotFound``."""
    sealed = _LEFT_OUT.one_or_none(tx, id=found.id)
    if sealed is None:
        raise NotFound("No rows were left out.")
    return keys.decrypt(bytes(sealed), _place(found.organization_id, found.id, "left_out"))


def check_again(
    tx: Transaction,
    import_id: UUID,
    mapping: Mapping[str, str] | None,
    *,
    sequence_id: UUID | None,
    a_day: int | None,
    anyway: str,
) -> bool:
    """Have a file checked again, by other choices. Returns False if it is being imported, or was."""
    again = _CHECK_AGAIN.one_or_none(
        tx,
        id=import_id,
        mapping=None if mapping is None else dump_json(dict(mapping)),
        sequence_id=sequence_id,
        a_day=a_day,
        anyway=anyway,
    )
    return again is not None and outbox.put(tx, ImportPeople(import_id, str(again)))


def confirm(tx: Transaction, import_id: UUID, checked: int) -> bool:
    """Have a file imported as the round ``checked`` foresaw it. Returns False if somebody has, or checked it again since."""
    confirmed = _CONFIRM.one_or_none(tx, id=import_id, round=checked)
    return confirmed is not None and outbox.put(tx, ImportPeople(import_id, str(confirmed)))


def begin(tx: Transaction, keys: KeyRing, import_id: UUID, work_round: int) -> Work | None:
    """Take a file on for two minutes, and longer as ``progress`` says.

    None: somebody else is at it or at another one of the organization, or it is done.
    """
    _LOCK.run(tx, id=import_id)
    row = _BEGIN.one_or_none(tx, id=import_id, round=work_round)
    if row is None:
        return None
    content = keys.decrypt_bytes(bytes(row.content), _place(row.organization_id, row.id, "content"))
    return replace(row, content=content)


def waits(tx: Transaction, import_id: UUID, work_round: int) -> bool:
    """Is this round still to be done?"""
    return _WAITS.one(tx, id=import_id, round=work_round)


def progress(tx: Transaction, work: Work, task: str, done: int, total: int) -> bool:
    """Say how far a worker is. False: the round is no longer the present one."""
    return bool(_PROGRESS.run(tx, id=work.id, round=work.round, task=task, done=done, total=total))


def release(tx: Transaction, work: Work) -> None:
    """Let the present round begin, once the worker of this former one has stopped."""
    _RELEASE.run(tx, id=work.id, round=work.round)


def end(
    tx: Transaction,
    keys: KeyRing,
    work: Work,
    status: str,
    report: Mapping[str, object],
    *,
    mapping: Mapping[str, str] | None,
    left_out: str,
) -> bool:
    """End a round. ``left_out``: CSV or "". False: it is no longer the present one, and nothing may be written."""
    sealed = keys.encrypt(json.dumps(report, default=str), _place(work.organization_id, work.id, "report"))
    rows = keys.encrypt(left_out, _place(work.organization_id, work.id, "left_out")) if left_out else None
    return bool(
        _END.run(
            tx,
            id=work.id,
            round=work.round,
            status=status,
            report=sealed,
            left_out=rows,
            mapping=None if mapping is None else dump_json(dict(mapping)),
        )
    )


def remembered(tx: Transaction, organization_id: UUID, headers: bytes) -> dict[str, str]:
    """Return what the organization's columns of these titles meant the last time; empty: nothing is known."""
    return _MAPPING.one_or_none(tx, organization_id=organization_id, headers=headers) or {}


def remember(tx: Transaction, organization_id: UUID, headers: bytes, mapping: Mapping[str, str]) -> None:
    """Keep what they mean for the next file."""
    _REMEMBER.run(tx, organization_id=organization_id, headers=headers, mapping=dump_json(dict(mapping)))


def forget(tx: Transaction) -> int:
    """Delete files of a day ago; returns how many."""
    return _FORGET.run(tx)


def _place(organization_id: UUID, import_id: UUID, column: str) -> Place:
    return Place(organization_id, import_id, f"people_imports.{column}")
