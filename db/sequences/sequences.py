"""Sequences as organization files define them: find, create, change, and hand over to another owner or sender."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from db.access.authority import permitted
from db.audit import audit
from db.core.ids import new_id
from db.core.jsonb import Json, dump_json
from db.core.session import Transaction, database_now
from db.core.statements import SqlFile, Statement
from db.events import events, handed_incidents
from db.sequences import handover_requests
from domain.event_payloads import SequenceHandedOver
from domain.handover import HandedOver

BY_FILE = "by_file"  # in ``handed_over``: not by a person


class KnownSequence(NamedTuple):
    """A sequence as its organization's file may change it."""

    id: UUID
    organization_id: UUID
    name: str
    owner_id: UUID
    mailbox_id: UUID
    uses_sender_address: bool
    status: str
    set_back_by: str | None
    handed_over: Json | None
    sending: Json | None

    @property
    def handed_over_by(self) -> str | None:
        """Return who handed it over last, if that was a person."""
        if self.handed_over is None or BY_FILE in self.handed_over:
            return None
        return str(self.handed_over["by"])


class _Facts(NamedTuple):
    owner: str
    owner_active: bool
    address: str
    mailbox_owner: str | None
    mailbox_owner_active: bool
    permitted: bool


class _Names(NamedTuple):
    address: str
    email: str
    name: str


_SQL = SqlFile(__name__)
_FIND = Statement(
    "SELECT * FROM sequences WHERE organization_id = :organization_id AND lower(name) = lower(:name)",
    KnownSequence,
)
_MAKE = _SQL.statement("make")
_CHANGE = _SQL.statement("change", UUID)
_MAILBOX = Statement("SELECT mailbox_id FROM sequences WHERE id = :id", UUID)
_MOVE = Statement("UPDATE sequences SET mailbox_id = :new, version = version + 1 WHERE id = :id")
_MOVE_EMAILS = Statement(
    "UPDATE deliveries SET mailbox_id = :new, draft_id = NULL WHERE sequence_id = :id AND send_started_at IS NULL"
    " AND state IN ('pending', 'queued', 'preparing', 'drafted')"
)
_WAKE = Statement(
    "UPDATE lanes SET next_due_at = (SELECT min(d.due_at) FROM deliveries d WHERE d.mailbox_id = lanes.mailbox_id"
    " AND d.state = 'pending' AND NOT d.held) WHERE mailbox_id IN (:former, :new)"
)
_WHY_NOT = _SQL.statement("why_not", _Facts, permitted=permitted("w.id", "CAST(:sequence AS uuid)"))
_BEFORE = Statement("SELECT * FROM sequences WHERE id = :id", KnownSequence)
_HAND_OVER = Statement(
    "UPDATE sequences SET owner_id = :owner, uses_sender_address = :uses_sender_address,"
    " handed_over = CAST(:handed_over AS jsonb), version = version + 1 WHERE id = :id RETURNING version",
    int,
)
_NAMES = Statement(
    "SELECT b.address, w.email, w.name FROM mailboxes b, members w WHERE b.id = :mailbox AND w.id = :owner",
    _Names,
)
_ACTIVE = Statement("SELECT id FROM members WHERE id = ANY(:ids) AND active ORDER BY id", UUID)


def find_sequence(tx: Transaction, organization_id: UUID, name: str) -> KnownSequence | None:
    """Return the sequence with that name, or None. The caller holds its lane, so nothing passes the gate during an edit."""
    return _FIND.one_or_none(tx, organization_id=organization_id, name=name)


def known_sequence(tx: Transaction, sequence_id: UUID) -> KnownSequence:
    """Return the sequence. The caller holds its lane."""
    return _BEFORE.one(tx, id=sequence_id)


def make_sequence(tx: Transaction, values: Mapping[str, Any]) -> UUID:
    """Create a sequence without steps."""
    sequence_id = new_id()
    sending = None if values["sending"] is None else dump_json(values["sending"])
    _MAKE.run(tx, **{"with_signature": True, **values, "id": sequence_id, "sending": sending})
    return sequence_id


def change_sequence(
    tx: Transaction,
    sequence_id: UUID,
    *,
    sending: Mapping[str, Any] | None,
    keep_sending: bool,
    fields: Sequence[str] | None,
    with_signature: bool | None = None,
) -> bool:
    """Change what an import may change in a running sequence. Returns False if nothing changes.

    ``sending`` None: the organization's hours, unless ``keep_sending``. ``fields``, ``with_signature`` None: as they are.
    """
    return (
        _CHANGE.one_or_none(
            tx,
            id=sequence_id,
            sending=None if sending is None else dump_json(dict(sending)),
            keep_sending=keep_sending,
            fields=None if fields is None else list(fields),
            with_signature=with_signature,
        )
        is not None
    )


def move_to(tx: Transaction, sequence_id: UUID, mailbox_id: UUID) -> None:
    """Let a sequence send from another mailbox. The caller holds both lanes.

    An email that may have been submitted stays with its mailbox.
    """
    former = _MAILBOX.one(tx, id=sequence_id)
    values = {"new": mailbox_id, "id": sequence_id}
    _MOVE.run(tx, **values)
    _MOVE_EMAILS.run(tx, **values)
    _WAKE.run(tx, former=former, new=mailbox_id)


def why_not(tx: Transaction, sequence_id: UUID, owner_id: UUID, mailbox_id: UUID) -> str | None:
    """Return why this owner may not send the sequence from this mailbox, as the gate would decide once it is connected; None if they may."""
    row = _WHY_NOT.one(tx, sequence=sequence_id, owner=owner_id, mailbox=mailbox_id)
    if not row.owner_active:
        return f"{row.owner} is deactivated"
    if not row.mailbox_owner_active:
        return f"{row.mailbox_owner}, who owns {row.address}, is deactivated"
    if row.permitted:
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
    quietly: bool = False,
    introduction: str = "",
    by_file: bool = False,
) -> None:
    """Give a sequence that is not running another owner or sender. The caller holds the lanes and has checked ``why_not``.

    ``quietly``: notify nobody. ``by_file``: a file may hand it over again. If the sender changes, the next email to each person
    starts a new thread (``db/sending/claims.py``), and says ``introduction`` first. What was asked of others is over.
    """
    before = known_sequence(tx, sequence_id)
    if before.mailbox_id != mailbox_id:
        move_to(tx, sequence_id, mailbox_id)
    elif before.handed_over is not None:  # it is still true for whoever had no email since
        introduction = introduction or before.handed_over["introduction"]
    former = _NAMES.one(tx, mailbox=before.mailbox_id, owner=before.owner_id)
    names = _NAMES.one(tx, mailbox=mailbox_id, owner=owner_id)
    earlier = None if before.handed_over is None else HandedOver.from_json(before.handed_over)
    handed_over = HandedOver(
        new_id(),
        database_now(tx),
        str(actor),
        former.email if earlier is None or owner_id != before.owner_id else earlier.former_owner,
        former.address if earlier is None or mailbox_id != before.mailbox_id else earlier.former_sender,
        names.email,
        names.address,
        introduction,
    )
    version = _HAND_OVER.one(
        tx,
        owner=owner_id,
        uses_sender_address=uses_sender_address,
        handed_over=dump_json(handed_over.to_json() | ({BY_FILE: "yes"} if by_file else {})),
        id=sequence_id,
    )
    handover_requests.cancel_open(tx, sequence_id, by=actor)
    data = {
        "hand_over": str(handed_over.id),
        "owner_id": str(owner_id),
        "mailbox_id": str(mailbox_id),
        "former_owner_id": str(before.owner_id),
        "former_mailbox_id": str(before.mailbox_id),
    }
    audit.write(tx, before.organization_id, actor, "sequence_handed_over", f"sequence:{sequence_id}", data)
    if owner_id != before.owner_id:
        handed_incidents.hand_on(
            tx,
            sequence_id,
            former_id=before.owner_id,
            former_mailbox_id=before.mailbox_id,
            name=before.name,
            owner=names.name,
        )
    if quietly:
        return
    for member in _ACTIVE.all(tx, ids=[owner_id, before.owner_id]):  # former members are not notified
        events.record(
            tx,
            before.organization_id,
            SequenceHandedOver(
                mailbox=names.address,
                person=names.email,
                sequence=before.name,
                actor=actor,
                recipient=member,
            ),
            f"sequence_handed_over:{sequence_id}:{version}:{member}",
            actor,
        )
