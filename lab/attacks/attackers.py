"""The attackers, each in a process of its own, so that their load does not slow down the measurement.

Each is a list of threads that send requests as fast as they are answered, until their process is ended.
"""

import itertools
import json
import multiprocessing
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from uuid import uuid4

import httpx

ATTACKERS = ("outsider", "member", "admin", "key holder")
_AFTER_A_REFUSAL = 0.05  # seconds; a refused attacker tries again soon


@dataclass(frozen=True, slots=True)
class Target:
    """What the attackers know: the system's address, and what each of them may do there."""

    url: str
    form: dict[str, str]  # the member's own mail server, as the page's form sends it, without its port
    cookie: str
    admin_key: str
    sequences: tuple[str, ...]
    holder_key: str
    address: str  # of the organization, by the id of its mailbox


Attempt = Callable[[httpx.Client], int]
"""One request; returns its status."""


class Attack:
    """One attacker at work in its own process, from ``start`` to ``end``."""

    def __init__(self, who: str, target: Target) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(who, target, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def end(self) -> Counter[int]:
        """End it. Returns how often it got each status (0: no answer). Raises ``RuntimeError`` if it ended too early."""
        try:
            self._line.send("enough")
            if not self._line.poll(10):
                raise RuntimeError("an attacker says nothing")
            return Counter(self._line.recv())
        except (OSError, EOFError) as error:
            raise RuntimeError("an attacker has given up") from error
        finally:
            self._process.kill()
            self._process.join(10)
            self._line.close()


def _run(who: str, target: Target, line: Connection) -> None:
    counted: Counter[int] = Counter()
    lock = threading.Lock()

    def go_on(attempt: Attempt) -> None:
        with httpx.Client(base_url=target.url, trust_env=False, timeout=60, verify=False) as client:
            while True:
                try:
                    status = attempt(client)
                except (httpx.HTTPError, OSError):
                    status = 0
                with lock:
                    counted[status] += 1
                if status in (0, 429):
                    time.sleep(_AFTER_A_REFUSAL)

    makers = {"outsider": _outsider, "member": _member, "admin": _admin, "key holder": _key_holder}
    for attempt, threads in makers[who](target):
        for _ in range(threads):
            threading.Thread(target=go_on, args=(attempt,), daemon=True).start()
    line.recv()
    with lock:
        line.send(dict(counted))


def _outsider(target: Target) -> list[tuple[Attempt, int]]:
    """Forged notifications, a thousand in a request, and requests that never end."""
    forged = [{"subscriptionId": str(uuid4()), "clientState": f"{uuid4().hex}.x"} for _ in range(1000)]
    body = json.dumps({"value": forged}).encode()
    port = httpx.URL(target.url).port or 80

    def forge(client: httpx.Client) -> int:
        return client.post("/hooks/microsoft", content=body).status_code

    def half(_client: httpx.Client) -> int:
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(
                b"POST /hooks/microsoft HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\nabc"
            )
            answer = connection.recv(100)
        return int(answer.split(b" ")[1]) if b" " in answer else 0

    return [(forge, 6), (half, 40)]


def _member(target: Target) -> list[tuple[Attempt, int]]:
    """Tests of a mail server of their own that answers EHLO without end."""
    fields = {**target.form, "encryption": "starttls", "port": str(listen(endless))}
    headers = {"Origin": target.url, "Cookie": target.cookie}
    return [
        (
            lambda client: (
                client.post("/settings/mail-server/mine", data=fields, headers=headers).status_code
            ),
            20,
        )
    ]


def _admin(target: Target) -> list[tuple[Attempt, int]]:
    """Five webhooks that drip, and sequences that are paused and resumed to make calls to them."""
    headers, port = _with(target.admin_key), listen(_dripping)
    with httpx.Client(
        base_url=f"{target.url}/api/v1", trust_env=False, timeout=60, headers=headers
    ) as client:
        for number in range(5):
            added = client.post("/webhooks", json={"url": f"http://127.0.0.1:{port}/{number}"})
            assert added.status_code == 201, added.text
    turns = itertools.count()

    def attempt(client: httpx.Client) -> int:
        turn = next(turns)
        verb = ("pause", "resume")[turn // len(target.sequences) % 2]
        path = f"/api/v1/sequences/{target.sequences[turn % len(target.sequences)]}/{verb}"
        body = {"reason": "to have webhooks called"} if verb == "pause" else {}
        return client.post(path, json=body, headers=headers).status_code

    return [(attempt, 4)]


def _key_holder(target: Target) -> list[tuple[Attempt, int]]:
    """Ninety tests at once of an address whose mail server says nothing."""
    server = {"host": "localhost", "port": listen(_silent), "encryption": "tls", "password": "x"}
    path, headers = f"/api/v1/addresses/{target.address}/mail-server", _with(target.holder_key)
    return [(lambda client: client.post(path, json=server, headers=headers).status_code, 90)]


def _with(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def listen(behave: Callable[[socket.socket], None]) -> int:
    """Start a server on loopback that treats every connection like this. Returns its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=500)

    def run(connection: socket.socket) -> None:
        try:
            with connection:
                behave(connection)
        except OSError:
            return  # we were cut off

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=run, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def _silent(connection: socket.socket) -> None:
    """Accept the connection and say nothing."""
    connection.settimeout(120)
    while connection.recv(4096):
        pass


def endless(connection: socket.socket) -> None:
    """Answer EHLO, and never come to the last line."""
    connection.sendall(b"220 mail.evil.example\r\n")
    connection.recv(4096)
    lines = (b"250-" + b"A" * 500 + b"\r\n") * 100
    while True:
        connection.sendall(lines)


def _dripping(connection: socket.socket) -> None:
    """Send one byte of a header at a time, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(2)
