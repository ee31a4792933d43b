"""A new release takes over from the one before while emails leave: nothing is lost, and nothing leaves twice."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actions import withdraw
from app.runtime import Runtime
from config import Settings
from db.core.session import database_now
from db.schema.migrate import pending, upgrade
from db.sending.enrollments import enroll_many
from domain.jobs import QUEUES
from lab.access_records import Grant
from lab.drills.company import ACTOR
from lab.drills.evidence import gather
from lab.drills.invariants import judge
from lab.drills.journal import Journal
from lab.embedded import free_port
from lab.emulator.background import Running
from lab.factories import KEY
from lab.release_before import ReleaseBefore
from lab.stage import as_environment
from lab.system import ROOT, Processes
from lab.tables import Tables
from tests.databases import drop_schema

DESKS, PEOPLE, DELAYS = 6, 14, ("PT0S", "PT9S", "PT5S")
WAVE = 4  # people of each desk that go on to another one's sequence, so that a slow machine does not run out of work


class Fleet:
    """The processes of one release, each with its own role, and their logs."""

    def __init__(
        self, environment: dict[str, str], url_as: Callable[[str], str], logs: Path, root: Path
    ) -> None:
        logs.mkdir()
        self._processes = Processes(environment, logs, root)
        worker, inbox = url_as("onbehalf_worker"), {"DATABASE_URL": url_as("onbehalf_inbox")}
        mail = {
            "INBOX_PORT": str(free_port()),
            "INBOX_NAME": "inbox.onbehalf.example",
            "ONE_ENVIRONMENT": "yes",
        }
        self._kinds: dict[str, Callable[[], subprocess.Popen[bytes]]] = {
            "worker": lambda: self._processes.workers(" ".join(QUEUES), threads=6, DATABASE_URL=worker),
            "scheduler": lambda: self._processes.scheduler(DATABASE_URL=worker),
            "inbox": lambda: self._processes.start("inbox", [sys.executable, "-m", "inbox"], inbox | mail),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *kinds: str) -> None:
        """Start one of each and wait until they are up."""
        for kind in kinds:
            self._running[kind] = self._kinds[kind]()
        self._processes.wait_until_up(120)
        ended = [kind for kind, process in self._running.items() if process.poll() is not None]
        assert not ended, (ended, self.last_words())

    def end(self, kind: str) -> None:
        """As a supervisor does: SIGTERM, and a clean end."""
        self._processes.terminate(self._running.pop(kind))

    def stop(self) -> None:
        """End whatever still runs."""
        self._processes.stop()

    def tracebacks(self) -> list[str]:
        """What went wrong unexpectedly."""
        return self._processes.tracebacks()

    def last_words(self) -> str:
        """What to read when a test fails."""
        return self._processes.last_words()


@pytest.fixture
def settings(database_url: str, redis_url: str, emulator: Running) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_keys=(KEY,),
        microsoft_client_id="onbehalf",
        microsoft_client_secret="demo-secret",
        entra_url=emulator.url,
        graph_url=emulator.url,
        default_mail_url=emulator.mail_url,
        default_mail_domain="onbehalf.example",
    )


@pytest.fixture
def fleets(
    settings: Settings, url_as: Callable[[str], str], tmp_path: Path, release_before: ReleaseBefore
) -> Iterator[tuple[Fleet, Fleet]]:
    """The release before and this one, of which nothing runs yet."""
    environment = as_environment(settings)
    old = Fleet(environment, url_as, tmp_path / "old", release_before.root)
    new = Fleet(environment, url_as, tmp_path / "new", ROOT)
    yield old, new
    old.stop()
    new.stop()


def test_a_release_takes_over_from_the_one_before_while_emails_leave(
    settings: Settings, fleets: tuple[Fleet, Fleet], emulator: Running, release_before: ReleaseBefore
) -> None:
    old, new = fleets
    drop_schema(settings.database_url)
    release_before.migrate(settings.database_url)
    company = release_before.found_company(
        as_environment(settings), name="Rolling", desks=DESKS, people=PEOPLE, delays=DELAYS
    )
    ours = {desk.address for desk in company.desks}

    def left() -> int:
        return sum(entry.mailbox in ours for entry in emulator.control.ledger())

    def until(done: Callable[[], bool], what: str, within: float = 240) -> None:
        end = time.monotonic() + within
        while not done():
            assert time.monotonic() < end, f"{what}: {left()} left\n{old.last_words()}\n{new.last_words()}"
            time.sleep(0.1)

    old.start("scheduler", "worker", "inbox")
    until(lambda: left() >= DESKS, "the release before sends")

    # It goes on sending while the migrations run, and between any two of them: first emails, then their follow-ups.
    *steps, last = pending(settings.database_url).revisions
    for revision in steps:
        before = left()
        upgrade(settings.database_url, revision)
        until(lambda before=before: left() >= before + 2, f"the release before sends after {revision}")  # type: ignore[misc]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cli", "migrate"],
        cwd=ROOT,
        env={**os.environ, **as_environment(settings)},
        check=True,
        capture_output=True,
    )
    assert pending(settings.database_url).revisions == (), last
    assert left() < DESKS * PEOPLE * len(DELAYS), "it was to run under load"

    journal = Journal()
    runtime = Runtime.open(settings, application="onbehalf-judge", pool_size=4)
    try:
        others = company.desks[:-1]

        def enroll_wave(apart: int) -> None:
            for number, each in enumerate(others):
                people = [person.candidate_id for person in each.people[:WAVE]]
                with runtime.database.transaction() as tx:
                    sequence = others[(number + apart) % len(others)].sequence_id
                    enroll_many(tx, sequence, people, database_now(tx))

        # Both releases work side by side, and one permission ends by the new one's hand.
        new.start("worker")
        desk = company.desks[-1]
        grant = Tables(runtime.database).only(Grant, mailbox_id=desk.mailbox_id, archived_at=None)
        with journal.call("revoke", forbids=[f"grant:{desk.mailbox_id}"]) as call:
            answer = withdraw.revoke_grant(runtime, grant.id, actor=ACTOR)
            call.in_doubt = [str(each) for each in answer.in_doubt]
        enroll_wave(1)
        before = left()
        until(lambda: left() > before, "both releases send")
        old.end("worker")
        new.start("scheduler")
        enroll_wave(2)
        old.end("scheduler")
        new.start("inbox")
        old.end("inbox")
        of_others = len(others) * (PEOPLE + 2 * WAVE) * len(DELAYS)
        gone = {person.email for person in desk.people}

        def all_of_others() -> bool:
            return (
                sum(entry.to[0] not in gone for entry in emulator.control.ledger() if entry.mailbox in ours)
                >= of_others
            )

        until(all_of_others, "every step of everybody else", within=400)
        for kind in ("worker", "scheduler", "inbox"):
            new.end(kind)
        evidence = gather(runtime.database, runtime.keys.audit, emulator.control, company, journal.calls)
    finally:
        runtime.close()
    assert [each for each in judge(evidence) if not each.holds] == []
    assert old.tracebacks() == new.tracebacks() == []
