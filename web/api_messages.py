"""The JSON API's conversations: what was written with a person, what waits to be filed, and emails written by hand."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from actions import by_hand, conversation, messages, opt_outs, overrule
from db.core.ids import new_id
from db.views import messages as lists
from db.views.messages import Viewer
from domain.listening.kinds import AnswerClass, Decision
from web.api_call import Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)


class Conversation(BaseModel):
    """A person, and the newest 200 emails each way, oldest first."""

    person: dict[str, Any]
    messages: list[dict[str, Any]]


class Answers(BaseModel):
    """One page, newest first. ``next_before`` is null on the last page."""

    items: list[dict[str, Any]]
    next_before: UUID | None


class Letter(Asked):
    """An email from a member. ``in_thread``: it answers the newest email between the mailbox and the person, with its subject.

    ``with_signature``: it ends with the mailbox's. Merge fields such as {{first_name}} are filled. Without an Idempotency-Key, each call sends an email.
    """

    model_config = ConfigDict(extra="forbid", str_max_length=100_000)

    member_id: UUID
    mailbox_id: UUID
    in_thread: bool = False
    subject: str = Field(default="", max_length=500)
    text: str = Field(min_length=1)
    with_signature: bool = True


class Class(Asked):
    """What kind of answer it is."""

    answer: AnswerClass


class Decided(Asked):
    """Of a proposed opt-out: it is one, just a no, or neither (an answer, to be filed). Of an unclear message: it is no answer."""

    decision: Decision


class Settled(BaseModel):
    """``stopped``: the emails that an opt-out stopped."""

    id: UUID
    stopped: int


class Because(Asked):
    """Why, in a few words; kept in the audit trail."""

    reason: str = Field(min_length=1)


class Overruled(BaseModel):
    """``overruled``: false if somebody had done it. ``sequences``: in how many the person goes on."""

    id: UUID
    overruled: bool
    sequences: int


class WrittenEmail(BaseModel):
    """The email: its delivery's id."""

    id: UUID


class Filed(BaseModel):
    """The answer, filed."""

    id: UUID
    answer: AnswerClass


@router.get("/candidates/{candidate}/messages", response_model=Conversation)
def show_conversation(call: Called, candidate: UUID) -> Conversation:
    """The conversation with a person over all mailboxes."""
    call.own("candidates", candidate)
    with call.runtime.database.transaction() as tx:
        viewer = Viewer(call.caller.organization_id, None)
        found = conversation.load(tx, call.runtime.web_keys, candidate, viewer)
    person = found.person
    return Conversation(
        person={"id": person.id, "name": person.name, "email": person.email, "suppressed": person.suppressed},
        messages=[conversation.as_json(each) for each in found.entries],
    )


@router.post("/candidates/{candidate}/messages", response_model=WrittenEmail, status_code=201)
def write_email(call: Called, candidate: UUID, letter: Letter) -> Response:
    """Have an email leave from a member's mailbox, or one they may send from, after all checks."""
    call.own("candidates", candidate)
    call.own("members", letter.member_id)

    def work() -> object:
        delivery, _ = by_hand.write(
            call.runtime,
            call.caller.organization_id,
            candidate,
            member_id=letter.member_id,
            mailbox_id=letter.mailbox_id,
            in_thread=letter.in_thread,
            subject=letter.subject,
            text=letter.text,
            with_signature=letter.with_signature,
            key=call.once or str(new_id()),
            actor=call.caller.name,
        )
        return {"id": delivery}

    return call.do(work, 201)


@router.get("/messages", response_model=Answers)
def list_answers(
    call: Called,
    which: Literal["waiting", "unclear", "done"] = "waiting",
    search: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[UUID | None, Query(description="next_before of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = lists.PER_PAGE,
) -> Answers:
    """What came in and waits for a person to say what it is, or was filed."""
    viewer = Viewer(call.caller.organization_id, None)
    with call.runtime.database.transaction() as tx:
        found = lists.page(tx, viewer, which, search=search.strip(), before=before, limit=limit + 1)
    shown = found[:limit]
    return Answers(
        items=[
            {
                **conversation.as_json(conversation.theirs(call.runtime.web_keys, each)),
                "candidate_id": each.candidate_id,
            }
            for each in shown
        ],
        next_before=shown[-1].id if len(found) > limit else None,
    )


@router.post("/messages/{message}/classify", response_model=Filed)
def classify(call: Called, message: UUID, how: Class) -> Response:
    """File an answer. What was unclear becomes an answer by this."""
    with call.runtime.database.transaction() as tx:
        lists.one(tx, message, Viewer(call.caller.organization_id, None))

    def work() -> object:
        filed = messages.classify(call.runtime, message, how.answer, actor=call.caller.name)
        return {"id": message, "answer": filed}

    return call.do(work)


@router.post("/messages/{message}/decide", response_model=Settled)
@withdraws
def decide(call: Called, message: UUID, how: Decided) -> Response:
    """Decide what a proposed opt-out or an unclear message is. What follows from it happens at once."""
    organization_id = call.caller.organization_id
    with call.runtime.database.transaction() as tx:
        lists.one(tx, message, Viewer(organization_id, None))

    def work() -> object:
        done = messages.decide(call.runtime, organization_id, message, how.decision, actor=call.caller.name)
        return {"id": message, "stopped": 0 if done is None else done.stopped}

    return call.do(work)


@router.post("/messages/{message}/overrule", response_model=Overruled)
def overrule_message(call: Called, message: UUID, because: Because) -> Response:
    """Take back what followed from a message: the person continues where they stood."""

    def work() -> object:
        goes_on = overrule.overrule(
            call.runtime,
            call.caller.organization_id,
            message,
            actor=call.caller.name,
            reason=because.reason,
        )
        return {"id": message, "overruled": goes_on is not None, "sequences": goes_on or 0}

    return call.do(work)


@router.post("/messages/{message}/confirm-opt-out", response_model=Withdrawal)
@withdraws
def confirm_opt_out(call: Called, message: UUID) -> Response:
    """The message is an opt-out; answers when nothing can leave to the person any more."""
    return call.do(
        lambda: answered(
            opt_outs.confirm(call.runtime, call.caller.organization_id, message, actor=call.caller.name)
        )
    )
