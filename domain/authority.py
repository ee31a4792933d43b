"""May a sequence send? Checks what all its emails depend on: the people, the mailbox and the permission.

Nothing else decides this. The gate (``domain/preflight.py``) asks before every email, early warnings ask before
one is due, and resuming and ``onbehalf why`` say what is missing. ``db/access/authority.py`` says the same in SQL
for queries over many rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from domain.connection import SCOPES
from domain.events import (
    EventKind,
    grant_cause,
    mailbox_cause,
    member_cause,
    missing_grant_cause,
    tenant_cause,
)
from domain.grant import Grant, usable_grant

# Reasons for a disconnection that a person decided. All others come from the provider.
BY_A_PERSON = frozenset({"removed", "disabled", "same_account"})


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the decision needs to know about a member."""

    id: UUID
    active: bool
    activity_version: int


@dataclass(frozen=True, slots=True)
class Sender:
    """Who would send, and from which mailbox, read from the database in one snapshot. ``now``: aware UTC."""

    now: datetime
    sequence_id: UUID
    sequence_owner: MemberFacts
    mailbox_id: UUID
    mailbox_owner: MemberFacts | None  # None: a sender address, open to all its members
    mailbox_status: str
    mailbox_reason: str | None  # why it is disconnected
    provider: str
    mailbox_scopes: frozenset[str]
    connection_version: int
    grants: Sequence[Grant]  # this mailbox's, not archived, for the owner or everyone; may have expired
    ended_grant: Grant | None  # the grant that ended last; it names the cause if none is left
    # Of a mailbox in a tenant-wide connection: the version that it ended with, and when its owner consented (ISO 8601).
    lost_with_tenant: int | None = None
    consented_at: str | None = None


Authority: TypeAlias = Literal["own_mailbox", "sender_address", "grant_to_person", "grant_to_everyone"]


@dataclass(frozen=True, slots=True)
class Authorized:
    """Nothing is missing. ``grant``: the one that the authority rests on, None if it needs none."""

    authority: Authority
    grant: Grant | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A permission, a member or a connection is gone: hold the email, and let the event pause all that depends on it.

    ``detail``: what a notice says about the cause, if ``reason`` is not enough. ``member_id``: the member who is
    not active.
    """

    reason: str
    kind: EventKind
    cause_key: str
    detail: str = ""
    member_id: UUID | None = None


def authorize(sender: Sender) -> Authorized | Withdrawn:
    """Return the authority to send, or the most important thing that is missing."""
    return next(iter(missing(sender)), None) or _authority(sender)


def missing(sender: Sender) -> list[Withdrawn]:
    """Return everything that is missing, the most important first."""
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
        if (version := sender.lost_with_tenant) is not None:
            of_tenant = EventKind.TENANT_DISCONNECTED if by_a_person else EventKind.TENANT_LOST
            why = sender.mailbox_reason or ""
            return [Withdrawn("mailbox_disconnected", of_tenant, tenant_cause(version), detail=why)]
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
    assert grant is not None  # ``missing`` would have reported it
    return Authorized("grant_to_everyone" if grant.grantee_id is None else "grant_to_person", grant)
