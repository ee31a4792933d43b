"""What a worker asks of Redis, and what it does with messages while Redis is away."""

import uuid

import dramatiq
import pytest
from dramatiq.broker import MessageProxy
from dramatiq.message import Message
from dramatiq.worker import Worker
from structlog.testing import capture_logs

from app.broker import Broker, enqueue
from domain.jobs import SendStep
from lab.embedded import free_port


def fetched(number: int) -> MessageProxy:
    message: Message[None] = Message(
        queue_name="send",
        actor_name="send_step",
        args=(),
        kwargs={},
        options={"redis_message_id": f"message-{number}"},
    )
    return MessageProxy(message)


def test_a_worker_that_stops_while_redis_is_away_ends_in_good_order() -> None:
    broker = Broker(f"redis://127.0.0.1:{free_port()}/0")
    consumer = broker.consume("send")
    with capture_logs() as logs:
        consumer.requeue([fetched(1), fetched(2)])
    (entry,) = logs
    assert entry["event"] == "messages_not_released"
    assert (entry["queue"], entry["count"]) == ("send", 2)


def test_a_worker_polls_the_queues_it_serves_and_no_others(redis_url: str) -> None:
    broker = Broker(redis_url)
    worker = Worker(broker, queues={"send"}, worker_timeout=10, worker_threads=1)
    worker.start()
    try:
        assert set(worker.consumers) == {"send"}
    finally:
        worker.stop()


def test_an_email_that_falls_due_in_silence_is_fetched_within_a_tenth_of_a_second(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("dramatiq.brokers.redis.time.sleep", waits.append)
    broker = Broker(redis_url)
    longest = {}
    for queue in ("send", "events"):
        waits.clear()
        assert not any(
            message for _, message in zip(range(30), broker.consume(queue, timeout=1_000), strict=False)
        )
        longest[queue] = max(waits)
    broker.client.close()
    assert longest["send"] <= 0.1 < longest["events"] <= 1


def _without_options() -> bytes:
    message: Message[None] = Message(
        queue_name="send", actor_name="send_step", args=(), kwargs={}, options={}
    )
    return message.encode()


@pytest.mark.parametrize(
    "data",
    [b"\x80\x04junk", b"\xff\xfe", b"[]", b'"text"', b"{}", b'{"queue_name": 1}', b"null", _without_options()],
)  # fmt: skip
def test_a_message_that_cannot_be_read_is_refused_once_and_leaves_nothing_behind(
    redis_url: str, data: bytes
) -> None:
    broker = Broker(redis_url)
    dramatiq.actor(actor_name="send_step", queue_name="send", broker=broker)(print)
    broker.client.hset("dramatiq:send.msgs", "a", data)
    broker.client.rpush("dramatiq:send", "a")
    enqueue(broker, SendStep(uuid.uuid4(), 1))
    consumer = broker.consume("send", prefetch=2, timeout=100)
    with capture_logs() as logs:
        fetched = [each for _, each in zip(range(50), consumer, strict=False) if each is not None]
    (message,) = fetched
    assert [each["event"] for each in logs] == ["message_refused"]
    assert message.kwargs["dispatch_no"] == 1
    assert int(broker.client.hlen("dramatiq:send.msgs")) == 1  # of the one that is being worked on
    assert consumer.outstanding_message_count == 1  # type: ignore[attr-defined]  # Dramatiq's, of Redis alone
    consumer.ack(message)
    assert sum(broker.depths().values()) == 0
    assert broker.client.keys("dramatiq:__acks__*") == []
    broker.client.close()
