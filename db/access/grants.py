"""Giving a permission to send."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction, database_now
from db.events import events
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.events import EventKind
from domain.grant import UNBOUNDED, Bounds, Hand, Person, check_bounds, check_grant

ENDS_SOON = timedelta(hours=48)  # a permission that ends within this time can be replaced by one with more


def give(
    tx: Transaction,
    *,
    mailbox_id: UUID,
    mailbox_owner_id: UUID,
    grantee_id: UUID | None,
    actor: str,
    bounds: Bounds = UNBOUNDED,
    by: Hand = "member",
) -> UUID:
    """Give ``grantee_id`` (None = everyone) permission; the one that stands already if it is the same.

    ``by``: whose hand it was. Where it was not the owner's own, the owner is asked to confirm (a file asks once for all it
    gives: ``ask_to_confirm``). Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    check_bounds(bounds, database_now(tx))
    mailbox = tx.execute(
        text("SELECT organization_id, owner_id, address FROM mailboxes WHERE id = :id"),
        {"id": mailbox_id},
    ).one_or_none()
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    grantee = None if grantee_id is None else _person(tx, grantee_id)
    check_grant(
        mailbox_owner=_person(tx, mailbox.owner_id),
        giver=_person(tx, mailbox_owner_id),
        grantee=grantee,
    )
    tx.execute(
        text("SELECT 1 FROM lanes WHERE mailbox_id = :id FOR UPDATE"),
        {"id": mailbox_id},
    )
    standing = tx.execute(
        text(
            "SELECT id, expires_at, sequence_ids, daily_limit FROM grants WHERE mailbox_id = :mailbox_id"
            " AND archived_at IS NULL AND grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)"
        ),
        {"mailbox_id": mailbox_id, "grantee_id": grantee_id},
    ).one_or_none()
    replaced: UUID | None = None
    if standing is not None:
        named = None if standing.sequence_ids is None else frozenset(standing.sequence_ids)
        if bounds == Bounds(standing.expires_at, named, standing.daily_limit):
            found: UUID = standing.id
            return found
        if _gives_more_time(standing.expires_at, named, bounds, database_now(tx)):
            # The new one takes its place in one transaction, and nothing that runs on it pauses.
            tx.execute(
                text(
                    "UPDATE grants SET archived_at = clock_timestamp(), archived_reason = 'replaced' WHERE id = :id"
                ),
                {"id": standing.id},
            )
            audit.write(tx, mailbox.organization_id, actor, "grant_replaced", f"grant:{standing.id}", {})
            replaced = standing.id
            standing = None
    if standing is not None:
        who = "everyone" if grantee is None else grantee.email
        raise NotPermitted(
            f"A permission for {who} stands already, within other bounds. End it first, then give the new one."
        )
    _check_sequences(tx, mailbox_id, grantee_id, bounds)
    grant_id = new_id()
    tx.execute(
        text(
            "INSERT INTO grants (id, organization_id, mailbox_id, mailbox_owner_id, grantee_id, expires_at, sequence_ids, daily_limit,"
            "   given_by_kind, given_by)"
            " VALUES (:id, :organization_id, :mailbox_id, :mailbox_owner_id, :grantee_id, :expires_at, :sequence_ids, :daily_limit,"
            "   :by, :actor)"
        ),
        {
            "id": grant_id,
            "organization_id": mailbox.organization_id,
            "mailbox_id": mailbox_id,
            "mailbox_owner_id": mailbox_owner_id,
            "grantee_id": grantee_id,
            "expires_at": bounds.expires_at,
            "sequence_ids": None if bounds.sequence_ids is None else sorted(bounds.sequence_ids),
            "daily_limit": bounds.daily_limit,
            "by": by,
            "actor": actor,
        },
    )
    if replaced is not None:  # what was sent today counts on
        tx.execute(
            text(
                "UPDATE grants g SET used_on = old.used_on, used_today = old.used_today FROM grants old"
                " WHERE g.id = :id AND old.id = :old"
            ),
            {"id": grant_id, "old": replaced},
        )
    data = {
        "mailbox_id": str(mailbox_id),
        "grantee_id": "everyone" if grantee_id is None else str(grantee_id),
        "until": "" if bounds.expires_at is None else bounds.expires_at.isoformat(),
        "sequences": "all"
        if bounds.sequence_ids is None
        else " ".join(sorted(map(str, bounds.sequence_ids))),
        "a_day": bounds.daily_limit,
        "by": by,
    }
    audit.write(tx, mailbox.organization_id, actor, "grant_given", f"grant:{grant_id}", data)
    payload = {
        "mailbox": mailbox.address,
        "mailbox_id": str(mailbox_id),
        "actor": actor,
        "grant_id": str(grant_id),
    }
    if grantee_id is not None:
        payload |= {"grantee_id": str(grantee_id), "recipient": str(grantee_id)}
    events.record(
        tx,
        mailbox.organization_id,
        EventKind.GRANT_GIVEN,
        f"grant_given:{grant_id}",
        actor,
        payload,
    )
    if by == "operator":
        ask_to_confirm(tx, mailbox_id, [grant_id], actor=actor)
    return grant_id


def _gives_more_time(
    ends_at: datetime | None, named: frozenset[UUID] | None, bounds: Bounds, now: datetime
) -> bool:
    """Does it reach further than one that ends soon, for the same sequences at least?"""
    if ends_at is None or ends_at >= now + ENDS_SOON:
        return False
    later = bounds.expires_at is None or bounds.expires_at > ends_at
    return later and (bounds.sequence_ids is None or (named is not None and named <= bounds.sequence_ids))


def ask_to_confirm(tx: Transaction, mailbox_id: UUID, grant_ids: Sequence[UUID], *, actor: str) -> None:
    """Tell the mailbox's owner, once for all of them, that these were given in their name, and ask whether that is right."""
    mailbox = tx.execute(
        text("SELECT organization_id, owner_id, address FROM mailboxes WHERE id = :id"), {"id": mailbox_id}
    ).one()
    people = tx.execute(
        text(
            "SELECT coalesce(m.email, 'everyone') AS who FROM grants g LEFT JOIN members m ON m.id = g.grantee_id"
            " WHERE g.id = ANY(:ids) ORDER BY 1"
        ),
        {"ids": list(grant_ids)},
    ).scalars()
    payload = {
        "mailbox": mailbox.address,
        "mailbox_id": str(mailbox_id),
        "person": ", ".join(people),
        "actor": actor,
        "recipient": str(mailbox.owner_id),
    }
    cause = f"grant_to_confirm:{min(grant_ids)}"
    events.record(tx, mailbox.organization_id, EventKind.GRANT_TO_CONFIRM, cause, actor, payload)


def confirm(tx: Transaction, grant_id: UUID, *, mailbox_owner_id: UUID, actor: str) -> None:
    """The mailbox's owner says that a permission given in their name is right. Twice is once. Raises ``NotFound``."""
    grant = tx.execute(
        text(
            "SELECT organization_id, confirmed_at, given_by_kind FROM grants WHERE id = :id AND mailbox_owner_id = :mailbox_owner_id"
            " AND archived_at IS NULL FOR UPDATE"
        ),
        {"id": grant_id, "mailbox_owner_id": mailbox_owner_id},
    ).one_or_none()
    if grant is None:
        raise NotFound("There is no such permission of yours any more.")
    if grant.confirmed_at is not None or grant.given_by_kind == "member":
        return
    tx.execute(text("UPDATE grants SET confirmed_at = clock_timestamp() WHERE id = :id"), {"id": grant_id})
    audit.write(tx, grant.organization_id, actor, "grant_confirmed", f"grant:{grant_id}", {})


@dataclass(frozen=True, slots=True)
class EndedGrant:
    """A permission that stands no more. ``grantee_id`` None = it was everyone's."""

    grantee_id: UUID | None
    ended_at: datetime
    reason: str


def ended_for(tx: Transaction, mailbox_id: UUID, grantee_id: UUID | None) -> EndedGrant | None:
    """The last permission on this mailbox, for this person (None = everyone), that has ended: nobody but its owner gives it again.

    One for everyone included each person, and each person's is part of one for everyone; a grantee's leaving says nothing
    about others.
    """
    row = tx.execute(
        text(
            "SELECT grantee_id, archived_at, archived_reason FROM grants WHERE mailbox_id = :mailbox_id AND archived_at IS NOT NULL"
            " AND (grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)"
            "   OR (archived_reason <> 'member_deactivated' AND (grantee_id IS NULL OR CAST(:grantee_id AS uuid) IS NULL)))"
            " ORDER BY archived_at DESC LIMIT 1"
        ),
        {"mailbox_id": mailbox_id, "grantee_id": grantee_id},
    ).one_or_none()
    return None if row is None else EndedGrant(row.grantee_id, row.archived_at, row.archived_reason)


def _check_sequences(tx: Transaction, mailbox_id: UUID, grantee_id: UUID | None, bounds: Bounds) -> None:
    if bounds.sequence_ids is None:
        return
    fitting = tx.execute(
        text(
            "SELECT count(*) FROM sequences WHERE id = ANY(:ids) AND mailbox_id = :mailbox_id AND status <> 'archived'"
            " AND (CAST(:grantee_id AS uuid) IS NULL OR owner_id = :grantee_id)"
        ),
        {"ids": list(bounds.sequence_ids), "mailbox_id": mailbox_id, "grantee_id": grantee_id},
    ).scalar_one()
    if fitting != len(bounds.sequence_ids):
        raise InvalidInput(
            "One of these is no sequence that this permission could be for.",
            where="sequences",
            fix="Name sequences of theirs that send from this mailbox.",
        )


def _person(tx: Transaction, member_id: UUID) -> Person:
    row = tx.execute(
        text("SELECT id, organization_id, email, active FROM members WHERE id = :id"),
        {"id": member_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such member.")
    return Person(row.id, row.organization_id, row.email, row.active)
