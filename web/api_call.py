"""One call of the JSON API: whose key it is, what it may do, that it is done once, and how it is refused (RFC 9457)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import unquote
from uuid import UUID

import structlog
from fastapi import Depends, Header, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from app.rates import CALLS, UNKNOWN_KEYS, Rate
from app.runtime import Runtime
from db.access import api_keys
from db.access.api_keys import PROVISION, Caller
from db.core.session import FOR_VISITORS, DatabaseUnavailable
from db.views import api_lists, outbox
from domain.errors import (
    InvalidInput,
    NotFound,
    NotPermitted,
    OnbehalfError,
    ProviderError,
    TooMany,
    WorkersSilent,
)
from web.limits import limiter_of
from web.protection import Whole
from web.source import source_of

log = structlog.get_logger()

API, SCIM = "/api/", "/scim/v2"
BEARER = HTTPBearer(auto_error=False, description="A key of your organization: onbehalf api-key make")
_PROBLEM = "application/problem+json"
_ANYTHING = TypeAdapter[Any](Any)
_STATUS: dict[type[OnbehalfError], int] = {
    NotFound: 404,
    NotPermitted: 409,
    InvalidInput: 422,
    DatabaseUnavailable: 503,
    WorkersSilent: 503,
    ProviderError: 502,
}


class RefusedError(Exception):
    """A call that goes no further. ``status`` and ``detail`` become the problem document."""

    def __init__(self, status: int, detail: str) -> None:
        self.status, self.detail = status, detail
        super().__init__(detail)


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """An RFC 9457 problem document."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    if status == 401:
        headers = {"WWW-Authenticate": "Bearer"}
    return JSONResponse(body, status, headers=headers, media_type=_PROBLEM)


def refused(_request: Request, error: Exception) -> Response:
    """The problem document of anything that a call may raise."""
    if isinstance(error, TooMany):
        log.warning("rate_limited")
        return problem(429, str(error), headers={"Retry-After": str(error.retry_after)})
    if isinstance(error, RefusedError):
        return problem(error.status, error.detail)
    if isinstance(error, RequestValidationError):
        errors = [
            {"detail": each["msg"], "where": "/".join(str(part) for part in each["loc"])}
            for each in error.errors()
        ]
        return problem(422, "The request does not match the API description.", errors=errors)
    if isinstance(error, HTTPException):
        return problem(error.status_code, f"{error.detail}. See /api/v1/openapi.json for what there is.")
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            log.info("api_refused", error=type(error).__name__, status=status)
            if isinstance(error, DatabaseUnavailable):
                log.warning("database_unavailable", error=str(error))
                return problem(status, FOR_VISITORS)
            return problem(status, str(error))
    log.error("api_failed", error=type(error).__name__)
    return problem(
        500,
        "The request failed on our side. The operators can see why. As far as we know, nothing was changed.",
    )


@dataclass(frozen=True, slots=True)
class Call:
    """A call by ``caller``. ``once``: its Idempotency-Key. ``request``: method, path and body."""

    runtime: Runtime
    caller: Caller
    once: str
    request: bytes

    def may(self, scope: str) -> None:
        """Raise ``RefusedError`` unless the key may change this."""
        if scope not in self.caller.scopes:
            raise RefusedError(403, f"This key may not do that. Make one with the scope {scope}.")

    def own(self, kind: str, row_id: UUID) -> None:
        """Raise ``NotFound`` unless the row is of the caller's organization."""
        with self.runtime.database.transaction() as tx:
            api_lists.check_owned(tx, kind, row_id, self.caller.organization_id)

    def do(self, work: Callable[[], object], status: int = 200, *, scope: str = "manage") -> Response:
        """Do ``work``, once for each Idempotency-Key, and answer with its result as JSON."""
        self.may(scope)
        if not self.once:
            return JSONResponse(_as_json(work()), status)
        organization_id, database = self.caller.organization_id, self.runtime.database
        with database.transaction() as tx:
            before = api_keys.begin(tx, self.runtime.web_keys, organization_id, self.once, self.request)
        if before is not None:
            return _again(before)
        try:
            answer = _as_json(work())
        except (NotFound, NotPermitted, InvalidInput) as error:
            status = next(found for kind, found in _STATUS.items() if isinstance(error, kind))
            self._keep(status, {"detail": str(error)})
            raise
        except BaseException:
            with database.transaction() as tx:
                api_keys.forget(tx, organization_id, self.once)
            raise
        self._keep(status, answer)
        return JSONResponse(answer, status)

    def _keep(self, status: int, answer: Mapping[str, object]) -> None:
        with self.runtime.database.transaction() as tx:
            api_keys.finish(tx, self.caller.organization_id, self.once, status, answer)


def _as_json(value: object) -> Any:
    """Spell it as Pydantic spells what a response model describes, so that an instant is the same text in every answer."""
    return _ANYTHING.dump_python(value, mode="json")


def _again(before: api_keys.Answered) -> Response:
    if not before.same:
        raise RefusedError(422, "This Idempotency-Key was used for another request. Choose a new one.")
    if before.status is None:
        raise RefusedError(409, "The first request with this Idempotency-Key is being answered.")
    if before.status >= 400:
        return problem(before.status, before.answer["detail"])
    return JSONResponse(before.answer, before.status)


async def body_of(request: Request) -> bytes:
    """Return the body as it came. Raises ``RefusedError`` for a NUL character in it or in the query, which Postgres does not take."""
    body = await request.body()
    if b"\\u0000" in body or "\0" in unquote(request.url.query):
        raise RefusedError(422, "The request holds a NUL character (\\u0000).")
    return body


def call_of(
    request: Request,
    runtime: Whole,
    key: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    body: Annotated[bytes, Depends(body_of)],
    idempotency_key: Annotated[
        str,
        Header(
            max_length=200,
            description="A request that is repeated with the same key within a day is done once.",
        ),
    ] = "",
) -> Call:
    """Return the call of a valid key. Raises ``RefusedError``."""
    return called_by(request, runtime, key, idempotency_key, body)


def called_by(
    request: Request, runtime: Runtime, key: HTTPAuthorizationCredentials | None, once: str, body: bytes
) -> Call:
    """Return the call of a valid key, whose body the endpoint may read itself. Raises ``RefusedError``."""
    caller = caller_of(request, runtime, key, CALLS)
    if PROVISION in caller.scopes:
        raise RefusedError(403, "This key is an identity provider's. It works at /scim/v2 alone.")
    asked = b"\0".join((request.method.encode(), request.url.path.encode(), body))
    return Call(runtime.for_tenant(caller.organization_id), caller, once, asked)


def caller_of(
    request: Request, runtime: Runtime, key: HTTPAuthorizationCredentials | None, rate: Rate
) -> Caller:
    """Return whose key this is, and count the call. Raises ``RefusedError``, ``TooMany``."""
    caller = None
    if key is not None and len(key.credentials) <= 200:
        with runtime.database.transaction() as tx:
            caller = api_keys.caller_of(tx, key.credentials)
    if caller is None:
        log.warning("key_refused", reason="none" if key is None else "unknown")
        limiter_of(request).count(UNKNOWN_KEYS, "key", source_of(request.scope))
        raise RefusedError(401, "Send a valid key of your organization as Authorization: Bearer ….")
    limiter_of(request).count(rate, "call", f"{caller.organization_id} {caller.name}")
    return caller


Called = Annotated[Call, Depends(call_of)]


def read_after(text: str) -> tuple[datetime, UUID] | None:
    """Return the place that ``next_after`` of a page names, in a list by time. Raises ``InvalidInput``."""
    found = outbox.read_place(text)
    if text and found is None:
        raise InvalidInput("This place is not valid", where="after", fix="Use next_after of the last page.")
    return found
