"""The JSON API's team: add a member, change a role. A departure and a return are in ``web/api.py``."""

from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from actions import members
from domain.team import Role
from web.api_call import Called
from web.api_models import REFUSALS, Asked

router = APIRouter(responses=REFUSALS)


class NewMember(Asked):
    """They sign in with the Microsoft account of this address."""

    name: str = Field(min_length=1, max_length=100)
    email: str = Field(min_length=1, max_length=254)
    role: Role = Role.MEMBER


class NewRole(Asked):
    """``was``: the role that you decided on; another one is refused. Leave it out to change whatever it is."""

    role: Role
    was: Role | None = None


class AddedMember(BaseModel):
    """The new member's id."""

    id: UUID


class MemberRole(BaseModel):
    """``changed``: false if the member had this role."""

    id: UUID
    role: Role
    changed: bool


@router.post("/members", response_model=AddedMember, status_code=201)
def add_member(call: Called, new: NewMember) -> Response:
    """Add a member."""

    def work() -> object:
        added = members.add_member(
            call.runtime,
            call.caller.organization_id,
            new.name,
            new.email,
            new.role,
            by=None,
            actor=call.caller.name,
        )
        return {"id": added}

    return call.do(work, 201)


@router.post("/members/{member}/role", response_model=MemberRole)
def change_role(call: Called, member: UUID, wanted: NewRole) -> Response:
    """Change a member's role. An organization with owners keeps at least one."""
    call.own("members", member)

    def work() -> object:
        changed = members.change_role(
            call.runtime,
            call.caller.organization_id,
            member,
            wanted.role,
            was=wanted.was,
            by=None,
            actor=call.caller.name,
        )
        return {"id": member, "role": wanted.role, "changed": changed}

    return call.do(work)
