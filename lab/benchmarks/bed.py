"""What benchmarks run on: durable Postgres, Valkey and the emulator as processes, and the CPU time of each."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import psycopg

from app.runtime import Runtime
from config import Settings
from db.core.session import Database
from db.schema.migrate import upgrade
from lab.embedded import EmbeddedPostgres, EmbeddedRedis
from lab.emulator.background import Running
from lab.emulator.client import EmulatorControl
from lab.emulator.world import LedgerEntry
from lab.emulator.world import World as EmulatorWorld
from lab.factories import KEY, World
from lab.stage import Stage, as_environment
from lab.system import ROOT, Processes, start_emulator


def threads_of(process: str) -> int:
    """How many threads the Procfile gives each process of this name."""
    (number,) = re.findall(rf"^{process}: .* --threads (\d+)", (ROOT / "Procfile").read_text(), re.MULTILINE)
    return int(number)


@dataclass
class Bed:
    """The servers, and a stage in a fresh database on them."""

    folder: Path
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    emulator: subprocess.Popen[bytes]
    url: str
    control: EmulatorControl
    stage: Stage
    processes: Processes

    def mailboxes(
        self, count: int, people: int, delays: tuple[str, ...] = ("PT0S",)
    ) -> list[tuple[UUID, UUID]]:
        """Make mailboxes that a colleague sends from, with people due. Returns (mailbox, sequence) for each."""
        world, made = self.stage.world, []
        for _ in range(count):
            mailbox_owner, owner = world.member("Hans Holder"), world.member()
            box = self.stage.mailbox(mailbox_owner)
            world.grant(box, owner)
            sequence = world.sequence(owner, box, delays)
            if people:
                world.enroll(sequence, people)
            made.append((box, sequence))
        return made

    def ledger(self, since: int = 0, via: str = "graph") -> list[LedgerEntry]:
        """Emails that left through Graph, or another provider, from entry ``since`` on."""
        return [entry for entry in self.control.ledger(since) if entry.via == via]

    def wait_left(self, count: int, within: float) -> None:
        """Wait until this many emails have left in all. Raises ``TimeoutError``."""
        until = time.monotonic() + within
        while self.control.stats()["accepted_total"] < count:
            if time.monotonic() > until:
                raise TimeoutError(
                    f"{self.control.stats()['accepted_total']} of {count} emails within {within:.0f} s"
                )
            time.sleep(0.1)

    def wait_recorded(self, count: int, within: float) -> None:
        """Wait until this many deliveries are recorded as sent."""
        until = time.monotonic() + within
        while self.stage.world.states().get("sent", 0) < count and time.monotonic() < until:
            time.sleep(0.1)


@contextmanager
def bed(folder: Path) -> Iterator[Bed]:
    """Start everything; stop it at the end."""
    folder.mkdir(parents=True)
    (folder / "logs").mkdir()
    with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedRedis(folder / "redis") as redis:
        name = f"bench_{uuid4().hex[:8]}"
        with psycopg.connect(postgres.url().replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
        upgrade(postgres.url(name))
        emulator, port, smtp_port = start_emulator(folder / "logs" / "emulator.err")
        url = f"http://127.0.0.1:{port}"
        settings = Settings(
            database_url=postgres.url(name),
            redis_url=redis.url(),
            secret_keys=(KEY,),
            microsoft_client_id="onbehalf",
            microsoft_client_secret="demo-secret",
            entra_url=url,
            graph_url=url,
            google_client_id="onbehalf",
            google_client_secret="demo-secret",
            google_url=url,
            default_mail_url=f"smtp://relay:relay-password@127.0.0.1:{smtp_port}",
            default_mail_domain="onbehalf.example",
            log_level="info",
        )
        database = Database(settings.database_url, pool_size=8, application="bench")
        control = EmulatorControl(url)
        control.switch(drafts_delay=0.2)
        running = Running(url, smtp_port, control, EmulatorWorld())
        stage = Stage(World(database), Runtime(settings, database), running, database)
        environment = {
            **as_environment(settings),
            "REDIS_URL": redis.url(),
            "dramatiq_worker_timeout": "1000",  # Dramatiq's default, as in the Procfile
        }
        processes = Processes(environment, folder / "logs")
        try:
            yield Bed(folder, postgres, redis, emulator, url, control, stage, processes)
        finally:
            processes.stop()
            stage.runtime.close()
            control.close()
            emulator.terminate()
            emulator.wait(20)
            if emulator.stdout is not None:
                emulator.stdout.close()


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds (user and system) used so far, by group of processes."""

    workers: float
    schedulers: float
    postgres: float
    redis: float

    def since(self, before: "Cpu") -> "Cpu":
        """CPU used between two readings."""
        return replace(
            self,
            workers=self.workers - before.workers,
            schedulers=self.schedulers - before.schedulers,
            postgres=self.postgres - before.postgres,
            redis=self.redis - before.redis,
        )


def cpu(bed: Bed, workers: list[int], schedulers: list[int]) -> Cpu:
    """Read the CPU time of all groups."""
    return Cpu(
        sum(tree_cpu(pid) for pid in workers),
        sum(tree_cpu(pid) for pid in schedulers),
        tree_cpu(bed.postgres.pid),
        tree_cpu(bed.redis.pid),
    )


def tree_cpu(pid: int) -> float:
    """CPU seconds of a process and its children, and of children that have ended."""
    total = 0.0
    for process in tree(pid):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def tree(pid: int) -> list[psutil.Process]:
    """A process and all its descendants."""
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
