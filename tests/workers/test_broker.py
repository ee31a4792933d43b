"""What a worker asks of Redis, and what it does with messages while Redis is away."""

from dramatiq.broker import MessageProxy
from dramatiq.message import Message
from dramatiq.worker import Worker
from structlog.testing import capture_logs

from app.broker import Broker
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
