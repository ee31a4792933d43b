"""Whom a limit counts: a member, a key, or a visitor's address."""

import structlog
from fastapi import Request

from app.limiter import Limiter
from app.rates import ARRIVALS, VISITS, Rate
from web.source import source_of

log = structlog.get_logger()

HOOKS = Rate(3000, "minute")  # requests with providers' notifications, from one address
_MAX_WARNED = 10


def limiter_of(request: Request) -> Limiter:
    """Return this process's limiter."""
    limiter: Limiter = request.app.state.runtime.limiter
    return limiter


def count_visit(request: Request, member_id: object | None = None) -> None:
    """Count a visit to Microsoft's pages: by the member if known, else by the address. Raises ``TooMany``."""
    if member_id is None:
        limiter_of(request).count(ARRIVALS, "arrival", source_of(request.scope))
    else:
        limiter_of(request).count(VISITS, "visit", str(member_id))


_warned: set[str] = set()


def warn_of_proxy(request: Request) -> None:
    """Warn once of a proxy that is not trusted: all visitors behind it count as one, and lock each other out.

    If uvicorn trusts the header, the visitor's address is one of those in it.
    """
    said = request.headers.get("x-forwarded-for")
    if said is None or request.client is None or len(_warned) >= _MAX_WARNED:
        return
    peer = request.client.host
    if peer not in said and peer not in _warned:
        _warned.add(peer)
        # Name it in FORWARDED_ALLOW_IPS (deploy/env.example).
        log.warning("proxy_not_trusted", peer=peer)
