"""Sequences as organization files write them: find, make, change; give one another owner or sender."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from db.audit import audit
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.events import events
from domain.events import EventKind


def find_sequence(tx: Transaction, organization_id: UUID, name: str) -> Any:
    """The sequence of that name, or None. The caller holds its lane, so that no gate passes while it is being edited."""
    return tx.execute(
        text(
            "SELECT * FROM sequences WHERE organization_id = :organization_id AND lower(name) = lower(:name)"
        ),
        {"organization_id": organization_id, "name": name},
    ).one_or_none()


def make_sequence(tx: Transaction, values: Mapping[str, Any]) -> UUID:
    """A new sequence without steps."""
    sequence_id = new_id()
    tx.execute(
        text(
            "INSERT INTO sequences (id, organization_id, owner_id, mailbox_id, uses_sender_address, name, status, sending, fields) VALUES"
            " (:id, :organization_id, :owner_id, :mailbox_id, :uses_sender_address, :name, :status, CAST(:sending AS jsonb), :fields)"
        ),
        {
            **values,
            "id": sequence_id,
            "sending": None if values["sending"] is None else dump_json(values["sending"]),
        },
    )
    return sequence_id


def change_sequence(
    tx: Transaction, sequence_id: UUID, *, sending: Mapping[str, Any] | None, fields: Sequence[str]
) -> bool:
    """Change what an import may change of a running sequence; False: nothing to change."""
    return (
        tx.execute(
            text(
                "UPDATE sequences SET sending = CAST(:sending AS jsonb), fields = :fields, version = version + 1 WHERE id = :id"
                " AND (sending, fields) IS DISTINCT FROM (CAST(:sending AS jsonb), CAST(:fields AS text[])) RETURNING id"
            ),
            {
                "id": sequence_id,
                "sending": None if sending is None else dump_json(dict(sending)),
                "fields": list(fields),
            },
        ).one_or_none()
        is not None
    )


def move_to(tx: Transaction, sequence_id: UUID, mailbox_id: UUID) -> None:
    """Let a sequence send from another mailbox. The caller holds both lanes.

    What may have been submitted stays with the mailbox that it was submitted from.
    """
    former = tx.execute(
        text("SELECT mailbox_id FROM sequences WHERE id = :id"), {"id": sequence_id}
    ).scalar_one()
    values = {"new": mailbox_id, "id": sequence_id}
    tx.execute(text("UPDATE sequences SET mailbox_id = :new, version = version + 1 WHERE id = :id"), values)
    tx.execute(
        text(
            "UPDATE deliveries SET mailbox_id = :new, draft_id = NULL WHERE sequence_id = :id AND send_started_at IS NULL"
            " AND state IN ('pending', 'queued', 'preparing', 'drafted')"
        ),
        values,
    )
    tx.execute(
        text(
            "UPDATE lanes SET next_due_at = (SELECT min(d.due_at) FROM deliveries d WHERE d.mailbox_id = lanes.mailbox_id"
            " AND d.state = 'pending' AND NOT d.held) WHERE mailbox_id IN (:former, :new)"
        ),
        {"former": former, "new": mailbox_id},
    )


def why_not(tx: Transaction, sequence_id: UUID, owner_id: UUID, mailbox_id: UUID) -> str | None:
    """Why this owner may not send the sequence from this mailbox, as the gate would see it; None: they may."""
    row = tx.execute(
        text(
            "SELECT w.email AS owner, w.active AS owner_active, b.address, b.owner_id AS mailbox_owner_id, h.email AS mailbox_owner,"
            " h.active IS NOT false AS mailbox_owner_active, EXISTS (SELECT FROM grants g WHERE g.mailbox_id = b.id AND g.archived_at IS NULL"
            "   AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp()) AND (g.grantee_id = w.id OR g.grantee_id IS NULL)"
            "   AND (g.sequence_ids IS NULL OR :sequence = ANY(g.sequence_ids))) AS granted"
            " FROM members w, mailboxes b LEFT JOIN members h ON h.id = b.owner_id WHERE w.id = :owner AND b.id = :mailbox"
        ),
        {"sequence": sequence_id, "owner": owner_id, "mailbox": mailbox_id},
    ).one()
    if not row.owner_active:
        return f"{row.owner} is deactivated"
    if not row.mailbox_owner_active:
        return f"{row.mailbox_owner}, whose mailbox {row.address} is, is deactivated"
    if row.mailbox_owner_id in (None, owner_id) or row.granted:
        return None
    return f"{row.owner} has no permission to send from {row.address}; only {row.mailbox_owner} can give it"


def hand_over(
    tx: Transaction,
    sequence_id: UUID,
    *,
    owner_id: UUID,
    mailbox_id: UUID,
    uses_sender_address: bool,
    actor: str,
) -> None:
    """Give a sequence that does not run another owner or sender. The caller holds the lanes and has asked ``why_not``.

    The next email to each person begins a thread of its own if it leaves from another mailbox (``db/sending/claims.py``).
    """
    before: Row[tuple[Any, ...]] = tx.execute(
        text("SELECT * FROM sequences WHERE id = :id"), {"id": sequence_id}
    ).one()
    if before.mailbox_id != mailbox_id:
        move_to(tx, sequence_id, mailbox_id)
    version: int = tx.execute(
        text(
            "UPDATE sequences SET owner_id = :owner, uses_sender_address = :uses_sender_address, version = version + 1 WHERE id = :id RETURNING version"
        ),
        {"owner": owner_id, "uses_sender_address": uses_sender_address, "id": sequence_id},
    ).scalar_one()
    data = {
        "owner_id": str(owner_id),
        "mailbox_id": str(mailbox_id),
        "former_owner_id": str(before.owner_id),
        "former_mailbox_id": str(before.mailbox_id),
    }
    audit.write(tx, before.organization_id, actor, "sequence_handed_over", f"sequence:{sequence_id}", data)
    names = tx.execute(
        text("SELECT b.address, w.email FROM mailboxes b, members w WHERE b.id = :mailbox AND w.id = :owner"),
        {"mailbox": mailbox_id, "owner": owner_id},
    ).one()
    notified = tx.execute(
        text("SELECT id FROM members WHERE id = ANY(:ids) AND active ORDER BY id"),
        {"ids": [owner_id, before.owner_id]},
    ).scalars()
    for member in notified.all():  # whoever has left hears nothing
        events.record(
            tx,
            before.organization_id,
            EventKind.SEQUENCE_HANDED_OVER,
            f"sequence_handed_over:{sequence_id}:{version}:{member}",
            actor,
            {
                "mailbox": names.address,
                "person": names.email,
                "sequence": before.name,
                "actor": actor,
                "recipient": str(member),
            },
        )
