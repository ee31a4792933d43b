"""An errand begins at most once, even if its message comes twice or its worker dies."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from actions.verify import send_test_email
from app.runtime import Runtime
from db.events import errands, outbox
from domain.audit import Actor, ActorKind
from domain.errands import ErrandKind
from domain.jobs import RunErrand
from domain.verification import Outcome
from lab.access_records import Errand
from lab.factories import World
from lab.records import AuditEntry, OutboxJob
from lab.stage import Stage
from workers import run_errand


@pytest.fixture
def box(stage: Stage) -> UUID:
    return stage.mailbox(stage.world.member("Hans"))


def asked(stage: Stage, box: UUID, *, within: float = 15, world: World | None = None) -> UUID:
    """A test email that somebody waits for. Returns its errand."""
    organization_id = (world or stage.world).organization_id
    with stage.world.database.transaction() as tx:
        errand_id = errands.ask(
            tx,
            organization_id,
            ErrandKind.SEND_TEST_EMAIL,
            box,
            actor="Hans",
            begin_within=timedelta(seconds=within),
        )
        outbox.put(tx, RunErrand(errand_id))
    return errand_id


def row(stage: Stage) -> UUID:
    return stage.only(OutboxJob, kind="run_errand").id


def answer(stage: Stage, errand_id: UUID) -> object:
    found = stage.only(Errand, errand_id).answer
    return found and found["outcome"]


def test_a_message_that_comes_twice_sends_one_test_email(stage: Stage, box: UUID) -> None:
    errand_id = asked(stage, box)
    outbox_id = row(stage)
    with ThreadPoolExecutor(2) as pool:
        for ended in [pool.submit(run_errand.do, stage.runtime, outbox_id) for _ in range(2)]:
            ended.result()
    run_errand.do(stage.runtime, errand_id)
    assert len(stage.left()) == 1
    assert answer(stage, errand_id) == "SENT"


def test_a_command_that_has_its_answer_has_no_thread_left(
    stage: Stage, box: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It closes its database next, and a connection that comes back later would be nobody's."""

    run = run_errand.run

    def late(runtime: Runtime, errand_id: UUID) -> None:
        run(runtime, errand_id)
        time.sleep(0.3)

    monkeypatch.setattr(run_errand, "run", late)
    assert send_test_email(stage.runtime, box, actor="Hans").outcome is Outcome.SENT
    assert {each.name for each in threading.enumerate()} & set(ErrandKind) == set()


def test_a_worker_that_died_over_it_leaves_it_undone(stage: Stage, box: UUID) -> None:
    """Killed after it began, so the email may have left."""
    errand_id = asked(stage, box)
    with stage.world.database.transaction() as tx:
        assert errands.begin(tx, errand_id) is not None
    stage.later(120)
    stage.run_outbox()
    assert stage.left() == []
    assert answer(stage, errand_id) is None


def test_nobody_begins_what_nobody_waits_for_any_more(stage: Stage, box: UUID) -> None:
    late, given_up = asked(stage, box, within=0), asked(stage, box)
    with stage.world.database.transaction() as tx:
        errands.give_up(tx, [given_up])
    stage.run_outbox()
    assert stage.left() == []
    assert [each.begun_at for each in stage.all(Errand)] == [None, None]
    with stage.world.database.transaction() as tx:
        assert all(how.late for how in errands.progress(tx, [late, given_up]).values())


def test_an_errand_of_another_organization_comes_to_nothing(stage: Stage, box: UUID) -> None:
    errand_id = asked(stage, box, world=World(stage.world.database))
    stage.run_outbox()
    assert stage.left() == []
    errand = stage.only(Errand)
    assert (errand.ended_at is not None, errand.answer) == (True, None)
    assert answer(stage, errand_id) is None


def test_a_worker_writes_down_who_asked_and_not_only_their_name(stage: Stage, box: UUID) -> None:
    who = Actor(ActorKind.MEMBER, "7", "Hans")
    assert send_test_email(stage.runtime, box, actor=who).good
    entry = stage.only(AuditEntry, action="test_email")
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("member", "7", "Hans")
