"""The promises hold after every step, in any order of what people do.

They enroll, send, pause, revoke, disconnect, edit and undo. The real database layer, the real SDK and the
emulator. Time passes by making rows older. Hypothesis searches for the shortest history that breaks a promise.
"""

from collections import defaultdict
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from actions import connect, grants, members, resume, withdraw
from db.core.session import Database
from db.sequences.imports import write_steps
from domain.errors import NotPermitted
from lab.access_records import Grant, Lane, Mailbox, Member
from lab.emulator.world import LedgerEntry
from lab.factories import World
from lab.records import Delivery, Enrollment, Notice, Pause, Receipt, Sequence
from lab.stage import Stage
from lab.tables import PRESENT, ahead

SEND = "POST /me/messages/{id}/send"
DELAYS = ("PT0S", "PT1H", "PT2H")


class History(RuleBasedStateMachine):
    """Hans lets Rita send; Rita has two sequences. ``stage`` is set by the test."""

    stage: Stage
    database: Database

    @initialize()
    def begin(self) -> None:
        self.stage.emulator.control.reset()
        self.stage.emulator.control.switch(drafts_delay=0.0)
        self.stage.put(Lane, open=False, next_due_at=None)  # of earlier histories
        self.world = World(self.database)
        self.act = Stage(self.world, self.stage.runtime, self.stage.emulator, self.stage.web_database)
        self.hans, self.rita = self.world.member("Hans Holder"), self.world.member()
        self.box = self.act.mailbox(self.hans)
        self.grant = self.world.grant(self.box, self.rita)
        self.sequences = [self.world.sequence(self.rita, self.box, DELAYS) for _ in range(2)]
        self.silent: dict[UUID, int] = {}  # by sequence: how many emails had left when it was silenced
        self.stopped: dict[UUID, int] = {}  # by enrollment: the same

    # What happens

    @rule(which=st.integers(0, 1), people=st.integers(1, 3))
    def enroll(self, which: int, people: int) -> None:
        self.world.enroll(self.sequences[which], people)

    @rule(seconds=st.sampled_from([5, 60, 1800, 3600, 7200]))
    def time_passes(self, seconds: int) -> None:
        self.act.later(seconds)

    @rule()
    def the_workers_send(self) -> None:
        ready = self.due_now()
        before = {entry.correlation_id for entry in self.left()}
        self.act.send_due()
        fresh = {entry.correlation_id for entry in self.left()} - before
        assert fresh <= ready, "an email left before its time"

    @rule()
    def the_sweeper_and_the_reconciler_work(self) -> None:
        self.act.later(61)
        self.act.sweep()
        self.act.look()

    @rule()
    def events_spread(self) -> None:
        self.act.run_outbox()
        self.every_pause_notifies_once()

    @rule(when=st.sampled_from(["before", "after"]), times=st.integers(1, 2))
    def answers_are_lost(self, when: str, times: int) -> None:
        self.stage.emulator.control.fault(SEND, when=when, status=504, times=times)

    @rule(which=st.integers(0, 1))
    def somebody_pauses(self, which: int) -> None:
        sequence = self.sequences[which]
        if self.status(sequence) == "active":
            withdraw.pause_sequence(self.act.runtime, sequence, actor="rita", reason="wait")
            self.silence(sequence)

    @rule(which=st.integers(0, 1))
    def somebody_resumes(self, which: int) -> None:
        sequence = self.sequences[which]
        planned = resume.preview_resume(self.act.runtime, sequence)
        try:
            resume.resume_sequence(self.act.runtime, sequence, actor="rita")
        except NotPermitted:
            assert planned.blockers or self.status(sequence) != "paused"
            return
        assert not planned.blockers
        self.silent.pop(sequence, None)

    @precondition(lambda self: self.granted())
    @rule()
    def hans_revokes(self) -> None:
        withdraw.revoke_grant(self.act.runtime, self.grant, actor="hans")
        self.silence(*self.sequences)

    @precondition(lambda self: not self.granted() and self.connected() and self.active(self.rita))
    @rule(everyone=st.booleans())
    def hans_grants_again(self, everyone: bool) -> None:
        self.give(everyone=everyone)

    @precondition(lambda self: self.connected())
    @rule()
    def hans_disconnects(self) -> None:
        withdraw.disconnect_mailbox(self.act.runtime, self.box, actor="hans")
        self.silence(*self.sequences)

    @precondition(lambda self: not self.connected())
    @rule()
    def hans_reconnects(self) -> None:
        self.reconnect()

    @precondition(lambda self: self.active(self.rita))
    @rule()
    def rita_is_deactivated(self) -> None:
        withdraw.deactivate_member(self.act.runtime, self.rita, actor="ada")
        self.silence(*self.sequences)

    @precondition(lambda self: not self.active(self.rita))
    @rule()
    def rita_comes_back(self) -> None:
        members.reactivate_member(self.act.runtime, self.rita, actor="ada")
        self.lift()

    @rule(data=st.data())
    def somebody_is_stopped(self, data: st.DataObject) -> None:
        running = [each.id for each in self.world.all(Enrollment, status="active", **self.ours())]
        if running:
            enrollment = data.draw(st.sampled_from(running))
            withdraw.stop_enrollment(self.act.runtime, enrollment, actor="rita", reason="replied")
            self.stopped[enrollment] = len(self.left())

    @rule(which=st.integers(0, 1), count=st.integers(1, 4))
    def rita_edits(self, which: int, count: int) -> None:
        sequence = self.sequences[which]
        words = [
            (
                DELAYS[min(n, 2)],
                f"Subject {count}" if n == 0 else None,
                f"Hello, this is step {n + 1}. {count}",
            )
            for n in range(count)
        ]
        with self.database.transaction() as tx:
            write_steps(tx, self.world.organization_id, sequence, words)

    # What must hold

    @invariant()
    def no_email_twice(self) -> None:
        correlation_ids = [entry.correlation_id for entry in self.left()]
        assert len(correlation_ids) == len(set(correlation_ids))

    @invariant()
    def steps_in_order(self) -> None:
        steps: dict[str, list[int]] = defaultdict(list)
        for entry in self.left():
            steps[entry.to[0]].append(int(entry.body.split("this is step ")[1][0]))
        for taken in steps.values():
            assert taken == sorted(set(taken)), "out of order, or a step twice"

    @invariant()
    def silence_is_kept(self) -> None:
        of = self.sequence_and_enrollment_of()
        for number, entry in enumerate(self.left()):
            sequence, enrollment = of[entry.correlation_id]
            assert number < self.silent.get(sequence, 10**9), "left after a withdrawal returned"
            assert number < self.stopped.get(enrollment, 10**9), "left after the person was stopped"

    @invariant()
    def what_is_recorded_is_what_left(self) -> None:
        recorded = {str(each.correlation_id) for each in self.deliveries("sent")}
        doubtful = {str(each.correlation_id) for each in self.deliveries("in_doubt", "review", "sending")}
        left = {entry.correlation_id for entry in self.left()}
        assert recorded <= left <= recorded | doubtful
        assert self.world.count(Receipt, **self.ours()) == len(recorded)

    @invariant()
    def nobody_is_forgotten(self) -> None:
        deliveries = self.world.all(Delivery, **self.ours())
        awaited = {each.enrollment_id for each in deliveries if each.state not in ("sent", "closed")}
        assert [each for each in self.going_on() if each.id not in awaited] == []
        unexplained = [
            each for each in deliveries if each.reason is None and (each.held or each.state == "closed")
        ]
        assert unexplained == []

    def every_pause_notifies_once(self) -> None:
        pauses = self.world.all(Pause, **self.ours())
        causes = [(each.cause_key, each.sequence_id) for each in pauses]
        assert len(causes) == len(set(causes))
        for each in pauses:
            notices = self.world.count(Notice, cause_key=each.cause_key, channel="in_app")
            assert notices or not each.people  # a sequence with nobody left in it is no news
        mails = [entry for entry in self.stage.emulator.control.ledger() if entry.via == "smtp"]
        assert len(mails) == self.world.count(Notice, channel="email", **self.ours())

    def teardown(self) -> None:
        """Allow everything again: whoever was to be notified is notified, and nobody waits forever."""
        if not hasattr(self, "world"):
            return
        self.stage.emulator.control.clear_faults()
        if not self.active(self.rita):
            self.rita_comes_back()
        if not self.connected():
            self.reconnect()
        if not self.granted():
            self.give(everyone=False)
        self.events_spread()
        for sequence in self.sequences:
            if self.status(sequence) == "paused":
                resume.resume_sequence(self.act.runtime, sequence, actor="rita")
                self.silent.pop(sequence, None)
        for _ in range(60):
            self.act.later(3600)
            self.act.sweep()
            self.act.send_due()
            self.act.look()
        self.act.run_outbox()
        going_on = {each.id for each in self.going_on()}
        waiting = [
            each
            for each in self.world.all(Delivery, **self.ours())
            if each.state not in ("sent", "closed", "review") and each.enrollment_id in going_on
        ]
        assert waiting == [], "somebody waits for ever"
        self.no_email_twice()
        self.steps_in_order()
        self.silence_is_kept()
        self.what_is_recorded_is_what_left()

    # Helpers

    def give(self, *, everyone: bool) -> None:
        self.grant = grants.give_grant(
            self.act.runtime,
            mailbox_id=self.box,
            mailbox_owner_id=self.hans,
            grantee_id=None if everyone else self.rita,
            actor="hans",
        )
        self.lift()

    def reconnect(self) -> None:
        token = self.stage.emulator.control.refresh_token(self.act.address(self.box))
        connect.connect_mailbox(self.act.runtime, self.box, refresh_token=token, actor="hans")
        self.lift()

    def lift(self) -> None:
        """Undo the withdrawals. A sequence that the pause has not reached continues; a paused one waits."""
        if self.granted() and self.connected() and self.active(self.rita):
            for sequence in self.sequences:
                if self.status(sequence) == "active":
                    self.silent.pop(sequence, None)

    def silence(self, *sequences: UUID) -> None:
        for sequence in sequences:
            self.silent[sequence] = len(self.left())

    def left(self) -> list[LedgerEntry]:
        return self.act.left()

    def ours(self) -> dict[str, object]:
        """What this history's rows have in common: others ran in the same database before it."""
        return {"organization_id": self.world.organization_id}

    def deliveries(self, *states: str) -> list[Delivery]:
        return self.world.all(Delivery, state=states, **self.ours())

    def going_on(self) -> list[Enrollment]:
        return self.world.all(Enrollment, status=["active", "paused"], **self.ours())

    def status(self, sequence: UUID) -> object:
        return self.world.only(Sequence, sequence).status

    def connected(self) -> bool:
        return self.world.only(Mailbox, self.box).status == "connected"

    def granted(self) -> bool:
        return self.world.only(Grant, self.grant).archived_at is None

    def active(self, member: UUID) -> bool:
        return self.world.only(Member, member).active

    def due_now(self) -> set[str]:
        soon = ahead(seconds=5)
        to_come = [each.id for each in self.deliveries("pending", "queued") if each.due_at <= soon]
        begun = [each for each in self.world.all(Delivery, correlation_id=PRESENT) if each.due_at <= soon]
        return {self.act.runtime.correlation_id(each) for each in to_come} | {
            str(each.correlation_id) for each in begun
        }

    def sequence_and_enrollment_of(self) -> dict[str, tuple[UUID, UUID]]:
        return {
            str(each.correlation_id): (each.sequence_id, each.enrollment_id)
            for each in self.world.all(Delivery, correlation_id=PRESENT, **self.ours())
        }


@pytest.mark.parametrize("part", range(4))
def test_the_promises_hold_in_every_history(stage: Stage, database: Database, part: int) -> None:
    class Here(History):
        pass

    Here.stage, Here.database = stage, database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=8,
            stateful_step_count=25,
            phases=(Phase.generate,),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
