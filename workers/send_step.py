"""Send one delivery: claim it (C1), draft it (X1, C2), pass the gate (C3), submit it once (X2), record it (C4).

``workers/settle.py`` settles whatever goes wrong. A worker that dies leaves a lease, which the scheduler takes back: before
the gate the delivery waits again; after it we search for the email and never send it blindly.
"""

import time
from collections.abc import Mapping
from typing import assert_never

import structlog

import tracing
from app.runtime import Runtime, current_sender
from db.core.session import CommitUnknown, retry_while_unavailable
from db.sending import gate
from db.sending.claims import Claim, load_claim, take_claim
from db.sending.outcomes import SentFacts
from domain.delivery import STEP_BACK_AFTER, State
from domain.errors import OperatorMisconfigured, ProviderError
from domain.handover import SENDER_CHANGED
from domain.jobs import SendStep
from domain.message import OutgoingMessage
from domain.preflight import Clear, LeaveOut, Skip, Wait, preflight
from domain.recovery import InDoubt, New, Reuse, Review, Sent, recover
from transports.base import Draft, Found, Thread, Traceable, Transport
from transports.providers import PROVIDERS
from workers import read_absence, read_before_send, settle
from workers.actor import actor, read_delivery_message
from workers.compose import compose_email, way_out

_RETRY_FOR = 30.0  # seconds that a database which is away is waited for; the lease ends later

log = structlog.get_logger()


@actor(SendStep.actor, SendStep.queue)
def send_step(delivery_id: object, dispatch_no: object) -> None:
    """Take the message for one delivery."""
    job = SendStep(*read_delivery_message(delivery_id, dispatch_no))
    structlog.contextvars.bind_contextvars(delivery_id=str(job.delivery_id))
    send(current_sender(), job)


def send(runtime: Runtime, job: SendStep) -> None:
    """Send one delivery. Returns when it is settled, released or found to be another worker's."""
    claim = take(runtime, job)
    if claim is None:
        return
    if not PROVIDERS[claim.facts.provider].own_server:
        submit(runtime, claim)
    elif runtime.limiter.sends.enter(claim.organization_id):
        try:
            submit(runtime, claim)
        finally:
            runtime.limiter.sends.leave(claim.organization_id)
    else:
        # Their servers already use all the threads they may, so that others' emails do not wait behind them.
        retry_while_unavailable(lambda: settle.wait_for_room(runtime, claim), _RETRY_FOR)


def submit(runtime: Runtime, claim: Claim) -> None:
    """Carry a claimed delivery from the draft to the provider's answer."""
    submitted = False
    transport: Transport | None = None
    try:
        message = compose_email(claim.content, way_out(runtime, claim))
        transport = runtime.transport(
            claim.mailbox_id,
            claim.facts.provider,
            writer_id=claim.facts.sequence_owner.id,
            token=claim.token,
        )
        draft = draft_once(runtime, transport, claim, message)
        if draft is None:
            return
        passed_at = pass_gate(runtime, transport, claim, draft)
        if passed_at is None:
            return
        if time.monotonic() - passed_at > STEP_BACK_AFTER.total_seconds():
            retry_while_unavailable(lambda: settle.step_back(runtime, claim), _RETRY_FOR)
            return
        submitted = True
        accepted = transport.send(draft)
    except (ProviderError, OperatorMisconfigured) as error:
        refusal = error
        retry_while_unavailable(
            lambda: settle.failed(runtime, claim, refusal, submitted=submitted), _RETRY_FOR
        )
    else:
        sent = SentFacts(
            "answer",
            draft.id,
            draft.internet_message_id,
            draft.conversation_id,
            accepted.request_id,
        )
        # Only we have the answer, so we wait for a database that is unavailable for a moment.
        retry_while_unavailable(
            lambda: settle.sent(runtime, claim, sent, from_state=State.SENDING), _RETRY_FOR
        )
    finally:
        if transport is not None:
            transport.close()


@tracing.traced("claim")
def take(runtime: Runtime, job: SendStep) -> Claim | None:
    """C1: claim the delivery, count the attempt, and refuse at once what the gate would refuse anyway."""
    with runtime.database.statement() as tx:
        claim = take_claim(tx, job.delivery_id, job.dispatch_no, runtime.correlation_id(job.delivery_id))
    if claim is None:
        log.info("message_ignored", dispatch_no=job.dispatch_no)
        return None
    beyond = recover(claim.history, None)
    decision = preflight(claim.facts)
    if isinstance(decision, Wait) and decision.reason == SENDER_CHANGED and claim.history.submitted:
        beyond = Review(
            SENDER_CHANGED
        )  # it may have left from its former mailbox, so it never leaves from another
    if not isinstance(beyond, Review):
        if isinstance(decision, Clear):
            claim, decision = read_absence.up_to_date(runtime, claim, decision)
        claim, decision = read_before_send.up_to_date(runtime, claim, decision)
        if isinstance(decision, Clear):
            return claim
    with runtime.database.transaction() as tx:
        gate.lock_lane(tx, claim.mailbox_id)  # before the delivery, as always; hence a second transaction
        if isinstance(beyond, Review):
            settle.review(tx, claim, beyond.reason)
        else:
            settle.refused(tx, claim, decision)
    return None


@tracing.traced("draft")
def draft_once(
    runtime: Runtime, transport: Transport, claim: Claim, message: OutgoingMessage
) -> Draft | None:
    """X1: create the delivery's one draft, or find it by its correlation id. Returns None if the delivery is settled now."""
    found: Mapping[str, Found] = {}
    if claim.attempts > 1 and isinstance(transport, Traceable):
        found = {each.id: each for each in transport.find(claim.correlation_id)}
    match recover(claim.history, list(found.values())):
        case Sent(item_id):
            left = found[item_id]
            facts = SentFacts("search", left.id, left.internet_message_id, left.conversation_id)
            settle.sent(runtime, claim, facts, from_state=State.PREPARING)
            return None
        case InDoubt(reason):
            settle.lost_trace(runtime, claim, reason)
            return None
        case Review(reason):
            with runtime.database.transaction() as tx:
                gate.lock_lane(tx, claim.mailbox_id)
                settle.review(tx, claim, reason)
            return None
        case Reuse(item_id, rewrite=rewrite):
            known = found[item_id]
            draft = Draft(known.id, known.internet_message_id, known.conversation_id)
            return transport.update(draft, message) if rewrite and isinstance(transport, Traceable) else draft
        case New():
            return transport.prepare(message, claim.correlation_id, _thread(claim, message))
        case unknown:
            assert_never(unknown)


def _thread(claim: Claim, message: OutgoingMessage) -> Thread | None:
    """Return the email to answer: the last one the person got, unless the step starts a new thread; by hand, what was chosen."""
    if (answers := claim.answers) is not None:
        return Thread(
            answers.correlation_id,
            message.subject,
            answers.draft_id,
            answers.internet_message_id,
            tuple(dict.fromkeys(answers.thread_ids)),
            answers.item_id,
        )
    if claim.previous_correlation_id is None or claim.content.subject is not None:
        return None
    return Thread(
        claim.previous_correlation_id,
        message.subject,
        claim.previous_draft_id or "",
        claim.previous_message_id or "",
        claim.references,
        conversation_id=claim.previous_conversation_id or "",
        left=claim.previous_left,
    )


@tracing.traced("gate")
def pass_gate(runtime: Runtime, transport: Transport, claim: Claim, draft: Draft) -> float | None:
    """C2 and C3. Returns the monotonic time of the final checks, or None if the email may not leave, or not now."""
    with runtime.database.statement() as tx:
        if not gate.note_draft(tx, claim, draft.id, draft.internet_message_id, draft.conversation_id):
            log.warning("lease_lost", state="preparing")
            return None
    decision = None
    try:
        with runtime.database.transaction() as tx:
            lane = gate.lock_lane(tx, claim.mailbox_id)
            verified_at = time.monotonic()
            fresh = load_claim(tx, claim.delivery_id, claim.lease_token)
            if fresh is None:
                log.warning("lease_lost", state="drafted")
                return None
            decision = preflight(fresh.facts)
            if isinstance(decision, Clear) and lane.wait is not None:
                decision = lane.wait
            if isinstance(decision, Clear) and _changed(claim, fresh):
                decision = Wait(fresh.facts.now, "edited_meanwhile")
            if isinstance(decision, Clear):
                return verified_at if gate.pass_gate(tx, fresh, lane, decision) else None
            settle.refused(tx, fresh, decision)
    except CommitUnknown:

        def holds() -> bool:
            with runtime.database.transaction() as tx:
                return gate.holds_gate(tx, claim)

        # Nobody else knows that nothing was submitted yet. The caller steps back if this took too long.
        return verified_at if retry_while_unavailable(holds, _RETRY_FOR) else None
    if isinstance(decision, Skip | LeaveOut):
        # Only if no other attempt can follow: it would reuse the draft, and our removal could arrive after its submission.
        settle.discard_draft(transport, claim, draft)
    return None


def _changed(claim: Claim, fresh: Claim) -> bool:
    """Would we draft something else now: another text, another mailbox, or another connection?"""
    now, then = fresh.facts, claim.facts
    connection = (now.provider, now.connection_version) != (then.provider, then.connection_version)
    return fresh.content != claim.content or fresh.mailbox_id != claim.mailbox_id or connection
