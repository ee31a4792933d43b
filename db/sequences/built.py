"""Sequences as somebody builds them by hand: made as drafts, renamed, given windows and fields, and their steps with what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from db.access.authority import permitted
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.mailboxes.default_mailbox import CHOSEN_FIRST
from db.mailboxes.senders import sender_for
from domain.errors import NotFound


class Built(NamedTuple):
    """A sequence as its builder sees it. ``sender``: the mailbox owner's name, empty for a sender address."""

    id: UUID
    organization_id: UUID
    owner_id: UUID
    owner: str
    mailbox_id: UUID
    address: str
    sender: str
    mailbox_status: str
    uses_sender_address: bool
    name: str
    status: str
    kind: str
    sending: Json | None
    fields: list[str]
    version: int
    opt_out_line: str | None
    with_signature: bool
    organization_sending: Json | None
    time_zone: str
    people: bool


class SenderChoice(NamedTuple):
    """A mailbox that a sequence may send from. ``owner``: a name, empty for a sender address (``shared``)."""

    id: UUID
    address: str
    owner: str
    shared: bool
    connected: bool


class BuiltStep(NamedTuple):
    """A step. ``sent``: emails of it that left; ``waiting``: people whose next email it is."""

    id: UUID
    position: int
    delay: str
    subject: str | None
    body: str
    kind: str
    version: int
    sent: int
    waiting: int


class _Copied(NamedTuple):
    stop_scope: str | None
    opt_out_line: str | None


_SQL = SqlFile(__name__)
_BUILT, _SENDERS, _STEPS = (
    _SQL.statement("built", Built),
    _SQL.statement(
        "senders",
        SenderChoice,
        permitted=permitted(":member_id", "CAST(:sequence AS uuid)"),
        chosen_first=CHOSEN_FIRST,
    ),
    _SQL.statement("steps", BuiltStep),
)
_MAKE, _CHANGE = _SQL.statement("make", UUID), _SQL.statement("change", UUID)
_COPIED_FROM = _SQL.statement("copied_from", _Copied)
_ONE_AT_A_TIME = Statement("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:id AS text), 17)) IS NULL")
_NAMED = Statement(
    "SELECT id FROM sequences WHERE organization_id = :organization_id AND lower(name) = lower(:name) LIMIT 1",
    UUID,
)
_ORGANIZATION_OF = Statement("SELECT organization_id FROM members WHERE id = :id", UUID)
_EXISTS = Statement(
    "SELECT EXISTS (SELECT FROM sequences WHERE id = :id AND organization_id = :organization_id)", bool
)
_NAMES_LIKE = Statement(
    "SELECT lower(name) FROM sequences WHERE organization_id = :organization_id"
    " AND starts_with(lower(name), lower(:name)) LIMIT 1000",
    str,
)


def built(tx: Transaction, sequence_id: UUID) -> Built:
    """Return a sequence. Raises ``NotFound``."""
    found = _BUILT.one_or_none(tx, id=sequence_id)
    if found is None or found.kind != "sequence":
        raise NotFound("There is no such sequence.")
    return found


def steps_of(tx: Transaction, sequence_id: UUID) -> list[BuiltStep]:
    """Return the steps in order."""
    return _STEPS.all(tx, id=sequence_id)


def senders(
    tx: Transaction, organization_id: UUID, member_id: UUID, sequence_id: UUID | None = None
) -> list[SenderChoice]:
    """Return the mailboxes that a member's sequence may send from, what they chose first, then their own."""
    return _SENDERS.all(
        tx,
        organization_id=organization_id,
        member_id=member_id,
        shared=sender_for(tx, member_id),
        sequence=sequence_id,
    )


def lock_names(tx: Transaction, organization_id: UUID) -> None:
    """Let nobody else of the organization name a sequence until this transaction ends."""
    _ONE_AT_A_TIME.run(tx, id=organization_id)


def named(tx: Transaction, organization_id: UUID, name: str) -> UUID | None:
    """Return the sequence with that name, ignoring case, or None."""
    return _NAMED.one_or_none(tx, organization_id=organization_id, name=name)


def organization_of_member(tx: Transaction, member_id: UUID) -> UUID:
    """Return the member's organization."""
    return _ORGANIZATION_OF.one(tx, id=member_id)


def exists(tx: Transaction, organization_id: UUID, sequence_id: UUID) -> bool:
    """Does the organization have this sequence?"""
    return _EXISTS.one(tx, id=sequence_id, organization_id=organization_id)


def free_name(tx: Transaction, organization_id: UUID, name: str) -> str:
    """Return the name, with a number after it if it is taken. The caller holds ``lock_names``."""
    taken = set(_NAMES_LIKE.all(tx, organization_id=organization_id, name=name))
    candidates = [name, *(f"{name} {number}" for number in range(2, len(taken) + 3))]
    return next(each for each in candidates if each.lower() not in taken)


def make(tx: Transaction, values: Mapping[str, Any], *, like: UUID | None = None) -> bool:
    """Create a draft without steps. ``like``: a sequence whose other rules it takes. Returns False if it exists already."""
    copied = _Copied(None, None) if like is None else _COPIED_FROM.one(tx, id=like)
    sending = None if values["sending"] is None else dump_json(values["sending"])
    return _MAKE.one_or_none(tx, **{**values, "sending": sending, **copied._asdict()}) is not None


def change(
    tx: Transaction,
    sequence_id: UUID,
    *,
    name: str,
    sending: Mapping[str, Any] | None,
    fields: Sequence[str],
    with_signature: bool | None = None,
) -> bool:
    """Change name, sending hours, fields and, if it is not None, whether its emails carry a signature. Returns False if nothing changes."""
    return (
        _CHANGE.one_or_none(
            tx,
            id=sequence_id,
            name=name,
            sending=None if sending is None else dump_json(dict(sending)),
            fields=list(fields),
            with_signature=with_signature,
        )
        is not None
    )
