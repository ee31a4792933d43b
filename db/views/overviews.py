"""What pages list: a member's sequences, and an organization's mailboxes and permissions for those who look after it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.access.authority import BY_HAND_OF
from db.core.session import Transaction
from db.views.attention import BLOCK, FAILED, REVIEW
from domain.errors import NotFound

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class SequenceLine:
    """A sequence as its owner sees it. Every person is in one number.

    ``waiting``: their next email goes by itself once its time has come and the sequence runs. ``in_doubt``: we look for it.
    ``review``, ``blocked``, ``failed``: a person has to decide. ``ended``: finished, stopped or left out.
    """

    id: UUID
    name: str
    status: str
    paused_reason: str | None
    paused_at: datetime | None
    address: str
    owner: str
    owner_id: UUID
    place: int
    waiting: int
    held: int
    sent: int
    in_doubt: int
    review: int
    blocked: int
    failed: int
    ended: int
    next_due_at: datetime | None

    @property
    def finished(self) -> bool:
        """Has everybody in it come to an end?"""
        return bool(self.ended) and not any(
            (self.waiting, self.held, self.in_doubt, self.review, self.blocked, self.failed)
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sequences to list. ``owner_id`` None: everybody's. ``status``: "", paused, active, draft, or attention."""

    owner_id: UUID | None
    status: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class MailboxLine:
    """A mailbox of the organization. ``owner`` None: the company's."""

    address: str
    owner: str | None
    status: str
    status_reason: str | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A standing permission of the organization. ``person`` None = everyone. ``names``: the only sequences it is for.

    ``by_hand_of`` None = its owner gave it.
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


_ATTENTION = (
    f"(EXISTS (SELECT FROM enrollments e WHERE e.sequence_id = s.id AND {BLOCK})"
    f" OR EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND {REVIEW})"
    f" OR EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND {FAILED}))"
)
_PLACE = "CASE s.status WHEN 'paused' THEN 0 WHEN 'active' THEN 1 ELSE 2 END"
_LISTED = f"""
FROM sequences s JOIN members w ON w.id = s.owner_id JOIN mailboxes b ON b.id = s.mailbox_id
WHERE s.organization_id = :organization_id AND s.status <> 'archived'
  AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id) AND (CAST(:only AS uuid) IS NULL OR s.id = :only)
  AND (:search = '' OR strpos(lower(concat_ws(' ', s.name, w.name, b.address)), lower(:search)) > 0)
  AND CASE :status WHEN '' THEN true WHEN 'attention' THEN {_ATTENTION} ELSE s.status = :status END
"""
# The page's sequences first, then what is in them: no list of all deliveries is ever read.
_SEQUENCES = f"""
WITH listed AS MATERIALIZED (
  SELECT s.id, s.name, s.status, s.paused_reason, s.paused_at, b.address, w.name AS owner, s.owner_id, {_PLACE} AS place {_LISTED}
    AND (CAST(:after_id AS uuid) IS NULL OR ({_PLACE}, lower(s.name), s.id) > (:after_place, :after_name, :after_id))
  ORDER BY {_PLACE}, lower(s.name), s.id LIMIT :limit)
SELECT s.*, n.waiting, n.held, n.sent, n.in_doubt, n.review, k.blocked, n.failed, greatest(k.ended - n.failed, 0), n.next_due_at
FROM listed s,
LATERAL (SELECT
    count(*) FILTER (WHERE d.state IN ('pending', 'queued', 'preparing', 'drafted', 'sending') AND e.status = 'active') AS waiting,
    count(*) FILTER (WHERE d.state = 'pending' AND e.status = 'paused' AND NOT ({BLOCK})) AS held,
    count(*) FILTER (WHERE d.state = 'sent') AS sent, count(*) FILTER (WHERE d.state = 'in_doubt') AS in_doubt,
    count(*) FILTER (WHERE {REVIEW}) AS review, count(*) FILTER (WHERE {FAILED}) AS failed,
    min(d.due_at) FILTER (WHERE d.state = 'pending' AND NOT d.held AND s.status = 'active') AS next_due_at
  FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id WHERE d.sequence_id = s.id) n,
LATERAL (SELECT count(*) FILTER (WHERE {BLOCK}) AS blocked,
    count(*) FILTER (WHERE e.status IN ('finished', 'stopped', 'archived')) AS ended
  FROM enrollments e WHERE e.sequence_id = s.id) k
ORDER BY s.place, lower(s.name), s.id
"""


def sequences_of(
    tx: Transaction,
    organization_id: UUID,
    wanted: Filter,
    *,
    after: tuple[int, str, UUID] | None = None,
    only: UUID | None = None,
    limit: int = PER_PAGE,
) -> list[SequenceLine]:
    """A page of them: paused ones first, then running ones, by name. ``after``: place, name and id of the last one seen."""
    place, name, last = after or (0, "", None)
    rows = tx.execute(
        text(_SEQUENCES),
        {
            **_values(organization_id, wanted, only),
            "after_place": place,
            "after_name": name.lower(),
            "after_id": last,
            "limit": limit,
        },
    ).all()
    return [SequenceLine(*row) for row in rows]


def count_sequences(tx: Transaction, organization_id: UUID, wanted: Filter) -> int:
    """How many sequences a filter finds."""
    found: int = tx.execute(
        text(f"SELECT count(*) {_LISTED}"), _values(organization_id, wanted, None)
    ).scalar_one()
    return found


def _values(organization_id: UUID, wanted: Filter, only: UUID | None) -> dict[str, object]:
    return {
        "organization_id": organization_id,
        "owner_id": wanted.owner_id,
        "status": wanted.status,
        "search": wanted.search,
        "only": only,
    }


def sequence_of(
    tx: Transaction, sequence_id: UUID, organization_id: UUID, owner_id: UUID | None
) -> SequenceLine:
    """One of them. Raises ``NotFound``."""
    for found in sequences_of(tx, organization_id, Filter(owner_id), only=sequence_id):
        return found
    raise NotFound("There is no such sequence of yours.")


def resumed_just_now(tx: Transaction, organization_id: UUID) -> bool:
    """Has a sequence been resumed within the last minute?"""
    found: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM sequences WHERE organization_id = :id AND status = 'active'"
            " AND resumed_at > clock_timestamp() - interval '1 minute')"
        ),
        {"id": organization_id},
    ).scalar_one()
    return found


def sender_address_connected_just_now(tx: Transaction, organization_id: UUID) -> bool:
    """Has an address of the organization been connected within the last minute?"""
    found: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM mailboxes WHERE organization_id = :id AND owner_id IS NULL AND status = 'connected'"
            " AND provider <> 'default' AND connected_at > clock_timestamp() - interval '1 minute')"
        ),
        {"id": organization_id},
    ).scalar_one()
    return found


def mailboxes(tx: Transaction, organization_id: UUID, *, search: str = "") -> list[MailboxLine]:
    """Mailboxes of an organization; those that need attention first. Up to a page, narrowed by ``search``."""
    rows = tx.execute(
        text(
            "SELECT b.address, m.name, b.status, b.status_reason, b.checked_at FROM mailboxes b"
            " LEFT JOIN members m ON m.id = b.owner_id WHERE b.organization_id = :id"
            " AND strpos(lower(concat_ws(' ', b.address, m.name)), lower(:search)) > 0"
            " ORDER BY b.status <> 'disconnected' OR b.status_reason IN ('removed', 'disabled'), b.address LIMIT :limit"
        ),
        {"id": organization_id, "search": search, "limit": PER_PAGE + 1},
    ).all()
    return [MailboxLine(*row) for row in rows]


def grants(
    tx: Transaction, organization_id: UUID, *, search: str = "", only: UUID | None = None
) -> list[GrantLine]:
    """Permissions that stand in an organization. Up to a page, narrowed by ``search``."""
    rows = tx.execute(
        text(
            "SELECT g.id, b.address, h.name, p.name, g.given_at, g.expires_at, g.daily_limit,"
            " (SELECT array_agg(s.name ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids)), l.zone,"
            f" {BY_HAND_OF}, g.confirmed_at FROM grants g"
            " JOIN mailboxes b ON b.id = g.mailbox_id JOIN members h ON h.id = g.mailbox_owner_id"
            " JOIN lanes l ON l.mailbox_id = b.id LEFT JOIN members p ON p.id = g.grantee_id"
            " WHERE g.organization_id = :id AND g.archived_at IS NULL AND (CAST(:only AS uuid) IS NULL OR g.id = :only)"
            " AND strpos(lower(concat_ws(' ', b.address, h.name, coalesce(p.name, 'everyone'))), lower(:search)) > 0"
            " ORDER BY b.address, p.name NULLS FIRST LIMIT :limit"
        ),
        {"id": organization_id, "search": search, "only": only, "limit": PER_PAGE + 1},
    ).all()
    return [GrantLine(*row) for row in rows]


def grant(tx: Transaction, grant_id: UUID, organization_id: UUID) -> GrantLine:
    """One of them. Raises ``NotFound``."""
    for found in grants(tx, organization_id, only=grant_id):
        return found
    raise NotFound("There is no such permission in your organization.")


def is_grant_of(tx: Transaction, grant_id: UUID, organization_id: UUID) -> bool:
    """Is it the organization's, whether or not it stands?"""
    found: bool = tx.execute(
        text("SELECT EXISTS (SELECT FROM grants WHERE id = :id AND organization_id = :organization_id)"),
        {"id": grant_id, "organization_id": organization_id},
    ).scalar_one()
    return found


def grants_of_mailbox(tx: Transaction, mailbox_id: UUID) -> list[str | None]:
    """Whose permissions stand for a mailbox: names, None = everyone."""
    return list(
        tx.execute(
            text(
                "SELECT p.name FROM grants g LEFT JOIN members p ON p.id = g.grantee_id"
                " WHERE g.mailbox_id = :id AND g.archived_at IS NULL ORDER BY p.name NULLS FIRST"
            ),
            {"id": mailbox_id},
        ).scalars()
    )
