"""Spans of what this process does, for OpenTelemetry, once ``app/telemetry.py`` has turned them on; until then nothing here does anything.

A span says what was done, how long it took and how it ended. It has the attributes below and ids of ours, and of an error its
type: no address, subject, text, token or query.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Literal, ParamSpec, Protocol, TypedDict, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

Kind = Literal["internal", "server", "client", "producer", "consumer"]


class Attributes(TypedDict, total=False):
    """All that a span may say beside its name. Each has few values."""

    code: str  # of an SMTP reply
    method: str
    outcome: str
    provider: str
    queue: str
    route: str  # a template, without ids
    status: int


class Span:
    """What somebody does now. This one is recorded nowhere."""

    # What a message carries so that the job it asks for belongs to the same trace.
    carried: Mapping[str, str] = MappingProxyType({})

    def note(self, attributes: Attributes, *, name: str = "") -> None:
        """Say more about it, and its name if that was not known at its beginning."""


class Recorder(Protocol):
    """What records: ``app/spans.py``."""

    def root(self, name: str, kind: Kind, carried: Mapping[str, object]) -> AbstractContextManager[Span]:
        """As ``root`` below, and so on."""

    def child(self, name: str, kind: Kind) -> AbstractContextManager[Span]:
        """As below."""

    def past(self, name: str, seconds: float, attributes: Attributes, *, failed: bool) -> None:
        """As below."""

    def trace_id(self) -> str:
        """As below."""


_recorder: Recorder | None = None
NOWHERE = nullcontext(Span())
_NOTHING: Mapping[str, object] = MappingProxyType({})


def record_by(recorder: Recorder | None) -> None:
    """Turn spans on, or off again."""
    global _recorder  # noqa: PLW0603 - one for the process, as its log is
    _recorder = recorder


def root(name: str, kind: Kind, carried: Mapping[str, object] = _NOTHING) -> AbstractContextManager[Span]:
    """Begin a trace, or go on with the one that ``carried`` names. An error that leaves the block is noted by its type."""
    return NOWHERE if _recorder is None else _recorder.root(name, kind, carried)


def child(name: str, kind: Kind = "internal") -> AbstractContextManager[Span]:
    """A part of what is being done. Outside of a trace nothing is recorded: what ticks each second would fill the collector."""
    return NOWHERE if _recorder is None else _recorder.child(name, kind)


def past(name: str, seconds: float, attributes: Attributes, *, failed: bool) -> None:
    """Record a request of ours that has just ended, as a part of what is being done."""
    if _recorder is not None:
        _recorder.past(name, seconds, attributes, failed=failed)


def trace_id() -> str:
    """Return the current trace's id as 32 hexadecimal digits, or nothing."""
    return "" if _recorder is None else _recorder.trace_id()


def traced(name: str) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """For a function that is a part of something: each call is a span of that name."""

    def declare(fn: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @functools.wraps(fn)
        def called(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            with child(name):
                return fn(*args, **kwargs)

        return called

    return declare
