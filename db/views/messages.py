"""What pages show of conversations with people: emails of ours, and what came in. Reads only; texts are still encrypted."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.core.crypto import KeyRing, Place
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from domain.errors import NotFound
from domain.sight import Sight, sight

PER_PAGE = 50
NEWEST = 200  # of a conversation
WHICH = ("waiting", "unclear", "done")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. ``member_id`` None: an owner or admin, or a program of the organization, who see everything."""

    organization_id: UUID
    member_id: UUID | None


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate, and what ties the viewer to them. ``away_until``, ``unclear_until``: only while they hold. ``suppressed``: why."""

    id: UUID
    name: str
    email: str
    title: str
    company: str
    suppressed: str | None
    away_until: datetime | None
    unclear_until: datetime | None
    manages: bool
    enrolled: bool
    theirs_alone: bool
    known: bool

    @property
    def sight(self) -> Sight | None:
        """How much of the person the viewer sees."""
        return sight(
            manages=self.manages,
            enrolled=self.enrolled,
            theirs_alone=self.theirs_alone,
            known=self.known,
        )

    @property
    def whole(self) -> bool:
        """Does the viewer see everything, not only what is in their own mailbox?"""
        return self.sight is Sight.EVERYTHING


@dataclass(frozen=True, slots=True)
class InSequence:
    """A person's place in a sequence. ``next_due_at``: of an email that goes by itself."""

    enrollment_id: UUID
    sequence_id: UUID
    name: str
    status: str
    reason: str | None
    owner: str
    next_due_at: datetime | None


class Written(NamedTuple):
    """An email of ours, with what ``db.sending.content.content_of`` needs to fill it again."""

    id: UUID
    state: str
    outcome: str | None
    reason: str | None
    held: bool
    due_at: datetime
    enrollment_id: UUID
    sequence_id: UUID
    sequence: str
    sequence_status: str
    kind: str
    at: datetime
    sender: str
    owner: str
    sender_name: str
    step_id: UUID
    position: int
    version: int
    subject: str | None
    body: str
    thread_subject: str | None
    sender_changed: bool
    email: str
    first_name: str
    last_name: str
    company: str
    title: str
    location: str
    fields: Json
    extra_fields: list[str]
    signature: str
    signature_version: int
    with_signature: bool


class Received(NamedTuple):
    """What came in. ``text`` and ``html`` are encrypted. ``quoted_body``: the step that it answers, whose lines it may quote."""

    id: UUID
    organization_id: UUID
    kind: str
    matched_by: str | None
    why: str
    candidate_id: UUID
    subject: str
    sender: str
    sender_name: str
    recipients: list[str]
    received_at: datetime
    recorded_at: datetime
    text: bytes | None
    html: bytes | None
    attachments: list[dict[str, Any]]
    bounce_class: str | None
    bounce_status: str | None
    return_on: date | None
    opt_out_words: str | None
    answer_class: str | None
    handled_at: datetime | None
    handled_by: str | None
    overruled_at: datetime | None
    mailbox: str | None
    mailbox_owner: str | None
    sequence: str | None
    sequence_kind: str | None
    step: int | None
    enrollment_status: str | None
    enrollment_reason: str | None
    quoted_body: str | None
    person: str
    person_title: str
    person_company: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits for a person: answers, and what is unclear or may be an opt-out."""

    answers: int
    unclear: int


_SQL = SqlFile(__name__)
SEES = _SQL.fragment("sees")  # people ``c`` of whom ``:member_id`` sees everything
KNOWS = _SQL.fragment("knows")  # people ``c`` of whom ``:member_id`` sees anything
IN_MAILBOX, LABEL = _SQL.fragment("in_mailbox"), _SQL.fragment("label")  # of people ``c``
_PERSON, _PLACES = _SQL.statement("person", Person), _SQL.statement("places", InSequence)
_PLACES_BY_HAND = _SQL.statement("places_by_hand", InSequence)
_WRITTEN, _RECEIVED = _SQL.statement("written", Written), _SQL.statement("received", Received)
_PAGE, _COUNT, _ONE = (
    _SQL.statement("page", Received),
    _SQL.statement("count", Waiting),
    _SQL.statement("one", Received),
)


def person_of(tx: Transaction, candidate_id: UUID, viewer: Viewer) -> Person:
    """Return a person. Raises ``NotFound`` for everybody whom they do not concern."""
    found = _PERSON.one_or_none(
        tx, id=candidate_id, organization_id=viewer.organization_id, member_id=viewer.member_id
    )
    if found is None or found.sight is None:
        raise NotFound("There is no such person.")
    return found


def places_of(tx: Transaction, person: Person, viewer: Viewer) -> list[InSequence]:
    """Return the sequences that the person is in, as far as the viewer sees them."""
    return _PLACES.all(tx, id=person.id, only_of=None if person.whole else viewer.member_id)


def open_places_of(
    tx: Transaction, candidate_id: UUID, only_of: UUID | None, *, ended: bool = False
) -> list[InSequence]:
    """Return where a person is in a sequence, or waits for an email by hand; ``ended``: and where they were, the newest 20."""
    found = _PLACES_BY_HAND.all(tx, id=candidate_id, only_of=only_of)
    return [each for each in found if ended or each.status in ("active", "paused")]


def messages_of(
    tx: Transaction, person: Person, viewer: Viewer, newest: int | None = NEWEST
) -> tuple[list[Written], list[Received]]:
    """Return the newest emails of ours and theirs, as far as the viewer sees them, newest first; ``newest`` None: all."""
    only_in = None if person.whole else viewer.member_id
    return (
        _WRITTEN.all(tx, id=person.id, only_in=only_in, limit=newest),
        _RECEIVED.all(tx, id=person.id, only_in=only_in, limit=newest),
    )


def page(
    tx: Transaction,
    viewer: Viewer,
    which: str,
    *,
    search: str = "",
    before: UUID | None = None,
    limit: int = PER_PAGE,
) -> list[Received]:
    """Return what came in and ``which``: waits for a person, is unclear, or is done; newest first."""
    return _PAGE.all(tx, **_wanted(viewer, which, search), before=before, limit=limit)


def count(tx: Transaction, viewer: Viewer, which: str = "waiting", search: str = "") -> Waiting:
    """Count what ``page`` lists."""
    return _COUNT.one(tx, **_wanted(viewer, which, search))


def one(tx: Transaction, message_id: UUID, viewer: Viewer) -> Received:
    """Return one message that came in. Raises ``NotFound``."""
    found = _ONE.one_or_none(
        tx, id=message_id, organization_id=viewer.organization_id, member_id=viewer.member_id
    )
    if found is None:
        raise NotFound("There is no such message.")
    return found


def opened(keys: KeyRing, message: Received) -> tuple[str, str]:
    """Return its text and HTML, as they came; each may be empty. ``keys``: of pages."""

    def open_(sealed: bytes | None, column: str) -> str:
        place = Place(message.organization_id, message.id, f"incoming_messages.{column}")
        return "" if sealed is None else keys.decrypt(bytes(sealed), place)

    return open_(message.text, "text"), open_(message.html, "html")


def _wanted(viewer: Viewer, which: str, search: str) -> dict[str, object]:
    return {
        "organization_id": viewer.organization_id,
        "member_id": viewer.member_id,
        "which": which,
        "search": search,
    }
