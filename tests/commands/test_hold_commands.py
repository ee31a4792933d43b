"""Operators hold and release, and drain before maintenance: the exit code says whether all is quiet."""

import json
import re
import threading
from datetime import timedelta

import pytest

from actions import holds, verify
from app.readiness import Readiness
from db.views import dashboard
from lab.access_records import HoldRow, Lane, Organization
from lab.records import AuditEntry, Delivery
from lab.stage import Stage
from tests.commands.test_operating import Cli, cli, report
from workers import send_step

__all__ = ["cli"]
SEND = "POST /me/messages/{id}/send"


class Desk:
    """Hans' mailbox, from which four emails are due."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.hans = stage.world.member("Hans Holder")
        self.box = stage.mailbox(self.hans)
        self.address = stage.address(self.box)
        self.sequence = stage.world.sequence(self.hans, self.box)
        self.people = stage.world.enroll(self.sequence, 4)
        self.organization = stage.only(Organization).name


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage)


def test_a_mailbox_is_held_seen_everywhere_and_released(stage: Stage, desk: Desk, cli: Cli) -> None:
    held = cli("mailbox", "hold", desk.address, "--because", "a mistake in the signature")
    assert held.exit_code == 0, held.output
    assert "Held: 4 wait · already sent: 0 · in doubt: 0 — nothing can leave now." in held.output
    said = f"{desk.address} is held since"
    for command in (["status"], ["why", desk.people[0]]):
        shown = cli(*command).output
        assert said in shown
        assert "by ops: a mistake in the signature. It lasts until it is released." in shown
        assert "Only Onbehalf's operators can release it." in shown
    (sentence,) = json.loads(cli("status", "--json").stdout)["on_hold"]
    assert sentence.startswith(said)
    (listed,) = json.loads(cli("holds", "--json").stdout)
    assert (listed["held"], listed["by"], listed["until"]) == (desk.address, "ops", None)
    assert "On hold" in cli("outbox", "--organization", desk.organization).output
    assert stage.send_due() == 0
    assert cli("mailbox", "release", desk.address).output == f"{desk.address} is released.\n"
    assert cli("mailbox", "release", desk.address).output == f"{desk.address} was not held.\n"
    assert cli("holds").output == "None.\n"
    assert stage.send_due() == 4


def test_an_organization_is_held_until_a_time(stage: Stage, desk: Desk, cli: Cli) -> None:
    refused = cli("organization", "hold", desk.organization, "--because", "x", "--until", "2026-12-24T09:00")
    assert refused.exit_code == 2
    assert "That time has no zone" in refused.output
    held = cli(
        *("organization", "hold", desk.organization, "--because", "an investigation"),
        *("--until", "2199-12-24T09:00+01:00", "--json"),
    )
    assert json.loads(held.stdout)["stopped"] == 4
    assert f"All sending of {desk.organization} is held since" in cli("status").output
    assert "until 2199-12-24 08:00 UTC" in cli("status").output
    one = json.loads(cli("mailbox", "release", desk.address, "--json").stdout)
    assert one["ended"] is False
    assert one["left"]["reason"] == "an investigation"
    assert cli("organization", "release", desk.organization).exit_code == 0
    assert stage.send_due() == 4


def test_a_drain_stops_everybody_and_its_end_lets_them_go_on(stage: Stage, desk: Desk, cli: Cli) -> None:
    report(stage)
    jobs = stage.due()
    quiet = cli("drain", "--because", "a new disk")
    assert quiet.exit_code == 0, quiet.output
    assert "All is quiet" in quiet.output
    for job in jobs:  # of before: their workers let go of them
        send_step.send(stage.runtime, job)
    assert stage.left() == []
    assert stage.due() == []
    assert stage.states() == {"pending": 4}
    for command in ("status", "holds"):
        assert "a new disk" in cli(command).output
    assert "Onbehalf's operators have stopped all sending" in cli("status").output
    assert "Nothing is lost" in cli("why", desk.people[0]).output
    found = {each["check"]: each for each in json.loads(cli("doctor", "--json").stdout)}
    assert (found["drain"]["state"], found["drain"]["fix"][-20:]) == ("warning", "onbehalf drain --end")
    with stage.world.database.transaction() as tx:
        numbers = dashboard.overview(tx)
    assert (numbers.overdue_for_no_reason, numbers.lanes_on_hold) == (0, 1)
    stage.older(HoldRow, "since", hours=2)
    with stage.world.database.transaction() as tx:
        assert dashboard.overview(tx).drained_for == pytest.approx(7200, abs=60)
    assert cli("drain", "--end").output == "Sending goes on, at each mailbox's pace.\n"
    assert cli("drain", "--end").output == "Nobody had stopped sending.\n"
    assert stage.send_due() == 4
    trail = [each.action for each in stage.all(AuditEntry)]
    assert (trail.count("drain_begun"), trail.count("drain_ended")) == (1, 1)
    assert stage.notices() == []


def test_a_drain_waits_for_what_is_on_its_way(stage: Stage, desk: Desk, cli: Cli) -> None:
    (job, *_) = stage.due()
    stage.emulator.control.fault(SEND, when="after", delay=2)
    sender = threading.Thread(target=send_step.send, args=(stage.runtime, job))
    sender.start()
    while stage.states().get("sending") != 1:
        pass
    quiet = cli("drain", "--json", "--within", "PT30S")
    assert quiet.exit_code == 0, quiet.output
    assert json.loads(quiet.stdout) == {"drained": True, "quiet": True, "on_the_way": []}
    assert "1 on the way" in quiet.stderr
    sender.join()
    assert stage.only(Delivery, job.delivery_id).state == "sent"
    assert len(stage.left()) == 1


def test_a_drain_lists_what_remains_and_stands_until_it_is_ended(stage: Stage, desk: Desk, cli: Cli) -> None:
    (job, *others) = stage.due()
    stage.emulator.control.fault(SEND, when="after", delay=4)
    sender = threading.Thread(target=send_step.send, args=(stage.runtime, job))
    sender.start()
    while stage.states().get("sending") != 1:
        pass
    began = cli("drain", "--within", "PT0S")
    assert began.exit_code == 1
    assert "Still on the way" in began.output
    assert re.search(rf"{job.delivery_id}.*{desk.address}.*sending", began.output)
    for each in others:
        send_step.send(stage.runtime, each)
    again = cli("drain", "--within", "PT30S")
    assert again.exit_code == 0, again.output
    sender.join()
    assert len(stage.left()) == 1
    assert stage.count(HoldRow) == 1


def test_a_drain_waits_for_a_test_email_and_lets_none_begin(stage: Stage, desk: Desk, cli: Cli) -> None:
    stage.attend()
    stage.emulator.control.fault(SEND, when="after", delay=2)
    verdicts: list[str] = []
    asking = threading.Thread(
        target=lambda: verdicts.append(
            verify.send_test_email(stage.runtime, desk.box, actor="Hans Holder").outcome.name
        )
    )
    asking.start()
    while not any(each.testing_until for each in stage.all(Lane)):
        pass
    quiet = cli("drain", "--within", "PT30S")
    asking.join()
    assert quiet.exit_code == 0, quiet.output
    assert verdicts == ["SENT"]
    assert verify.send_test_email(stage.runtime, desk.box, actor="Hans Holder").outcome.name == "NOT_SENT"


def test_processes_say_on_request_that_they_are_drained_and_are_ready_all_the_same(
    stage: Stage, desk: Desk
) -> None:
    readiness = Readiness(stage.world.database, ring=stage.runtime.keys)
    holds.drain(stage.runtime, actor="operator olga", reason="a new disk", within=timedelta())
    assert readiness.troubles() == ()
    (said,) = readiness.remarks()
    assert said.startswith("drained: all sending is stopped since")
    holds.end_drain(stage.runtime, actor="operator olga")
    assert (readiness.troubles(), readiness.remarks()) == ((), ())
