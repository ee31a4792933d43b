"""SCIM 2.0 (RFC 7644): an identity provider adds, changes and ends members, with a token of their organization."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from scim2_models import (
    Context,
    ListResponse,
    Meta,
    PatchOp,
    Resource,
    SCIMException,
    SearchRequest,
    TooManyException,
)
from starlette.exceptions import HTTPException

from actions import provisioning
from app.runtime import Runtime
from db.access import provisioned
from db.access.provisioned import Provisioned, Wanted
from domain.errors import OnbehalfError
from domain.provisioning import Said
from web.api_call import SCIM, Call, RefusedError
from web.place import path_of
from web.rooms import withdraws
from web.scim_call import (
    PARAMETERS,
    Called,
    answer,
    asked_of,
    base_of,
    checked,
    member_of,
    read,
    scim_refused,
)
from web.scim_user import (
    MAX_PAGE,
    POLICY,
    SCHEMA,
    TAKES_PATCH,
    TAKES_USER,
    TYPE,
    User,
    config,
    said_of,
    says_left,
    searched,
    user_of,
)

_MAX_SEARCHED = 2000  # members that a filter is held against one by one
_ASKS = {
    "parameters": [
        {"name": each, "in": "query", "required": False, "schema": {"type": "string"}} for each in PARAMETERS
    ]
}
router = APIRouter()


def _takes(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.get("/ServiceProviderConfig")
def show_config(call: Called) -> Response:
    """What this service can do."""
    return answer(config(base_of(call)))


@router.get("/ResourceTypes")
def show_types(call: Called) -> Response:
    """Which kinds of resources there are: users. Groups there are none, and roles are given on the page Team."""
    return _all([_described(call, TYPE, "ResourceType", "ResourceTypes/User")])


@router.get(f"/ResourceTypes/{TYPE.name}")
def show_type(call: Called) -> Response:
    """The one kind of resources."""
    return answer(_described(call, TYPE, "ResourceType", "ResourceTypes/User"))


@router.get("/Schemas")
def show_schemas(call: Called) -> Response:
    """Which attributes are kept."""
    return _all([_described(call, SCHEMA, "Schema", f"Schemas/{SCHEMA.id}")])


@router.get(f"/Schemas/{SCHEMA.id}")
def show_schema(call: Called) -> Response:
    """The attributes of users."""
    return answer(_described(call, SCHEMA, "Schema", f"Schemas/{SCHEMA.id}"))


def _described(call: Call, what: Resource[Any], kind: str, path: str) -> Resource[Any]:
    return what.model_copy(update={"meta": Meta(resource_type=kind, location=f"{base_of(call)}/{path}")})


def _all(found: list[Resource[Any]]) -> Response:
    kind = type(found[0])
    response = ListResponse[kind](  # type: ignore[valid-type]  # one of two
        total_results=len(found), start_index=1, items_per_page=len(found), resources=found
    )
    return answer(response)


@router.get("/Users", openapi_extra=_ASKS)
def list_users(request: Request, call: Called) -> Response:
    """The organization's members, oldest first, with a filter and in pages."""
    return _found(call, asked_of(request))


@router.post("/.search")
@router.post("/Users/.search")
def search_users(call: Called) -> Response:
    """The same, asked by a body."""
    body = read(call)
    return _found(call, checked({each: body[each] for each in PARAMETERS if each in body}))


def _found(call: Call, asked: SearchRequest[User]) -> Response:
    begin = max(1, asked.start_index or 1)
    count = MAX_PAGE if asked.count is None else min(max(0, asked.count), MAX_PAGE)
    wanted, exact = (Wanted(), True) if asked.filter is None else searched(asked.filter)
    organization_id, base = call.caller.organization_id, base_of(call)
    members: list[Provisioned] = []
    total = 0
    if wanted is not None:
        offset, limit = (begin - 1, count) if exact else (0, _MAX_SEARCHED)
        with call.runtime.database.transaction() as tx:
            members, total = provisioned.page(
                tx, organization_id, wanted, offset=min(offset, 2**31), limit=limit
            )
    users = [user_of(each, base) for each in members]
    if asked.filter is not None and not exact:
        if total > _MAX_SEARCHED:
            raise TooManyException(
                detail="Too many members to search. Add userName eq, externalId eq or id eq, joined by and."
            )
        matched = [each for each in users if asked.filter.match(each)]
        total, users = len(matched), matched[begin - 1 : begin - 1 + count]
    response = ListResponse[User](
        total_results=total, start_index=begin, items_per_page=len(users), resources=users
    )
    return answer(response, asked=asked)


@router.get("/Users/{member}")
def show_user(request: Request, call: Called, member: str) -> Response:
    """One member."""
    asked = asked_of(request)
    with call.runtime.database.transaction() as tx:
        found = provisioned.one(tx, call.caller.organization_id, member_of(member))
    return answer(user_of(found, base_of(call)), asked=asked)


@router.post("/Users", status_code=201, openapi_extra=_takes(TAKES_USER))
def add_user(request: Request, call: Called) -> Response:
    """Add a member. They have the role member, whatever roles the body names."""
    asked = asked_of(request)
    user = User.model_validate(read(call), scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_policy=POLICY)
    made = provisioning.create(
        call.runtime,
        call.caller.organization_id,
        said_of(user),
        active=user.active is not False,
        actor=call.caller.name,
    )
    return answer(user_of(made, base_of(call)), 201, asked=asked)


@router.put("/Users/{member}", openapi_extra=_takes(TAKES_USER))
@withdraws
def replace_user(request: Request, call: Called, member: str) -> Response:
    """Replace what is known of a member. Without active, they stay as they are."""
    body, member_id = read(call), member_of(member)
    with _departure_first(call, member_id, [{"op": "replace", "value": body}]):
        user = User.model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST, scim_policy=POLICY)
        return _changed(request, call, member_id, user.active, lambda before: said_of(user, before))


@router.patch("/Users/{member}", openapi_extra=_takes(TAKES_PATCH))
@withdraws
def patch_user(request: Request, call: Called, member: str) -> Response:
    """Change a member. ``active`` false ends their access, and is answered when nothing of theirs can leave any more."""
    body, member_id, base = read(call), member_of(member), base_of(call)
    operations = next((value for name, value in body.items() if name.lower() == "operations"), None)
    with _departure_first(call, member_id, operations):
        patch = PatchOp[User].model_validate(
            body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
        )

        def patched(before: Provisioned) -> User:
            user = user_of(before, base)
            user.active = None  # so that it is what the patch says, or nothing
            patch.patch(user, POLICY)
            return user

        with call.runtime.database.transaction() as tx:
            active = patched(provisioned.one(tx, call.caller.organization_id, member_id)).active
        return _changed(request, call, member_id, active, lambda before: said_of(patched(before), before))


@contextmanager
def _departure_first(call: Call, member_id: UUID, operations: object) -> Iterator[None]:
    """End the member's access, if that is asked for, whatever else of the request is refused."""
    try:
        yield
    except (SCIMException, ValidationError):
        if says_left(operations):
            provisioning.end_access(
                call.runtime, call.caller.organization_id, member_id, actor=call.caller.name
            )
        raise


def _changed(
    request: Request, call: Call, member_id: UUID, active: bool | None, how: Callable[[Provisioned], Said]
) -> Response:
    asked = asked_of(request)
    changed = provisioning.change(
        call.runtime, call.caller.organization_id, member_id, how, active=active, actor=call.caller.name
    )
    return answer(user_of(changed, base_of(call)), asked=asked)


@router.delete("/Users/{member}", status_code=204)
@withdraws
def delete_user(call: Called, member: str) -> Response:
    """End a member's access and show them here no more. What they did stays, and so do their sequences, for a hand-over."""
    provisioning.remove(call.runtime, call.caller.organization_id, member_of(member), actor=call.caller.name)
    return Response(status_code=204)


def make_scim(runtime: Runtime) -> FastAPI:
    """The service as an application of its own, to be mounted at ``/scim/v2``."""
    scim = FastAPI(
        title="Onbehalf: provisioning by SCIM 2.0",
        version="2.0",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        servers=[{"url": f"{path_of(runtime.settings.public_url)}{SCIM}"}],
        root_path_in_servers=False,
        redirect_slashes=False,  # behind a proxy it might lead a token to http:
    )
    scim.state.runtime = runtime
    scim.include_router(router)
    for kind in (
        OnbehalfError,
        RefusedError,
        RequestValidationError,
        ValidationError,
        SCIMException,
        HTTPException,
        Exception,
    ):
        scim.add_exception_handler(kind, scim_refused)
    return scim
