"""The JSON API's hand-overs: preview one, ask for it or do it, cancel a request; and all sequences of somebody who left.

Who is asked accepts on their own page: no program puts emails under a person's name without them.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from actions import handovers
from db.sequences import handover_requests
from db.withdrawing import handing_over
from domain.errors import NotFound
from domain.handover import MAX_INTRODUCTION, Middle, TakeOver
from web.api_call import Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)


class AllHandOver(Asked):
    """``to``: a member. ``sender_id``: a mailbox that they may use; null: the sequence stays paused until they choose one.

    ``middle``: what becomes of people who had an email from another mailbox. ``introduction``: what their new thread says first;
    "": nothing, null: our words.
    """

    to: UUID
    sender_id: UUID | None = None
    middle: Middle = Middle.GO_ON
    introduction: str | None = Field(default=None, max_length=MAX_INTRODUCTION)

    def wanted(self) -> TakeOver:
        """Return what was chosen."""
        return TakeOver(self.sender_id, self.middle, self.introduction)


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


class Cancelled(BaseModel):
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


@router.get("/hand-overs", response_model=list[dict[str, Any]])
def list_requests(call: Called) -> list[dict[str, Any]]:
    """The newest 200 requests to take a sequence over."""
    with call.runtime.database.transaction() as tx:
        found = handover_requests.of_organization(tx, call.caller.organization_id)
    return [each._asdict() for each in found]


@router.post("/hand-overs/{request}/cancel", response_model=Cancelled)
def cancel_request(call: Called, request: UUID) -> Response:
    """Ask no more."""
    with call.runtime.database.transaction() as tx:
        if handover_requests.load(tx, request).organization_id != call.caller.organization_id:
            raise NotFound("There is no such request.")

    def work() -> dict[str, Any]:
        handovers.cancel(call.runtime, request, actor=call.caller.name)
        return {"id": request}

    return call.do(work)
