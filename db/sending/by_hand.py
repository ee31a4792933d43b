"""Emails written by hand. Each is a sequence of one email to one person, so that every rule of sending and withdrawing holds for it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from db.access.authority import permitted
from db.audit import audit
from db.core.ids import delivery_id, new_id
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.mailboxes.default_mailbox import CHOSEN_FIRST
from db.mailboxes.senders import sender_for
from db.sending.enrollments import wake_lane
from domain.errors import NotFound

KIND = "by_hand"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it goes to. ``suppressed``: why nobody may write to them, or None."""

    organization_id: UUID
    email: str
    suppressed: str | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class From:
    """A mailbox that a member may write from. ``owner``: a name, empty for a sender address (``shared``). ``signature``: what it ends with."""

    id: UUID
    address: str
    owner: str
    own: bool | None
    shared: bool
    signature: str


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest email in a mailbox's thread with a person; ``ours`` or theirs."""

    mailbox_id: UUID
    id: UUID
    ours: bool
    subject: str


@dataclass(frozen=True, slots=True)
class Letter:
    """An email that a member wrote. ``key``: of the form that it was written in. ``answers``: None begins a new thread.

    ``with_signature``: it ends with the signature of its mailbox.
    """

    organization_id: UUID
    candidate_id: UUID
    owner_id: UUID
    mailbox_id: UUID
    subject: str
    body: str
    key: str
    answers: Newest | None = None
    with_signature: bool = True

    @property
    def id(self) -> UUID:
        """The same for the same form and text, so that a repeated request writes nothing more."""
        unsigned = () if self.with_signature else ("unsigned",)
        said = "\0".join(
            (str(self.owner_id), str(self.mailbox_id), self.key, self.subject, self.body, *unsigned)
        )
        return uuid.uuid5(self.candidate_id, said)


@dataclass(frozen=True, slots=True)
class Answers:
    """The email that one written by hand answers. ``item_id``: of what came into the same mailbox, empty for our own emails.

    ``thread_ids``: Message-IDs, oldest first, all in angle brackets.
    """

    correlation_id: str
    draft_id: str
    internet_message_id: str
    item_id: str
    thread_ids: list[str]


class ContentRow(NamedTuple):
    """What ``content.content_of`` reads of an email that has not been claimed."""

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
    fields: dict[str, Any]
    extra_fields: list[str]
    sender_name: str
    sender: str
    signature: str
    signature_version: int
    with_signature: bool


_SQL = SqlFile(__name__)
_PERSON, _SENDERS, _THREAD = (
    _SQL.statement("person", Person),
    _SQL.statement(
        "senders", From, permitted=permitted(":member_id", "NULL::uuid"), chosen_first=CHOSEN_FIRST
    ),
    _SQL.statement("thread", Newest),
)
_INSERT_SEQUENCE, _INSERT_EMAIL = (
    _SQL.statement("insert_sequence", UUID),
    _SQL.statement("insert_email", datetime),
)
_DELIVERY, _CONTENT, _ANSWERS = (
    _SQL.statement("delivery", UUID),
    _SQL.statement("content", ContentRow),
    _SQL.statement("answers", Answers),
)


def person(tx: Transaction, organization_id: UUID, candidate_id: UUID) -> Person:
    """Return whom an email would go to. Raises ``NotFound``."""
    found = _PERSON.one_or_none(tx, id=candidate_id, organization_id=organization_id)
    if found is None or found.erased_at is not None:
        raise NotFound("There is no such person.")
    return found


def senders(tx: Transaction, organization_id: UUID, member_id: UUID) -> list[From]:
    """Return the connected mailboxes that a member may write from, their own first."""
    shared = sender_for(tx, member_id)
    return _SENDERS.all(tx, organization_id=organization_id, member_id=member_id, shared=shared)


def newest(tx: Transaction, candidate_id: UUID) -> dict[UUID, Newest]:
    """Return, for each mailbox with a thread, what an email written there would answer."""
    return {each.mailbox_id: each for each in _THREAD.all(tx, candidate_id=candidate_id)}


def write(tx: Transaction, letter: Letter, *, actor: str) -> tuple[UUID, bool]:
    """Record the email, due at once. Returns its delivery, and False if it was on record before."""
    sequence_id, answers = letter.id, letter.answers
    made = _INSERT_SEQUENCE.one_or_none(
        tx,
        id=sequence_id,
        organization_id=letter.organization_id,
        owner_id=letter.owner_id,
        mailbox_id=letter.mailbox_id,
        name=f"Email by hand {sequence_id.hex[:12]}",
        delivery_id=None if answers is None or not answers.ours else answers.id,
        message_id=None if answers is None or answers.ours else answers.id,
        with_signature=letter.with_signature,
    )
    if made is None:
        return _DELIVERY.one(tx, sequence_id=sequence_id), False
    enrollment_id, step_id = new_id(), new_id()
    found = delivery_id(enrollment_id, step_id)
    due_at = _INSERT_EMAIL.one(
        tx,
        id=found,
        organization_id=letter.organization_id,
        sequence_id=sequence_id,
        step_id=step_id,
        enrollment_id=enrollment_id,
        candidate_id=letter.candidate_id,
        mailbox_id=letter.mailbox_id,
        subject=letter.subject,
        body=letter.body,
    )
    wake_lane(tx, letter.mailbox_id, due_at)
    audit.write(
        tx,
        letter.organization_id,
        actor,
        "email_written",
        f"delivery:{found}",
        {"sequence": str(sequence_id)},
    )
    return found, True


def content(tx: Transaction, sequence_id: UUID) -> Any:
    """Return what the email consists of, as ``content.content_of`` reads it."""
    return _CONTENT.one(tx, sequence_id=sequence_id)


def answers(tx: Transaction, sequence_id: UUID) -> Answers | None:
    """Return the email that this one answers; None: it begins a thread, or that email is gone."""
    return _ANSWERS.one_or_none(tx, sequence_id=sequence_id)
