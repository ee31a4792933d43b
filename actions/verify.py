"""Send a test email from a mailbox to itself, or check its settings; both answer with a typed result, and neither retries."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog

from actions.smtp import dmarc_verdict
from db import lanes, looks, mailboxes, test_emails
from db.gate import lock_lane
from db.ids import new_id
from db.mailboxes import Mailbox
from db.session import Transaction, database_now
from domain.address import Address
from domain.connection import REFUSED_BY, Provider
from domain.delivery import STEP_BACK_AFTER, wait_reason
from domain.errors import (
    ConnectionRefused,
    DeliveryUnknown,
    NotFound,
    OperatorMisconfigured,
    ProviderError,
    Throttled,
)
from domain.message import OutgoingMessage
from domain.verification import Outcome, Verdict, not_connected, still_refused, verdict_of
from transports.base import Draft, Traceable, Transport
from workers import check_mailbox
from workers.runtime import Runtime

log = structlog.get_logger()

_SUBJECT = "Test email from Onbehalf"
_WAITS = 5.0  # seconds for the mailbox's free slot
_BUSY = ("Onbehalf is looking something up in this mailbox just now.", "Try again in a minute.")
_TEXT = "This is the test email that you asked for. Onbehalf can send from this mailbox."


def send_test_email(runtime: Runtime, mailbox_id: UUID, *, actor: str) -> Verdict:
    """Send one email from the mailbox to its own address. Raises ``NotFound``, ``TooMany``.

    It obeys the mailbox's pace, and a withdrawal that comes meanwhile waits for it. A refusal that only a person can mend
    marks the mailbox and pauses what depends on it, as any other would. An email that is accepted proves that a mailbox which
    the provider had refused can send again: it is connected again.
    """
    mailbox = _load(runtime, mailbox_id)
    if not _stored(mailbox):
        return not_connected(mailbox.address)
    room = runtime.limiter.test(mailbox.organization_id, mailbox_id, actor)
    with room, _slot(runtime, mailbox) as slot:
        if slot is None:
            return Verdict(Outcome.NOT_SENT, *_BUSY)
        try:
            verdict = _send(runtime, mailbox, actor)
        except (ProviderError, OperatorMisconfigured) as error:
            return _refused(runtime, mailbox, error)
    if verdict.good and mailbox.status == "disconnected":
        with runtime.database.transaction() as tx:
            mailboxes.lock(tx, mailbox)
            reopened = mailboxes.reopen(tx, mailbox, actor=actor)
        log.info("sending_proved" if reopened else "proof_came_late", mailbox_id=str(mailbox.id))
    log.info("test_email", mailbox_id=str(mailbox.id), outcome=verdict.outcome.name)
    return verdict


def _send(runtime: Runtime, mailbox: Mailbox, actor: str) -> Verdict:
    message = OutgoingMessage(Address(mailbox.address), _SUBJECT, f"<p>{_TEXT}</p>", _TEXT)
    transport = runtime.transport(mailbox.id, mailbox.provider)
    try:
        return _submit(runtime, transport, mailbox, message, actor)
    finally:
        transport.close()


def _submit(
    runtime: Runtime, transport: Transport, mailbox: Mailbox, message: OutgoingMessage, actor: str
) -> Verdict:
    draft = transport.prepare(message, runtime.marker(new_id()), None)
    asked_at = time.monotonic()
    with runtime.database.transaction() as tx:
        refused = _pass_gate(tx, mailbox, actor)
    if refused is not None:
        _discard(transport, draft)
        return refused
    try:
        if time.monotonic() - asked_at > STEP_BACK_AFTER.total_seconds():
            _discard(transport, draft)
            return Verdict(Outcome.NOT_SENT, "Onbehalf was too slow just now.", "Try again in a minute.")
        transport.send(draft)
    except DeliveryUnknown:
        # A late request must find nothing to send: nobody looks for a test email afterwards, or waits for it.
        try:
            _discard(transport, draft)
        except ProviderError as error:
            log.warning("draft_not_fenced", mailbox_id=str(mailbox.id), error=type(error).__name__)
        raise
    finally:
        with runtime.database.transaction() as tx:
            test_emails.end(tx, mailbox.id)
    return Verdict(Outcome.SENT, f"{mailbox.address} can send. The email is on its way to that same address.")


def _discard(transport: Transport, draft: Draft) -> None:
    if isinstance(transport, Traceable):
        transport.fence(draft.id)


def verify_settings(runtime: Runtime, mailbox_id: UUID, *, actor: str = "") -> Verdict:
    """Ask the provider whether the mailbox can send. Raises ``NotFound``, ``TooMany``. A lost one that can again is connected again,

    unless an email of it was refused: only one that leaves shows that this is over (``send_test_email``).
    """
    mailbox = _load(runtime, mailbox_id)
    if not _stored(mailbox):
        return not_connected(mailbox.address)
    room = runtime.limiter.test(mailbox.organization_id, mailbox_id, actor)
    with room, _slot(runtime, mailbox) as slot:
        if slot is None:
            return Verdict(Outcome.NOT_VERIFIED, *_BUSY)
        answer = check_mailbox.ask(runtime, mailbox)
    with runtime.database.transaction() as tx:
        check_mailbox.record(tx, mailbox, answer)
    if isinstance(answer, ProviderError | OperatorMisconfigured):
        by_password = mailbox.provider == Provider.SMTP
        return verdict_of(answer, mailbox.address, of_test=False, by_password=by_password)
    if mailbox.refused_sending is not None:
        return still_refused(mailbox.address, REFUSED_BY[mailbox.provider], mailbox.refused_sending)
    if mailbox.provider == Provider.MICROSOFT_SMTP and (blocked := dmarc_verdict(runtime, mailbox.address)):
        return blocked
    return Verdict(Outcome.VERIFIED, f"{REFUSED_BY[mailbox.provider]} says that {mailbox.address} can send.")


def _pass_gate(tx: Transaction, mailbox: Mailbox, actor: str) -> Verdict | None:
    lane = lock_lane(tx, mailbox.id)
    now = mailboxes.load(tx, mailbox.id)
    if now is None or not _stored(now) or now.connection_version != mailbox.connection_version:
        return not_connected(mailbox.address)
    if lane.wait is not None:
        return Verdict(
            Outcome.NOT_SENT,
            f"{mailbox.address} has sent as much as it may for the moment ({lane.wait.reason}).",
            f"Try again after {lane.wait.until:%H:%M:%S} UTC.",
        )
    if not test_emails.pass_gate(tx, lane, mailbox.organization_id, actor=actor):
        return Verdict(
            Outcome.NOT_SENT, "A test email is on its way already.", "Wait a moment for its result."
        )
    return None


@contextmanager
def _slot(runtime: Runtime, mailbox: Mailbox) -> Iterator[UUID | None]:
    """The mailbox's fourth request at a time (Graph allows four); None when somebody keeps it too long."""
    ends_at = time.monotonic() + _WAITS
    slot = None
    while slot is None and time.monotonic() < ends_at:
        with runtime.database.transaction() as tx:
            slot = looks.take_slot(tx, mailbox.id)
        if slot is None:
            time.sleep(0.2)
    try:
        yield slot
    finally:
        if slot is not None:
            with runtime.database.transaction() as tx:
                looks.free_slot(tx, mailbox.id, slot)


def _refused(runtime: Runtime, mailbox: Mailbox, error: ProviderError | OperatorMisconfigured) -> Verdict:
    log.info("test_email_refused", error=type(error).__name__, code=getattr(error, "code", ""))
    if isinstance(error, OperatorMisconfigured):
        log.critical("operator_misconfigured", error=str(error))
    if isinstance(error, ConnectionRefused):
        with runtime.database.transaction() as tx:
            check_mailbox.record(tx, mailbox, error)
    if isinstance(error, Throttled):
        with runtime.database.transaction() as tx:
            lock_lane(tx, mailbox.id)
            lanes.hold(tx, mailbox.id, database_now(tx) + error.retry_after, wait_reason(error))
    by_password = mailbox.provider == Provider.SMTP
    return verdict_of(error, mailbox.address, of_test=True, by_password=by_password)


def _load(runtime: Runtime, mailbox_id: UUID) -> Mailbox:
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    return mailbox


def _stored(mailbox: Mailbox) -> bool:
    """Is there a connection to ask about? One that the provider refuses counts; a removed one does not."""
    lost = mailbox.status == "disconnected" and mailbox.status_reason not in ("removed", "set_aside")
    return mailbox.status == "connected" or lost
