"""May anything be sent from a sequence? What has to stand for all its emails: the people, the mailbox, the permission.

The one answer: the gate (``domain/preflight.py``) asks before every email, early warnings ask before one is due, resumptions and
``onbehalf why`` say what is missing. ``db/access/authority.py`` says the same in SQL where many rows are asked at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from domain.connection import SCOPES
from domain.events import EventKind, grant_cause, mailbox_cause, member_cause, missing_grant_cause
from domain.grant import Grant, usable_grant

# Why a mailbox is disconnected where a person has decided it; everything else is the provider's doing.
BY_A_PERSON = frozenset({"removed", "disabled", "same_account"})


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """A member at the gate."""

    id: UUID
    active: bool
    activity_version: int


@dataclass(frozen=True, slots=True)
class Sender:
    """Who would send from where, as the database says in one snapshot. ``now``: aware UTC."""

    now: datetime
    sequence_id: UUID
    sequence_owner: MemberFacts
    mailbox_id: UUID
    mailbox_owner: MemberFacts | None  # None: a sender address, for all its members
    mailbox_status: str
    mailbox_reason: str | None  # why it is disconnected
    provider: str
    mailbox_scopes: frozenset[str]
    connection_version: int
    grants: Sequence[Grant]  # not archived, on this mailbox, that name the owner or everyone; perhaps expired
    ended_grant: Grant | None  # the one that ended last, to name the cause when none is left


Authority: TypeAlias = Literal["own_mailbox", "sender_address", "grant_to_person", "grant_to_everyone"]


@dataclass(frozen=True, slots=True)
class Authorized:
    """Everything stands. ``grant``: the one that it rests on, where it needs one."""

    authority: Authority
    grant: Grant | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A permission or connection is gone: hold, and let the event pause everything that depends on it.

    ``detail``: why, for its notice, where there is more to say than ``reason``. ``member_id``: who has left.
    """

    reason: str
    kind: EventKind
    cause_key: str
    detail: str = ""
    member_id: UUID | None = None


def authorize(sender: Sender) -> Authorized | Withdrawn:
    """Does everything stand? If not: what a person would want to hear first."""
    return next(iter(missing(sender)), None) or _authority(sender)


def missing(sender: Sender) -> list[Withdrawn]:
    """Everything that does not stand, the most important first."""
    return [*_people(sender), *_mailbox(sender), *_permission(sender)]


def _people(sender: Sender) -> list[Withdrawn]:
    return [
        Withdrawn(
            "member_deactivated",
            EventKind.MEMBER_DEACTIVATED,
            member_cause(member.id, member.activity_version),
            member_id=member.id,
        )
        for member in dict.fromkeys((sender.mailbox_owner, sender.sequence_owner))
        if member is not None and not member.active
    ]


def _mailbox(sender: Sender) -> list[Withdrawn]:
    cause = mailbox_cause(sender.mailbox_id, sender.connection_version)
    if sender.mailbox_status != "connected":
        by_a_person = sender.mailbox_reason in BY_A_PERSON
        kind = EventKind.MAILBOX_DISCONNECTED if by_a_person else EventKind.CONNECTION_LOST
        return [
            Withdrawn("mailbox_disconnected", kind, cause, detail=sender.mailbox_reason or "never_connected")
        ]
    if lacking := SCOPES[sender.provider] - sender.mailbox_scopes:
        reason = f"consent_missing: {', '.join(sorted(lacking))}"
        return [Withdrawn(reason, EventKind.CONNECTION_LOST, cause)]
    return []


def _permission(sender: Sender) -> list[Withdrawn]:
    owner, mailbox_owner = sender.sequence_owner, sender.mailbox_owner
    if mailbox_owner is None or owner.id == mailbox_owner.id:
        return []
    if usable_grant(sender.grants, owner.id, sender.sequence_id, sender.now) is not None:
        return []
    if expired := [each for each in sender.grants if each.covers(owner.id, sender.sequence_id)]:
        cause = grant_cause(expired[0].id, expired[0].version)
        return [Withdrawn("grant_expired", EventKind.GRANT_EXPIRED, cause)]
    if sender.ended_grant is not None:
        cause = grant_cause(sender.ended_grant.id, sender.ended_grant.version)
        return [Withdrawn("grant_revoked", EventKind.GRANT_REVOKED, cause)]
    cause = missing_grant_cause(sender.mailbox_id, owner.id)
    return [Withdrawn("grant_missing", EventKind.GRANT_MISSING, cause)]


def _authority(sender: Sender) -> Authorized:
    owner, mailbox_owner = sender.sequence_owner, sender.mailbox_owner
    if mailbox_owner is None:
        return Authorized("sender_address", None)
    if owner.id == mailbox_owner.id:
        return Authorized("own_mailbox", None)
    grant = usable_grant(sender.grants, owner.id, sender.sequence_id, sender.now)
    assert grant is not None  # missing() found one
    return Authorized("grant_to_everyone" if grant.grantee_id is None else "grant_to_person", grant)
