"""``python -m tests.attacks [seconds]``: an outsider, a member, an admin and a key holder attack a whole system at once.

Everything is on loopback: the processes of the Procfile, servers of their own, the emulator, and receivers and mail servers that
say nothing or drip. Meanwhile ``/health`` is asked ten times a second, and another organization sends an email every three
seconds. Prints figures; ends with 1 where health took more than 0.5 s (p99) or an email left more than 5 s after its time.
"""

import itertools
import json
import re
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from honcho.environ import parse_procfile

from actions import keys
from db import api_keys, sessions
from deploy.embedded import free_port
from tests.benchmarks.bed import Bed, bed
from tests.factories import KEY, World

ROOT = Path(__file__).parents[2]
HEALTH_P99, EMAIL_WITHIN = 0.5, 5.0  # seconds


@dataclass
class Figures:
    """What was measured, and what attackers were answered."""

    health: list[float] = field(default_factory=list)
    emails: list[float] = field(default_factory=list)
    lost: int = 0
    answers: dict[str, Counter[int]] = field(default_factory=dict)

    def note(self, who: str, status: int) -> None:
        """One answer; 0 stands for none."""
        self.answers.setdefault(who, Counter())[status] += 1


def listen(behave: Callable[[socket.socket], None]) -> int:
    """A server on loopback that treats every connection so; returns its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=500)

    def run(connection: socket.socket) -> None:
        try:
            with connection:
                behave(connection)
        except OSError:
            return  # it was cut off

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=run, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def silent(connection: socket.socket) -> None:
    """Takes the connection and says nothing."""
    connection.settimeout(120)
    while connection.recv(4096):
        pass


def dripping(connection: socket.socket) -> None:
    """One byte of a header, and another one, for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(2)


class Attack:
    """All four, until ``over`` is set. Each in threads of its own."""

    def __init__(self, bed: Bed, url: str, figures: Figures) -> None:
        self._bed, self._url, self._figures = bed, url, figures
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._world = World(bed.stage.world.database)
        self._world.domain("evil.example")
        self._silent = listen(silent)

    def start(self) -> None:
        """Begin."""
        self._loop("outsider: forged notifications", self._forge, 6)
        self._loop("outsider: half a request", self._half, 40)
        self._member(self._world.member("Mallory"))
        self._admin()
        self._key_holder()

    def end(self) -> None:
        """Nobody attacks any more."""
        self.over.set()
        until = time.monotonic() + 15
        for each in self._threads:
            each.join(max(0.0, until - time.monotonic()))

    def _loop(self, who: str, attempt: Callable[[httpx.Client], int], threads: int) -> None:
        def run() -> None:
            with httpx.Client(base_url=self._url, trust_env=False, timeout=60) as client:
                while not self.over.is_set():
                    try:
                        status = attempt(client)
                    except (httpx.HTTPError, OSError):
                        status = 0
                    self._figures.note(who, status)
                    if status == 429:
                        time.sleep(0.05)

        for _ in range(threads):
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _forge(self, client: httpx.Client) -> int:
        forged = [{"subscriptionId": str(uuid4()), "clientState": f"{uuid4().hex}.x"} for _ in range(1000)]
        return client.post("/hooks/microsoft", json={"value": forged}).status_code

    def _half(self, _client: httpx.Client) -> int:
        port = httpx.URL(self._url).port
        with socket.create_connection(("127.0.0.1", port or 80), 30) as connection:
            connection.sendall(
                b"POST /hooks/microsoft HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\nabc"
            )
            answer = connection.recv(100)
        return int(answer.split(b" ")[1]) if b" " in answer else 0

    def _member(self, member_id: UUID) -> None:
        """Tests a mail server of their own that says nothing, as fast as they can."""
        with self._world.database.transaction() as tx:
            token = sessions.open_session(tx, member_id)
        email = str(self._world.one("SELECT email FROM members WHERE id = :id", id=member_id))
        headers = {"Origin": self._url, "Cookie": f"onbehalf={token}"}
        with httpx.Client(base_url=self._url, trust_env=False, timeout=60, headers=headers) as client:
            found = re.search(r'name="form_key" value="([^"]+)"', client.get("/settings/sequences").text)
            assert found, "the member is not signed in"
            key = {"form_key": found[1]}
            client.post("/settings/mail-server", data=key)
        fields = {
            **key, "host": "localhost", "port": str(self._silent), "encryption": "tls", "account": email, "password": "x",
        }  # fmt: skip
        self._loop(
            "member: a mail server that says nothing",
            lambda client: (
                client.post("/settings/mail-server/mine", data=fields, headers=headers).status_code
            ),
            20,
        )

    def _key(self, *scopes: str) -> dict[str, str]:
        with self._world.database.transaction() as tx:
            key = api_keys.make(tx, self._world.organization_id, f"key {uuid4()}", list(scopes), actor="test")
        return {"Authorization": f"Bearer {key}"}

    def _admin(self) -> None:
        """Five webhooks that drip, and sequences that are paused and resumed to have them called."""
        headers, port = self._key("read", "manage"), listen(dripping)
        with httpx.Client(
            base_url=f"{self._url}/api/v1", trust_env=False, timeout=60, headers=headers
        ) as client:
            for number in range(5):
                added = client.post("/webhooks", json={"url": f"http://127.0.0.1:{port}/{number}"})
                assert added.status_code == 201, added.text
        owner = self._world.member("Adam")
        ids = [self._world.sequence(owner, self._world.mailbox(owner), ("P1D",)) for _ in range(10)]
        turns = itertools.count()

        def attempt(client: httpx.Client) -> int:
            verb = ("pause", "resume")[next(turns) % 2]
            body = {"reason": "to have webhooks called"} if verb == "pause" else {}
            path = f"/api/v1/sequences/{ids[next(turns) % len(ids)]}/{verb}"
            return client.post(path, json=body, headers=headers).status_code

        self._loop("admin: webhooks that drip", attempt, 4)

    def _key_holder(self) -> None:
        """Ninety tests at once of an address whose mail server says nothing."""
        headers = self._key("read", "manage", "addresses")
        with httpx.Client(
            base_url=f"{self._url}/api/v1", trust_env=False, timeout=60, headers=headers
        ) as client:
            put = client.post("/addresses", json={"address": "jobs@evil.example"})
            assert put.status_code == 200, put.text
            box = put.json()["items"][0]["mailbox_id"]
        server = {"host": "localhost", "port": self._silent, "encryption": "tls", "password": "x"}
        path = f"/api/v1/addresses/{box}/mail-server"
        self._loop(
            "key holder: tests at once",
            lambda client: client.post(path, json=server, headers=headers).status_code,
            90,
        )


def measure(bed: Bed, url: str, figures: Figures, seconds: float) -> None:
    """Ask for health, and send emails of an organization that has nothing to do with it."""
    over = threading.Event()

    def health() -> None:
        while not over.is_set():
            began = time.monotonic()
            try:
                good = httpx.get(f"{url}/health", trust_env=False, timeout=10).status_code == 200
            except httpx.HTTPError:
                good = False
            figures.health.append(time.monotonic() - began if good else 10.0)
            time.sleep(0.1)

    asking = threading.Thread(target=health, daemon=True)
    asking.start()
    ((_, sequence),) = bed.mailboxes(1, 0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = bed.control.stats()["accepted_total"]
        began = time.monotonic()
        bed.stage.world.enroll(sequence, 1)
        while bed.control.stats()["accepted_total"] == before and time.monotonic() - began < 30:
            time.sleep(0.05)
        took = time.monotonic() - began
        figures.emails.append(took)
        figures.lost += took >= 30
        time.sleep(max(0.0, 3 - took))
    over.set()
    asking.join(15)


def percentile(values: list[float], part: float) -> float:
    """The value below which that part of them is."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def main() -> int:
    """Run; returns the exit code."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    figures = Figures()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of everything that has to be stopped
    commands = parse_procfile((ROOT / "Procfile").read_text()).processes
    with tempfile.TemporaryDirectory() as folder, bed(Path(folder) / "attacks") as ready:
        port = free_port()
        url = f"http://localhost:{port}"
        for name, command in commands.items():
            if name != "release":
                words = command.split()
                words = (
                    [sys.executable, "-m", *words] if words[0] != "python" else [sys.executable, *words[1:]]
                )
                own = {**keys.of_web((KEY,)), "SECRET_KEYS": ""} if name == "web" else {}
                ready.processes.start(name, words, {"PUBLIC_URL": url, "UVICORN_PORT": str(port), **own})
        _wait_until_up(url)
        quiet = Figures()
        measure(ready, url, quiet, min(10.0, seconds))
        attack = Attack(ready, url, figures)
        attack.start()
        measure(ready, url, figures, seconds)
        attack.end()
        for process in ready.processes.running:
            assert process.poll() is None, f"a process has died\n{ready.processes.last_words()}"
    report = {
        name: {
            "health p50, ms": round(statistics.median(each.health) * 1000),
            "health p99, ms": round(percentile(each.health, 0.99) * 1000),
            "email p50, s": round(statistics.median(each.emails), 2),
            "email at most, s": round(max(each.emails), 2),
            "emails": len(each.emails),
            "lost": each.lost,
        }
        for name, each in (("in peace", quiet), ("attacked", figures))
    }
    print(
        json.dumps(
            {**report, "answers": {who: dict(each) for who, each in figures.answers.items()}}, indent=2
        )
    )
    good = percentile(figures.health, 0.99) <= HEALTH_P99 and max(figures.emails) <= EMAIL_WITHIN
    return 0 if good else 1


def _wait_until_up(url: str) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/health", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise TimeoutError("the web process does not come up")


if __name__ == "__main__":
    sys.exit(main())
