"""What pages list: a member's sequences, and an organization's mailboxes and grants for its administrators."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access.authority import BY_HAND_OF
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.views.attention import BLOCK, FAILED, REVIEW
from domain.errors import NotFound

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class SequenceLine:
    """A sequence as its owner sees it. Apart from ``sent``, each person counts in exactly one number.

    ``waiting``: their next email leaves automatically once it is due and the sequence runs. ``in_doubt``: we are looking for
    the email. ``review``, ``blocked``, ``failed``: a person has to decide. ``ended``: finished, stopped or left out.
    """

    id: UUID
    name: str
    status: str
    paused_reason: str | None
    paused_at: datetime | None
    address: str
    sender: str | None  # who owns the mailbox, None: a sender address
    sender_id: UUID | None
    owner: str
    owner_id: UUID
    place: int
    waiting: int
    held: int
    sent: int
    answered: int
    in_doubt: int
    review: int
    blocked: int
    failed: int
    ended: int
    next_due_at: datetime | None

    @property
    def finished(self) -> bool:
        """Has everybody in it reached an end?"""
        return bool(self.ended) and not any(
            (self.waiting, self.held, self.in_doubt, self.review, self.blocked, self.failed)
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sequences to list. ``owner_id`` None: of all owners.

    ``status``: "" (all but archived ones), paused, active, draft, finished, archived, or attention. ``sort``: "" (by status), name,
    new, next (its next email), answered. ``mailbox_id``: the sender.
    """

    owner_id: UUID | None
    status: str = ""
    search: str = ""
    sort: str = ""
    mailbox_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MailboxLine:
    """A mailbox of the organization. ``owner`` None: a sender address."""

    id: UUID
    address: str
    owner: str | None
    status: str
    status_reason: str | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantLine:
    """An active grant in the organization. ``person`` None = everyone. ``names``: the only sequences it covers.

    ``by_hand_of`` None = the mailbox owner gave it.
    """

    id: UUID
    address: str
    mailbox_owner: str
    person: str | None
    given_at: datetime
    expires_at: datetime | None
    daily_limit: int | None
    names: list[str] | None
    zone: str
    by_hand_of: str | None
    confirmed_at: datetime | None


class Sender(NamedTuple):
    """A mailbox that sequences are sent from. ``name``: whose, or its address."""

    id: UUID
    name: str


class _Grantee(NamedTuple):
    name: str | None


_SQL = SqlFile(__name__)
_SEQUENCES_OF = _SQL.statement("sequences_of", SequenceLine, block=BLOCK, review=REVIEW, failed=FAILED)
_COUNT_SEQUENCES = _SQL.statement("count_sequences", int, block=BLOCK, review=REVIEW, failed=FAILED)
_SENDERS = _SQL.statement("senders", Sender)
_RESUMED_JUST_NOW = Statement(
    "SELECT EXISTS (SELECT FROM sequences WHERE organization_id = :id AND status = 'active'"
    " AND resumed_at > clock_timestamp() - interval '1 minute')",
    bool,
)
_CONNECTED_JUST_NOW = Statement(
    "SELECT EXISTS (SELECT FROM mailboxes WHERE organization_id = :id AND owner_id IS NULL AND status = 'connected'"
    " AND provider <> 'default' AND connected_at > clock_timestamp() - interval '1 minute')",
    bool,
)
_MAILBOXES = _SQL.statement("mailboxes", MailboxLine)
_GRANTS = _SQL.statement("grants", GrantLine, by_hand_of=BY_HAND_OF)
_IS_GRANT_OF = Statement(
    "SELECT EXISTS (SELECT FROM grants WHERE id = :id AND organization_id = :organization_id)", bool
)
_GRANTEES_IN_TENANT = Statement(
    "SELECT p.name FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id"
    " WHERE b.organization_id = :id AND b.provider = 'microsoft_tenant' AND g.archived_at IS NULL ORDER BY p.name NULLS FIRST",
    _Grantee,
)
_GRANTEES = Statement(
    "SELECT p.name FROM grants g LEFT JOIN members p ON p.id = g.grantee_id"
    " WHERE g.mailbox_id = :id AND g.archived_at IS NULL ORDER BY p.name NULLS FIRST",
    _Grantee,
)


def sequences_of(
    tx: Transaction,
    organization_id: UUID,
    wanted: Filter,
    *,
    after: tuple[int, str, UUID] | None = None,
    only: UUID | None = None,
    limit: int = PER_PAGE,
) -> list[SequenceLine]:
    """Return a page of sequences: paused first, then running, by name. ``after``: place, name and id of the last one seen."""
    place, name, last = after or (0, "", None)
    return _SEQUENCES_OF.all(
        tx,
        **_values(organization_id, wanted, only),
        after_place=place,
        after_name=name.lower(),
        after_id=last,
        limit=limit,
    )


def count_sequences(tx: Transaction, organization_id: UUID, wanted: Filter) -> int:
    """Count the sequences that a filter matches."""
    return _COUNT_SEQUENCES.one(tx, **_values(organization_id, wanted, None))


def senders(tx: Transaction, organization_id: UUID, owner_id: UUID | None) -> list[Sender]:
    """Return the senders of the sequences of one owner, or of everybody, by name: up to 200."""
    return _SENDERS.all(tx, id=organization_id, owner_id=owner_id)


def _values(organization_id: UUID, wanted: Filter, only: UUID | None) -> dict[str, object]:
    return {
        "organization_id": organization_id,
        "owner_id": wanted.owner_id,
        "status": wanted.status,
        "search": wanted.search,
        "sort": wanted.sort,
        "mailbox_id": wanted.mailbox_id,
        "only": only,
    }


def sequence_of(
    tx: Transaction, sequence_id: UUID, organization_id: UUID, owner_id: UUID | None
) -> SequenceLine:
    """Return one sequence. Raises ``NotFound``."""
    for found in sequences_of(tx, organization_id, Filter(owner_id), only=sequence_id):
        return found
    raise NotFound("You have no such sequence.")


def resumed_just_now(tx: Transaction, organization_id: UUID) -> bool:
    """Was a sequence resumed within the last minute?"""
    return _RESUMED_JUST_NOW.one(tx, id=organization_id)


def sender_address_connected_just_now(tx: Transaction, organization_id: UUID) -> bool:
    """Was a sender address of the organization connected within the last minute?"""
    return _CONNECTED_JUST_NOW.one(tx, id=organization_id)


def mailboxes(tx: Transaction, organization_id: UUID, *, search: str = "") -> list[MailboxLine]:
    """Return an organization's mailboxes, those that need attention first: one page, filtered by ``search``."""
    return _MAILBOXES.all(tx, id=organization_id, search=search, limit=PER_PAGE + 1)


def grants(
    tx: Transaction, organization_id: UUID, *, search: str = "", only: UUID | None = None
) -> list[GrantLine]:
    """Return an organization's active grants: one page, filtered by ``search``."""
    return _GRANTS.all(tx, id=organization_id, search=search, only=only, limit=PER_PAGE + 1)


def grant(tx: Transaction, grant_id: UUID, organization_id: UUID) -> GrantLine:
    """Return one grant. Raises ``NotFound``."""
    for found in grants(tx, organization_id, only=grant_id):
        return found
    raise NotFound("There is no such permission in your organization.")


def is_grant_of(tx: Transaction, grant_id: UUID, organization_id: UUID) -> bool:
    """Does the grant belong to the organization, whether or not it is active?"""
    return _IS_GRANT_OF.one(tx, id=grant_id, organization_id=organization_id)


def grants_in_tenant(tx: Transaction, organization_id: UUID) -> list[str | None]:
    """Return the same for all mailboxes of the organization's tenant-wide connection."""
    return [row.name for row in _GRANTEES_IN_TENANT.all(tx, id=organization_id)]


def grants_of_mailbox(tx: Transaction, mailbox_id: UUID) -> list[str | None]:
    """Return the names of the grantees of a mailbox's active grants; None = everyone."""
    return [row.name for row in _GRANTEES.all(tx, id=mailbox_id)]
