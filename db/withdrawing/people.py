"""V1 for people's decisions on sequences and candidates (pause, archive, stop, unsubscribe), and reactivating a member."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.sending.moves import Move
from db.withdrawing import suppressions
from db.withdrawing.withdrawals import Scope, close_lanes
from domain.delivery import State
from domain.errors import NotFound, NotPermitted
from domain.event_payloads import SequencePaused
from domain.events import EventKind

# Why a person's enrollments end -> why the address is on the suppression list.
_SUPPRESSES = {"unsubscribed": "opt_out", "stopped": "by_hand", "bounced": "bounced", "erased": "erased"}
_CANCEL = Move(State.CLOSED, State.PENDING, State.QUEUED)


class _Sequence(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID
    status: str
    paused_cause: str | None
    address: str


class _Enrollment(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID


class _Candidate(NamedTuple):
    organization_id: UUID
    email: str


class _Member(NamedTuple):
    organization_id: UUID
    active: bool


_SQL = SqlFile(__name__)
_SEQUENCE = Statement(
    "SELECT s.*, b.address FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id WHERE s.id = :id",
    _Sequence,
)
_PAUSE, _ARCHIVE = _SQL.statement("pause", UUID), _SQL.statement("archive", UUID)
_ENROLLMENT = Statement(
    "SELECT e.organization_id, s.mailbox_id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id"
    " WHERE e.id = :id",
    _Enrollment,
)
_LOCK_ENROLLMENT = Statement("SELECT status FROM enrollments WHERE id = :id FOR UPDATE", str)
_END_ENROLLMENT = _SQL.statement("end_enrollment")
_HOLD = Statement(
    "UPDATE deliveries SET held = true, reason = 'enrollment_paused' WHERE enrollment_id = :id AND state = 'pending'"
)
_CANDIDATE = Statement("SELECT organization_id, email FROM candidates WHERE id = :id", _Candidate)
_MAILBOXES = Statement(
    "SELECT DISTINCT s.mailbox_id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id"
    " WHERE e.candidate_id = :id",
    UUID,
)
_OPEN, _SEQUENCES_OF = _SQL.statement("open_of", UUID), _SQL.statement("sequences_of", UUID)
_ADDRESSES = Statement(
    "SELECT email FROM candidates WHERE id = :id UNION SELECT d.sent_to FROM enrollments e"
    " JOIN deliveries d ON d.enrollment_id = e.id WHERE e.candidate_id = :id AND d.sent_to IS NOT NULL ORDER BY 1",
    str,
)
_SUPPRESS, _STOP = _SQL.statement("suppress"), _SQL.statement("stop", UUID)
_HOLD_PERSON = _SQL.statement("hold_person")
_CANCEL_OF_SEQUENCE, _CANCEL_OF_ENROLLMENT = (
    Statement(_SQL.fragment("cancel", closed=_CANCEL.set, column=column, waiting=_CANCEL.where()))
    for column in ("sequence_id", "enrollment_id")
)
_LOCK_MEMBER = Statement("SELECT organization_id, active FROM members WHERE id = :id FOR UPDATE", _Member)
_REACTIVATE = Statement(
    "UPDATE members SET active = true, deactivated_at = NULL, activity_version = activity_version + 1,"
    " deprovisioned_at = NULL WHERE id = :id"
)


def pause_sequence(tx: Transaction, sequence_id: UUID, *, actor: str, reason: str) -> Scope:
    """Pause a sequence on a person's request. Raises ``NotFound``, ``NotPermitted`` (a draft or archived sequence)."""
    sequence = _sequence(tx, sequence_id)
    now = close_lanes(tx, [sequence.mailbox_id])
    cause = f"person:{new_id()}"
    paused = _PAUSE.one_or_none(tx, id=sequence_id, cause=cause, reason=EventKind.SEQUENCE_PAUSED.value)
    if paused is None:
        present = _sequence(tx, sequence_id)
        if present.status == "paused":
            return Scope(
                sequence.organization_id, now, sequence_id=sequence_id, cause=present.paused_cause or ""
            )
        raise NotPermitted(f"This sequence is {present.status}. Only a running sequence can be paused.")
    payload = SequencePaused(sequence_id=sequence_id, mailbox=sequence.address, actor=actor, reason=reason)
    events.record(tx, sequence.organization_id, payload, cause, actor)
    return Scope(sequence.organization_id, now, sequence_id=sequence_id, cause=cause)


def archive_sequence(tx: Transaction, sequence_id: UUID, *, actor: str, reason: str) -> Scope:
    """Archive a sequence permanently and cancel its open deliveries. Raises ``NotFound``."""
    sequence = _sequence(tx, sequence_id)
    now = close_lanes(tx, [sequence.mailbox_id])
    archived = _ARCHIVE.one_or_none(tx, id=sequence_id)
    if archived is not None:
        _CANCEL_OF_SEQUENCE.run(tx, value=sequence_id, reason="sequence_archived")
        data = {"reason": reason}
        audit.write(
            tx,
            sequence.organization_id,
            actor,
            "sequence_archived",
            f"sequence:{sequence_id}",
            data,
        )
    return Scope(
        sequence.organization_id, now, sequence_id=sequence_id, cause="archived", cancels="sequence_archived"
    )


def end_enrollment(tx: Transaction, enrollment_id: UUID, status: str, *, actor: str, reason: str) -> Scope:
    """End or pause an enrollment. ``status``: paused (can be resumed), stopped or archived.

    Raises ``NotFound``, ``NotPermitted``.
    """
    row = _ENROLLMENT.one_or_none(tx, id=enrollment_id)
    if row is None:
        raise NotFound("There is no such enrollment.")
    now = close_lanes(tx, [row.mailbox_id])
    before = _LOCK_ENROLLMENT.one(tx, id=enrollment_id)
    if status == "paused" and before not in ("active", "paused"):
        raise NotPermitted(f"This person is {before} in the sequence. Only an active person can be paused.")
    end_locked(tx, row.organization_id, enrollment_id, before, status, actor=actor, reason=reason)
    return Scope(row.organization_id, now, enrollment_id=enrollment_id, cancels=f"enrollment_{status}")


def end_locked(
    tx: Transaction,
    organization_id: UUID,
    enrollment_id: UUID,
    before: str,
    status: str,
    *,
    actor: str,
    reason: str,
) -> None:
    """End or pause an enrollment that the caller has locked, with its lane; one that has reached an end is left as it is."""
    if before == "active" or (before == "paused" and status != "paused"):
        _END_ENROLLMENT.run(tx, id=enrollment_id, status=status, reason=reason)
        if status == "paused":
            _HOLD.run(tx, id=enrollment_id)
        else:
            _CANCEL_OF_ENROLLMENT.run(tx, value=enrollment_id, reason=f"enrollment_{status}")
        data = {"reason": reason}
        audit.write(
            tx,
            organization_id,
            actor,
            f"enrollment_{status}",
            f"enrollment:{enrollment_id}",
            data,
        )


def stop_person(
    tx: Transaction, candidate_id: UUID, *, only_of: UUID | None, actor: str, reason: str
) -> Scope:
    """Stop a person's open enrollments. ``only_of``: in this member's sequences. Raises ``NotFound``."""
    row = _CANDIDATE.one_or_none(tx, id=candidate_id)
    if row is None:
        raise NotFound("There is no such person.")
    now = close_lanes(tx, sorted(_MAILBOXES.all(tx, id=candidate_id)))
    sequences = _SEQUENCES_OF.all(tx, id=candidate_id, only_of=only_of)
    for each in _OPEN.all(tx, id=candidate_id, only_of=only_of):
        _END_ENROLLMENT.run(tx, id=each, status="stopped", reason=reason)
        _CANCEL_OF_ENROLLMENT.run(tx, value=each, reason="enrollment_stopped")
        data = {"reason": reason}
        audit.write(tx, row.organization_id, actor, "enrollment_stopped", f"enrollment:{each}", data)
    return Scope(
        row.organization_id,
        now,
        candidate_ids=[candidate_id],
        only_sequences=None if only_of is None else sequences,
        cause=f"stopped:{new_id()}",
        cancels="enrollment_stopped",
    )


def suppress(tx: Transaction, candidate_id: UUID, *, actor: str, reason: str, because: str = "") -> Scope:
    """Suppress a person: nobody in the organization emails them again, and all their enrollments stop. ``because``: how somebody
    knows, in words. Raises ``NotFound``.
    """
    row = _CANDIDATE.one_or_none(tx, id=candidate_id)
    if row is None:
        raise NotFound("There is no such candidate.")
    mailbox_ids = _MAILBOXES.all(tx, id=candidate_id)
    now = close_lanes(tx, sorted(mailbox_ids))
    suppressed = put_all_on_list(
        tx, row.organization_id, candidate_id, _SUPPRESSES[reason], actor=actor, source=because
    )
    stopped = end_person(tx, candidate_id, None, reason)
    if suppressed:
        data: dict[str, object] = {"reason": reason, "enrollments": len(stopped)}
        if because:
            data["because"] = because
        audit.write(
            tx,
            row.organization_id,
            actor,
            "candidate_suppressed",
            f"candidate:{candidate_id}",
            data,
        )
    entry = suppressions.active_id(tx, row.organization_id, row.email)
    return Scope(
        row.organization_id, now, candidate_ids=[candidate_id], cause=f"suppressed:{entry}", cancels=reason
    )


def addresses_of(tx: Transaction, candidate_id: UUID) -> Sequence[str]:
    """Return the address of a person, and those that they had before it was corrected."""
    return _ADDRESSES.all(tx, id=candidate_id)


def put_on_list(
    tx: Transaction,
    organization_id: UUID,
    address: str,
    reason: str,
    *,
    candidate_id: UUID,
    actor: str,
    source: str = "",
) -> bool:
    """Add an address to the suppression list. Returns False if it is there. ``reason``: one of the list's."""
    added = _SUPPRESS.run(
        tx,
        id=new_id(),
        organization_id=organization_id,
        address=address,
        reason=reason,
        source=source,
        candidate_id=candidate_id,
        actor=actor,
    )
    return added == 1


def put_all_on_list(
    tx: Transaction, organization_id: UUID, candidate_id: UUID, reason: str, *, actor: str, source: str = ""
) -> bool:
    """Add every address of a person to the suppression list. Returns False if all are there."""
    added = [
        put_on_list(tx, organization_id, each, reason, candidate_id=candidate_id, actor=actor, source=source)
        for each in addresses_of(tx, candidate_id)
    ]
    return any(added)


def end_person(
    tx: Transaction, candidate_id: UUID, enrollment_id: UUID | None, reason: str
) -> Sequence[UUID]:
    """Stop a person's open enrollments, or one of them, and cancel what waits; returns those it stopped.

    The caller holds the lanes: emails that workers hold are refused at the gate.
    """
    stopped = _STOP.all(tx, id=candidate_id, only=enrollment_id, reason=reason)
    for each in stopped:
        _CANCEL_OF_ENROLLMENT.run(tx, value=each, reason=reason)
    return stopped


def hold_person(tx: Transaction, candidate_id: UUID, reason: str) -> None:
    """Pause a person's active enrollments until somebody decides. The caller holds the lanes."""
    _HOLD_PERSON.run(tx, id=candidate_id, reason=reason)


def _sequence(tx: Transaction, sequence_id: UUID) -> _Sequence:
    row = _SEQUENCE.one_or_none(tx, id=sequence_id)
    if row is None:
        raise NotFound("There is no such sequence.")
    return row


def reactivate_member(tx: Transaction, member_id: UUID, *, actor: str) -> None:
    """Reactivate a member. What their departure archived or disconnected stays that way. Raises ``NotFound``."""
    row = _LOCK_MEMBER.one_or_none(tx, id=member_id)
    if row is None:
        raise NotFound("There is no such member.")
    if not row.active:
        _REACTIVATE.run(tx, id=member_id)
        audit.write(
            tx,
            row.organization_id,
            actor,
            "member_reactivated",
            f"member:{member_id}",
            {},
        )
