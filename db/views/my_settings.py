"""What one member's settings show: their mailbox, and the permissions they gave and received."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.access.authority import BY_HAND_OF
from db.core.session import Transaction
from db.sequences.imports import listed_mailbox, upsert_mailbox
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
    checked_at: datetime | None
    provider: str
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
    zone: str
    person_id: UUID | None
    by_hand_of: str | None
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReceivedGrant:
    """A mailbox that the member may send from."""

    address: str
    mailbox_owner: str
    connected: bool
    for_everyone: bool
    given_at: datetime
    expires_at: datetime | None
    daily_limit: int | None
    names: list[str] | None
    zone: str
    used_today: int


@dataclass(frozen=True, slots=True)
class EndedGrant:
    """A permission that ended with the mailbox's removal and was not given again. ``person_id`` None = everyone."""

    person_id: UUID | None
    person: str | None
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Around:
    """What every page shows around itself: the recipient's zone, the time, and how many notices are unread."""

    zone: str
    now: datetime
    unread: int


_NAMES = "(SELECT array_agg(s.name ORDER BY s.name) FROM sequences s WHERE s.id = ANY(g.sequence_ids))"


def mailbox_of(tx: Transaction, member_id: UUID) -> MyMailbox | None:
    """The member's own mailbox, if there is one."""
    row = tx.execute(
        text(
            "SELECT b.id, b.address, b.status, b.status_reason, b.connected_at, b.disconnected_at, b.checked_at, b.provider, l.zone,"
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
            "   AND s.owner_id <> g.mailbox_owner_id AND (g.grantee_id IS NULL OR s.owner_id = g.grantee_id)"
            "   AND (g.sequence_ids IS NULL OR s.id = ANY(g.sequence_ids)) AND s.status = 'active'),"
            " g.expires_at, g.daily_limit, CASE WHEN g.used_on = (clock_timestamp() AT TIME ZONE l.zone)::date"
            f"   THEN g.used_today ELSE 0 END, {_NAMES}, l.zone, g.grantee_id, {BY_HAND_OF}, g.confirmed_at"
            " FROM grants g JOIN lanes l ON l.mailbox_id = g.mailbox_id LEFT JOIN members p ON p.id = g.grantee_id"
            " WHERE g.mailbox_owner_id = :id AND g.archived_at IS NULL ORDER BY p.name NULLS FIRST"
        ),
        {"id": member_id},
    ).all()
    return [GivenGrant(*row) for row in rows]


def received(tx: Transaction, member_id: UUID) -> list[ReceivedGrant]:
    """Mailboxes of others that the member may send from."""
    rows = tx.execute(
        text(
            "SELECT b.address, h.name, b.status = 'connected', g.grantee_id IS NULL, g.given_at, g.expires_at, g.daily_limit,"
            f" {_NAMES}, l.zone, CASE WHEN g.used_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN g.used_today ELSE 0 END"
            " FROM grants g JOIN mailboxes b ON b.id = g.mailbox_id JOIN lanes l ON l.mailbox_id = b.id JOIN members h ON h.id = b.owner_id"
            " JOIN members m ON m.organization_id = g.organization_id"
            " WHERE m.id = :id AND g.archived_at IS NULL AND g.mailbox_owner_id <> m.id"
            " AND (g.grantee_id = m.id OR g.grantee_id IS NULL) ORDER BY b.address, g.grantee_id NULLS LAST"
        ),
        {"id": member_id},
    ).all()
    return [ReceivedGrant(*row) for row in rows]


def sequences_of_others(
    tx: Transaction, mailbox_id: UUID, *, named: str = "", chosen: list[UUID] | None = None, limit: int = 50
) -> list[tuple[UUID, str, str]]:
    """(id, name, owner's name) of sequences that send from a mailbox and are not its owner's, up to ``limit``.

    ``named``: letters of the name or of its owner's. ``chosen`` ones come first, whatever they are called.
    """
    rows = tx.execute(
        text(
            "SELECT s.id, s.name, w.name AS owner FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id"
            " JOIN members w ON w.id = s.owner_id"
            " WHERE b.id = :id AND s.owner_id <> b.owner_id AND s.status <> 'archived'"
            " AND (s.id = ANY(:chosen) OR strpos(lower(s.name || ' ' || w.name), lower(:named)) > 0)"
            " ORDER BY s.id <> ALL(:chosen), lower(s.name), s.id LIMIT :limit"
        ),
        {"id": mailbox_id, "named": named, "chosen": chosen or [], "limit": limit},
    ).all()
    return [(row.id, row.name, row.owner) for row in rows]


def colleagues(tx: Transaction, member_id: UUID, limit: int) -> list[tuple[UUID, str, str]]:
    """(id, name, address) of everyone active in the organization but the member, up to ``limit``."""
    rows = tx.execute(
        text(
            "SELECT p.id, p.name, p.email FROM members p JOIN members m ON m.organization_id = p.organization_id"
            " WHERE m.id = :id AND p.id <> m.id AND p.active ORDER BY lower(p.name), p.email LIMIT :limit"
        ),
        {"id": member_id, "limit": limit},
    ).all()
    return [(row.id, row.name, row.email) for row in rows]


def grant_of(tx: Transaction, grant_id: UUID, mailbox_owner_id: UUID) -> GivenGrant:
    """A standing permission that this member gave. Raises ``NotFound``."""
    for each in given(tx, mailbox_owner_id):
        if each.id == grant_id:
            return each
    raise NotFound("You gave no such permission.")


def gave(tx: Transaction, grant_id: UUID, mailbox_owner_id: UUID) -> bool:
    """Did this member give it, whether or not it stands?"""
    found: bool = tx.execute(
        text("SELECT EXISTS (SELECT FROM grants WHERE id = :id AND mailbox_owner_id = :mailbox_owner)"),
        {"id": grant_id, "mailbox_owner": mailbox_owner_id},
    ).scalar_one()
    return found


def ended_with_mailbox(tx: Transaction, member_id: UUID) -> list[EndedGrant]:
    """Permissions for the member's connected mailbox that its removal ended, and that nobody has given again."""
    rows = tx.execute(
        text(
            "SELECT DISTINCT ON (g.grantee_id) g.grantee_id, p.name, g.archived_at FROM grants g"
            " JOIN mailboxes b ON b.id = g.mailbox_id AND b.status = 'connected' LEFT JOIN members p ON p.id = g.grantee_id"
            " WHERE g.mailbox_owner_id = :id AND g.archived_reason = 'mailbox_disconnected' AND p.active IS NOT false"
            " AND NOT EXISTS (SELECT FROM grants later WHERE later.mailbox_id = g.mailbox_id AND later.given_at > g.archived_at"
            "   AND later.grantee_id IS NOT DISTINCT FROM g.grantee_id)"
            " ORDER BY g.grantee_id, g.archived_at DESC LIMIT 50"
        ),
        {"id": member_id},
    ).all()
    return [EndedGrant(*row) for row in rows]


def around(tx: Transaction, member_id: UUID) -> Around:
    """What every page of the member's shows around itself."""
    row = tx.execute(
        text(
            "SELECT o.time_zone, clock_timestamp(), (SELECT count(*) FROM notices n WHERE n.owner_id = m.id"
            "   AND n.channel = 'in_app' AND n.read_at IS NULL)"
            " FROM members m JOIN organizations o ON o.id = m.organization_id WHERE m.id = :id"
        ),
        {"id": member_id},
    ).one()
    return Around(*row)


def find_colleague(tx: Transaction, member_id: UUID, said: str) -> list[tuple[UUID, str, str]]:
    """Active colleagues with this address, or else whose name or address holds these letters; up to ten."""
    rows = tx.execute(
        text(
            "SELECT p.id, p.name, p.email FROM members p JOIN members m ON m.organization_id = p.organization_id"
            " WHERE m.id = :id AND p.id <> m.id AND p.active"
            " AND (p.email = lower(:said) OR strpos(lower(p.name || ' ' || p.email), lower(:said)) > 0)"
            " ORDER BY p.email <> lower(:said), lower(p.name) <> lower(:said), lower(p.name), p.email LIMIT 10"
        ),
        {"id": member_id, "said": said},
    ).all()
    exact = [row for row in rows if row.email == said.lower()]
    return [(row.id, row.name, row.email) for row in exact or rows]
