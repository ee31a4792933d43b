"""The stage of one run: its own Postgres, Redis and emulator as processes, a proxy in every link, the product on top."""

import json
import os
import subprocess
import sys
import threading
import time
from base64 import b64encode
from pathlib import Path
from uuid import UUID

import redis

from app.runtime import Runtime
from config import Settings
from db.core.session import Database
from db.mailboxes import credentials, senders
from db.schema.migrate import upgrade
from domain.jobs import QUEUES
from lab.drills.company import Company, Desk, found_company
from lab.drills.journal import Journal
from lab.embedded import EmbeddedPostgres, EmbeddedRedis, free_port
from lab.emulator.client import EmulatorControl
from lab.factories import KEY
from lab.nemesis.proxy import Link, Proxy
from lab.nemesis.site import Site
from lab.stage import as_environment
from lab.system import Processes, start_emulator

RELAY_DOMAIN = "onbehalf.example"
WORKERS, SCHEDULERS, THREADS = 3, 2, 4
# Seconds, one per process in turn. No two processes agree on the time, and no watchdog objects. Nothing may
# depend on any clock.
WRONG_BY = (-3.5, 3.5, 0.0)
# Seconds instead of minutes (domain/listening/cadence.py): within a run, follow-ups then come too late for an answer that was
# not read. Shorter ones would leave a busy machine no time between a reading and the gate.
FRESH = 15.0
_WAITS = {
    "FRESH": FRESH, "READ_AGAIN": 6.0, "SOONEST": 30.0, "APART": 4.0, "OVERLAP": 60.0, "GMAIL_BEHIND": 2.0,
}  # fmt: skip
_CLOCK = Path(__file__).parents[1] / "drills" / "clock"


class Arena:
    """``start`` starts it, and ``stop`` ends it whatever happened. ``folder`` keeps logs and the journal."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "logs").mkdir()
        self.folder = folder
        self.journal = Journal(folder / "journal.jsonl")
        self.proxy = Proxy()
        self.postgres = EmbeddedPostgres(folder / "postgres")
        self.redis = EmbeddedRedis(folder / "redis", durable=False)
        self.replica = EmbeddedRedis(folder / "redis-2", durable=False)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.schedulers: list[subprocess.Popen[bytes]] = []
        self.frozen: set[int] = set()
        self.deepest = 0
        self.accepted: list[str] = []  # Message-IDs of mail to the default address that was answered with 250
        self.tokens: list[str] = []  # decrypted refresh tokens, which must not be found anywhere
        self._clocks = 0
        self._watching = True

    def start(
        self,
        name: str,
        *,
        desks: int,
        people: int,
        delays: tuple[str, ...],
        crowd: int,
        by_smtp: int,
        at_google: int,
        of_tenant: int,
        notified: bool,
    ) -> None:
        """Start servers, links, company and processes. ``notified``: the provider's notifications reach us."""
        self.postgres.start()
        self.redis.start()
        self._start_replica()
        upgrade(self.postgres.url())
        self.emulator, self.port, self.smtp_port = start_emulator(self.folder / "logs" / "emulator.err")
        self.control = EmulatorControl(f"http://127.0.0.1:{self.port}")
        self.links = {
            "postgres": self.proxy.link("postgres", self.postgres.port or 0),
            "redis": self.proxy.link("redis", self.redis.port or 0),
            "graph": self.proxy.link("graph", self.port),
            "mail": self.proxy.link("mail", self.smtp_port),
            "relay": self.proxy.link("relay", self.smtp_port),
        }
        site, nobody = free_port(), free_port()
        settings = self._settings(site if notified else nobody)
        self.control.push_to(
            f"{settings.public_url}/hooks/google",
            topic=settings.google_pubsub_topic,
            account=settings.google_pubsub_account,
        )
        certificate = self.folder / "mail-server.pem"
        certificate.write_text(self.control.certificate())
        os.environ["SSL_CERT_FILE"] = str(certificate)  # of the callers in this process too
        self.direct = Database(self.postgres.url(), pool_size=4, application="judge")
        self.runtime = Runtime.open(settings, application="onbehalf-driver", pool_size=16)
        self.company: Company = found_company(
            self.runtime,
            self.control,
            name,
            desks=desks,
            people=people,
            delays=delays,
            crowd=crowd,
            by_smtp=by_smtp,
            at_google=at_google,
            of_tenant=of_tenant,
            smtp_port=self.links["mail"].port,
            one_inside=True,
            shared=1,
        )
        self.site = Site(self.runtime, site)
        with self.direct.transaction() as tx:
            senders.ensure_default(tx, self.company.id, RELAY_DOMAIN)
            self.default_address = senders.default_address_of(tx, self.company.id)
        self.inbox_port = free_port()
        self.processes = Processes(
            {
                **as_environment(settings),
                "PUBLIC_URL": settings.public_url,
                "PYTHONPATH": str(_CLOCK),
                "LISTENING_WAITS": json.dumps(_WAITS),
                "dramatiq_worker_timeout": "400",  # ms between polls of each idle queue; fewer leave more of the machine to the trouble
            },
            self.folder / "logs",
        )
        for _ in range(SCHEDULERS):
            self.start_scheduler()
        for _ in range(WORKERS):
            self.start_worker()
        self.start_inbox()
        # Trouble that comes before anybody works hits nobody.
        self.processes.wait_until_up(120)
        self._sampler = threading.Thread(target=self._sample, name="sampler", daemon=True)
        self._sampler.start()

    @property
    def readable(self) -> list[Desk]:
        """The desks whose mailboxes can be read."""
        return [each for each in self.company.desks if not each.by_smtp]

    def start_worker(self) -> None:
        """Start one more worker for all queues."""
        process = self.processes.workers(
            " ".join(QUEUES), processes=1, threads=THREADS, CLOCK_FILE=self._clock()
        )
        self.workers.append(process)

    def start_scheduler(self) -> None:
        """Start one more scheduler."""
        self.schedulers.append(self.processes.scheduler(CLOCK_FILE=self._clock()))

    def start_inbox(self) -> None:
        """Start the process that takes mail for the default address."""
        sealing = b64encode(self.runtime.keys.public_key).decode()
        more = {"SECRET_KEYS": "", "SEALING_PUBLIC_KEY": sealing, "CLOCK_FILE": self._clock()}
        more |= {"INBOX_PORT": str(self.inbox_port), "INBOX_NAME": f"inbox.{RELAY_DOMAIN}"}
        self.inbox = self.processes.start("inbox", [sys.executable, "-m", "inbox"], more)

    def replace_dead(self) -> None:
        """Restart every process that has ended, as a supervisor does."""
        if self.inbox.poll() is not None:
            self.processes.running.remove(self.inbox)
            self.start_inbox()
        for each in [each for each in self.workers if each.poll() is not None]:
            self.workers.remove(each)
            self.processes.running.remove(each)
            self.start_worker()
        for each in [each for each in self.schedulers if each.poll() is not None]:
            self.schedulers.remove(each)
            self.processes.running.remove(each)
            self.start_scheduler()

    def fail_over(self) -> None:
        """Make the replica the master.

        The old master becomes its replica; its connections stay open and accept no writes.
        """
        with client_of(self.replica) as promoted, client_of(self.redis) as former:
            promoted.replicaof("NO", "ONE")
            former.replicaof("127.0.0.1", self.replica.port)

    def follow_the_master(self) -> None:
        """Point the address to the new master."""
        self.redis, self.replica = self.replica, self.redis
        self.links["redis"].target = self.redis.port or 0

    def set_clocks(self, seconds: float, which: int | None = None) -> None:
        """Step the wall clock of one process (by number) or of all. Each keeps its constant error on top."""
        for number in range(self._clocks) if which is None else [which % self._clocks]:
            self._clock_file(number).write_text(str(seconds + WRONG_BY[number % len(WRONG_BY)]))

    def known_mailbox(self, mailbox_id: UUID) -> str:
        """Return a fresh refresh token for the mailbox's address."""
        address = next(desk.address for desk in self.company.desks if desk.mailbox_id == mailbox_id)
        token = self.control.refresh_token(address)
        self.tokens.append(token)
        return token

    def stored_tokens(self) -> list[str]:
        """Return all tokens that the database holds, decrypted."""
        found = []
        with self.direct.transaction() as tx:
            for desk in self.company.desks:
                row = credentials.load(tx, self.runtime.keys, desk.mailbox_id)
                found += [token for token in (row and row.access_token, row and row.refresh_token) if token]
        return found

    def stop(self) -> None:
        """End everything that was started."""
        self._watching = False
        if hasattr(self, "_sampler"):
            self._sampler.join(5)
        if hasattr(self, "processes"):
            self.processes.stop()
        for opened in ("site", "runtime", "direct"):
            if hasattr(self, opened):
                getattr(self, opened).close()
        if hasattr(self, "emulator"):
            self.control.close()
            self.emulator.terminate()
            self.emulator.wait(20)
            if self.emulator.stdout is not None:
                self.emulator.stdout.close()
        for each in (self.redis, self.replica):
            each.stop(kill=True)
        self.postgres.stop("immediate")
        self.proxy.close()

    def _start_replica(self) -> None:
        """Start a second server, which has the first one's password and follows it."""
        self.replica.folder.mkdir(mode=0o700)
        password = self.replica.folder / "password"
        password.touch(mode=0o600)
        password.write_text((self.redis.folder / "password").read_text())
        self.replica.start()
        for each in (self.redis, self.replica):
            with client_of(each) as client:
                client.config_set("masterauth", password.read_text())
                client.config_set("repl-diskless-sync-delay", 0)
        with client_of(self.replica) as client:
            client.replicaof("127.0.0.1", self.redis.port)

    def _settings(self, port: int) -> Settings:
        return Settings(
            database_url=_through(self.postgres.url(), self.postgres.port, self.links["postgres"]),
            redis_url=_through(self.redis.url(), self.redis.port, self.links["redis"]),
            secret_keys=(KEY,),
            microsoft_client_id="onbehalf",
            microsoft_client_secret="demo-secret",
            entra_url=f"http://127.0.0.1:{self.links['graph'].port}",
            graph_url=f"http://127.0.0.1:{self.links['graph'].port}",
            google_client_id="onbehalf",
            google_client_secret="demo-secret",
            google_url=f"http://127.0.0.1:{self.links['graph'].port}",
            google_pubsub_topic="projects/nemesis/topics/gmail",
            google_pubsub_account="push@nemesis.iam.gserviceaccount.com",
            default_mail_url=f"smtp://relay:relay-password@127.0.0.1:{self.links['relay'].port}",
            default_mail_domain=RELAY_DOMAIN,
            public_url=f"http://127.0.0.1:{port}",
        )

    def _clock(self) -> str:
        self._clocks += 1
        self.set_clocks(0.0, self._clocks - 1)
        return str(self._clock_file(self._clocks - 1))

    def _clock_file(self, number: int) -> Path:
        return self.folder / f"clock-{number}"

    def _sample(self) -> None:
        while self._watching:
            try:
                with client_of(self.redis) as client:
                    depth = sum(int(str(client.hlen(f"dramatiq:{queue}.msgs"))) for queue in QUEUES)
                self.deepest = max(self.deepest, depth)
            except redis.RedisError:
                pass  # it is away on purpose
            time.sleep(0.1)


def client_of(server: EmbeddedRedis) -> redis.Redis:
    """A client that connects to a server directly, past its link."""
    return redis.Redis.from_url(server.url(), socket_timeout=1)


def _through(url: str, port: int | None, link: Link) -> str:
    return url.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{link.port}/")
