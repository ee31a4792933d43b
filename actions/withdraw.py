"""Every withdrawal: close the gate (V1), drain what had passed it (V2), answer (V3), within 45 s.

Once V1 commits, no email in the scope can pass the gate. The drain (``actions/draining.py``) waits for the few that had passed
before. The answer names what is still in doubt; we keep
searching for it and never send it again in this scope.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog

from actions import draining
from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.sequences import draft_sequences
from db.withdrawing import (
    disabled,
    drain,
    impact,
    last_tokens,
    losing,
    people,
    several,
    withdrawal_results,
    withdrawals,
)
from db.withdrawing.withdrawals import Scope
from domain.errors import InvalidInput
from domain.withdrawal import RETURNS_WITHIN, Action, WithdrawalResult

log = structlog.get_logger()

_IN_DOUBT = ("sending", "in_doubt", "review")  # states of emails past the gate that may have left
_MAX_WORDS = 200  # characters
_MARGIN = 5.0  # seconds reserved for the answer itself


def revoke_grant(runtime: Runtime, grant_id: UUID, *, actor: str) -> WithdrawalResult:
    """End a grant. Raises ``NotFound``."""
    return carry_out(
        runtime,
        actor,
        Action.END_GRANT,
        grant_id,
        lambda tx: [withdrawals.revoke_grant(tx, grant_id, actor=actor)],
    )


def disconnect_mailbox(runtime: Runtime, mailbox_id: UUID, *, actor: str) -> WithdrawalResult:
    """Remove a mailbox's connection and erase its tokens. Raises ``NotFound``."""
    return carry_out(
        runtime,
        actor,
        Action.REMOVE_MAILBOX,
        mailbox_id,
        lambda tx: [withdrawals.disconnect_mailbox(tx, mailbox_id, actor=actor)],
    )


def disconnect_tenant(runtime: Runtime, organization_id: UUID, *, actor: str) -> WithdrawalResult:
    """Remove the organization's tenant-wide Microsoft connection, with all mailboxes that use it. Raises ``NotFound``."""
    return carry_out(
        runtime,
        actor,
        Action.DISCONNECT_TENANT,
        organization_id,
        lambda tx: [losing.disconnect_tenant(tx, organization_id, actor=actor)],
    )


def disable_mailbox(runtime: Runtime, mailbox_id: UUID, *, actor: str) -> WithdrawalResult:
    """Disable a connection and keep it; company sequences continue through the default mail service.

    Raises ``NotFound``, ``NotPermitted``.
    """
    return carry_out(
        runtime,
        actor,
        Action.DISABLE_MAILBOX,
        mailbox_id,
        lambda tx: [disabled.disable_mailbox(tx, mailbox_id, actor=actor)],
    )


def deactivate_member(runtime: Runtime, member_id: UUID, *, actor: str) -> WithdrawalResult:
    """Deactivate a member. Raises ``NotFound``."""
    return carry_out(
        runtime,
        actor,
        Action.DEACTIVATE_MEMBER,
        member_id,
        lambda tx: withdrawals.deactivate_member(tx, member_id, actor=actor),
    )


def pause_sequence(runtime: Runtime, sequence_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """Pause a sequence. Raises ``NotFound``, ``NotPermitted``."""
    return carry_out(
        runtime,
        actor,
        Action.PAUSE_SEQUENCE,
        sequence_id,
        lambda tx: [people.pause_sequence(tx, sequence_id, actor=actor, reason=reason)],
    )


def deactivate_sequence(runtime: Runtime, sequence_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """Set a sequence back to draft. Raises ``NotFound``, ``NotPermitted``."""
    return carry_out(
        runtime,
        actor,
        Action.SET_BACK_SEQUENCE,
        sequence_id,
        lambda tx: [draft_sequences.set_back(tx, sequence_id, actor=actor, reason=reason)],
    )


def finish_withdrawal(runtime: Runtime, scopes: Sequence[Scope], *, actor: str) -> WithdrawalResult:
    """Run V2 and V3 for gates that an import has closed, all of one sequence."""
    sequence_id = scopes[0].sequence_id
    if sequence_id is None:
        raise ValueError("an import closes the gates of sequences")
    with runtime.database.transaction() as tx:
        kept = withdrawal_results.begin(tx, scopes[0], Action.CHANGE_SEQUENCE, sequence_id, actor=actor)
    subject = f"{withdrawal_results.KINDS[Action.CHANGE_SEQUENCE]}:{sequence_id}"
    return _answered(runtime, actor, subject, scopes, time.monotonic(), kept)


def archive_sequence(runtime: Runtime, sequence_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """End a sequence permanently, without deleting anything. Raises ``NotFound``."""
    return carry_out(
        runtime,
        actor,
        Action.ARCHIVE_SEQUENCE,
        sequence_id,
        lambda tx: [people.archive_sequence(tx, sequence_id, actor=actor, reason=reason)],
    )


def pause_enrollment(runtime: Runtime, enrollment_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """Pause a sequence for one person. Raises ``NotFound``, ``NotPermitted``."""
    return _end(runtime, enrollment_id, "paused", actor, reason)


def stop_enrollment(runtime: Runtime, enrollment_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """Stop a sequence for one person (a reply, a refusal). Raises ``NotFound``, ``NotPermitted``."""
    return _end(runtime, enrollment_id, "stopped", actor, reason)


def end_enrollments(
    runtime: Runtime,
    sequence_id: UUID,
    enrollment_ids: Sequence[UUID],
    status: Literal["paused", "stopped"],
    *,
    actor: str,
    reason: str,
) -> WithdrawalResult:
    """Pause or stop a sequence for several people; those who have reached an end are left as they are. Raises ``NotFound``."""
    return carry_out(
        runtime,
        actor,
        Action.CHANGE_SEQUENCE,
        sequence_id,
        lambda tx: [
            several.end_enrollments(tx, sequence_id, enrollment_ids, status, actor=actor, reason=reason)
        ],
    )


def end_sequences(
    runtime: Runtime, sequence_ids: Sequence[UUID], *, archive: bool, actor: str, reason: str
) -> WithdrawalResult:
    """Pause several sequences at once, or archive them. Raises ``NotPermitted`` if none is left to pause."""
    return carry_out(
        runtime,
        actor,
        Action.ARCHIVE_SEQUENCE if archive else Action.PAUSE_SEQUENCE,
        sequence_ids[0],
        lambda tx: several.end_sequences(tx, sequence_ids, archive=archive, actor=actor, reason=reason),
    )


def stop_person(
    runtime: Runtime, candidate_id: UUID, *, only_of: UUID | None, actor: str, reason: str
) -> WithdrawalResult:
    """Stop all sequences for one person, with what was written by hand and waits. They can be enrolled again.

    ``only_of``: only this member's sequences. Raises ``NotFound``.
    """
    return carry_out(
        runtime,
        actor,
        Action.STOP_PERSON,
        candidate_id,
        lambda tx: [people.stop_person(tx, candidate_id, only_of=only_of, actor=actor, reason=reason)],
    )


def suppress_candidate(
    runtime: Runtime, candidate_id: UUID, *, actor: str, reason: str, because: str = ""
) -> WithdrawalResult:
    """Never email this person again from the organization. ``reason``: unsubscribed or stopped. ``because``: how somebody knows, in
    words, for the list and the audit trail. Raises ``NotFound``, ``InvalidInput``.
    """
    because = " ".join(because.split())
    if len(because) > _MAX_WORDS:
        raise InvalidInput(
            f"It has {len(because)} characters", where="because", fix=f"Shorten it to {_MAX_WORDS}."
        )
    return carry_out(
        runtime,
        actor,
        Action.SUPPRESS_CANDIDATE,
        candidate_id,
        lambda tx: [people.suppress(tx, candidate_id, actor=actor, reason=reason, because=because)],
    )


def _end(runtime: Runtime, enrollment_id: UUID, status: str, actor: str, reason: str) -> WithdrawalResult:
    return carry_out(
        runtime,
        actor,
        Action.END_ENROLLMENT,
        enrollment_id,
        lambda tx: [people.end_enrollment(tx, enrollment_id, status, actor=actor, reason=reason)],
    )


def carry_out(
    runtime: Runtime,
    actor: str,
    action: Action,
    subject_id: UUID,
    close_gate: Callable[[Transaction], Iterable[Scope]],
    *,
    within: timedelta = RETURNS_WITHIN,
) -> WithdrawalResult:
    """Withdraw what ``close_gate`` closes, in one transaction, and answer when nothing of it can leave, or ``within`` that time."""
    started = time.monotonic()
    with runtime.database.transaction() as tx:
        scopes = list(close_gate(tx))
        kept = withdrawal_results.begin(tx, scopes[0], action, subject_id, actor=actor)
    gate_seconds = time.monotonic() - started
    log.info("gate_closed", milliseconds=round(gate_seconds * 1000, 1))
    subject = f"{withdrawal_results.KINDS[action]}:{subject_id}"
    return _answered(runtime, actor, subject, scopes, started, kept, within)


def _answered(
    runtime: Runtime,
    actor: str,
    subject: str,
    scopes: Sequence[Scope],
    started: float,
    kept: UUID,
    within: timedelta = RETURNS_WITHIN,
) -> WithdrawalResult:
    seen = draining.drain_scopes(runtime, scopes, actor, deadline=started + within.total_seconds() - _MARGIN)
    answer = _answer(runtime, scopes, seen, started, kept)
    with runtime.database.transaction() as tx:
        touched = [each for scope in scopes for each in impact.touched(tx, scope)]
        withdrawal_results.finish(tx, answer, touched)
        last_tokens.forget(tx, [each for scope in scopes for each in scope.last_tokens])
        for organization_id in {scope.organization_id for scope in scopes}:
            audit.write(tx, organization_id, actor, "withdrawal_answered", subject, answer.to_json())
    log.info(
        "withdrawn",
        cause=subject,  # after a restore, the log alone knows what was ended since (docs/restoring.md)
        stopped=answer.stopped,
        in_doubt=len(answer.in_doubt),
        seconds=round(answer.seconds, 2),
    )
    return answer


def _answer(
    runtime: Runtime, scopes: Sequence[Scope], seen: Iterable[UUID], started: float, kept: UUID
) -> WithdrawalResult:
    with runtime.database.transaction() as tx:
        in_doubt = {each for each, state in drain.states_of(tx, list(seen)).items() if state in _IN_DOUBT}
        in_doubt.update(each for scope in scopes for each in drain.asked_about_lately(tx, scope))
        counts = [drain.count(tx, scope) for scope in scopes]
    left = [each.last_left_at for each in counts if each.last_left_at is not None]
    return WithdrawalResult(
        kept,
        stopped=sum(each.stopped for each in counts),
        already_sent=sum(each.already_sent for each in counts),
        in_doubt=sorted(in_doubt),
        last_left_at=max(left, default=None),
        seconds=time.monotonic() - started,
    )
