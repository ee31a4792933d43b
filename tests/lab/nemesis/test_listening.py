"""Listening in a run: seconds instead of minutes, and mail whose truth the judge knows."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from lab.drills import answers
from lab.drills.company import Desk, Person
from lab.drills.heard import Heard, Message
from lab.emulator.answers import KINDS
from lab.emulator.records import Arrival
from lab.nemesis import correspondents
from lab.nemesis.arena import _CLOCK, _WAITS, FRESH
from lab.system import ROOT

_ASKS = (
    "from domain.preflight import FRESH; from db.listening.reads import APART, SOONEST; from domain.listening import cadence;"
    "print(FRESH.total_seconds(), SOONEST.total_seconds(), APART.total_seconds(), cadence._WAITS[0][1] == SOONEST,"
    " *(each.total_seconds() for each in cadence.BEHIND.values()))"
)


def ask(**more: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(_CLOCK), **more}
    done = subprocess.run(
        [sys.executable, "-c", _ASKS], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr


def test_waits_are_shorter_only_where_a_run_says_so() -> None:
    assert ask() == "90.0 120.0 15.0 True 15.0"
    assert ask(LISTENING_WAITS=json.dumps(_WAITS)) == f"{FRESH} 30.0 4.0 True 2.0"
    assert "has no wait STALE" in ask(LISTENING_WAITS='{"STALE": 1}')


def test_the_judge_knows_what_everybody_does_who_answers() -> None:
    people = [Person(uuid4(), uuid4(), f"p{number}@people.example") for number in range(200)]
    desks = [Desk(uuid4(), "s@example.org", uuid4(), "", uuid4(), "", uuid4(), people)]
    drawn = dict(correspondents.draw(random.Random(1), desks))
    assert 100 < len(drawn) < 180
    kinds = {each["kind"] for each in drawn.values()}
    assert kinds <= set(KINDS)
    assert {"reply", "auto_reply", "bounce", "bounce_sender", "same_subject"} <= kinds
    assert kinds - set(answers.RECORDED) <= {"receipt", "same_subject"}
    assert drawn == dict(correspondents.draw(random.Random(1), desks))


def arrival(item: str, kind: str) -> Arrival:
    return Arrival(
        1, 1.0, "", "s@example.org", item, kind, "", "", "", "", "", "inbox", person="p@people.example"
    )


def recorded(item: str, kind: str, bounce_class: str | None = None) -> Message:
    return Message("s@example.org", item, "p@people.example", kind, bounce_class, datetime.now(UTC))


def test_where_nobody_knows_the_message_id_a_report_may_hold_a_person_and_must_end_nobody() -> None:
    arrivals = [
        arrival("held", "bounce"),
        arrival("later", "bounce"),
        arrival("known", "bounce"),
        arrival("not matched", "bounce_sender"),
        arrival("stranger", "unclear"),
        arrival("own address", "reply"),
    ]
    messages = [
        recorded("held", "unclear"),
        recorded("later", "bounce", "soft"),
        recorded("known", "bounce", "hard"),
    ]
    judged = {each.item: each.kind for each in correspondents.with_other_ids(arrivals, messages)}
    assert judged == {"held": "unclear", "later": "bounce_soft", "known": "bounce", "own address": "reply"}


@pytest.mark.parametrize(
    ("gone", "whole", "taken"),
    [(True, False, "auto_reply"), (True, True, "left_company"), (False, False, "left_company")],
)
def test_what_was_deleted_before_it_was_read_whole_is_what_its_headers_say(
    gone: bool, whole: bool, taken: str
) -> None:
    heard = Heard(
        messages=[replace(recorded("item", "auto_reply"), whole=whole)],
        gone=frozenset({"item"} if gone else ()),
    )
    (judged,) = correspondents.without_text([arrival("item", "left_company")], heard)
    assert judged.kind == taken


@pytest.mark.parametrize(("recorded_as", "taken"), [("soft", "bounce_soft"), ("sender", "bounce")])
def test_a_report_that_was_deleted_before_it_was_read_names_no_address_for_good(
    recorded_as: str, taken: str
) -> None:
    message = replace(recorded("item", "bounce", recorded_as), whole=False)
    heard = Heard(messages=[message], gone=frozenset({"item"}))
    (judged,) = correspondents.without_text([arrival("item", "bounce")], heard)
    assert judged.kind == taken


def test_a_report_taken_for_an_answer_stays_wrong_whatever_its_message_id() -> None:
    (judged,) = correspondents.with_other_ids([arrival("report", "bounce")], [recorded("report", "answer")])
    assert judged.kind == "bounce"
