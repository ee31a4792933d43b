"""``python -m lab.attacks [--seconds 60] [--at-once] [WHO …]``: attack a whole system, and measure what others notice of it.

An outsider, a member, an admin and a key holder attack one after the other, each for so long. Everything is on loopback: the
processes of the Procfile, servers of their own, the emulator, and receivers and mail servers that say nothing or drip.
Meanwhile ``/health`` is asked ten times a second, and another organization sends an email every two seconds. Ends with 1 where
health took more than 0.5 s (p99) or an email left more than 5 s after its time.
"""

import argparse
import http.client
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
from honcho.environ import parse_procfile

from actions import keys
from db.access import api_keys, sessions
from lab.attacks.attackers import ATTACKERS, Attack, Target
from lab.benchmarks.bed import Bed, bed, percentile, tree_cpu
from lab.embedded import free_port
from lab.factories import KEY, World

ROOT = Path(__file__).parents[2]
HEALTH_P99, EMAIL_WITHIN = 0.5, 5.0  # seconds
_LOST_AFTER = 30.0
_PEACE = 15.0
_HEADINGS = (
    "attacker", "requests", "refused", "no answer", "health p50, ms", "health p99, ms", "emails", "latest, s", "CPU of web, s", "load", "machine p99, ms",
)  # fmt: skip


@dataclass
class Figures:
    """What was measured during one attack. ``health`` and ``emails``: seconds, one by one."""

    who: str
    health: list[float] = field(default_factory=list)
    emails: list[float] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    web_cpu: float = 0.0
    load: float = 0.0
    machine: list[float] = field(
        default_factory=list
    )  # seconds by which a sleep ends late: what nobody here can help

    @property
    def good(self) -> bool:
        """Has nobody else noticed?"""
        return percentile(self.health, 0.99) <= HEALTH_P99 and max(self.emails) <= EMAIL_WITHIN

    def cells(self) -> tuple[str, ...]:
        """For the table."""
        refused = sum(count for status, count in self.answers.items() if status >= 400)
        lost = sum(each >= _LOST_AFTER for each in self.emails)
        return (
            self.who,
            str(self.answers.total()),
            str(refused),
            str(self.answers[0]),
            f"{percentile(self.health, 0.5) * 1000:.0f}",
            f"{percentile(self.health, 0.99) * 1000:.0f}",
            f"{len(self.emails)}" + (f", {lost} lost" if lost else ""),
            f"{max(self.emails):.2f}",
            f"{self.web_cpu:.1f}",
            f"{self.load:.1f}",
            f"{percentile(self.machine, 0.99) * 1000:.0f}",
        )


class Other:
    """An organization that has nothing to do with the attack: what it notices."""

    def __init__(self, bed: Bed, url: str, web: int) -> None:
        self._bed, self._web = bed, web
        self._port = httpx.URL(url).port
        ((_, self._sequence),) = bed.mailboxes(1, 0)

    def measure(self, figures: Figures, seconds: float) -> None:
        """Ask for health and send emails, for so long."""
        until, cpu = time.monotonic() + seconds, tree_cpu(self._web)
        asking = threading.Thread(target=self._ask, args=(figures, until), daemon=True)
        asking.start()
        while time.monotonic() < until:
            before, began = self._left(), time.monotonic()
            self._bed.stage.world.enroll(self._sequence, 1)
            while self._left() == before and time.monotonic() - began < _LOST_AFTER:
                time.sleep(0.05)
            figures.emails.append(time.monotonic() - began)
            time.sleep(max(0.0, began + 2 - time.monotonic()))
        asking.join(15)
        figures.web_cpu, figures.load = tree_cpu(self._web) - cpu, os.getloadavg()[0]

    def _left(self) -> int:
        return int(self._bed.control.stats()["accepted_total"])

    def _ask(self, figures: Figures, until: float) -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            connection = http.client.HTTPConnection("localhost", self._port, timeout=10)
            try:
                connection.request("GET", "/health")
                good = connection.getresponse().status == 200
            except OSError:
                good = False
            finally:
                connection.close()
            figures.health.append(time.monotonic() - began if good else 10.0)
            until_next = max(0.0, began + 0.1 - time.monotonic())
            slept = time.monotonic()
            time.sleep(until_next)
            figures.machine.append(time.monotonic() - slept - until_next)


def prepare(bed: Bed, url: str) -> Target:
    """The attackers' own organization, with all that they may have."""
    world = World(bed.stage.world.database)
    world.domain("evil.example")

    def key(*scopes: str) -> str:
        with world.database.transaction() as tx:
            return api_keys.make(tx, world.organization_id, f"key {uuid4()}", list(scopes), actor="test")

    member = world.member("Mallory")
    with world.database.transaction() as tx:
        cookie = f"onbehalf={sessions.open_session(tx, member)}"
    headers = {"Origin": url, "Cookie": cookie}
    with httpx.Client(base_url=url, trust_env=False, timeout=60, headers=headers) as client:
        begun = client.post("/settings/mail-server").headers.get("location", "")
        assert begun.startswith("/settings/mail-server"), "the member is not signed in"
    form = {
        "host": "localhost", "encryption": "tls", "password": "x",
        "account": str(world.one("SELECT email FROM members WHERE id = :id", id=member)),
    }  # fmt: skip
    owner, holder = world.member("Adam"), key("read", "manage", "addresses")
    ids = [world.sequence(owner, world.mailbox(owner), ("P1D",)) for _ in range(10)]
    put = httpx.post(
        f"{url}/api/v1/addresses",
        json={"address": "jobs@evil.example"},
        headers={"Authorization": f"Bearer {holder}"},
        trust_env=False,
        timeout=60,
    )
    assert put.status_code == 200, put.text
    box = put.json()["items"][0]["mailbox_id"]
    return Target(url, form, cookie, key("read", "manage"), tuple(str(each) for each in ids), holder, box)


def attack(other: Other, target: Target, who: str, seconds: float) -> Figures:
    """One attacker, or all of them (``all at once``); what others notice meanwhile."""
    figures = Figures(who)
    running = [Attack(each, target) for each in (ATTACKERS if who == "all at once" else (who,))]
    try:
        other.measure(figures, seconds)
    finally:
        for each in running:
            figures.answers += each.end()
    return figures


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lab.attacks", description=__doc__)
    parser.add_argument("who", nargs="*", help=f"only these: {', '.join(ATTACKERS)}")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each attack")
    parser.add_argument("--at-once", action="store_true", help="then all four at once, for as long")
    options = parser.parse_args()
    if unknown := set(options.who) - set(ATTACKERS):
        parser.error(f"nobody is called {', '.join(sorted(unknown))}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of everything that has to be stopped
    chosen = [each for each in ATTACKERS if each in options.who or not options.who]
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        ready = stack.enter_context(bed(Path(folder) / "attacks"))
        url, web = start(ready)
        other, target = Other(ready, url, web), prepare(ready, url)
        other.measure(Figures("warming up"), 3)
        row(_HEADINGS)
        row("-" * len(each) for each in _HEADINGS)
        peace = Figures("nobody")
        other.measure(peace, min(_PEACE, options.seconds))
        row(peace.cells())
        measured = []
        for who in [*chosen, *(["all at once"] if options.at_once else [])]:
            measured.append(attack(other, target, who, options.seconds))
            row(measured[-1].cells())
            if ended := [each for each in ready.processes.running if each.poll() is not None]:
                print(f"{len(ended)} processes have ended\n{ready.processes.last_words()}")
                return 1
    noticed = [each.who for each in measured if not each.good]
    print(
        f"Others notice {', '.join(noticed)}: health within {HEALTH_P99} s (p99) and emails within {EMAIL_WITHIN:.0f} s are promised."
        if noticed
        else "Nobody else notices."
    )
    return 1 if noticed else 0


def start(bed: Bed) -> tuple[str, int]:
    """The processes of the Procfile; returns the address of the web process, and its pid."""
    port = free_port()
    url = f"http://localhost:{port}"
    pid = 0
    for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
        if name == "release":
            continue
        words = command.removeprefix("python -m ").split()
        own = {**keys.of_web((KEY,)), "SECRET_KEYS": ""} if name in ("web", "inbox") else {}
        started = bed.processes.start(
            name, [sys.executable, "-m", *words], {"PUBLIC_URL": url, "UVICORN_PORT": str(port), **own}
        )
        pid = started.pid if name == "web" else pid
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if httpx.get(f"{url}/health", trust_env=False, timeout=5).status_code == 200:
                return url, pid
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise TimeoutError("the web process does not come up")


def row(cells: Iterable[str]) -> None:
    """One row of the table."""
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
