"""Mail that is nobody's yet: look at it, say whose it is, or that it is nobody's. After 180 days it is deleted."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from db.core.crypto import KeyRing, Place
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.listening import follow
from db.withdrawing.withdrawals import close_lanes
from domain.listening.kinds import Bounce, BounceClass, Kind

_SQL = SqlFile(__name__)


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A message that was unassigned when it came. ``status``: unassigned, matched or discarded, since ``handled_at`` by ``handled_by``."""

    id: UUID
    organization_id: UUID
    sender: str
    sender_name: str
    recipients: list[str]
    subject: str
    received_at: datetime
    kind: str
    why: str
    status: str
    reason: str
    attachments: list[dict[str, Any]]
    proof: dict[str, Any] | None
    handled_at: datetime | None
    handled_by: str | None
    return_on: date | None
    bounce_class: str | None
    bounce_recipient: str | None
    bounce_status: str | None
    opt_out_words: str | None


class _Said(NamedTuple):
    organization_id: UUID
    text: bytes | None
    html: bytes | None


class _Sealed(NamedTuple):
    id: UUID
    organization_id: UUID
    name: str
    content_type: str
    content: bytes


class _Enrollment(NamedTuple):
    enrollment_id: UUID
    mailbox_id: UUID


_LISTING = _SQL.statement("listing", Unassigned)
_COUNT = _SQL.statement("count", int)
_LOAD = _SQL.statement("load", Unassigned)
_LOCK = _SQL.statement("lock", Unassigned)
_TEXT = _SQL.statement("text", _Said)
_FILES = _SQL.statement("files", _Sealed)
_NEWEST_ENROLLMENT = _SQL.statement("newest_enrollment", _Enrollment)
_ASSIGN = _SQL.statement("assign")
_DISCARD = _SQL.statement("discard")
_FORGET = _SQL.statement("forget")


def listing(
    tx: Transaction,
    organization_id: UUID | None,
    *,
    status: str = "unassigned",
    before: UUID | None = None,
    limit: int = 50,
) -> list[Unassigned]:
    """Return the newest ones, or those older than ``before``. ``organization_id`` None: of all organizations, for operators."""
    return _LISTING.all(tx, organization_id=organization_id, status=status, before=before, limit=limit)


def count(tx: Transaction, organization_id: UUID, *, most: int = 100) -> int:
    """Count what is nobody's yet, up to ``most``."""
    return _COUNT.one(tx, organization_id=organization_id, most=most)


def load(tx: Transaction, message_id: UUID, *, lock: bool = False) -> Unassigned | None:
    """Return one. ``lock``: nobody else decides on it in the meantime."""
    return (_LOCK if lock else _LOAD).one_or_none(tx, id=message_id)


def text_of(tx: Transaction, ring: KeyRing, message_id: UUID) -> tuple[str, str]:
    """Return its text and its HTML, which is sanitised; each may be empty. ``ring``: of pages."""
    said = _TEXT.one(tx, id=message_id)

    def opened(sealed: bytes | None, column: str) -> str:
        place = Place(said.organization_id, message_id, f"incoming_messages.{column}")
        return "" if sealed is None else ring.decrypt(sealed, place)

    return opened(said.text, "text"), opened(said.html, "html")


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is kept."""

    name: str
    content_type: str
    content: bytes


def files_of(tx: Transaction, ring: KeyRing, message_id: UUID) -> list[KeptFile]:
    """Return the files that are kept, in their order. ``ring``: of pages."""
    return [
        KeptFile(
            each.name,
            each.content_type,
            ring.decrypt_bytes(each.content, Place(each.organization_id, each.id, "incoming_files.content")),
        )
        for each in _FILES.all(tx, id=message_id)
    ]


def lock_lanes(tx: Transaction, candidate_id: UUID) -> None:
    """Lock the lanes that order what follows for this person, before anything else is locked."""
    close_lanes(tx, sorted(follow.lanes_of(tx, [candidate_id])))


def assign(tx: Transaction, message: Unassigned, candidate_id: UUID, *, because: str) -> None:
    """Give it to the person, and do what follows. The caller holds the lanes and the row, which is unassigned."""
    # The enrollment that it is most likely about: a running one, the newest.
    found = _NEWEST_ENROLLMENT.one_or_none(tx, id=candidate_id)
    enrollment_id = None if found is None else found.enrollment_id
    _ASSIGN.run(tx, id=message.id, candidate_id=candidate_id, enrollment_id=enrollment_id, why=because)
    if found is None:
        return
    bounce = None
    if message.bounce_class is not None:
        bounce = Bounce(
            BounceClass(message.bounce_class), message.bounce_recipient or "", message.bounce_status or ""
        )
    follow.apply(
        tx,
        follow.Message(
            id=message.id,
            organization_id=message.organization_id,
            mailbox_id=found.mailbox_id,
            kind=Kind(message.kind),
            enrollment_id=found.enrollment_id,
            candidate_id=candidate_id,
            sender=message.sender,
            stranger=True,
            received_at=message.received_at,
            why=because,
            bounce=bounce,
            return_on=message.return_on,
            opt_out_words=message.opt_out_words,
        ),
    )


def discard(tx: Transaction, message_id: UUID, *, actor: str) -> None:
    """Nobody's: it is out of sight, and deleted with the others of its age."""
    _DISCARD.run(tx, id=message_id, actor=str(actor))


def forget(tx: Transaction, older_than: timedelta, *, limit: int = 500) -> int:
    """Delete what nobody was found for in all that time, with its files; returns how many."""
    return _FORGET.run(tx, age=older_than, limit=limit)
