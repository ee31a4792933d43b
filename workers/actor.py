"""How a message becomes a call of an actor: what came through Redis is checked, and junk is logged and dropped, never raised."""

import inspect
import time
from collections.abc import Callable
from uuid import UUID

import dramatiq
import structlog

import counters
import tracing
from app.broker import carried
from db.core.session import DatabaseUnavailable
from domain.errors import InvalidInput

log = structlog.get_logger()


def read_delivery_message(delivery_id: object, dispatch_no: object) -> tuple[UUID, int]:
    """Check what came through Redis. Raises ``InvalidInput``."""
    if not isinstance(dispatch_no, int) or isinstance(dispatch_no, bool):
        raise InvalidInput("dispatch_no is not a whole number", where="message", fix="It is dropped.")
    return read_id("delivery_id", delivery_id), dispatch_no


def read_id(name: str, value: object) -> UUID:
    """Check an id that came through Redis. Raises ``InvalidInput``."""
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidInput(f"{name} is not a UUID", where="message", fix="It is dropped.") from None


def actor(name: str, queue: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare ``fn`` as the body of actor ``name``: junk arguments are logged and dropped, never raised."""

    def declare(fn: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(fn)

        def body(*args: object, **kwargs: object) -> None:
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(actor=name, queue=queue)
            try:
                signature.bind(*args, **kwargs)
            except TypeError:
                log.warning("message_refused", reason="wrong_arguments")
                return
            began, outcome = time.monotonic(), "failed"
            with tracing.root(name, "consumer", carried()) as span:
                try:
                    fn(*args, **kwargs)
                    outcome = "done"
                except InvalidInput as error:
                    if error.where != "message":
                        raise
                    outcome = "refused"
                    log.warning("message_refused", reason=error.what)
                except DatabaseUnavailable as error:
                    outcome = "database_unavailable"
                    # Rows are as they were, or their lease runs out: the scheduler enqueues it again.
                    log.warning("database_unavailable", error=str(error))
                finally:
                    counters.JOB_SECONDS.labels(name, outcome).observe(time.monotonic() - began)
                    span.note({"queue": queue, "outcome": outcome})

        body.__name__ = name
        _BODIES[name] = (queue, body)
        return fn

    return declare


_BODIES: dict[str, tuple[str, Callable[..., None]]] = {}


def register_actors(broker: dramatiq.Broker) -> None:
    """Give the broker every actor whose module has been imported."""
    for name, (queue, body) in _BODIES.items():
        if name not in broker.actors:
            dramatiq.actor(actor_name=name, queue_name=queue, broker=broker)(body)
