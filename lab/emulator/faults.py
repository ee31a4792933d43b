"""Scripted faults: on which calls, before or after the effect, and what the client gets instead of the answer."""

import asyncio
import itertools
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.emulator.google_refusals import GMAIL_REFUSALS, gmail_error, gmail_refusal
from lab.emulator.http import Reset, Response
from lab.emulator.refusals import REFUSALS, refusal


@dataclass(slots=True)
class Fault:
    """``route``: a route's name (``POST /me/messages/{id}/send``), ``*`` for all. ``skip`` calls pass, then ``times`` fail.

    ``when``: before or after the effect. One of: ``status`` (with ``value`` as JSON, or ``body`` as text, and
    ``headers``), ``hang`` (seconds, then the connection breaks), ``reset`` (it breaks at once), ``delay`` (seconds, then
    the normal answer), ``refusal`` (a name in ``lab/emulator/refusals.py`` or of ``GMAIL_REFUSALS``, with additional ``headers``), ``stuck`` (accepted
    as usual, but the item stays in Drafts until somebody deletes it: ``kept`` = nothing leaves, ``copied`` = its copy
    does).
    """

    route: str
    mailbox: str = ""
    when: str = "before"
    skip: int = 0
    times: int = 1
    status: int = 0
    value: Any = None
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    reset: bool = False
    delay: float = 0.0
    refusal: str = ""
    stuck: str = ""
    id: int = 0
    seen: int = 0
    used: int = 0


class Faults:
    """The scripted faults, in the order they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, **values: Any) -> Fault:
        """Add a fault. Raises ``ValueError`` that says what is wrong."""
        try:
            fault = Fault(**values)
        except TypeError as error:
            raise ValueError(f"a fault has no such field: {error}") from None
        if fault.when not in ("before", "after"):
            raise ValueError("when must be before or after")
        if not (fault.status or fault.hang or fault.reset or fault.delay or fault.refusal or fault.stuck):
            raise ValueError("a fault needs one of status, hang, reset, delay, refusal, stuck")
        refusals = {**REFUSALS, **GMAIL_REFUSALS}
        if fault.refusal and fault.refusal not in refusals:
            raise ValueError(f"no such refusal: {fault.refusal}; there are {', '.join(refusals)}")
        if fault.stuck not in ("", "kept", "copied"):
            raise ValueError("stuck must be kept or copied")
        fault.id = next(self._ids)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Return all faults, with how often each was seen and used."""
        return [asdict(fault) for fault in self._faults]

    def take(self, route: str, mailbox: str) -> Fault | None:
        """Return the fault for this call, or None."""
        for fault in self._faults:
            if fault.route not in (route, "*") or (fault.mailbox and fault.mailbox.lower() != mailbox):
                continue
            if fault.used >= fault.times:
                continue
            fault.seen += 1
            if fault.seen > fault.skip:
                fault.used += 1
                return fault
        return None


async def strike(fault: Fault) -> Response | None:
    """Return what the client gets; None = the normal answer after all (a mere delay, a stuck item)."""
    if fault.delay:
        await asyncio.sleep(fault.delay)
        if not (fault.status or fault.hang or fault.reset or fault.refusal):
            return None
    if fault.hang:
        await asyncio.sleep(fault.hang)
        raise Reset
    if fault.reset:
        raise Reset
    if fault.refusal in GMAIL_REFUSALS:
        return gmail_refusal(fault.refusal, fault.headers)
    if fault.refusal:
        return refusal(fault.refusal, fault.headers)
    if not fault.status:
        return None
    headers = dict(fault.headers)
    if fault.body is not None:
        return Response(fault.status, headers=headers, body=fault.body.encode(), content_type="text/html")
    value = fault.value
    if value is None and fault.status >= 400 and " /gmail/" in fault.route:
        value = gmail_error(fault.status, _REASONS.get(fault.status, "unknown"), "scripted fault").value
    if value is None and fault.status >= 400:
        value = {"error": {"code": _CODES.get(fault.status, "UnknownError"), "message": "scripted fault"}}
    return Response(fault.status, value, headers)


_REASONS = {
    400: "badRequest",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    429: "rateLimitExceeded",
    500: "internalError",
    502: "backendError",
    503: "backendError",
    504: "backendError",
}
_CODES = {
    401: "InvalidAuthenticationToken",
    403: "ErrorAccessDenied",
    404: "ErrorItemNotFound",
    429: "TooManyRequests",
    500: "ErrorInternalServerError",
    502: "BadGateway",
    503: "ErrorServerBusy",
    504: "GatewayTimeout",
}
