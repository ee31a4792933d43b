"""One planned email: skip it, cancel it, not before a time, earlier, or another text. Nothing here sends anything.

Each change holds the email's lane and happens only while nobody has the email: no worker, and no provider. So it cannot be sent
twice or out of order by a change, and a change that comes too late is refused in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

import structlog

from actions import attention
from app.runtime import Runtime
from db.audit import audit
from db.core.session import Transaction
from db.sending import changes, outcomes
from db.sending.changes import Email
from db.sending.content import content_of
from db.sending.moves import at_rest
from db.views.attention import BLOCKED
from domain import changes as rules
from domain import task
from domain.changes import CANCELLED, CHANGEABLE, SKIPPED, Cancel, Change, Earlier, NotBefore, Skip, Times
from domain.errors import InvalidInput, MessageRejected, NotPermitted
from domain.send_window import next_permitted
from workers.compose import compose_email

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a change would do. ``refused``: why it cannot be done now, or None. ``times``: of this email and all that follow it."""

    email: Email
    refused: str | None
    times: Sequence[Times]


@dataclass(frozen=True, slots=True)
class Text:
    """What one email says, with merge fields. ``subject`` None: it answers in its thread. ``own``: somebody edited this email alone.

    ``mark``: changes with the text, so that two people who edit at once notice each other.
    """

    email: Email
    subject: str | None
    body: str
    own: bool
    mark: str


def foresee(tx: Transaction, delivery_id: UUID, change: Change) -> Foreseen:
    """Say what a change would do. Changes nothing. Raises ``NotFound``, ``InvalidInput``."""
    email = changes.email(tx, delivery_id)
    refused = too_late(email)
    if refused is None:
        try:
            rules.check(change, email.plan)
        except NotPermitted as error:
            refused = str(error)
    return Foreseen(email, refused, [] if refused else rules.moved(change, email.plan))


def change(runtime: Runtime, delivery_id: UUID, wanted: Change, *, actor: str) -> bool:
    """Change one planned email. Returns False if that had been done before.

    Raises ``NotFound``; ``NotPermitted`` if it is too late, or the email is not one for it; ``InvalidInput`` for a time that makes no sense.
    """
    with runtime.database.transaction() as tx:
        email = changes.email(tx, delivery_id, lock=True)
        if not email.is_task and _is_done(wanted, email):
            return False
        if refused := too_late(email):
            raise NotPermitted(refused)
        rules.check(wanted, email.plan)
        _carry_out(tx, email, wanted, actor)
    blocked = email.enrollment_status == "paused" and (email.enrollment_reason or "").startswith(BLOCKED)
    if blocked and isinstance(wanted, Skip | Cancel):
        # What held them was a field of this email. The next one asks for its own.
        attention.let_go(runtime, email.enrollment_id, running=email.sequence_status == "active", actor=actor)
    log.info("email_changed", delivery_id=str(delivery_id), outcome=type(wanted).__name__.lower())
    return True


def _is_done(wanted: Change, email: Email) -> bool:
    match wanted:
        case Skip():
            return email.reason == SKIPPED
        case Cancel():
            return email.reason == CANCELLED
        case NotBefore(at):
            return email.state != "closed" and email.not_before == at
        case Earlier():
            return email.state in CHANGEABLE and email.not_before is None and email.due_at <= email.now
    assert_never(wanted)


def too_late(email: Email) -> str | None:
    """Say why an email cannot be changed any more, or at all, or None."""
    if email.is_task:
        return task.NO_EMAIL
    return rules.too_late(email.state, email.outcome, submitted=email.submitted)


def _carry_out(tx: Transaction, email: Email, wanted: Change, actor: str) -> None:
    match wanted:
        case Skip():
            _close(tx, email, "skipped", SKIPPED, email.now, actor)
        case Cancel():
            _close(tx, email, "cancelled", CANCELLED, max(email.now, email.due_at), actor)
        case NotBefore(at):
            _plan(tx, email, next_permitted(at, email.plan.windows, []), at, actor)
        case Earlier():
            _plan(tx, email, email.now, None, actor)
        case _:
            assert_never(wanted)


def _close(
    tx: Transaction, email: Email, outcome: str, reason: str, goes_on_from: datetime, actor: str
) -> None:
    outcomes.close(
        tx, email.id, outcome, reason, at_rest(*CHANGEABLE), actor=actor, goes_on_from=goes_on_from
    )


def _plan(tx: Transaction, email: Email, due_at: datetime, not_before: datetime | None, actor: str) -> None:
    changes.plan(tx, email.id, due_at, not_before)
    data = {
        "due_at": due_at.isoformat(),
        "not_before": None if not_before is None else not_before.isoformat(),
        "was_due_at": email.due_at.isoformat(),
    }
    audit.write(tx, email.organization_id, actor, "delivery_moved", f"delivery:{email.id}", data)


def text_of(tx: Transaction, delivery_id: UUID) -> Text:
    """Return what an email says. Raises ``NotFound``."""
    return _text(changes.email(tx, delivery_id))


def _text(email: Email) -> Text:
    mark = rules.mark_of(email.subject, email.body)
    return Text(email, email.subject, email.body, email.own_body is not None, mark)


def edit(
    runtime: Runtime, delivery_id: UUID, *, subject: str, body: str, mark: str | None, actor: str
) -> bool:
    """Give this one email another text; merge fields are filled as in its step. Returns False if it says that already.

    ``subject``: ignored by an email that answers in its thread. ``mark``: of the text that was edited; None: whatever it was.
    The text of its step takes the edit back. Raises ``NotFound``; ``NotPermitted`` if it is too late; ``InvalidInput`` if nothing could
    leave so, or somebody else edited it meanwhile.
    """
    with runtime.database.transaction() as tx:
        email = changes.email(tx, delivery_id, lock=True)
        if refused := too_late(email):
            raise NotPermitted(refused)
        said = _wanted(email, subject, body)
        if said == (email.subject, email.body):
            return False
        if mark is not None and mark != _text(email).mark:
            raise InvalidInput(
                "Somebody changed this email while you edited it",
                where="text",
                fix="Open it again to see their text; yours is kept here to copy.",
            )
        own = said != (email.step_subject, email.step_body)
        own_subject = said[0] if own and said[0] != email.step_subject else None
        changes.say(tx, delivery_id, own_subject, said[1] if own else None)
        _check(tx, delivery_id)
        data = {"text": rules.mark_of(*said), "was": _text(email).mark, "own": own}
        audit.write(tx, email.organization_id, actor, "delivery_edited", f"delivery:{delivery_id}", data)
    log.info("email_edited", delivery_id=str(delivery_id))
    return True


def _wanted(email: Email, subject: str, body: str) -> tuple[str | None, str]:
    body = body.replace("\r\n", "\n")
    if not body.strip():
        raise InvalidInput("The email has no text", where="text", fix="Write it, or skip this email.")
    if body.strip() == email.body.strip():
        body = email.body
    if email.subject is None:
        return None, body
    if not subject.strip():
        raise InvalidInput("The email has no subject", where="subject", fix="Write one.")
    return subject.strip(), body


def _check(tx: Transaction, delivery_id: UUID) -> None:
    """Refuse what could not leave, before it is kept."""
    try:
        compose_email(content_of(changes.content(tx, delivery_id)))
    except MessageRejected as error:
        where = "subject" if error.code == "bad_subject" else "text"
        raise InvalidInput(str(error).rstrip("."), where=where, fix="Correct it.") from None
