"""Every way of saying no: close the gate (V1), drain what had passed it (V2), answer (V3), within 45 s.

From the moment V1 commits no email of the scope can pass the gate. The drain then waits for the few that had passed
before, and after a moment removes their drafts so that a late request finds nothing to send. What cannot be known by
then is named, and looked for further; it is never sent again in this scope.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from actions import errands
from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.sending import test_emails
from db.sequences import draft_sequences
from db.withdrawing import disabled, drain, impact, last_tokens, people, withdrawal_results, withdrawals
from db.withdrawing.withdrawals import Scope
from domain.connection import TRACEABLE
from domain.errands import BEGINS_WITHIN, ErrandKind
from domain.withdrawal import RECALL_AFTER, RETURNS_WITHIN, Action, WithdrawalResult

log = structlog.get_logger()

_POLL = 0.1
_IN_DOUBT = ("sending", "in_doubt", "review")  # of what had passed the gate: it may have left
_AT_ONCE = 8  # drafts left: one mailbox's are removed one at a time, and others' errands want their turn
_MARGIN = 5.0  # seconds kept for the answer itself


def revoke_grant(runtime: Runtime, grant_id: UUID, *, actor: str) -> WithdrawalResult:
    """End a permission. Raises ``NotFound``."""
    return _withdraw(
        runtime,
        actor,
        Action.END_GRANT,
        grant_id,
        lambda tx: [withdrawals.revoke_grant(tx, grant_id, actor=actor)],
    )


def disconnect_mailbox(runtime: Runtime, mailbox_id: UUID, *, actor: str) -> WithdrawalResult:
    """Remove a mailbox's connection and erase its tokens. Raises ``NotFound``."""
    return _withdraw(
        runtime,
        actor,
        Action.REMOVE_MAILBOX,
        mailbox_id,
        lambda tx: [withdrawals.disconnect_mailbox(tx, mailbox_id, actor=actor)],
    )


def disable_mailbox(runtime: Runtime, mailbox_id: UUID, *, actor: str) -> WithdrawalResult:
    """Take a connection out of use and keep it; a company's sequences go on by the default mail service.

    Raises ``NotFound``, ``NotPermitted``.
    """
    return _withdraw(
        runtime,
        actor,
        Action.DISABLE_MAILBOX,
        mailbox_id,
        lambda tx: [disabled.disable_mailbox(tx, mailbox_id, actor=actor)],
    )


def deactivate_member(runtime: Runtime, member_id: UUID, *, actor: str) -> WithdrawalResult:
    """A member leaves. Raises ``NotFound``."""
    return _withdraw(
        runtime,
        actor,
        Action.DEACTIVATE_MEMBER,
        member_id,
        lambda tx: withdrawals.deactivate_member(tx, member_id, actor=actor),
    )


def pause_sequence(runtime: Runtime, sequence_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """A person pauses a sequence. Raises ``NotFound``, ``NotPermitted``."""
    return _withdraw(
        runtime,
        actor,
        Action.PAUSE_SEQUENCE,
        sequence_id,
        lambda tx: [people.pause_sequence(tx, sequence_id, actor=actor, reason=reason)],
    )


def deactivate_sequence(runtime: Runtime, sequence_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """A person sets a sequence back to draft. Raises ``NotFound``, ``NotPermitted``."""
    return _withdraw(
        runtime,
        actor,
        Action.SET_BACK_SEQUENCE,
        sequence_id,
        lambda tx: [draft_sequences.set_back(tx, sequence_id, actor=actor, reason=reason)],
    )


def finish_withdrawal(runtime: Runtime, scopes: Sequence[Scope], *, actor: str) -> WithdrawalResult:
    """V2 and V3 for gates that an import has closed, all of one sequence."""
    sequence_id = scopes[0].sequence_id
    if sequence_id is None:
        raise ValueError("an import closes the gates of sequences")
    with runtime.database.transaction() as tx:
        kept = withdrawal_results.begin(tx, scopes[0], Action.CHANGE_SEQUENCE, sequence_id, actor=actor)
    subject = f"{withdrawal_results.KINDS[Action.CHANGE_SEQUENCE]}:{sequence_id}"
    return _answered(runtime, actor, subject, scopes, time.monotonic(), kept)


def archive_sequence(runtime: Runtime, sequence_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """A person ends a sequence for good; nothing is deleted. Raises ``NotFound``."""
    return _withdraw(
        runtime,
        actor,
        Action.ARCHIVE_SEQUENCE,
        sequence_id,
        lambda tx: [people.archive_sequence(tx, sequence_id, actor=actor, reason=reason)],
    )


def pause_enrollment(runtime: Runtime, enrollment_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """One person's way through a sequence waits. Raises ``NotFound``, ``NotPermitted``."""
    return _end(runtime, enrollment_id, "paused", actor, reason)


def archive_enrollment(runtime: Runtime, enrollment_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """One person's way through a sequence ends, by tidying up. Raises ``NotFound``, ``NotPermitted``."""
    return _end(runtime, enrollment_id, "archived", actor, reason)


def stop_enrollment(runtime: Runtime, enrollment_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """One person's way through a sequence ends (a reply, a refusal). Raises ``NotFound``, ``NotPermitted``."""
    return _end(runtime, enrollment_id, "stopped", actor, reason)


def suppress_candidate(runtime: Runtime, candidate_id: UUID, *, actor: str, reason: str) -> WithdrawalResult:
    """Nobody in the organization writes to this person again. ``reason``: unsubscribed or stopped. Raises ``NotFound``."""
    return _withdraw(
        runtime,
        actor,
        Action.SUPPRESS_CANDIDATE,
        candidate_id,
        lambda tx: [people.suppress(tx, candidate_id, actor=actor, reason=reason)],
    )


def _end(runtime: Runtime, enrollment_id: UUID, status: str, actor: str, reason: str) -> WithdrawalResult:
    return _withdraw(
        runtime,
        actor,
        Action.END_ENROLLMENT,
        enrollment_id,
        lambda tx: [people.end_enrollment(tx, enrollment_id, status, actor=actor, reason=reason)],
    )


def _withdraw(
    runtime: Runtime,
    actor: str,
    action: Action,
    subject_id: UUID,
    close_gate: Callable[[Transaction], Iterable[Scope]],
) -> WithdrawalResult:
    started = time.monotonic()
    with runtime.database.transaction() as tx:
        scopes = list(close_gate(tx))
        kept = withdrawal_results.begin(tx, scopes[0], action, subject_id, actor=actor)
    gate_seconds = time.monotonic() - started
    log.info("gate_closed", milliseconds=round(gate_seconds * 1000, 1))
    subject = f"{withdrawal_results.KINDS[action]}:{subject_id}"
    return _answered(runtime, actor, subject, scopes, started, kept)


def _answered(
    runtime: Runtime, actor: str, subject: str, scopes: Sequence[Scope], started: float, kept: UUID
) -> WithdrawalResult:
    seen = _drain(runtime, scopes, actor, deadline=started + RETURNS_WITHIN.total_seconds() - _MARGIN)
    answer = _answer(runtime, scopes, seen, started, kept)
    with runtime.database.transaction() as tx:
        touched = [each for scope in scopes for each in impact.touched(tx, scope)]
        withdrawal_results.finish(tx, answer, touched)
        last_tokens.forget(tx, [each for scope in scopes for each in scope.last_tokens])
        for organization_id in {scope.organization_id for scope in scopes}:
            audit.write(tx, organization_id, actor, "withdrawal_answered", subject, answer.to_json())
    log.info(
        "withdrawn",
        stopped=answer.stopped,
        in_doubt=len(answer.in_doubt),
        seconds=round(answer.seconds, 2),
    )
    return answer


def _drain(runtime: Runtime, scopes: Sequence[Scope], actor: str, deadline: float) -> set[UUID]:
    """V2: wait for what had passed the gate; after a moment have its drafts removed, each once. Returns what had passed."""
    recall_at = time.monotonic() + RECALL_AFTER.total_seconds()
    asked = _Asking(runtime, actor, deadline)
    seen: set[UUID] = set()
    while time.monotonic() < deadline:
        with runtime.database.transaction() as tx:
            open_sends = [(scope, drain.in_flight(tx, scope)) for scope in scopes]
            seen.update(each.delivery_id for _, found in open_sends for each in found)
            # One in doubt is looked for by the reconciler and may take minutes: recall it now, and name it.
            testing = any(
                test_emails.on_the_way(tx, scope.mailbox_ids) for scope in scopes if scope.whole_mailboxes
            )
        patient = time.monotonic() < recall_at
        for scope, found in open_sends:
            asked.once(
                ErrandKind.RECALL_DRAFT,
                scope,
                [each for each in found if not (patient and each.state == "sending")],
            )
        sending = any(each.state == "sending" for _, found in open_sends for each in found)
        if not testing and not sending and not asked.pending():
            break
        time.sleep(_POLL)
    _last_requests(runtime, scopes, asked)
    return seen


def _last_requests(runtime: Runtime, scopes: Sequence[Scope], asked: "_Asking") -> None:
    """Of mailboxes whose tokens are erased: what is in doubt and what lies in Drafts, now or never."""
    erased = [scope for scope in scopes if scope.last_tokens]
    with runtime.database.transaction() as tx:
        doubted = [(scope, drain.in_flight(tx, scope)) for scope in erased]
        # Courtesy, not safety: the gate refuses these for ever.
        left = [(scope, drain.drafts_left(tx, scope)) for scope in erased]
    for scope, found in doubted:
        asked.once(ErrandKind.SEARCH_ONCE_MORE, scope, [each for each in found if each.state == "in_doubt"])
    asked.wait()
    for scope, found in left:
        for first in range(0, len(found), _AT_ONCE):
            asked.once(ErrandKind.RECALL_DRAFT, scope, found[first : first + _AT_ONCE])
            asked.wait()
    asked.give_up()


class _Asking:
    """What this withdrawal asks workers for, each thing once. Workers that do not answer leave what is in doubt as it is: named."""

    def __init__(self, runtime: Runtime, actor: str, deadline: float) -> None:
        self._runtime, self._actor, self.deadline = runtime, actor, deadline
        self._known: set[tuple[ErrandKind, UUID]] = set()
        self._asked: errands.Asked | None = None

    def once(self, kind: ErrandKind, scope: Scope, found: Sequence[drain.InFlight]) -> None:
        """Ask for what was not asked for before and a worker could do."""
        left = self.deadline - time.monotonic()
        able = {(kind, each.delivery_id) for each in found if each.provider in TRACEABLE}
        new = sorted(able - self._known)
        silent = self._asked is not None and self._asked.silent
        if not new or left <= 0 or silent:
            return
        self._known.update(new)
        asked = errands.ask(
            self._runtime,
            scope.organization_id,
            kind,
            *(delivery_id for _, delivery_id in new),
            actor=self._actor,
            begin_within=min(BEGINS_WITHIN, timedelta(seconds=left)),
        )
        if self._asked is None:
            self._asked = asked
        else:
            self._asked.add(asked)

    def pending(self) -> bool:
        """Is one of them under way, or may a worker begin it yet?"""
        return self._asked is not None and self._asked.pending()

    def wait(self) -> None:
        """Until all are done, or this withdrawal has to answer."""
        while self.pending() and time.monotonic() < self.deadline:
            time.sleep(_POLL)

    def give_up(self) -> None:
        """Nobody waits any longer."""
        if self._asked is not None:
            self._asked.give_up()


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
