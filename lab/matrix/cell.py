"""One cell: stop a job's process at a point, strike, let it continue, pass the time, and gather the evidence."""

import multiprocessing
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

import redis

from actions import resume, withdraw
from db.events import outbox
from db.sending import dispatch
from domain.connection import Provider
from domain.errors import NotPermitted
from domain.withdrawal import WithdrawalResult
from lab.drills.company import Company, Desk, Person
from lab.drills.evidence import Evidence, gather
from lab.drills.journal import Journal
from lab.embedded import EmbeddedPostgres
from lab.matrix import child
from lab.stage import Stage
from scheduler import sweeper
from workers import announce, fan_out, pause_sequence, send_step

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["lab.matrix.child", "transports.graph_client", "transports.gmail_client"])
_GRAPHS = "POST /me/messages/{id}/send"
SEND = {Provider.GRAPH: _GRAPHS, Provider.TENANT: _GRAPHS, Provider.GMAIL: "POST /gmail/drafts/send"}


@dataclass
class Cell:
    """One person, two steps and a colleague's mailbox, and the job that is struck."""

    stage: Stage
    postgres: EmbeddedPostgres
    redis_url: str
    provider: Provider = Provider.GRAPH
    journal: Journal = field(default_factory=Journal)

    def __post_init__(self) -> None:
        world = self.stage.world
        self.mailbox_owner, self.owner = world.member("Hans Holder"), world.member()
        self.mailbox = self.stage.mailbox_at(self.provider, self.mailbox_owner)
        self.grant = world.grant(self.mailbox, self.owner)
        self.sequence = world.sequence(self.owner, self.mailbox, ("PT0S", "PT0S"))
        (self.enrollment,) = world.enroll(self.sequence)
        self.settings = replace(self.stage.runtime.settings, redis_url=self.redis_url)
        self.withdrawn = False

    def run(self, job: str, point: str, fault: str) -> Evidence:
        """Run the whole cell."""
        subject, number = self._prepare(job)
        orders, theirs = _PROCESSES.Pipe()
        process = _PROCESSES.Process(
            target=child.main, args=(theirs, self.settings, job, subject, number, point), daemon=True
        )
        call = None
        if job == "revoke":
            with self.journal.call("revoke", forbids=[f"grant:{self.mailbox}"]) as call:
                pass  # its end is known when the process has reported it
            call.error, self.withdrawn = "has not returned", True
        process.start()
        theirs.close()
        assert orders.poll(60), f"{job} did not reach “{point}”"
        said = orders.recv()
        assert said[0] == "at", f"{job} did not reach “{point}”: {said}"
        strike = _Strike(self, job, subject, number, process, orders)
        strike.do(fault)
        process.join(60)
        assert process.exitcode is not None, "the job hangs"
        if call is not None:
            with suppress(EOFError):  # it was killed, and has returned nothing
                if (said := orders.recv())[0] == "returned":
                    call.error, call.returned_at = "", said[1]
        orders.close()
        strike.finish()
        self._turn_the_crank()
        desk = Desk(
            self.mailbox, self.stage.address(self.mailbox), self.mailbox_owner,
            self._email_of(self.mailbox_owner), self.owner, self._email_of(self.owner),
            self.sequence, [Person(self.enrollment, self._candidate(), "")],
            at_google=self.provider == Provider.GMAIL, of_tenant=self.provider == Provider.TENANT,
        )  # fmt: skip
        company = Company(self.stage.world.organization_id, "matrix", [desk])
        return gather(
            self.stage.world.database,
            self.stage.world.keys.audit,
            self.stage.emulator.control,
            company,
            self.journal.calls,
        )

    def _prepare(self, job: str) -> tuple[UUID, int]:
        stage = self.stage
        match job:
            case "send" | "renew a token":
                if job == "renew a token":
                    stage.world.run("UPDATE credentials SET access_token = NULL, access_expires_at = NULL")
                (due,) = stage.due()
                return due.delivery_id, due.dispatch_no
            case "reconcile":
                stage.emulator.control.fault(SEND[self.provider], when="after", reset=True)
                (due,) = stage.due()
                send_step.send(stage.runtime, due)
                with stage.world.database.transaction() as tx:
                    (look,) = dispatch.plan_attempts(tx)
                return look.delivery_id, look.dispatch_no
            case "revoke":
                return self.grant, 0
            case "tick":
                return self.sequence, 0
        self._withdraw(
            "revoke",
            [f"grant:{self.mailbox}"],
            lambda: withdraw.revoke_grant(stage.runtime, self.grant, actor="matrix"),
        )
        if job == "relay":
            return self.sequence, 0
        row = self._next_job()
        if job in ("pause", "notify"):
            fan_out.spread(stage.runtime, row)
            row = self._next_job("pause_sequence")
        if job == "notify":
            pause_sequence.pause(stage.runtime, row)
            announce.announce_event(stage.runtime, self._next_job("announce"))
            row = self._next_job("notify_owner")
        return row, 0

    def _next_job(self, kind: str = "fan_out") -> UUID:
        with self.stage.world.database.transaction() as tx:
            outbox.take_unpublished(tx)
        found = self.stage.world.one(
            "SELECT id FROM outbox WHERE kind = :kind AND done_at IS NULL"
            " AND coalesce(payload->>'owner_id', :owner) = :owner",  # the mailbox owner is notified too
            kind=kind,
            owner=str(self.owner),
        )
        return UUID(str(found))

    def _withdraw(self, verb: str, keys: list[str], ask: Callable[[], WithdrawalResult]) -> None:
        self.withdrawn = True
        with self.journal.call(verb, forbids=keys) as call:
            try:
                call.in_doubt = [str(each) for each in ask().in_doubt]
            except NotPermitted as error:
                call.error = str(error)  # it had already ended

    def permit(self, verb: str, key: str, ask: Callable[[], object]) -> None:
        """Journal a new permission. A refusal is an answer too."""
        with self.journal.call(verb, permits=[key]) as call:
            try:
                ask()
            except NotPermitted as error:
                call.error = str(error)

    def withdraw(self, fault: str) -> None:
        """Withdraw in one of the five ways."""
        runtime = self.stage.runtime
        match fault:
            case "the permission is revoked":
                self._withdraw(
                    "revoke",
                    [f"grant:{self.mailbox}"],
                    lambda: withdraw.revoke_grant(runtime, self.grant, actor="matrix"),
                )
            case "the mailbox is removed and connected again":
                self._withdraw(
                    "disconnect",
                    [f"mailbox:{self.mailbox}", f"grant:{self.mailbox}"],
                    lambda: withdraw.disconnect_mailbox(runtime, self.mailbox, actor="matrix"),
                )
                self.permit(
                    "reconnect",
                    f"mailbox:{self.mailbox}",
                    partial(self.stage.connect_again, self.mailbox, self.provider, actor="matrix"),
                )
            case "the person replies":
                self._withdraw(
                    "reply",
                    [f"enrollment:{self.enrollment}"],
                    lambda: withdraw.stop_enrollment(
                        runtime, self.enrollment, actor="matrix", reason="replied"
                    ),
                )
            case "the person unsubscribes":
                person = self._candidate()
                self._withdraw(
                    "unsubscribe",
                    [f"candidate:{person}"],
                    lambda: withdraw.suppress_candidate(
                        runtime, person, actor="matrix", reason="unsubscribed"
                    ),
                )
            case _:
                key = f"sequence:{self.sequence}"
                self._withdraw(
                    "pause",
                    [key],
                    lambda: withdraw.pause_sequence(runtime, self.sequence, actor="matrix", reason="a test"),
                )
                self.permit(
                    "resume", key, lambda: resume.resume_sequence(runtime, self.sequence, actor="matrix")
                )

    def _turn_the_crank(self) -> None:
        """Pass a quarter of an hour: leases end, messages are enqueued again, doubts end, jobs run."""
        stage = self.stage
        stage.emulator.control.clear_faults()
        for _ in range(9):
            stage.later(120)
            stage.world.run(
                "UPDATE notices SET created_at = created_at - interval '120 seconds' WHERE mail_state = 'sending'"
            )
            stage.sweep()
            with stage.world.database.transaction() as tx:
                again = dispatch.enqueue_again(tx)
            for each in again:
                send_step.send(stage.runtime, each)
            stage.send_due()
            stage.look()
            stage.run_outbox()
        sweeper.seal(stage.world.database, stage.world.keys.audit)

    def _candidate(self) -> UUID:
        found = self.stage.world.one(
            "SELECT candidate_id FROM enrollments WHERE id = :id", id=self.enrollment
        )
        return UUID(str(found))

    def _email_of(self, member: UUID) -> str:
        return str(self.stage.world.one("SELECT email FROM members WHERE id = :id", id=member))


class _Strike:
    """What happens while the process waits at its point."""

    def __init__(self, cell: Cell, job: str, subject: UUID, number: int, process: Any, orders: Any) -> None:
        self._cell, self._job, self._subject, self._number = cell, job, subject, number
        self._process, self._orders = process, orders
        self._beside: threading.Thread | None = None
        self._trouble: list[BaseException] = []

    def do(self, fault: str) -> None:
        """Strike, then let the process continue (or not)."""
        cell, stage = self._cell, self._cell.stage
        control = stage.emulator.control
        match fault:
            case "killed":
                self._process.kill()
                return
            case "an exception":
                self._orders.send("raise")
                return
            case "the clock jumps ahead" | "the clock jumps back":
                self._orders.send(("clock", 120 if "ahead" in fault else -120))
                return
            case "frozen beyond its lease":
                self._aside(self._as_the_others)
            case "the database crashes":
                cell.postgres.restart("immediate")
                stage.world.database.close()
            case "its database sessions are cut":
                stage.world.rows(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name",
                    name=child.APPLICATION,
                )
            case "Redis is emptied":
                redis.Redis.from_url(cell.redis_url).flushall()
            case "the connection to the provider breaks before it acts":
                control.fault("*", when="before", reset=True)
            case "the connection to the provider breaks after it acted":
                control.fault("*", when="after", reset=True)
            case "the provider answers 503 and does not act":
                control.fault("*", when="before", status=503)
            case "the provider answers 504 and acts":
                control.fault("*", when="after", status=504)
            case "the same job runs again beside it":
                self._aside(self._again)
            case _:
                self._aside(lambda: cell.withdraw(fault))
        self._orders.send("go")

    def finish(self) -> None:
        """Wait for what ran in parallel. Its errors fail the test."""
        if self._beside is not None:
            self._beside.join(90)
            assert not self._beside.is_alive(), "what ran beside it hangs"
        assert self._trouble == []
        if self._cell.withdrawn:
            self._cell.stage.run_outbox()

    def _aside(self, what: Callable[[], object]) -> None:
        """Run in a thread, because it may have to wait for locks that the stopped process holds."""

        def run() -> None:
            try:
                what()
            except BaseException as error:  # noqa: BLE001 - reported by finish
                self._trouble.append(error)

        self._beside = threading.Thread(target=run, name="beside", daemon=True)
        self._beside.start()
        self._beside.join(0.4)

    def _again(self) -> None:
        if self._job in ("tick", "relay"):
            self._cell.stage.due()
        elif self._job == "revoke":
            withdraw.revoke_grant(self._cell.stage.runtime, self._subject, actor="matrix")
        else:
            child.JOBS[self._job](self._cell.stage.runtime, self._subject, self._number)

    def _as_the_others(self) -> None:
        """What other processes do once this one's lease has ended."""
        stage = self._cell.stage
        stage.later(120)
        stage.sweep()
        time.sleep(0.05)
        stage.send_due()
        stage.look()
