"""Separate threads for endpoints that wait, so that they do not delay pages.

FastAPI runs plain functions in one pool of threads (web/main.py). A withdrawal may wait 45 s for emails in flight, a test 20 s
for a mail server: a few dozen of them would fill the pool.
"""

import functools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import UUID

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from db.access.sessions import Session
from domain.opt_out import OptOut
from web.api_call import Call

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_TESTS, _VISITS, _WITHDRAWALS = 20, 20, 60  # threads
_MAX_WITHDRAWALS = 12  # of one organization at the same time; more wait for one another, and for nobody else
_threads: RunVar[dict[str, anyio.CapacityLimiter]] = RunVar("threads")
_organizations: RunVar[dict[UUID, anyio.CapacityLimiter]] = RunVar("organizations")


def waits_for_others(endpoint: Endpoint) -> Endpoint:
    """For an endpoint that waits for somebody's server. The action limits how many an organization runs."""

    async def answer(*args: object, **kwargs: object) -> object:
        return await _run(endpoint, args, kwargs, "tests", _TESTS)

    return _as(endpoint, answer)


def asks_provider(endpoint: Endpoint) -> Endpoint:
    """For an endpoint that asks a provider during a sign-in, so that tests of servers do not delay it."""

    async def answer(*args: object, **kwargs: object) -> object:
        return await _run(endpoint, args, kwargs, "visits", _VISITS)

    return _as(endpoint, answer)


def withdraws(endpoint: Endpoint) -> Endpoint:
    """For an endpoint that withdraws something and waits until no more emails of it can leave."""

    async def answer(*args: object, **kwargs: object) -> object:
        async with _turn(_organization(kwargs)):
            return await _run(endpoint, args, kwargs, "withdrawals", _WITHDRAWALS)

    return _as(endpoint, answer)


def _as(endpoint: Endpoint, answer: Callable[..., object]) -> Endpoint:
    functools.update_wrapper(answer, endpoint)
    return answer  # type: ignore[return-value]  # FastAPI reads the parameters through __wrapped__


async def _run(
    endpoint: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object],
    room: str,
    threads: int,
) -> object:
    rooms = _threads.get(None)
    if rooms is None:
        rooms = {}
        _threads.set(rooms)
    limiter = rooms.setdefault(room, anyio.CapacityLimiter(threads))
    return await anyio.to_thread.run_sync(functools.partial(endpoint, *args, **kwargs), limiter=limiter)


@asynccontextmanager
async def _turn(organization_id: UUID) -> AsyncIterator[None]:
    turns = _organizations.get(None)
    if turns is None:
        turns = {}
        _organizations.set(turns)
    turn = turns.setdefault(organization_id, anyio.CapacityLimiter(_MAX_WITHDRAWALS))
    try:
        # On behalf of this request: one task may ask for a turn only once.
        async with turn:
            yield
    finally:
        if not turn.borrowed_tokens and not turn.statistics().tasks_waiting:
            turns.pop(organization_id, None)


def _organization(kwargs: dict[str, object]) -> UUID:
    for value in kwargs.values():
        if isinstance(value, Session):
            return value.member.organization_id
        if isinstance(value, Call):
            return value.caller.organization_id
        if isinstance(value, OptOut):
            return value.organization_id
    raise TypeError("an endpoint that withdraws has to know whose organization it is")
