"""The results of an attempt: a delivery is sent, released, held, closed, in doubt, or in review."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

import counters
import tracing
from app.runtime import Runtime
from db.core.session import Transaction, database_now
from db.events import events, problems
from db.sending import absences, gate, outcomes, refusals, restores
from db.sending.claims import Claim
from db.sending.moves import at_rest
from db.withdrawing.losing import lose_connection
from domain.authority import Withdrawn
from domain.delivery import (
    GRACE,
    LIMIT_REACHED,
    AlarmOperators,
    Fail,
    PauseConnection,
    Reconcile,
    Retry,
    State,
    after_failure,
)
from domain.errors import OperatorMisconfigured, ProviderError, Refused
from domain.merge import BadTemplate, MissingField
from domain.preflight import Decision, Hold, LeaveOut, Skip, Wait
from domain.refusals import UNEXPLAINED, weigh
from transports.base import Draft, Traceable, Transport

log = structlog.get_logger()

_ROOM_AFTER = timedelta(seconds=3)


@tracing.traced("record")
def sent(runtime: Runtime, claim: Claim, facts: outcomes.SentFacts, *, from_state: State) -> None:
    """C4: record that the email left."""
    _about(claim)
    with runtime.database.transaction() as tx:
        if from_state is State.PREPARING:
            restores.authorize(tx, claim)
        recorded = outcomes.record_sent(
            tx,
            claim.delivery_id,
            facts,
            claim.held,
            actor="onbehalf",
        )
        if not recorded and from_state is State.PREPARING:
            # It left without passing the gate: its owner pressed Send on the draft. A person has to confirm that.
            review(tx, claim, "left_without_us")
        elif not recorded and not _doubt(tx, claim, "removed_while_sending"):
            # The lease ran out before the answer arrived. The answer settles the doubt that followed.
            recorded = outcomes.record_sent(
                tx,
                claim.delivery_id,
                facts,
                at_rest(State.IN_DOUBT),
                actor="onbehalf",
            )
    if recorded:
        counters.EMAILS_SENT.labels(claim.facts.provider, facts.known_by).inc()
    log.info("email_sent" if recorded else "email_settled_elsewhere", known_by=facts.known_by)


def refused(tx: Transaction, claim: Claim, decision: Decision) -> None:
    """C5/C6 in the transaction that decided: hold with the cause, skip permanently, or wait."""
    _about(claim)
    now = claim.facts.now
    match decision:
        case Withdrawn():
            events.record_missing(tx, claim.organization_id, claim.facts, decision, claim.content.sender)
            back = outcomes.Release(now, decision.reason, held=True)
        case Hold():
            back = outcomes.Release(now, decision.reason, held=True)
        case Wait():
            if decision.reason == absences.HELD:
                absences.notify(tx, claim, claim.facts.absences)
            back = outcomes.Release(decision.until, decision.reason)
        case Skip() | LeaveOut():
            outcomes.close(
                tx,
                claim.delivery_id,
                "skipped",
                decision.reason,
                claim.held,
                actor="onbehalf",
                goes_on_from=now if isinstance(decision, LeaveOut) else None,
            )
            log.info("delivery_skipped", reason=decision.reason)
            return
        case _:
            raise TypeError(f"{decision} refuses nothing")
    outcomes.release(tx, claim.delivery_id, back, claim.held)
    log.info("delivery_held" if back.held else "delivery_waits", reason=back.reason)


@tracing.traced("record failure")
def failed(
    runtime: Runtime,
    claim: Claim,
    error: ProviderError | OperatorMisconfigured,
    *,
    submitted: bool,
) -> None:
    """Settle an attempt that the provider, or our own composing, refused, or that got no answer."""
    _about(claim)
    with runtime.database.transaction() as tx:
        now = database_now(tx)
        if isinstance(error, Refused) and not error.certain and claim.send_started_at is None:
            gate.lock_lane(tx, claim.mailbox_id)
            verdict = weigh(error, failures=claim.failures, others=refusals.others(tx, claim), now=now)
        else:
            verdict = after_failure(
                error,
                submitted=submitted,
                in_doubt=claim.send_started_at is not None,
                failures=claim.failures,
                first_failed_at=claim.first_failed_at,
                now=now,
                jitter=random.uniform(-1, 1),  # noqa: S311 - spreads retries, guards nothing
            )
        reason = getattr(error, "code", "") or type(error).__name__
        counters.ATTEMPTS_FAILED.labels(claim.facts.provider, type(error).__name__).inc()
        log.info(
            "attempt_failed",
            verdict=type(verdict).__name__,
            error=type(error).__name__,
            code=reason,
            request_id=getattr(error, "request_id", ""),
        )
        match verdict:
            case Reconcile():
                _doubt(tx, claim, verdict.reason, verdict.reconcile_at, verdict.lane_waits_until)
                return
            case Retry():
                lasting = verdict.lane_waits and verdict.reason in (LIMIT_REACHED, UNEXPLAINED)
                if lasting:
                    problems.notify_of_limit(tx, claim, verdict.at, unexplained=verdict.reason == UNEXPLAINED)
                back = outcomes.Release(
                    verdict.at,
                    verdict.reason,
                    failed=verdict.counts and not verdict.lane_waits,
                    lane_waits_until=verdict.at if verdict.lane_waits else None,
                    wait_reason=verdict.reason if lasting else None,
                )
            case AlarmOperators():
                log.error("operator_misconfigured", error=str(error))
                back = outcomes.Release(
                    verdict.at, verdict.reason, lane_waits_until=verdict.at, wait_reason=verdict.reason
                )
            case PauseConnection():
                lose_connection(
                    tx,
                    claim.mailbox_id,
                    connection_version=claim.facts.connection_version,
                    reason=verdict.reason,
                    detail=reason,
                    on_send=getattr(error, "on_send", isinstance(error, Refused)),
                )
                back = outcomes.Release(now, f"mailbox_disconnected: {verdict.reason}", held=True)
            case Fail() if isinstance(error, MissingField):
                problems.block_person(tx, claim, error.field)
                return
            case Fail() if isinstance(error, BadTemplate):
                problems.refuse_step(tx, claim, str(error))
                return
            case Fail():
                problems.fail_step(tx, claim, verdict.reason, str(error))
                return
        back = replace(back, unsent=claim.send_started_at is None)
        outcomes.release(tx, claim.delivery_id, back, claim.held)


def step_back(runtime: Runtime, claim: Claim) -> None:
    """Requeue the delivery: the gate's answer is too old, and nothing was submitted."""
    _about(claim)
    with runtime.database.transaction() as tx:
        back = outcomes.Release(
            database_now(tx),
            "gate_answer_too_old",
            unsent=claim.send_started_at is None,
        )
        outcomes.release(tx, claim.delivery_id, back, claim.held)
    log.warning("stepped_back")


def wait_for_room(runtime: Runtime, claim: Claim) -> None:
    """Release a delivery that has not begun until the organization's other emails have left its servers."""
    _about(claim)
    with runtime.database.transaction() as tx:
        back = outcomes.Release(database_now(tx) + _ROOM_AFTER, "mail_servers_busy")
        outcomes.release(tx, claim.delivery_id, back, claim.held)
    log.info("no_room_to_send")


def lost_trace(runtime: Runtime, claim: Claim, reason: str) -> None:
    """Mark a delivery in doubt that may have been submitted and shows no trace: keep searching, never draft another."""
    _about(claim)
    with runtime.database.transaction() as tx:
        restores.authorize(tx, claim)
        _doubt(tx, claim, reason)
    log.warning("trace_missing")


def _about(claim: Claim) -> None:
    """Name whose email it is in all lines that follow."""
    structlog.contextvars.bind_contextvars(
        organization_id=str(claim.organization_id), mailbox_id=str(claim.mailbox_id)
    )


def _doubt(
    tx: Transaction,
    claim: Claim,
    reason: str,
    reconcile_at: datetime | None = None,
    lane_waits_until: datetime | None = None,
) -> bool:
    """R1: from here on we only search for the email."""
    began = outcomes.to_in_doubt(
        tx,
        claim.delivery_id,
        reason,
        claim.held,
        reconcile_at=reconcile_at or database_now(tx),
        grace=GRACE,
        lane_waits_until=lane_waits_until,
    )
    if began:
        counters.IN_DOUBT.labels(claim.facts.provider).inc()
    return began


def review(tx: Transaction, claim: Claim, reason: str) -> None:
    """R4 from the send path: only a person can settle it. Notify the owner."""
    _about(claim)
    organization_id = outcomes.to_review(tx, claim.delivery_id, reason, claim.held)
    if organization_id is not None:
        problems.notify_of_review(tx, claim.delivery_id)
        counters.REVIEWS.inc()
        log.warning("delivery_in_review", reason=reason)


def discard_draft(transport: Transport, claim: Claim, draft: Draft) -> None:
    """As a courtesy, remove the draft of a step that nobody will send from its owner's mailbox."""
    if claim.send_started_at is not None or not isinstance(transport, Traceable):
        return
    try:
        transport.recall(draft.id)
    except (ProviderError, OperatorMisconfigured) as error:
        log.info("draft_left_behind", error=type(error).__name__)
