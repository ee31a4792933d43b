"""One request by SCIM: whose token it is, what it asks for, how it is answered and refused (RFC 7644)."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import orjson
import structlog
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import ValidationError
from scim2_models import (
    BaseModel,
    Context,
    Error,
    InvalidSyntaxException,
    ListResponse,
    NotFoundException,
    PayloadTooLargeException,
    ResponseParameters,
    SCIMException,
    SearchRequest,
    TooManyException,
)
from starlette.exceptions import HTTPException

from app.rates import PROVISIONING
from db.access.api_keys import PROVISION
from db.core.session import FOR_VISITORS, DatabaseUnavailable
from domain.errors import InvalidInput, NotFound, NotPermitted, OnbehalfError, Taken, TooMany
from web.api_call import BEARER, SCIM, Call, RefusedError, body_of, caller_of
from web.forms import id_of
from web.protection import Whole
from web.scim_user import MAX_FILTER, POLICY, User

log = structlog.get_logger()

_MEDIA = "application/scim+json"
_MAX_ITEMS = 50  # of a list or an object in a body
PARAMETERS = ("attributes", "excludedAttributes", "filter", "startIndex", "count")
_STATUS: tuple[tuple[type[OnbehalfError], int, str | None], ...] = (
    (NotFound, 404, None),
    (Taken, 409, "uniqueness"),
    (InvalidInput, 400, "invalidValue"),
    (NotPermitted, 400, "mutability"),
)


def scim_error(
    status: int, detail: str, kind: str | None = None, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error as RFC 7644, 3.12 has it. ``kind``: its scimType."""
    if status == 401:
        headers = {"WWW-Authenticate": "Bearer"}
    body = Error(status=status, scim_type=kind, detail=detail).model_dump()
    return JSONResponse(body, status, headers=headers, media_type=_MEDIA)


def scim_refused(_request: Request, error: Exception) -> Response:
    """The SCIM error of anything that a request may raise."""
    if isinstance(error, SCIMException) and isinstance(error.__cause__, ValidationError):
        error = error.__cause__
    match error:
        case ValidationError():
            first = Error.from_validation_errors(error)[0]
            return scim_error(first.status or 400, first.detail or "", first.scim_type)
        case SCIMException():
            return scim_error(error.status, str(error), error.scim_type or None)
        case TooMany():
            log.warning("rate_limited")
            return scim_error(429, str(error), headers={"Retry-After": str(error.retry_after)})
        case RefusedError():
            broken = error.status == 422  # a NUL character
            return scim_error(
                400 if broken else error.status, error.detail, "invalidValue" if broken else None
            )
        case HTTPException():
            return scim_error(
                error.status_code, f"{error.detail}. See {SCIM}/ResourceTypes for what there is."
            )
        case RequestValidationError():
            return scim_error(400, "The request is not as RFC 7644 has it.", "invalidSyntax")
        case DatabaseUnavailable():
            log.warning("database_unavailable", error=str(error))
            return scim_error(503, FOR_VISITORS)
    for refusal, status, scim_type in _STATUS:
        if isinstance(error, refusal):
            log.info("scim_refused", error=type(error).__name__, status=status)
            return scim_error(status, str(error), scim_type)
    if isinstance(error, OnbehalfError):
        log.info("scim_refused", error=type(error).__name__, status=503)
        return scim_error(503, str(error))
    log.error("api_failed", error=type(error).__name__)
    return scim_error(500, "The request failed on our side. Ask again: every request here may be repeated.")


def _call_of(
    request: Request,
    runtime: Whole,
    key: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    body: Annotated[bytes, Depends(body_of)],
) -> Call:
    """Return the call of an identity provider's key. Raises ``RefusedError``."""
    caller = caller_of(request, runtime, key, PROVISIONING)
    if PROVISION not in caller.scopes:
        raise RefusedError(403, "This key may not provision. Make one on the page Team, under Provisioning.")
    return Call(runtime.for_tenant(caller.organization_id), caller, "", body)


Called = Annotated[Call, Depends(_call_of)]


def base_of(call: Call) -> str:
    """Return the public address of this service."""
    return f"{call.runtime.settings.public_url}{SCIM}"


def answer(
    found: BaseModel, status: int = 200, *, asked: ResponseParameters[Any] | None = None
) -> JSONResponse:
    """Answer with a resource or a message. ``asked``: which attributes."""
    context = Context.RESOURCE_CREATION_RESPONSE if status == 201 else Context.RESOURCE_QUERY_RESPONSE
    body = found.model_dump(scim_ctx=context, response_parameters=asked)
    if isinstance(found, ListResponse):
        body.setdefault("Resources", [])  # the library leaves an empty list out, which clients do not expect
    headers = {}
    if isinstance(found, User) and found.meta is not None:
        headers["Location"] = str(found.meta.location)
    return JSONResponse(body, status, headers=headers, media_type=_MEDIA)


def asked_of(request: Request) -> SearchRequest[User]:
    """What the query asks for. Names without regard to case, as for attributes. Raises ``ValidationError``."""
    given = {name.lower(): value for name, value in request.query_params.items()}
    return checked({each: given[each.lower()] for each in PARAMETERS if each.lower() in given})


def checked(asked: dict[str, Any]) -> SearchRequest[User]:
    """Return what is asked for, each of it known. Raises ``ValidationError``, ``TooManyException``."""
    if any(len(text) > MAX_FILTER for each in asked.values() for text in _texts(each)):
        raise TooManyException(
            detail=f"A filter, or a list of attributes, has at most {MAX_FILTER} characters"
        )
    return SearchRequest[User].model_validate(asked, scim_policy=POLICY)


def _texts(value: object) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]


def read(call: Call) -> dict[str, Any]:
    """The body, which is an object. Raises ``InvalidSyntaxException``."""
    try:
        found = orjson.loads(call.request)
    except orjson.JSONDecodeError as error:
        raise InvalidSyntaxException(detail="The body is not valid JSON") from error
    if not isinstance(found, dict):
        raise InvalidSyntaxException(detail="The body is not an object")
    _check_size(found)
    return found


def _check_size(body: dict[str, Any]) -> None:
    """Refuse what would take seconds: the library holds every operation against every value, and parses every path."""
    waiting: list[Any] = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            texts = [*value, *(each for name, each in value.items() if name.lower() == "path")]
        elif isinstance(value, list):
            waiting += value
            texts = []
        else:
            continue
        if len(value) > _MAX_ITEMS or any(isinstance(each, str) and len(each) > MAX_FILTER for each in texts):
            raise PayloadTooLargeException(
                detail=f"Send at most {_MAX_ITEMS} operations, values and names at once, and paths of at most {MAX_FILTER} characters"
            )


def member_of(text: str) -> UUID:
    """Return the id in an address. Raises ``NotFoundException``."""
    member_id = id_of(text)
    if member_id is None:
        raise NotFoundException(detail="There is no such member.")
    return member_id
