"""Emails that wait for an approval: read as they would leave, approved as they were read. Nothing here sends anything.

An approval holds for one text. It is compared while the email's lane is held, and again by the gate, by the same mark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.access import first_emails
from db.audit import audit
from db.core.session import Transaction, database_now
from db.sending import approvals, changes, claims
from db.sending.changes import Email
from db.views import my_settings
from domain import changes as rules
from domain.approval import Approval
from domain.errors import InvalidInput, MessageRejected, NotFound, NotPermitted
from domain.grant import usable_grant
from domain.markup import is_html
from domain.opt_out import LINE
from domain.send_window import next_permitted
from workers.compose import compose_email

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """An email as it would leave now. ``error``: why it could not; then what it says has its merge fields.

    ``mark``: what an approval binds to; None: it needs none, or could not leave.

    ``html``: sanitised, empty for plain text. ``needed``: its step needs an approval. ``approval``: the last one, perhaps of another text;
    ``approved``: it is of this text.
    """

    email: Email
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    opt_out_line: str
    mark: str | None
    error: str
    needed: bool
    approval: Approval | None
    approved: bool


class ChangedSince(NotPermitted):
    """It says something else than what was read. ``present``: what it says now."""

    def __init__(self, present: Letter) -> None:
        self.present = present
        super().__init__(
            f"The email to {present.email.person} has changed since you read it. Nothing was approved: read it again."
        )


@dataclass(frozen=True, slots=True)
class Approved:
    """``leaves_at``: at the earliest, after all checks. ``changed``: False if this same text had been approved before."""

    leaves_at: datetime
    changed: bool


@dataclass(frozen=True, slots=True)
class Several:
    """What became of several approvals. ``refused``: each with its reason."""

    approved: list[UUID] = field(default_factory=list)
    refused: dict[UUID, InvalidInput | NotFound | NotPermitted] = field(default_factory=dict)


def letter(tx: Transaction, delivery_id: UUID) -> Letter:
    """Return an email as it would leave now. Raises ``NotFound``."""
    return _letter(tx, changes.email(tx, delivery_id))


def _letter(tx: Transaction, email: Email) -> Letter:
    content, facts = claims.present(tx, email.id)
    try:
        message, error = compose_email(content), ""
    except MessageRejected as refused:
        message, error = None, str(refused)
    return Letter(
        email,
        content.sender,
        content.recipient,
        (content.subject or content.thread_subject or "") if message is None else message.subject,
        content.body if message is None else message.text,
        message.html if message is not None and is_html(content.body) else "",
        LINE if content.opt_out_line is None else content.opt_out_line,
        None if message is None else facts.text,
        error,
        facts.needs_approval,
        facts.approval,
        facts.approved,
    )


def approve(runtime: Runtime, delivery_id: UUID, mark: str, *, actor: str) -> Approved:
    """Approve an email as it was read. ``mark``: of the text that was read.

    Raises ``NotFound``; ``ChangedSince``; ``NotPermitted`` if it needs no approval, or it is too late; ``InvalidInput`` if it could not
    leave as it is.
    """
    with runtime.database.transaction() as tx:
        done = _approve(tx, delivery_id, mark, actor)
    if done.changed:
        log.info("email_approved", delivery_id=str(delivery_id))
    return done


def _approve(tx: Transaction, delivery_id: UUID, mark: str, actor: str) -> Approved:
    found = _letter(tx, changes.email(tx, delivery_id, lock=True))
    email = found.email
    # Whether it was submitted does not matter: an approval changes neither its text nor its time.
    if refused := rules.too_late(email.state, email.outcome, submitted=False):
        raise NotPermitted(refused)
    if not found.needed:
        raise NotPermitted("This email needs no approval.")
    if found.mark is None:
        raise InvalidInput(
            found.error.rstrip("."),
            where="text",
            fix="Fill the field in, or edit this email, then read it again.",
        )
    if found.mark != mark:
        raise ChangedSince(found)
    now = database_now(tx)
    leaves_at = next_permitted(max(now, email.due_at, email.not_before or now), email.plan.windows, [])
    if found.approved:
        return Approved(leaves_at, False)
    approval = Approval(actor, now, mark)
    approvals.approve(tx, delivery_id, approval)
    audit.write(
        tx, email.organization_id, actor, "delivery_approved", f"delivery:{delivery_id}", {"text": mark}
    )
    return Approved(leaves_at, True)


def take_back(runtime: Runtime, delivery_id: UUID, *, actor: str) -> bool:
    """Take the approval of an email back: it waits for another. Returns False if it has none.

    Raises ``NotFound``; ``NotPermitted`` if it needs no approval, is leaving, or has left.
    """
    with runtime.database.transaction() as tx:
        email = changes.email(tx, delivery_id, lock=True)
        # That it was submitted once and came back does not matter: it does not leave again.
        if refused := rules.too_late(email.state, email.outcome, submitted=False):
            raise NotPermitted(refused)
        _, facts = claims.present(tx, delivery_id)
        if not facts.needs_approval:
            raise NotPermitted("This email needs no approval.")
        if facts.approval is None:
            return False
        approvals.take_back(tx, delivery_id)
        data = {"text": facts.approval.text}
        audit.write(tx, email.organization_id, actor, "approval_taken_back", f"delivery:{delivery_id}", data)
    log.info("approval_taken_back", delivery_id=str(delivery_id))
    return True


def approve_first(
    runtime: Runtime, grant_id: UUID, delivery_id: UUID, mark: str, *, mailbox_owner_id: UUID, actor: str
) -> None:
    """Approve the first email on a permission as it was read; from then on the permission sends by itself.

    Raises ``NotFound``: they gave no such permission, or it has ended; ``ChangedSince``; ``NotPermitted`` if no email waits for it any more;
    ``InvalidInput`` if it could not leave as it is.
    """
    with runtime.database.transaction() as tx:
        if not first_emails.lock(tx, grant_id):
            raise NotFound("This permission has ended. Nothing leaves on it.")
        found = _letter(tx, changes.email(tx, delivery_id, lock=True))
        _, facts = claims.present(tx, delivery_id)
        owner = facts.mailbox_owner
        if owner is None or owner.id != mailbox_owner_id:
            raise NotFound("There is no such email.")
        grant = usable_grant(facts.grants, facts.sequence_owner.id, facts.sequence_id, facts.now)
        if grant is None or grant.id != grant_id or not grant.waits_for_first:
            raise NotPermitted("This permission waits for no approval any more.")
        if refused := rules.too_late(found.email.state, found.email.outcome, submitted=False):
            raise NotPermitted(refused)
        if found.mark is None:
            raise InvalidInput(
                found.error.rstrip("."),
                where="text",
                fix=f"{found.email.person} gets it once that is filled in.",
            )
        if found.mark != mark:
            raise ChangedSince(found)
        first_emails.approve(tx, grant_id, delivery_id, Approval(actor, facts.now, mark))
    log.info("first_email_approved", grant_id=str(grant_id), delivery_id=str(delivery_id))


def ask_for_first(
    runtime: Runtime, grant_id: UUID, *, asks: bool, mailbox_owner_id: UUID, actor: str
) -> bool:
    """Have the next email on a permission wait for the mailbox's owner, or none; returns whether that changed anything. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        if not my_settings.gave(tx, grant_id, mailbox_owner_id):
            raise NotFound("You gave no such permission.")
        return (first_emails.ask if asks else first_emails.stop_asking)(tx, grant_id, actor=actor)


def approve_several(runtime: Runtime, marks: Mapping[UUID, str], *, actor: str) -> Several:
    """Approve each as it was read. ``marks``: by email. What cannot be approved holds up no other."""
    done = Several()
    for delivery_id, mark in marks.items():
        try:
            approve(runtime, delivery_id, mark, actor=actor)
            done.approved.append(delivery_id)
        except (InvalidInput, NotFound, NotPermitted) as error:
            done.refused[delivery_id] = error
    return done
