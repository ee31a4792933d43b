"""What one member's settings show: their mailbox, the permissions they gave and received, and what ending one would stop."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.authority import BY_HAND_OF, authorized
from db.imports import listed_mailbox, upsert_mailbox
from db.session import Transaction
from domain.connection import CLEARED_BY_SIGN_IN
from domain.errors import NotFound, NotPermitted

_DAILY_CAP = 200


@dataclass(frozen=True, slots=True)
class MyMailbox:
    """The member's own mailbox. ``status``: never_connected, connected or disconnected (then with the reason)."""

    id: UUID
    address: str
    status: str
    status_reason: str | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    zone: str
    only_a_test_helps: bool  # an email of it was refused, for what no sign-in changes
    renamed_from: str | None  # the address that Microsoft gave it before
    renamed_at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenGrant:
    """A permission the member gave. ``person`` None = everyone. ``sequences`` run on it, or would.

    ``names``: of the sequences it is only for; None = all. ``used_today`` counts where there is a ``daily_limit``.
    ``by_hand_of``: who gave it in the member's name ("an operator's file (…)"); None: they did it themselves.
    """

    id: UUID
    person: str | None
    given_at: datetime
    sequences: int
    expires_at: datetime | None
    daily_limit: int | None
    used_today: int
    names: list[str] | None
    by_hand_of: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReceivedGrant:
    """A mailbox that the member may send from."""

    address: str
    holder: str
    connected: bool
    for_everyone: bool
    given_at: datetime
    expires_at: datetime | None
    daily_limit: int | None
    names: list[str] | None


@dataclass(frozen=True, slots=True)
class Impact:
    """What a withdrawal would stop now: active sequences and people who still have a step before them."""

    sequences: list[str]
    people: int
    next_due_at: datetime | None


_NAMES = "(SELECT array_agg(s.name ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids))"


def mailbox_of(tx: Transaction, member_id: UUID) -> MyMailbox | None:
    """The member's own mailbox, if there is one."""
    row = tx.execute(
        text(
            "SELECT b.id, b.address, b.status, b.status_reason, b.connected_at, b.disconnected_at, l.zone,"
            " b.refused_sending IS NOT NULL AND b.status_reason <> ALL(:cleared),"
            " b.former_addresses[cardinality(b.former_addresses)], b.renamed_at FROM mailboxes b"
            " JOIN lanes l ON l.mailbox_id = b.id JOIN members m ON m.id = b.owner_id WHERE m.id = :id ORDER BY b.address <> m.email, b.id LIMIT 1"
        ),
        {"id": member_id, "cleared": sorted(CLEARED_BY_SIGN_IN)},
    ).one_or_none()
    return None if row is None else MyMailbox(*row)


def make_mailbox(tx: Transaction, member_id: UUID) -> UUID:
    """The member's own mailbox; made under their address, not connected yet, if there is none.

    Raises ``NotFound``, ``NotPermitted`` when the address is listed as somebody else's.
    """
    found = mailbox_of(tx, member_id)
    if found is not None:
        return found.id
    row = tx.execute(
        text(
            "SELECT m.organization_id, m.email, o.time_zone FROM members m JOIN organizations o ON o.id = m.organization_id"
            " WHERE m.id = :id AND m.active"
        ),
        {"id": member_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such active member.")
    mailbox_id, _ = upsert_mailbox(tx, row.organization_id, member_id, row.email, _DAILY_CAP, row.time_zone)
    listed = listed_mailbox(tx, row.organization_id, row.email)
    if listed is None or listed.owner_id != member_id:
        # Connected, it would send for whoever it is listed under.
        raise NotPermitted(
            f"{row.email} is listed under somebody else's name. Ask an administrator to have that corrected."
        )
    return mailbox_id


def given(tx: Transaction, member_id: UUID) -> list[GivenGrant]:
    """Permissions that stand, for one's own mailbox."""
    rows = tx.execute(
        text(
            "SELECT g.id, p.name, g.given_at, (SELECT count(*) FROM sequences s WHERE s.mailbox_id = g.mailbox_id"
            "   AND s.owner_id <> g.grantor_id AND (g.grantee_id IS NULL OR s.owner_id = g.grantee_id)"
            "   AND (g.sequence_ids IS NULL OR s.id = ANY(g.sequence_ids)) AND s.status = 'active'),"
            " g.expires_at, g.daily_limit, CASE WHEN g.used_on = (clock_timestamp() AT TIME ZONE l.zone)::date"
            f"   THEN g.used_today ELSE 0 END, {_NAMES}, {BY_HAND_OF}, g.confirmed_at"
            " FROM grants g JOIN lanes l ON l.mailbox_id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id"
            " WHERE g.grantor_id = :id AND g.archived_at IS NULL ORDER BY p.name NULLS FIRST"
        ),
        {"id": member_id},
    ).all()
    return [GivenGrant(*row) for row in rows]


def received(tx: Transaction, member_id: UUID) -> list[ReceivedGrant]:
    """Mailboxes of others that the member may send from."""
    rows = tx.execute(
        text(
            "SELECT b.address, h.name, b.status = 'connected', g.grantee_id IS NULL, g.given_at, g.expires_at, g.daily_limit,"
            f" {_NAMES}"
            " FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id JOIN members h ON h.id = b.owner_id"
            " JOIN members m ON m.organization_id = g.organization_id"
            " WHERE m.id = :id AND g.archived_at IS NULL AND g.grantor_id <> m.id"
            " AND (g.grantee_id = m.id OR g.grantee_id IS NULL) ORDER BY b.address, g.grantee_id NULLS LAST"
        ),
        {"id": member_id},
    ).all()
    return [ReceivedGrant(*row) for row in rows]


def sequences_of_others(tx: Transaction, mailbox_id: UUID) -> list[tuple[UUID, str, str]]:
    """(id, name, owner's name) of sequences that send from a mailbox and are not its owner's."""
    rows = tx.execute(
        text(
            "SELECT s.id, s.name, w.name AS owner FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id"
            " JOIN members w ON w.id = s.owner_id"
            " WHERE b.id = :id AND s.owner_id <> b.owner_id AND s.status <> 'archived' ORDER BY lower(s.name)"
        ),
        {"id": mailbox_id},
    ).all()
    return [(row.id, row.name, row.owner) for row in rows]


def colleagues(tx: Transaction, member_id: UUID) -> list[tuple[UUID, str, str]]:
    """(id, name, address) of everyone active in the organization but the member."""
    rows = tx.execute(
        text(
            "SELECT p.id, p.name, p.email FROM members p JOIN members m ON m.organization_id = p.organization_id"
            " WHERE m.id = :id AND p.id <> m.id AND p.active ORDER BY lower(p.name), p.email"
        ),
        {"id": member_id},
    ).all()
    return [(row.id, row.name, row.email) for row in rows]


def grant_of(tx: Transaction, grant_id: UUID, grantor_id: UUID) -> GivenGrant:
    """A standing permission that this member gave. Raises ``NotFound``."""
    for each in given(tx, grantor_id):
        if each.id == grant_id:
            return each
    raise NotFound("There is no such permission of yours any more.")


def impact_of_removal(tx: Transaction, mailbox_id: UUID) -> Impact:
    """What disconnecting the mailbox would stop."""
    return _impact(tx, "s.mailbox_id = :id", {"id": mailbox_id})


def impact_of_revocation(tx: Transaction, grant_id: UUID) -> Impact:
    """What ending the permission would stop: the grantee's sequences that have no other permission."""
    return _impact(
        tx,
        "EXISTS (SELECT FROM grants mine WHERE mine.id = :id AND mine.mailbox_id = s.mailbox_id AND s.owner_id <> mine.grantor_id"
        " AND (mine.grantee_id IS NULL OR mine.grantee_id = s.owner_id)"
        f" AND (mine.sequence_ids IS NULL OR s.id = ANY(mine.sequence_ids))) AND NOT {authorized('g.id <> :id')}",
        {"id": grant_id},
    )


def _impact(tx: Transaction, condition: str, parameters: dict[str, object]) -> Impact:
    rows = tx.execute(
        text(
            "SELECT s.name, count(d.id) AS people, min(d.due_at) AS next FROM sequences s"
            " LEFT JOIN deliveries d ON d.sequence_id = s.id AND d.state = 'pending' AND NOT d.held"
            f" WHERE s.status = 'active' AND {condition} GROUP BY s.id, s.name ORDER BY s.name"
        ),
        parameters,
    ).all()
    dues = [row.next for row in rows if row.next is not None]
    return Impact([row.name for row in rows], sum(row.people for row in rows), min(dues, default=None))


def mark_all_read(tx: Transaction, member_id: UUID) -> None:
    """The member has seen every notice."""
    tx.execute(
        text(
            "UPDATE notices SET read_at = clock_timestamp() WHERE owner_id = :id AND channel = 'in_app' AND read_at IS NULL"
        ),
        {"id": member_id},
    )


def unread(tx: Transaction, member_id: UUID) -> int:
    """How many notices the member has not read."""
    count: int = tx.execute(
        text("SELECT count(*) FROM notices WHERE owner_id = :id AND channel = 'in_app' AND read_at IS NULL"),
        {"id": member_id},
    ).scalar_one()
    return count
