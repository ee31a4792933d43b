"""Sends race every kind of withdrawal, in random order.

Nothing leaves after the call returned, and nobody is notified twice. Each interleaving comes from the seed that
pytest prints in the test's name.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from actions import holds, withdraw
from db.sending import dispatch
from db.withdrawing.holds import Whose
from domain.holds import Level
from domain.jobs import SendStep
from domain.withdrawal import WithdrawalResult
from lab.access_records import Lane, Member
from lab.records import Delivery, Enrollment, Event, Notice, Pause
from lab.stage import Stage
from lab.tables import PRESENT
from workers import send_step

PER_TEST = 12
KINDS = (
    "revoke person",
    "revoke everyone",
    "disconnect",
    "deactivate owner",
    "deactivate holder",
    "pause",
    "stop",
    "suppress",
)
HOLDS = ("hold mailbox", "hold organization")
_GRAPHS = "POST /me/messages/{id}/send"
SEND = {"graph": _GRAPHS, "microsoft_tenant": _GRAPHS, "gmail": "POST /gmail/drafts/send"}


class Race:
    """One organization, one mailbox, two sequences, six people. Workers send while somebody withdraws."""

    def __init__(
        self, stage: Stage, seed: int, kinds: Sequence[str] = KINDS, provider: str = "graph"
    ) -> None:
        self.stage, self.random, self.provider = stage, random.Random(seed), provider
        world = stage.world
        self.mailbox_owner, self.owner = world.member("Hans Holder"), world.member()
        admins = world.all(Member, role="owner")
        self.admin = admins[0].id if admins else world.member("Ada Admin", role="owner")
        self.box = stage.mailbox_at(provider, self.mailbox_owner)
        self.kind = self.random.choice(kinds)
        self.grant = world.grant(self.box, None if self.kind == "revoke everyone" else self.owner)
        self.sequences = [world.sequence(self.owner, self.box, ("PT0S", "PT0S")) for _ in range(2)]
        self.enrollments = [each for sequence in self.sequences for each in world.enroll(sequence, 3)]
        address = stage.address(self.box)
        stage.emulator.control.switch(address, latency=self.random.choice([0.0, 0.005, 0.03]))
        if self.random.random() < 0.3:
            harm: list[dict[str, Any]] = [{"status": 504}, {"reset": True}, {"delay": 0.1}]
            stage.emulator.control.fault(
                SEND[provider],
                mailbox=address,
                when=self.random.choice(["before", "after"]),
                skip=self.random.randrange(3),
                **self.random.choice(harm),
            )

    def withdraw(self) -> WithdrawalResult:
        runtime, stage = self.stage.runtime, self.stage
        candidate = stage.only(Enrollment, self.enrollments[0]).candidate_id
        calls: dict[str, Callable[[], WithdrawalResult]] = {
            "revoke person": lambda: withdraw.revoke_grant(runtime, self.grant, actor="hans"),
            "revoke everyone": lambda: withdraw.revoke_grant(runtime, self.grant, actor="hans"),
            "disconnect": lambda: withdraw.disconnect_mailbox(runtime, self.box, actor="hans"),
            "deactivate owner": lambda: withdraw.deactivate_member(runtime, self.owner, actor="ada"),
            "deactivate holder": lambda: withdraw.deactivate_member(runtime, self.mailbox_owner, actor="ada"),
            "pause": lambda: withdraw.pause_sequence(
                runtime, self.sequences[0], actor="rita", reason="wrong text"
            ),
            "stop": lambda: withdraw.stop_enrollment(
                runtime, self.enrollments[0], actor="rita", reason="replied"
            ),
            "suppress": lambda: withdraw.suppress_candidate(
                runtime, candidate, actor="rita", reason="unsubscribed"
            ),
            "hold mailbox": lambda: self.hold(self.box),
            "hold organization": lambda: self.hold(None),
        }
        return calls[self.kind]()

    def hold(self, mailbox_id: UUID | None) -> WithdrawalResult:
        whose = Whose(self.stage.world.organization_id, mailbox_id)
        return holds.hold(
            self.stage.runtime, whose, level=Level.ADMIN, actor="Ada Admin", reason="wrong text"
        )

    def go_on(self) -> None:
        """Release the hold: everybody gets every email, once, but for what only a person settles now."""
        stage = self.stage
        stage.emulator.control.clear_faults()
        whose = Whose(stage.world.organization_id, self.box if self.kind == "hold mailbox" else None)
        assert holds.release(stage.runtime, whose, level=Level.ADMIN, actor="Ada Admin").ended
        for _ in range(30):
            stage.later(60)
            for job in self.unclaimed():
                send_step.send(stage.runtime, job)
            stage.send_due()
            stage.look()
        mine = stage.all(Delivery, mailbox_id=self.box)
        open_ones = [each.state for each in mine if each.state not in ("sent", "review")]
        assert open_ones == [], self.kind
        box = stage.address(self.box)
        left = Counter(entry.correlation_id for entry in stage.left(self.provider) if entry.mailbox == box)
        assert set(left.values()) <= {1}
        assert {each.correlation_id for each in mine if each.state == "sent"} <= set(left)
        settled = {each.enrollment_id for each in mine if each.state == "review"}
        assert stage.count(Enrollment, sequence_id=self.sequences, status="finished") == 6 - len(settled)

    def unclaimed(self) -> list[SendStep]:
        with self.stage.world.database.transaction() as tx:
            return dispatch.enqueue_again(tx)

    def in_scope(self) -> dict[str, UUID]:
        """What the deliveries that must not leave afterwards have in common."""
        if self.kind == "pause":
            return {"sequence_id": self.sequences[0]}
        if self.kind in ("stop", "suppress"):
            return {"enrollment_id": self.enrollments[0]}
        return {"mailbox_id": self.box}

    def run(self) -> None:
        stage = self.stage
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                for job in stage.due():
                    send_step.send(stage.runtime, job)
                time.sleep(0.002)

        workers = [threading.Thread(target=work) for _ in range(3)]
        for each in workers:
            each.start()
        time.sleep(self.random.uniform(0, 0.15))
        answer = self.withdraw()
        returned = time.monotonic()
        time.sleep(0.05)
        stage.later(30)  # whatever waited for its pace may try now
        time.sleep(0.1)
        stop.set()
        for each in workers:
            each.join()
        self.judge(answer, returned)

    def judge(self, answer: WithdrawalResult, returned: float) -> None:
        stage = self.stage
        silent = {
            each.correlation_id: each.id
            for each in stage.all(Delivery, correlation_id=PRESENT, **self.in_scope())
        }
        box = stage.address(self.box)
        left = [entry for entry in stage.left(self.provider) if entry.mailbox == box]
        late = [
            entry for entry in left
            if entry.correlation_id in silent and entry.at > returned and silent[entry.correlation_id] not in answer.in_doubt
        ]  # fmt: skip
        assert late == [], f"{self.kind}: {len(late)} emails left after the call returned"
        correlation_ids = [entry.correlation_id for entry in left]
        assert len(correlation_ids) == len(set(correlation_ids)), f"{self.kind}: an email left twice"
        assert answer.seconds < 45
        stage.run_outbox()
        stage.run_outbox()
        self.judge_pauses()

    def judge_pauses(self) -> None:
        world = self.stage.world
        pauses = world.all(Pause, sequence_id=self.sequences)
        expected = {"pause": 1, **dict.fromkeys(("stop", "suppress", *HOLDS), 0)}.get(self.kind, 2)
        counts = Counter(each.sequence_id for each in pauses)
        assert list(counts.values()) == [1] * expected, f"{self.kind}: {pauses}"
        told = self.admin if self.kind == "deactivate owner" else self.owner
        causes = {each.cause_key for each in pauses}
        events = [
            each.id
            for each in world.all(Event, organization_id=world.organization_id)
            if each.kind != "DeliveryInReview"
        ]
        heard = world.all(Notice, owner_id=told, cause_key=causes, event_id=events)
        notices = sorted(each.channel for each in heard)
        once = ["email", "in_app"]
        # If everybody had finished, there is nothing to notify.
        left = world.count(Enrollment, sequence_id=self.sequences, status=["active", "paused"])
        assert notices in ([once] if expected and left else [once, []] if expected else [[]]), (
            f"{self.kind}: {notices}"
        )


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.row("M19", "M20")
def test_nothing_leaves_after_a_withdrawal_returned(stage: Stage, seed: int) -> None:
    for n in range(PER_TEST):
        stage.emulator.control.clear_faults()
        stage.put(Lane, open=False)  # the races before this one are over
        Race(stage, seed * 1000 + n).run()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("provider", ["gmail", "microsoft_tenant"])
def test_nothing_leaves_any_other_mailbox_after_a_withdrawal_returned(
    stage: Stage, seed: int, provider: str
) -> None:
    for n in range(PER_TEST):
        stage.emulator.control.clear_faults()
        stage.put(Lane, open=False)
        Race(stage, seed * 1000 + n, provider=provider).run()


@pytest.mark.parametrize("seed", range(6))
def test_nothing_leaves_after_a_hold_returned_and_all_of_it_leaves_once_after_its_release(
    stage: Stage, seed: int
) -> None:
    for n in range(PER_TEST // 2):
        stage.emulator.control.clear_faults()
        stage.put(Lane, open=False)
        race = Race(stage, seed * 1000 + n, HOLDS)
        race.run()
        race.go_on()
