"""Read one message that came to a default address: whose it is, what it is, what follows. Nothing is dropped.

A message that ends its worker, or that nobody can read, is somebody's to look at after a few attempts: unassigned, as it came.
"""

from datetime import timedelta
from uuid import UUID

import structlog

import counters
from app.runtime import Runtime, current
from db.events import outbox
from db.listening import opt_out_tokens, received, redirected
from db.listening.matching import Asked
from db.listening.received import ReceivedMail
from db.listening.redirected import Arrived
from domain.jobs import ProcessMail
from domain.listening.kinds import Judged, Kind
from domain.listening.message import Incoming
from domain.listening.trust import trusted
from domain.listening.unassigned import SENTENCES, UnassignedReason
from inbox import files
from inbox.judge import judge
from inbox.parse import UnreadableMessage, parse
from transports.sender_proof import SenderProof, prove
from workers.actor import actor, read_id

log = structlog.get_logger()

MAX_ATTEMPTS = 5
_WAIT_FOR_OTHERS = timedelta(seconds=3)


@actor(ProcessMail.actor, ProcessMail.queue)
def process_mail(outbox_id: object) -> None:
    """Take one outbox row."""
    process(current(), read_id("outbox_id", outbox_id))


def process(runtime: Runtime, outbox_id: UUID) -> None:
    """Make one attempt. A failure leaves the message as it is; the relay enqueues it again after a minute.

    While as many of the organization as may are being processed, it waits, and that is no attempt.
    """
    with runtime.database.transaction() as tx:
        job = outbox.load(tx, outbox_id)
        if not isinstance(job, ProcessMail):
            return
        whose = received.whose(tx, job.received_mail_id)
        if whose is None:
            outbox.consume(tx, ProcessMail.actor, outbox_id)
            return
    if not runtime.limiter.mails.enter(whose):
        with runtime.database.transaction() as tx:
            outbox.snooze(tx, outbox_id, _WAIT_FOR_OTHERS)
        return
    try:
        _process(runtime, outbox_id, job.received_mail_id)
    finally:
        runtime.limiter.mails.leave(whose)


def _process(runtime: Runtime, outbox_id: UUID, mail_id: UUID) -> None:
    with runtime.database.transaction() as tx:
        mail = received.begin(tx, runtime.keys, mail_id)
        if mail is None:
            outbox.consume(tx, ProcessMail.actor, outbox_id)
            return
    arrived = _judged(runtime, mail)
    with runtime.database.transaction() as tx:
        new = received.end(tx, mail.id, arrived.proof) and redirected.record(tx, runtime.web_keys, arrived)
        outbox.consume(tx, ProcessMail.actor, outbox_id)
    if new:
        counters.MESSAGES.labels(arrived.judged.kind.value).inc()
        log.info(
            "mail_processed",
            organization_id=str(mail.organization_id),
            kind=arrived.judged.kind.value,
            reason=arrived.reason or "",
        )


def _judged(runtime: Runtime, mail: ReceivedMail) -> Arrived:
    if mail.failures > MAX_ATTEMPTS:
        log.error("mail_not_processed", organization_id=str(mail.organization_id), attempts=mail.failures - 1)
        return _as_it_came(mail, UnassignedReason.NOT_PROCESSED)
    try:
        incoming = parse(mail.raw, now=mail.received_at, received_at=mail.received_at)
    except UnreadableMessage:
        return _as_it_came(mail, UnassignedReason.UNREADABLE)
    proof = prove(mail.raw, peer=mail.peer, helo=mail.helo, sender=mail.sender, resolver=runtime.resolver)
    return _whose(runtime, mail, incoming, proof)


def _whose(runtime: Runtime, mail: ReceivedMail, incoming: Incoming, proof: SenderProof) -> Arrived:
    with runtime.database.transaction() as tx:
        addresses = redirected.sender_addresses(tx, mail.organization_id)
        found = redirected.possible(
            tx, runtime.web_keys, mail.organization_id, list(addresses), _asked(runtime, mail, incoming)
        )
        known = redirected.candidate_of(tx, mail.organization_id, incoming.sender)
    own = set(addresses.values())
    judged = judge(incoming, found.sent, own)
    enrollment_id = candidate_id = reason = None
    certain = False
    if judged.match is not None:
        delivery_id = judged.match.sent.delivery_id
        certain = _is_certain(incoming, judged.match.sent.token)
        judged = trusted(
            judged,
            proven=proof.proven_for(incoming.sender),
            certain=certain,
            report=incoming.report is not None or judged.kind is Kind.BOUNCE,
        )
        enrollment_id, candidate_id = found.enrollments[delivery_id], found.candidates[delivery_id]
    elif known is not None:
        candidate_id = known
    else:
        # What it would be if it were about an email of ours: it counts once somebody says whose it is.
        judged = judge(incoming, [], own, unmatched_counts=True)
        reason = (
            UnassignedReason.UNKNOWN_REPORT
            if incoming.report is not None or judged.kind is Kind.BOUNCE
            else UnassignedReason.UNKNOWN_SENDER
        )
    return Arrived(
        organization_id=mail.organization_id,
        mailbox_id=mail.mailbox_id,
        digest=mail.digest,
        sender=incoming.sender or mail.sender,
        received_at=mail.received_at,
        judged=judged,
        proof=proof.as_json(),
        enrollment_id=enrollment_id,
        candidate_id=candidate_id,
        reason=reason,
        certain_opt_out=certain,
        message_id=incoming.message_id or "",
        conversation_id=incoming.conversation_id or "",
        sender_name=incoming.sender_name,
        recipients=tuple(dict.fromkeys((mail.address, *incoming.recipients)))[:100],
        subject=incoming.subject,
        text=incoming.text,
        html=files.html(mail.raw),
        files=files.files(mail.raw),
    )


def _as_it_came(mail: ReceivedMail, reason: UnassignedReason) -> Arrived:
    return Arrived(
        organization_id=mail.organization_id,
        mailbox_id=mail.mailbox_id,
        digest=mail.digest,
        sender=mail.sender,
        received_at=mail.received_at,
        judged=Judged(Kind.OTHER, None, None, None, None, SENTENCES[reason]),
        proof={},
        reason=reason,
        recipients=(mail.address,),
        files=[files.as_it_came(mail.raw)],
    )


def _asked(runtime: Runtime, mail: ReceivedMail, incoming: Incoming) -> Asked:
    report = incoming.report
    named = {*incoming.in_reply_to, *incoming.references, *(report.original_ids if report else ())}
    addresses = {
        incoming.sender,
        *incoming.recipients,
        *(each.address for each in (report.recipients if report else ())),
    }
    token = opt_out_tokens.found_in(runtime.web_keys, " ".join((incoming.subject, *incoming.recipients)))
    opt_out = token[1] if token is not None and token[1].organization_id == mail.organization_id else None
    return Asked(
        named,
        {incoming.conversation_id or ""},
        addresses,
        deliveries=() if opt_out is None else (opt_out.delivery_id,),
    )


def _is_certain(incoming: Incoming, token: str | None) -> bool:
    """Does it carry our opt-out token?"""
    where = " ".join((incoming.subject, *incoming.recipients)).casefold()
    return token is not None and token.casefold() in where
