"""The JSON API's hand-overs: preview one, ask for it or do it, answer or cancel a request; and all sequences of somebody who left."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from actions import change_senders, handovers
from db.sequences import handover_requests
from db.sequences.handover_requests import HandoverRequest
from db.withdrawing import handing_over
from domain.errors import NotFound
from domain.handover import MAX_INTRODUCTION, MAX_TOGETHER, Middle, TakeOver
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)


class TakingOver(Asked):
    """``sender_id``: a mailbox that the new owner may use; null: the sequence stays paused until they choose one.

    ``middle``: what becomes of people who had an email from another mailbox. ``introduction``: what their new thread says first;
    "": nothing, null: our words.
    """

    sender_id: UUID | None = None
    middle: Middle = Middle.GO_ON
    introduction: str | None = Field(default=None, max_length=MAX_INTRODUCTION)

    def wanted(self) -> TakeOver:
        """Return what was chosen."""
        return TakeOver(self.sender_id, self.middle, self.introduction)


class AllHandOver(TakingOver):
    """``to``: the member who takes over."""

    to: UUID


class HandOver(AllHandOver):
    """``version``: of the sequence as you read it; null: any. ``words``: a message, if they are asked."""

    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    words: str = ""


class Handed(BaseModel):
    """``result`` null: they were asked (``request_id``), and the sequence stays as it is until they accept."""

    request_id: UUID | None
    result: Withdrawal | None


class Meant(BaseModel):
    """What a hand-over would do now, in numbers of people. ``problem``: why it cannot be so, or empty.

    ``middle``: whoever had an email from another mailbox. ``asks``: whoever takes over has to accept.
    """

    owner_id: UUID
    sender_id: UUID
    address: str
    fresh: int
    middle: int
    same: int
    held: int
    on_the_way: int
    asks: bool
    introduction: str
    problem: str


class Closed(BaseModel):
    """The request that is open no more."""

    id: UUID


@router.get("/sequences/{sequence}/hand-over", response_model=Meant)
def preview_hand_over(call: Called, sequence: UUID, to: UUID, sender_id: UUID | None = None) -> Meant:
    """What handing the sequence over would do now. ``sender_id`` left out: with its present mailbox."""
    call.own("sequences", sequence)
    call.own("members", to)
    with call.runtime.database.transaction() as tx:
        found = handovers.preview(tx, sequence, to, sender_id)
    return Meant(
        owner_id=to,
        sender_id=found.mailbox_id,
        address=found.address,
        **found.means._asdict(),
        asks=handovers.needs_an_answer(found.sequence, to, None),
        introduction=found.introduction,
        problem=found.problem,
    )


@router.post("/sequences/{sequence}/hand-over", response_model=Handed)
@withdraws
def hand_over_sequence(call: Called, sequence: UUID, asked: HandOver) -> Response:
    """Hand a sequence over: at once if its owner has left or stays the owner, else whoever takes it over is asked.

    Once it is done, nothing leaves from the former mailbox; a running sequence is paused until its owner resumes it.
    """
    call.own("sequences", sequence)
    call.own("members", asked.to)

    def work() -> dict[str, Any]:
        with call.runtime.database.transaction() as tx:
            present = handing_over.ownership(tx, sequence)
        if handovers.needs_an_answer(present, asked.to, None):
            request = handovers.ask(
                call.runtime, sequence, asked.to, words=asked.words, by=None, actor=call.caller.name
            )
            return {"request_id": request, "result": None}
        answer = handovers.hand_over(
            call.runtime,
            sequence,
            asked.to,
            asked.wanted(),
            version=asked.version,
            by=None,
            actor=call.caller.name,
        )
        return {"request_id": None, "result": answered(answer)}

    return call.do(work)


@router.post("/members/{member}/hand-over", response_model=Withdrawal)
@withdraws
def hand_over_all(call: Called, member: UUID, asked: AllHandOver) -> Response:
    """Hand over all sequences of a member who has left, all or none."""
    call.own("members", member)
    call.own("members", asked.to)
    return call.do(
        lambda: answered(
            handovers.hand_over_all(call.runtime, member, asked.to, asked.wanted(), actor=call.caller.name)
        )
    )


class NewSender(Asked):
    """``former_id``: the mailbox that they send from. ``sequences``: of the member, all or none change.

    ``middle``, ``introduction``: as of a hand-over.
    """

    former_id: UUID
    sender_id: UUID
    sequences: list[UUID] = Field(min_length=1, max_length=MAX_TOGETHER)
    middle: Middle = Middle.GO_ON
    introduction: str | None = Field(default=None, max_length=MAX_INTRODUCTION)


class SendersMeant(BaseModel):
    """What it would do now, in numbers of people. ``problems``: sequence → why it may not send from there."""

    sequences: list[UUID]
    sender_id: UUID | None
    problems: dict[UUID, str]
    fresh: int
    middle: int
    same: int
    held: int
    on_the_way: int
    introduction: str


@router.get("/members/{member}/change-sender", response_model=SendersMeant)
def preview_change_sender(
    call: Called, member: UUID, former_id: UUID, sender_id: UUID | None = None
) -> SendersMeant:
    """Which of a member's sequences send from a mailbox, and what another one would mean for them."""
    call.own("members", member)
    with call.runtime.database.transaction() as tx:
        found = change_senders.preview(tx, member, former_id, sender_id)
    return SendersMeant(
        sequences=[each.id for each in found.found],
        sender_id=found.mailbox_id,
        problems=dict(found.problems),
        fresh=found.fresh,
        middle=found.middle,
        same=found.same,
        held=found.held,
        on_the_way=found.on_the_way,
        introduction=found.introduction,
    )


@router.post("/members/{member}/change-sender", response_model=Withdrawal)
@withdraws
def change_sender(call: Called, member: UUID, asked: NewSender) -> Response:
    """Let several sequences of a member send from another mailbox that they may use. Running ones are paused."""
    call.own("members", member)
    return call.do(
        lambda: answered(
            change_senders.change(
                call.runtime,
                member,
                asked.former_id,
                dict.fromkeys(asked.sequences),
                TakeOver(asked.sender_id, asked.middle, asked.introduction),
                actor=call.caller.name,
            )
        )
    )


@router.get("/hand-overs", response_model=list[dict[str, Any]])
def list_requests(call: Called) -> list[dict[str, Any]]:
    """The newest 200 requests to take a sequence over."""
    with call.runtime.database.transaction() as tx:
        found = handover_requests.of_organization(tx, call.caller.organization_id)
    return [each._asdict() for each in found]


@router.post("/hand-overs/{request}/accept", response_model=Withdrawal)
@withdraws
def accept_request(call: Called, request: UUID, how: TakingOver) -> Response:
    """Take the sequence over for the member who is asked. Answers when nothing of it can leave from its former mailbox."""
    asked = _own(call, request)
    return call.do(
        lambda: answered(
            handovers.accept(
                call.runtime, request, how.wanted(), owner_id=asked.to_owner_id, actor=call.caller.name
            )
        )
    )


@router.post("/hand-overs/{request}/decline", response_model=Closed)
def decline_request(call: Called, request: UUID) -> Response:
    """Decline for the member who is asked. The sequence stays as it is."""
    asked = _own(call, request)

    def work() -> dict[str, Any]:
        handovers.decline(call.runtime, request, owner_id=asked.to_owner_id, actor=call.caller.name)
        return {"id": request}

    return call.do(work)


@router.post("/hand-overs/{request}/cancel", response_model=Closed)
def cancel_request(call: Called, request: UUID) -> Response:
    """Ask no more."""
    _own(call, request)

    def work() -> dict[str, Any]:
        handovers.cancel(call.runtime, request, actor=call.caller.name)
        return {"id": request}

    return call.do(work)


def _own(call: Call, request: UUID) -> HandoverRequest:
    with call.runtime.database.transaction() as tx:
        found = handover_requests.load(tx, request)
    if found.organization_id != call.caller.organization_id:
        raise NotFound("There is no such request.")
    return found
