"""A Redis broker that may lose, duplicate and delay messages without harm, because they carry only ids.

Its settings, with reasons:

* ``Retry(NoBackoff(), 0)``: redis-py would repeat a script whose reply was lost, and strand the messages it fetched.
* ``socket_timeout`` 5 s, with timeouts treated as a closed connection: a plain ``TimeoutError`` tears the consumer down.
* heartbeat 30 s, maintenance chance 5 %: a dead worker's messages come back soon (the sweeper does not wait for that).
* no Retries, TimeLimit, AgeLimit or Callbacks middleware: waiting is rows in Postgres, and an exception thrown into a
  thread between the provider's answer and our commit would lose the answer.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

import dramatiq
import redis
import structlog
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError
from dramatiq.message import Message
from dramatiq.middleware import CurrentMessage, Middleware
from redis.backoff import NoBackoff
from redis.exceptions import ClusterDownError, TryAgainError
from redis.retry import Retry

import tracing
from app.redis_url import connect
from db.events.outbox import OutboxRow
from domain.jobs import QUEUES, ReadMailbox, ReconcileDelivery, SendStep

_UNREADABLE = (DecodeError, TypeError, ValueError, AttributeError)
_WHILE_BUSY = 0.02  # seconds; half of a prefetch keeps a process busy for longer
_IDLE = {
    SendStep.queue: 100
}  # milliseconds until an idle consumer asks again, where less than Dramatiq's 1,000

log = structlog.get_logger()


class Consumer(_RedisConsumer):
    """Fetches messages, and refuses foreign ones without failing."""

    def __init__(self, broker: "Broker", queue_name: str, prefetch: int, timeout: int) -> None:
        # An email that falls due while nothing else happens waits for this.
        super().__init__(broker, queue_name, prefetch, min(timeout, _IDLE.get(queue_name, timeout)))  # type: ignore[no-untyped-call]

    def __next__(self) -> Any:
        if not self.message_cache and 2 * len(self.queued_message_ids) > self.prefetch:
            # Every thread has work. Fetch when half of it is done: many messages in one round trip instead of one each.
            self.broker.last_fetch = time.monotonic()
            time.sleep(_WHILE_BUSY)
            return None
        while True:
            try:
                message = super().__next__()  # type: ignore[no-untyped-call]
            except redis.TimeoutError as error:
                raise _closed(error) from None
            except _UNREADABLE as error:
                log.warning(
                    "message_refused",
                    queue=self.queue_name,
                    reason=type(error).__name__,
                )
                self._drop_unreadable()
                continue
            self.broker.last_fetch = time.monotonic()
            if message is None or self._is_ours(message):
                return message

    def _is_ours(self, message: Any) -> bool:
        if not _has_redis_id(message):
            log.warning("message_refused", queue=self.queue_name, reason="no_redis_id")
            self.queued_message_ids.discard(
                message.message_id
            )  # otherwise it takes a place of the prefetch for ever
            self._drop_unreadable()
            return False
        if message.actor_name not in self.broker.actors or "eta" in message.options:
            log.warning(
                "message_refused",
                queue=self.queue_name,
                reason="unknown_actor_or_delay",
            )
            self.ack(message)
            return False
        return True

    def _drop_unreadable(self) -> None:
        """Delete what we fetched and cannot read. Fetching tells no ids, so we look through those that we have not acknowledged."""
        broker, queue = self.broker, self.queue_name
        try:
            for redis_id in broker.client.smembers(f"{broker.namespace}:__acks__.{broker.broker_id}.{queue}"):
                data = broker.client.hget(f"{broker.namespace}:{queue}.msgs", redis_id)
                if data is not None and not _readable(data):
                    broker.do_ack(queue, redis_id)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise _closed(error) from None

    def ack(self, message: Any) -> None:
        """Acknowledge. After a timeout the message is enqueued again, which does no harm."""
        try:
            super().ack(message)  # type: ignore[no-untyped-call]
        except redis.TimeoutError as error:
            raise _closed(error) from None

    def nack(self, message: Any) -> None:
        """Reject. A timeout has the same effect as in ``ack``."""
        try:
            super().nack(message)  # type: ignore[no-untyped-call]
        except redis.TimeoutError as error:
            raise _closed(error) from None

    def requeue(self, messages: Iterable[Any]) -> None:
        """Return fetched messages that have not begun when the worker ends. Without Redis, the scheduler enqueues them again."""
        messages = list(messages)
        try:
            super().requeue(messages)  # type: ignore[no-untyped-call]
        except redis.RedisError as error:
            log.warning(
                "messages_not_released",
                queue=self.queue_name,
                count=len(messages),
                error=type(error).__name__,
            )


class Broker(RedisBroker):
    """Dramatiq's Redis broker with the settings above. ``last_fetch``: monotonic time of the last answer from Redis."""

    def __init__(self, url: str, middleware: list[Middleware] | None = None) -> None:
        client = connect(
            url,
            socket_timeout=5,
            socket_connect_timeout=5,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=15,
        )
        super().__init__(  # type: ignore[no-untyped-call]
            client=client,
            # The complete list, in order.
            middleware=[CurrentMessage(), *(middleware or [])],
            heartbeat_timeout=30_000,
            maintenance_chance=50_000,
        )
        self.last_fetch = time.monotonic()
        for queue in QUEUES:
            self.declare_queue(queue)

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue without its delay queue, which every worker would poll for nothing: what waits is a row in Postgres."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def _dispatch(self, command: str) -> Callable[..., Any]:
        """Send a command. If the server takes no more writes, drop the connections: the address may lead to another one now."""
        send: Callable[..., Any] = super()._dispatch(command)  # type: ignore[no-untyped-call]

        def dispatch(*args: object) -> Any:
            try:
                return send(*args)
            except redis.ResponseError as error:
                if not _turned_away(error):
                    raise
                # Idle connections still lead to a master that has become a replica; new ones reach its successor. One that another
                # thread uses learns the same by its own answer; closed under its hands it would fail with a ValueError.
                self.client.connection_pool.disconnect(inuse_connections=False)
                raise redis.ConnectionError(
                    f"Redis takes no commands now ({type(error).__name__})."
                ) from error

        return dispatch

    @property
    def consumer_class(self) -> type[Consumer]:
        """Our own consumer."""
        return Consumer

    def depths(self) -> dict[str, int]:
        """Return how many messages Redis holds for us now, by queue."""
        return {queue: int(self.client.hlen(f"{self.namespace}:{queue}.msgs")) for queue in QUEUES}


def enqueue(broker: dramatiq.Broker, job: SendStep | ReconcileDelivery | ReadMailbox | OutboxRow) -> None:
    """Enqueue one job. Raises connection errors of Dramatiq or redis; the caller tries again in its next round."""
    kwargs = {"outbox_id": str(job.id)} if isinstance(job, OutboxRow) else _plain(asdict(job))
    with tracing.root(f"enqueue {job.actor}", "producer") as span:
        span.note({"queue": job.queue})
        broker.enqueue(
            Message(
                queue_name=job.queue,
                actor_name=job.actor,
                args=(),
                kwargs=kwargs,
                options=dict(span.carried),
            )
        )


def carried() -> dict[str, object]:
    """Return what the message of the current job carries beside its ids: its trace, if traces were on where it was enqueued."""
    message: Any = CurrentMessage.get_current_message()
    return {} if message is None else message.options


# The server, and not the command, is in trouble: a replica, one that loads, one without its master, its quorum or its memory.
_TURNS_AWAY = re.compile(
    r"READONLY|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|BUSY|MISCONF|OOM|UNBLOCKED|max number of clients"
)
_TURNED_AWAY = (redis.ReadOnlyError, redis.OutOfMemoryError, ClusterDownError, TryAgainError)


def _turned_away(error: redis.ResponseError) -> bool:
    """Is the server unable to take commands? redis-py strips the code if it has a class for it; scripts put it further on."""
    return isinstance(error, _TURNED_AWAY) or _TURNS_AWAY.search(str(error)) is not None


def _readable(data: bytes) -> bool:
    try:
        return _has_redis_id(Message.decode(data))
    except _UNREADABLE:
        return False


def _has_redis_id(message: Any) -> bool:
    return isinstance(message.options, dict) and "redis_message_id" in message.options


def _plain(values: dict[str, object]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}


def _closed(error: redis.RedisError) -> Exception:
    closed: Exception = ConnectionClosed(error)  # type: ignore[no-untyped-call]
    return closed
