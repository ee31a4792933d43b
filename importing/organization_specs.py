"""What an organization file says, as validated plain values."""

from dataclasses import dataclass
from typing import Any

from domain.step_edits import Words
from importing.tree import Place


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """A member as written. ``role``, ``legal_entity`` None = not given, so unchanged."""

    name: str
    email: str
    role: str | None
    legal_entity: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class EntitySpec:
    """A legal entity as written; ``parent`` None = directly below the organization."""

    name: str
    parent: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class MailboxSpec:
    """A mailbox as written. ``daily_cap``, ``provider``, ``signature`` None = not given."""

    address: str
    owner: str
    daily_cap: int | None
    provider: str | None
    place: Place
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class GrantSpec:
    """A grant as written; ``to`` None = everyone."""

    mailbox: str
    to: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class Hours:
    """Sending hours as written; ``window`` None = ``null``, which removes them."""

    window: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SequenceSpec:
    """A sequence as written. ``send_from`` None = the owner's sender address; everything else that is None = not given."""

    name: str
    owner: str
    send_from: str | None
    fields: tuple[str, ...] | None
    sending: Hours | None
    status: str | None
    steps: tuple[Words, ...]
    place: Place
    answers: dict[str, Any] | None = None  # fields of ``AnswerSettings``
    with_signature: bool | None = None


@dataclass(frozen=True, slots=True)
class OrganizationSpec:
    """An organization as written. ``sending``, ``answers`` None = not given, so unchanged."""

    name: str
    time_zone: str
    sending: Hours | None
    legal_entities: tuple[EntitySpec, ...]
    members: tuple[MemberSpec, ...]
    mailboxes: tuple[MailboxSpec, ...]
    grants: tuple[GrantSpec, ...]
    sequences: tuple[SequenceSpec, ...]
    place: Place
    answers: dict[str, Any] | None = None  # fields of ``AnswerSettings``
