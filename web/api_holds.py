"""The JSON API's holds: stop all sending of a mailbox or of the organization, and let it go on."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, Field

from actions import holds as actions
from db.withdrawing import holds
from db.withdrawing.holds import Whose
from domain.holds import MAX_REASON, Level, SendingHold
from web.api_call import Call, Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered
from web.rooms import withdraws

router = APIRouter(responses=REFUSALS)


class NewHold(Asked):
    """Why, in a few words, which owners read; and until when, or null: until it is released."""

    reason: str = Field(min_length=1, max_length=MAX_REASON)
    until: AwareDatetime | None = None


class Hold(BaseModel):
    """``mailbox_id`` null: all of the organization's, or, if ``everybody``, a drain by operators. ``level``: who may release it."""

    id: UUID
    everybody: bool
    mailbox_id: UUID | None
    level: Level
    held_by: str
    reason: str
    since: AwareDatetime
    until: AwareDatetime | None


class Holds(BaseModel):
    """All that are not over."""

    items: list[Hold]


class Released(BaseModel):
    """``ended``: there was a hold to end. ``left``: what still keeps it from sending, or null."""

    ended: bool
    left: Hold | None


@router.get("/holds", response_model=Holds)
def list_holds(call: Called) -> Holds:
    """What is held, the widest first."""
    with call.runtime.database.transaction() as tx:
        found = holds.listed(tx, call.caller.organization_id)
    return Holds(items=[_hold(each.hold) for each in found])


@router.post("/mailboxes/{mailbox}/hold", response_model=Withdrawal)
@withdraws
def hold_mailbox(call: Called, mailbox: UUID, new: NewHold) -> Response:
    """Stop all sending of a mailbox; answers when nothing can leave. ``stopped``: the emails that wait; none is changed."""
    call.own("mailboxes", mailbox)
    return _held(call, Whose(call.caller.organization_id, mailbox), new)


@router.post("/mailboxes/{mailbox}/release", response_model=Released)
def release_mailbox(call: Called, mailbox: UUID) -> Response:
    """Let it send again. What waited goes on in its order and at its pace. An operator's hold stays."""
    call.own("mailboxes", mailbox)
    return _released(call, Whose(call.caller.organization_id, mailbox))


@router.post("/organization/hold", response_model=Withdrawal)
@withdraws
def hold_organization(call: Called, new: NewHold) -> Response:
    """Stop all sending of the organization; answers when nothing can leave."""
    return _held(call, Whose(call.caller.organization_id), new)


@router.post("/organization/release", response_model=Released)
def release_organization(call: Called) -> Response:
    """Let it send again. Mailboxes that are held by themselves stay so."""
    return _released(call, Whose(call.caller.organization_id))


def _held(call: Call, whose: Whose, new: NewHold) -> Response:
    return call.do(
        lambda: answered(
            actions.hold(
                call.runtime,
                whose,
                level=Level.ADMIN,
                actor=call.caller.name,
                reason=new.reason,
                until=new.until,
            )
        )
    )


def _released(call: Call, whose: Whose) -> Response:
    def work() -> dict[str, Any]:
        done = actions.release(call.runtime, whose, level=Level.ADMIN, actor=call.caller.name)
        return {"ended": done.ended, "left": None if done.left is None else _hold(done.left)}

    return call.do(work)


def _hold(hold: SendingHold) -> Hold:
    return Hold(
        id=hold.id,
        everybody=hold.is_drain,
        mailbox_id=hold.mailbox_id,
        level=hold.level,
        held_by=hold.held_by,
        reason=hold.reason,
        since=hold.since,
        until=hold.until,
    )
