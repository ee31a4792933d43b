"""A Redis that fails over behind one address: the old master stays up, read-only, and its connections stay open."""

import secrets
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.errors import BrokerConnectionError, ConnectionClosed
from redis.exceptions import RedisError

from app.broker import Broker, enqueue
from app.limiter import Limiter
from app.rates import CALLS
from domain.jobs import SendStep
from lab.embedded import EmbeddedRedis


class Address:
    """One port that leads to one server or another. Existing connections stay where they are."""

    def __init__(self, target: int) -> None:
        self.target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._open = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self._open += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pipe, args=(one, other), daemon=True).start()

    def _pipe(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class Pair:
    """Two servers with one password, and an address that leads to the first."""

    def __init__(self, first: EmbeddedRedis, second: EmbeddedRedis) -> None:
        self.password = (first.folder / "password").read_text().strip()
        redis.Redis.from_url(second.url()).config_set("requirepass", self.password)
        self.first = redis.Redis(port=first.port or 0, password=self.password)
        self.second = redis.Redis(port=second.port or 0, password=self.password)
        self._second_port = second.port or 0
        self.address = Address(first.port or 0)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.address.port}/0"

    def fail_over(self) -> None:
        self.first.config_set("masterauth", self.password)
        self.first.replicaof("127.0.0.1", self._second_port)
        self.address.target = self._second_port


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with (
        EmbeddedRedis(tmp_path / "a", durable=False) as first,
        EmbeddedRedis(tmp_path / "b", durable=False) as second,
    ):
        made = Pair(first, second)
        yield made
        made.address.close()
        made.first.close()
        made.second.close()


def job() -> SendStep:
    return SendStep(uuid.uuid4(), 1)


def test_a_scheduler_reaches_the_new_master_at_its_next_round(pair: Pair) -> None:
    broker = Broker(pair.url)
    enqueue(broker, job())
    pair.fail_over()
    with pytest.raises((BrokerConnectionError, RedisError)):
        enqueue(broker, job())
    enqueue(broker, job())
    assert int(pair.second.hlen("dramatiq:send.msgs")) == 1
    broker.client.close()


def test_a_thread_whose_command_is_under_way_is_not_broken_off_by_anothers(pair: Pair) -> None:
    broker = Broker(pair.url)
    enqueue(broker, job())
    pair.first.replicaof("127.0.0.1", "1")  # it takes reads, and no writes
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: broker.client.xread({"nothing": "$"}, block=2000))
        time.sleep(0.5)
        with pytest.raises((BrokerConnectionError, RedisError)):
            enqueue(broker, job())
        assert not waiting.result(30)
    broker.client.close()


def test_a_worker_fetches_from_the_new_master_after_its_consumer_is_made_anew(pair: Pair) -> None:
    broker = Broker(pair.url)
    consumer = broker.consume("send", prefetch=1, timeout=100)
    assert next(consumer) is None
    pair.fail_over()
    with pytest.raises(ConnectionClosed):  # after which Dramatiq creates the consumer anew
        while True:
            next(consumer)
    dramatiq.actor(actor_name="send_step", queue_name="send", broker=broker)(print)
    again = broker.consume("send", prefetch=1, timeout=100)
    enqueue(broker, job())
    message = next(each for _, each in zip(range(50), again, strict=False) if each is not None)
    again.ack(message)
    broker.client.close()


def test_limits_are_counted_together_again_after_a_failover(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.limiter._REDIS_REST", 0.0)
    limiter = Limiter(pair.url)
    deadline = time.monotonic() + 60
    while not pair.first.keys(
        "*onbehalf-limits*"
    ):  # it waits for half a second only, and this machine may be busy
        assert time.monotonic() < deadline
        limiter.count(CALLS, "key", "somebody")
    pair.fail_over()
    while not pair.second.keys("*onbehalf-limits*"):
        assert time.monotonic() < deadline
        limiter.count(CALLS, "key", "somebody")
    limiter.close()


def loading(server: redis.Redis) -> bool:
    persistence: Any = server.info("persistence")
    return bool(persistence["loading"])


def test_a_server_that_loads_its_data_is_away_until_it_has(pair: Pair) -> None:
    for number in range(40):
        pair.second.set(f"ballast-{number}", secrets.token_bytes(4096))
    broker = Broker(pair.url)
    enqueue(broker, job())
    pair.first.config_set("loading-process-events-interval-bytes", "1024")
    pair.first.config_set("key-load-delay", "500000")  # µs: it loads as a large one does
    pair.fail_over()
    pair.address.target = pair.first.connection_pool.connection_kwargs["port"]  # and is asked meanwhile
    deadline = time.monotonic() + 60
    while not loading(pair.first):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    with pytest.raises((BrokerConnectionError, RedisError)) as raised:
        enqueue(broker, job())
    assert not isinstance(raised.value, redis.ResponseError)
    pair.first.config_set("key-load-delay", "0")
    while loading(pair.first):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    pair.first.replicaof("NO", "ONE")
    enqueue(broker, job())
    broker.client.close()


def test_a_server_without_room_for_a_connection_is_away_until_it_has_some(pair: Pair) -> None:
    broker = Broker(pair.url)
    pair.first.config_set("maxclients", "1")  # ours
    with pytest.raises((BrokerConnectionError, RedisError)) as raised:
        enqueue(broker, job())
    assert not isinstance(raised.value, redis.ResponseError)
    pair.first.config_set("maxclients", "1000")
    enqueue(broker, job())
    broker.client.close()


@pytest.mark.parametrize("trouble", ["no memory", "no replicas", "no script"])
def test_a_server_in_trouble_is_away_and_serves_again_when_it_is_over(pair: Pair, trouble: str) -> None:
    broker = Broker(pair.url)
    enqueue(broker, job())
    if trouble == "no script":
        pair.first.script_flush()
        enqueue(broker, job())
        return
    name, value, usual = {
        "no memory": ("maxmemory", "1", "0"),
        "no replicas": ("min-replicas-to-write", "1", "0"),
    }[trouble]
    pair.first.config_set(name, value)
    with pytest.raises((BrokerConnectionError, RedisError)) as raised:
        enqueue(broker, job())
    assert not isinstance(raised.value, redis.ResponseError)
    pair.first.config_set(name, usual)
    enqueue(broker, job())
    assert int(pair.first.hlen("dramatiq:send.msgs")) == 2
    broker.client.close()
