"""A step as one person would get it, through the engine that sends: what it says, when it leaves, and why not. Or sent to oneself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from actions import errands, resume
from app.runtime import Runtime
from db.access import authority
from db.core.session import Transaction
from db.mailboxes import mailboxes
from db.sending.content import Content
from db.sequences import built, previews
from db.sequences.previews import Standing, StepOnTheWay
from db.withdrawing import resumes
from domain import task
from domain.approval import StepKind
from domain.errands import ErrandKind
from domain.errors import InvalidInput, MessageRejected, NotFound, NotPermitted
from domain.markup import is_html
from domain.merge import fields_in
from domain.opt_out import LINE
from domain.step_test import StepTest
from domain.suppression import LABELS, Reason
from domain.verification import Outcome, Verdict
from workers.compose import compose_email

# Around the name of a field that is missing, in the text of a preview.
GAP = re.compile("⟦([a-z0-9_]+)⟧")


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody is writing. ``subject`` None: in the same thread."""

    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class StepPreview:
    """``kind``: of the step. ``subject``, ``text``: of a task, its first line and the rest.

    ``text``: with each missing field as ``GAP`` matches it. ``html``: sanitised, empty for plain text. ``person``: None for a sample.

    ``error``: why nobody can get it as it is. ``reasons``: why this person gets nothing now. ``step_id``: None for what is being written. ``leaves_at``: of the step that
    comes next, if somebody started or resumed now. ``way``: every step, with what became of it.
    """

    step_id: UUID | None
    position: int
    kind: StepKind
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    gaps: Sequence[str]
    error: str
    opt_out_line: str
    person: Standing | None
    reasons: Sequence[str]
    leaves_at: datetime | None
    way: Sequence[StepOnTheWay]


def preview(
    tx: Transaction,
    sequence_id: UUID,
    position: int,
    *,
    enrollment_id: UUID | None,
    member_id: UUID,
    candidate_id: UUID | None = None,
    typed: Typed | None = None,
) -> StepPreview:
    """Preview one step for one person, in the sequence (``enrollment_id``) or not (``candidate_id``), or as if the member were the
    person. ``typed``: what somebody is writing there instead. Changes nothing. Raises ``NotFound``.
    """
    sequence = built.built(tx, sequence_id)
    way = previews.way(tx, sequence_id, enrollment_id)
    step = next((each for each in way if each.position == position), None)
    content = None
    if step is not None or typed is not None:
        content = previews.content(
            tx,
            sequence_id,
            None if step is None else step.step_id,
            enrollment_id=enrollment_id,
            member_id=member_id,
            candidate_id=candidate_id,
            position=position,
        )
    if content is None:
        raise NotFound("There is no such step, or this person is not in the sequence.")
    if typed is not None:
        content = replace(content, subject=typed.subject, body=typed.body)
    person = None if enrollment_id is None else previews.standing(tx, sequence_id, enrollment_id)
    kind = StepKind.AUTOMATIC if step is None else StepKind(step.kind)
    subject, text, html, gaps, error = (_task if kind is StepKind.TASK else _composed)(content)
    reasons = [*authority.blockers(tx, [sequence_id])[sequence_id], *_reasons(sequence.status, person)]
    return StepPreview(
        None if typed or step is None else step.step_id,
        position,
        kind,
        content.sender,
        content.recipient,
        subject,
        text,
        html,
        gaps,
        error,
        LINE if content.opt_out_line is None else content.opt_out_line,
        person,
        reasons,
        _leaves_at(tx, sequence_id, way) if sequence.status in ("draft", "paused") else None,
        way,
    )


def _composed(content: Content) -> tuple[str, str, str, list[str], str]:
    gaps = _gaps(content)
    shown = replace(content, values={**content.values, **{name: f"⟦{name}⟧" for name in gaps}})
    try:
        message = compose_email(shown)
    except MessageRejected as error:
        return content.subject or "", content.body, "", gaps, str(error)
    return message.subject, message.text, message.html if is_html(content.body) else "", gaps, ""


def _task(content: Content) -> tuple[str, str, str, list[str], str]:
    content = replace(content, subject="")
    gaps = _gaps(content)
    said = task.said(content.body, {**content.values, **{name: f"⟦{name}⟧" for name in gaps}})
    return said.title, said.note, "", gaps, ""


def _gaps(content: Content) -> list[str]:
    """Return the fields that this person lacks and the text has no fallback for."""
    template = content.thread_subject if content.subject is None else content.subject
    return list(
        dict.fromkeys(
            each.name
            for part in (template or "", content.body)
            for each in fields_in(part)
            if each.name in content.values
            and not content.values[each.name].strip()
            and not (each.fallback or "").strip()
        )
    )


def _reasons(status: str, person: Standing | None) -> list[str]:
    found = []
    match status:
        case "archived":
            found.append("The sequence is archived.")
        case "draft":
            found.append("The sequence is a draft.")
        case "paused":
            found.append("The sequence is paused.")
    if person is None:
        return found
    if person.status != "active":
        said, _, field = (person.reason or "").replace("_", " ").partition(": ")
        found.append(
            f"This person waits until somebody fills in {field}."
            if field and person.status == "paused"
            else f"This person is {person.status}{f': {said}' if said else ''}."
        )
    if person.suppressed is not None:
        known = {each.value for each in Reason}
        label = LABELS[Reason(person.suppressed)].lower() if person.suppressed in known else person.suppressed
        found.append(f"The address is on the suppression list ({label}).")
    if person.away_until is not None:
        found.append("This person is away.")
    if person.unclear_until is not None:
        found.append("This person wrote, and nobody has decided yet what it means.")
    return found


def _leaves_at(tx: Transaction, sequence_id: UUID, way: Sequence[StepOnTheWay]) -> datetime | None:
    waiting = {each.delivery_id for each in way if each.state == "pending"}
    if not waiting:
        return None
    planned = resume.previews_of([resumes.load(tx, sequence_id)])[sequence_id].planned
    return next((each.send_at for each in planned if each.delivery_id in waiting), None)


def send_to_myself(
    runtime: Runtime,
    sequence_id: UUID,
    step_id: UUID,
    *,
    enrollment_id: UUID | None,
    member_id: UUID,
    actor: str,
) -> Verdict:
    """Send one step, as this person would get it, from the sequence's mailbox to the member. Counts as an email of the mailbox.

    Raises ``NotFound``, ``NotPermitted`` (the sequence may not send), ``InvalidInput`` (it cannot be written), ``TooMany``,
    ``WorkersSilent``.
    """
    with runtime.database.transaction() as tx:
        sequence = built.built(tx, sequence_id)
        content = previews.content(tx, sequence_id, step_id, enrollment_id=enrollment_id, member_id=member_id)
        if content is None:
            raise NotFound("There is no such step, or this person is not in the sequence.")
        if previews.is_task(tx, step_id):
            raise NotPermitted("This step is a task, and sends nothing.")
        if blockers := authority.blockers(tx, [sequence_id])[sequence_id]:
            raise NotPermitted(" ".join(blockers))
        mailbox = mailboxes.load(tx, sequence.mailbox_id)
    if mailbox is None or not mailbox.has_connection:
        raise NotPermitted(f"{sequence.address} is not connected.")
    try:
        compose_email(content)
    except MessageRejected as error:
        raise InvalidInput(str(error).rstrip("."), where="text", fix="Fill it in or correct it.") from None
    detail = StepTest(sequence_id, step_id, enrollment_id, member_id)
    with runtime.limiter.test(sequence.organization_id, sequence.mailbox_id, actor):
        answer = errands.ask(
            runtime,
            sequence.organization_id,
            ErrandKind.SEND_TEST_EMAIL,
            sequence.mailbox_id,
            actor=actor,
            detail=str(detail),
        ).wait()
    if answer is None:
        return Verdict(
            Outcome.NOT_SENT,
            "We do not know yet whether the email has left.",
            "Check your inbox: it may have arrived anyway.",
        )
    return Verdict.from_json(answer)
