"""Write one email to one person by hand. It leaves like any other: through the claim, the gate and the ledger of receipts."""

from dataclasses import dataclass
from uuid import UUID

import structlog

from actions.signatures import seen
from app.runtime import Runtime
from db.access import authority
from db.core.session import Transaction
from db.sending import by_hand
from db.sending.by_hand import From, Letter, Newest
from db.sending.content import content_of
from domain.errors import InvalidInput, MessageRejected, NotPermitted
from domain.message import MAX_SUBJECT, reply_subject
from domain.suppression import LABELS, Reason
from workers.compose import compose_email

log = structlog.get_logger()

_MAX_KEY = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A mailbox that a member may write from, and what an email written there would answer, if anything.

    ``signature``: what the email ends with, as HTML.
    """

    sender: From
    answers: Newest | None
    signature: str


def choices(tx: Transaction, organization_id: UUID, candidate_id: UUID, member_id: UUID) -> list[Choice]:
    """Return what a member may write from, those with a thread first."""
    threads = by_hand.newest(tx, candidate_id)
    found = [
        Choice(each, threads.get(each.id), seen(each.signature)[0])
        for each in by_hand.senders(tx, organization_id, member_id)
    ]
    return sorted(found, key=lambda each: each.answers is None)


def write(
    runtime: Runtime,
    organization_id: UUID,
    candidate_id: UUID,
    *,
    member_id: UUID,
    mailbox_id: UUID | None,
    in_thread: bool,
    subject: str,
    text: str,
    with_signature: bool = True,
    key: str,
    actor: str,
) -> tuple[UUID, bool]:
    """Have an email leave. Returns its delivery, and False if this same request had been made before.

    ``in_thread``: it answers the newest email between this mailbox and the person, as ``choices`` says; otherwise it begins a thread,
    which needs a ``subject``. ``with_signature``: it ends with its mailbox's. ``key``: of the form or call, so that a repeated one writes nothing more. Merge fields are filled.
    Raises ``NotFound``, ``NotPermitted`` (suppressed, a mailbox that is not theirs to write from), ``InvalidInput``.
    """
    with runtime.database.transaction() as tx:
        person = by_hand.person(tx, organization_id, candidate_id)
        if person.suppressed is not None:
            raise NotPermitted(
                f"{person.email} is on the suppression list ({_label(person.suppressed)}). Nobody here can write to this address"
                " until an owner or admin lifts that."
            )
        chosen = next(
            (
                each
                for each in choices(tx, organization_id, candidate_id, member_id)
                if each.sender.id == mailbox_id
            ),
            None,
        )
        if chosen is None:
            raise NotPermitted(
                "You cannot send from this mailbox now. Connect yours, or ask its owner for permission."
            )
        letter = Letter(
            organization_id,
            candidate_id,
            member_id,
            chosen.sender.id,
            _subject(subject, chosen, in_thread=in_thread),
            _text(text),
            key[:_MAX_KEY],
            chosen.answers if in_thread else None,
            with_signature,
        )
        delivery_id, new = by_hand.write(tx, letter, actor=actor)
        if new:
            _check(tx, letter)
    log.info("email_written_by_hand", delivery_id=str(delivery_id), outcome="new" if new else "known")
    return delivery_id, new


def _subject(subject: str, chosen: Choice, *, in_thread: bool) -> str:
    if not in_thread:
        if not subject.strip():
            raise InvalidInput("A new email needs a subject", where="subject", fix="Write one.")
        return subject.strip()
    if chosen.answers is None:
        raise InvalidInput(
            "This mailbox has no email to answer", where="mailbox", fix="Begin a new thread with a subject."
        )
    return reply_subject(chosen.answers.subject.strip())[:MAX_SUBJECT].rstrip()


def _text(text: str) -> str:
    if not text.strip():
        raise InvalidInput("The email has no text", where="text", fix="Write it.")
    return text


def _check(tx: Transaction, letter: Letter) -> None:
    """Refuse what could not leave, before it is kept. The gate asks everything again."""
    if blockers := authority.blockers(tx, [letter.id])[letter.id]:
        raise NotPermitted(" ".join(blockers))
    try:
        compose_email(content_of(by_hand.content(tx, letter.id)))
    except MessageRejected as error:
        where = "subject" if error.code == "bad_subject" else "text"
        raise InvalidInput(str(error).rstrip("."), where=where, fix="Correct it.") from None


def _label(reason: str) -> str:
    return LABELS[Reason(reason)].lower() if reason in {each.value for each in Reason} else reason
