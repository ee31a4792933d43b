"""What waits for others has threads of its own, so that it keeps no page from being answered."""

import inspect
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

import pytest
from fastapi.routing import APIRoute

from actions import withdraw
from web import api, api_addresses, api_attention, api_sequences, api_webhooks
from web.routers import PAGES

# Each drains: it may wait until its deadline for what is in flight.
DRAINS = {
    *(
        name
        for name, made in inspect.getmembers(withdraw, inspect.isfunction)
        if made.__module__ == withdraw.__name__
    ),
    "stop_blocked",
} - {name for name in dir(withdraw) if name.startswith("_")}
ROUTES = [
    route
    for router in (
        *PAGES,
        api.router,
        api_addresses.router,
        api_attention.router,
        api_sequences.router,
        api_webhooks.router,
    )
    for route in router.routes
    if isinstance(route, APIRoute)
]


def names(code: CodeType) -> Iterator[str]:
    """All that the code names, and what is defined within it."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from names(each)


def room(endpoint: Callable[..., Any]) -> str:
    """Which of ``web/rooms.py`` answers."""
    return endpoint.__code__.co_qualname.partition(".")[0]


def test_withdrawals_are_known() -> None:
    assert {"revoke_grant", "deactivate_sequence", "stop_enrollment"} <= DRAINS


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{'+'.join(sorted(route.methods))} {route.path}")
def test_whatever_drains_has_threads_of_its_own(route: APIRoute) -> None:
    if DRAINS & set(names(inspect.unwrap(route.endpoint).__code__)):
        assert room(route.endpoint) == "withdraws"
