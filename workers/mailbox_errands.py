"""Errands about mailboxes: send a test email to itself, check its settings, or try its own mail server.

Each returns a typed result, and none retries.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.core.ids import new_id
from db.core.session import Transaction, database_now
from db.events.errands import Errand
from db.mailboxes import domains, mailboxes, smtp_settings
from db.mailboxes.mailboxes import Mailbox
from db.sending import holds, lanes, reconcile_attempts, test_emails
from db.sending.gate import lock_lane
from domain.address import Address
from domain.connection import REFUSED_BY, Provider
from domain.delivery import STEP_BACK_AFTER, wait_reason
from domain.errors import (
    ConnectionRefused,
    DeliveryInDoubt,
    NotFound,
    OperatorMisconfigured,
    ProviderError,
    Throttled,
)
from domain.holds import who_releases
from domain.message import OutgoingMessage
from domain.step_test import StepTest
from domain.verification import Outcome, Verdict, not_connected, still_refused, verdict_of
from transports.base import Draft, KnowsDomains, Traceable, Transport
from workers import check_mailbox, step_tests

log = structlog.get_logger()

_SUBJECT = "Test email from Onbehalf"
_WAITS = 5.0  # seconds for the mailbox's free slot
_BUSY = ("Onbehalf is searching this mailbox right now.", "Try again in a minute.")
_TEXT = "This is the test email that you asked for. Onbehalf can send from this mailbox."


def send_test_email(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Send one email from the mailbox to its own address.

    The email obeys the mailbox's pace, and a withdrawal waits for it. A refusal that only a person can fix marks the mailbox and
    pauses what depends on it, as for any other email. If the provider had refused the mailbox, an accepted email proves that
    it can send again and reconnects it.
    """
    mailbox = _load(runtime, errand)
    if not mailbox.has_connection:
        return not_connected(mailbox.address).to_json()
    with _slot(runtime, mailbox) as slot:
        if slot is None:
            return Verdict(Outcome.NOT_SENT, *_BUSY).to_json()
        try:
            verdict = _send(runtime, mailbox, errand)
        except (ProviderError, OperatorMisconfigured) as error:
            return _refused(runtime, mailbox, error).to_json()
    if verdict.good and mailbox.status == "disconnected":
        with runtime.database.transaction() as tx:
            mailboxes.lock(tx, mailbox)
            reopened = mailboxes.reopen(tx, mailbox, actor=errand.actor)
        log.info("sending_proved" if reopened else "proof_came_late", mailbox_id=str(mailbox.id))
    log.info("test_email", mailbox_id=str(mailbox.id), outcome=verdict.outcome.name)
    return verdict.to_json()


def _send(runtime: Runtime, mailbox: Mailbox, errand: Errand) -> Verdict:
    test = StepTest.of(errand.detail)
    message = (
        OutgoingMessage(Address(mailbox.address), _SUBJECT, f"<p>{_TEXT}</p>", _TEXT)
        if test is None
        else step_tests.message_of(runtime, mailbox, test)
    )
    transport = runtime.transport(mailbox.id, mailbox.provider)
    try:
        return _submit(runtime, transport, mailbox, message, errand.actor, test)
    finally:
        transport.close()


def _submit(
    runtime: Runtime,
    transport: Transport,
    mailbox: Mailbox,
    message: OutgoingMessage,
    actor: str,
    test: StepTest | None,
) -> Verdict:
    draft = transport.prepare(message, runtime.correlation_id(new_id()), None)
    asked_at = time.monotonic()
    with runtime.database.transaction() as tx:
        refused = _pass_gate(tx, mailbox, actor, test)
    if refused is not None:
        _discard(transport, draft)
        return refused
    try:
        if time.monotonic() - asked_at > STEP_BACK_AFTER.total_seconds():
            _discard(transport, draft)
            return Verdict(Outcome.NOT_SENT, "Onbehalf took too long.", "Try again in a minute.")
        transport.send(draft)
    except DeliveryInDoubt:
        # A late request must find nothing to send, because nobody looks for a test email afterwards or waits for it.
        try:
            _discard(transport, draft)
        except ProviderError as error:
            log.warning("draft_not_recalled", mailbox_id=str(mailbox.id), error=type(error).__name__)
        raise
    finally:
        with runtime.database.transaction() as tx:
            test_emails.end(tx, mailbox.id)
    if test is not None:
        return Verdict(Outcome.SENT, f"The step is on its way to {message.recipient.email}.")
    return Verdict(Outcome.SENT, f"{mailbox.address} can send. The email is on its way to that same address.")


def _discard(transport: Transport, draft: Draft) -> None:
    if isinstance(transport, Traceable):
        transport.recall(draft.id)


def check_settings(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Ask the provider whether the mailbox can send, and reconnect a lost one that can.

    Exception: after a refused email, only a successful one reconnects it (``send_test_email``).
    """
    mailbox = _load(runtime, errand)
    if not mailbox.has_connection:
        return not_connected(mailbox.address).to_json()
    with _slot(runtime, mailbox) as slot:
        if slot is None:
            return Verdict(Outcome.NOT_VERIFIED, *_BUSY).to_json()
        answer = check_mailbox.ask(runtime, mailbox)
    with runtime.database.transaction() as tx:
        check_mailbox.record(tx, mailbox, answer)
    if isinstance(answer, ProviderError | OperatorMisconfigured):
        return verdict_of(answer, mailbox.address, mailbox.provider, of_test=False).to_json()
    refused_by = REFUSED_BY[mailbox.provider]
    if mailbox.refused_sending is not None:
        return still_refused(mailbox.address, refused_by, mailbox.refused_sending).to_json()
    return Verdict(Outcome.VERIFIED, f"{refused_by} says that {mailbox.address} can send.").to_json()


def try_server(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Sign in to the saved server and ask whether it takes email from this address, without sending any."""
    mailbox = _load(runtime, errand)
    with runtime.database.transaction() as tx:
        settings = smtp_settings.saved(tx, mailbox.id, Provider.SMTP)
    if settings is None or not settings.has_password:
        return not_connected(mailbox.address).to_json()
    try:
        runtime.transport(mailbox.id, Provider.SMTP).verify()
    except (ProviderError, OperatorMisconfigured) as error:
        log.info("smtp_test_failed", error=type(error).__name__, code=getattr(error, "code", ""))
        return verdict_of(error, mailbox.address, Provider.SMTP, of_test=False).to_json()
    return Verdict(Outcome.VERIFIED, f"The mail server takes email from {mailbox.address}.").to_json()


def read_domains(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Does Microsoft list the domain in the tenant that the organization trusts?"""
    with runtime.database.transaction() as tx:
        asks = domains.asked_at_microsoft(tx, errand.organization_id)
    if asks is None:
        return {"found": False}
    mailbox_id, tenant_id = asks
    transport = runtime.transport(mailbox_id, Provider.GRAPH)
    assert isinstance(transport, KnowsDomains)
    try:
        return {"found": errand.detail in transport.verified_domains(tenant_id)}
    except (ProviderError, OperatorMisconfigured) as error:
        # There are other ways to prove a domain. If something is wrong with the mailbox, sending notices it.
        log.info("domains_not_read", mailbox_id=str(mailbox_id), error=type(error).__name__)
        return {"found": False}
    finally:
        transport.close()


def _pass_gate(tx: Transaction, mailbox: Mailbox, actor: str, test: StepTest | None) -> Verdict | None:
    lane = lock_lane(tx, mailbox.id)
    # Under the lock: a permission that has ended since lets no step of its sequence leave either.
    if test is not None and (refused := step_tests.refused(tx, mailbox, test)):
        return Verdict(Outcome.NOT_SENT, refused)
    if (hold := holds.of_mailbox(tx, mailbox.id)) is not None:
        return Verdict(
            Outcome.NOT_SENT, f"{mailbox.address} sends nothing now: {hold.reason}.", who_releases(hold.level)
        )
    now = mailboxes.load(tx, mailbox.id)
    if now is None or not now.has_connection or now.connection_version != mailbox.connection_version:
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
    """Take the mailbox's slot for a fourth concurrent request (Graph allows four); None if it stays taken too long."""
    ends_at = time.monotonic() + _WAITS
    slot = None
    while slot is None and time.monotonic() < ends_at:
        with runtime.database.transaction() as tx:
            slot = reconcile_attempts.take_slot(tx, mailbox.id)
        if slot is None:
            time.sleep(0.2)
    try:
        yield slot
    finally:
        if slot is not None:
            with runtime.database.transaction() as tx:
                reconcile_attempts.free_slot(tx, mailbox.id, slot)


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
    return verdict_of(error, mailbox.address, mailbox.provider, of_test=True)


def _load(runtime: Runtime, errand: Errand) -> Mailbox:
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, errand.subject_id)
    if mailbox is None or mailbox.organization_id != errand.organization_id:
        raise NotFound("There is no such mailbox.")
    return mailbox
