"""What a request brings is read within limits of size and time, however it arrives."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lab.embedded import free_port
from web import intake, wire
from web.intake import MAX_FORM, MAX_NOTIFICATIONS, Intake
from web.wire import Patient


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns how much it received."""
    if scope["type"] != "http":
        return
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The middleware on uvicorn, with shorter time limits."""
    monkeypatch.setattr(intake, "READ_WITHIN", 0.4)
    monkeypatch.setattr(wire, "HEADERS_WITHIN", 0.4)
    with served(Intake(echo)) as port:
        yield port


@contextmanager
def served(app: ASGIApp) -> Iterator[int]:
    """An application as ``python -m web`` serves it, on a port of its own."""
    port = free_port()
    config = uvicorn.Config(app, port=port, http=Patient, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield port
    server.should_exit = True
    thread.join(10)


def asked(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the server answers to a request sent in parts, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), 20) as wired:
        for part in parts:
            wired.sendall(part)
            time.sleep(pause)
        answer = b""
        while piece := wired.recv(4096):
            answer += piece
        return answer


def chunked(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize(("path", "most"), [("/form", MAX_FORM), ("/hooks/microsoft", MAX_NOTIFICATIONS)])
def test_as_much_as_is_sent_there_and_no_more_chunked_or_not(port: int, path: str, most: int) -> None:
    for size, status in ((0, 200), (1, 200), (most, 200), (most + 1, 413)):
        for content in (b"x" * size, chunked(b"x" * size)):
            answer = httpx.post(f"http://127.0.0.1:{port}{path}", content=content, trust_env=False)
            assert answer.status_code == status, size
            assert status != 200 or answer.text == str(size)


@pytest.mark.parametrize("length", [b"99999999999999999999999", b"-1", b"1e3", b"0x10"])
def test_a_length_that_cannot_be_is_refused(port: int, length: bytes) -> None:
    answer = asked(
        port, b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + length + b"\r\n\r\n"
    )
    assert answer.split(b" ")[1][:1] == b"4"


@pytest.mark.parametrize(
    "rest",
    [b"Content-Length: 100\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"],
)
def test_a_body_that_does_not_end_is_not_waited_for(port: int, rest: bytes) -> None:
    answer = asked(port, b"POST / HTTP/1.1\r\nHost: x\r\n" + rest)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"close" in answer.lower()


def test_a_body_that_drips_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as wired:
        wired.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n")
        wired.setblocking(False)
        answer = b""
        until = time.monotonic() + 20
        while not answer and time.monotonic() < until:
            wired.send(b"a")
            time.sleep(0.05)
            with suppress(BlockingIOError):
                answer = wired.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: a"])
def test_a_request_that_is_never_finished_is_not_waited_for(port: int, start: bytes) -> None:
    assert asked(port, start).startswith(b"HTTP/1.1 408 ")


def test_another_request_on_the_same_connection_has_its_own_time(port: int) -> None:
    get = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = asked(port, get, get, get[:10], pause=0.05)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.count(b"HTTP/1.1 408 ") == 1


def answers(*sources: str) -> list[int]:
    """What requests of a little over 1,000 bytes are answered that come at the same time, and then one more from the first source."""

    async def run() -> list[int]:
        app, go_on = Intake(echo), asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"x" * 1000
            await go_on.wait()
            yield b"x"

        async def ask(source: str, content: AsyncIterator[bytes] | bytes) -> int:
            wire = httpx.ASGITransport(app, client=(source, 1))
            async with httpx.AsyncClient(transport=wire, base_url="http://x") as client:
                return (await client.post("/", content=content)).status_code

        asking = [asyncio.create_task(ask(each, body())) for each in sources]
        for _ in range(1000):  # turns of the loop, however busy the machine is
            await asyncio.sleep(0)
        go_on.set()
        return [await each for each in asking] + [await ask(sources[0], b"x" * 2000)]

    return asyncio.run(run())


def test_all_that_is_being_read_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_MAX_HELD", 3100)
    found = answers(*(f"203.0.113.{number}" for number in range(5)))
    assert found.count(503) == 2
    assert found[-1] == 200  # what is over counts no more


def test_what_comes_from_one_address_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_MAX_HELD", 3100)
    monkeypatch.setattr(intake, "_MAX_HELD_OF_ONE", 2100)
    assert answers(*["203.0.113.1"] * 4, "203.0.113.2") == [200, 200, 503, 503, 200, 200]


def test_a_connection_whose_answer_nobody_reads_is_closed_and_one_that_is_read_slowly_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "READS_WITHIN", 2.0)
    ended = threading.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await StreamingResponse(repeat(b"x" * 65536))(scope, receive, send)
        finally:
            ended.set()

    with served(endless) as port, socket.create_connection(("127.0.0.1", port), 20) as wired:
        wired.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until = time.monotonic() + 4  # twice the limit
        while time.monotonic() < until:
            assert wired.recv(65536)
        assert not ended.is_set()
        assert ended.wait(20)
        last = b""
        while piece := wired.recv(65536):
            last = piece
        assert not last.endswith(b"0\r\n\r\n")  # it was not whole
