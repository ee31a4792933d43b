"""The JSON API's view of Microsoft for the whole organization. Only people give a consent, on pages."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel

from actions import tenant, withdraw
from domain.errors import NotFound
from web.api_call import Called
from web.api_models import REFUSALS, Asked, Withdrawal, answered
from web.rooms import waits_for_others, withdraws

router = APIRouter(responses=REFUSALS)


class Tenant(BaseModel):
    """``status``: lost: Microsoft refuses, with its ``code``. ``mailboxes``: how many are connected by it."""

    tenant_id: str
    status: Literal["connected", "lost", "disconnected"]
    reason: str | None
    code: str | None
    connected_by: str
    connected_at: AwareDatetime
    ended_at: AwareDatetime | None
    mailboxes: int


class Tried(Asked):
    """``address``: of a member who has signed in, whose mailbox is tried; empty: of whoever has."""

    address: str = ""


class Answer(BaseModel):
    """``good`` null: only an email shows it."""

    what: str
    good: bool | None
    said: str
    fix: str


class Answers(BaseModel):
    """What Microsoft answered, in the order in which it was asked."""

    items: list[Answer]


@router.get("/tenant", response_model=Tenant)
def show_tenant(call: Called) -> Tenant:
    """The organization's tenant-wide connection; 404 if there never was one."""
    found = tenant.show(call.runtime, call.caller.organization_id)
    if found is None:
        raise NotFound("Microsoft was never connected for the whole organization.")
    return Tenant.model_validate(found, from_attributes=True)


@router.post("/tenant/check", response_model=Answers)
@waits_for_others
def check_tenant(call: Called, tried: Tried) -> Response:
    """Ask Microsoft what works: the token, the consent, and one mailbox."""

    def work() -> Answers:
        found = tenant.check(call.runtime, call.caller.organization_id, address=tried.address)
        return Answers(items=[Answer.model_validate(each, from_attributes=True) for each in found])

    return call.do(work)


@router.post("/tenant/disconnect", response_model=Withdrawal)
@withdraws
def disconnect_tenant(call: Called) -> Response:
    """Disconnect the tenant; answers when no more emails can leave from the mailboxes that use it."""
    organization_id, actor = call.caller.organization_id, call.caller.name
    return call.do(lambda: answered(withdraw.disconnect_tenant(call.runtime, organization_id, actor=actor)))
