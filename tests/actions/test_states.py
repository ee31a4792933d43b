"""Each state of docs/states.md, made for real: what `why` says of it names the true cause."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from actions import holds, withdraw
from actions import why as explanations
from app.heartbeat import Heartbeat
from app.readiness import Readiness
from commands.words import at_utc
from db.core.crypto import KeyRing
from db.withdrawing.holds import Whose
from domain.holds import Level
from domain.jobs import QUEUES
from lab.access_records import Grant, Lane, Mailbox, ProcessRow
from lab.factories import KEY
from lab.records import Candidate, Delivery, Sequence, Step
from lab.stage import Stage
from lab.tables import ago, ahead

SEND = "POST /me/messages/{id}/send"
LIST = "GET /me/messages"
TABLE = Path(__file__).parents[2] / "docs" / "states.md"


class Desk:
    """Hans lets Rita send from his mailbox. Three people are in her sequence of two steps, and all processes run."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        hans, self.rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
        self.box = stage.mailbox(hans)
        self.grant = stage.world.grant(self.box, self.rita)
        self.sequence = stage.world.sequence(self.rita, self.box, ("PT0S", "PT1H"))
        self.people = stage.world.enroll(self.sequence, 3)
        database = stage.world.database
        for kind, queues in (("scheduler", ()), ("web", ()), ("worker", QUEUES)):
            Heartbeat(database, kind, Readiness(database), queues=queues, key_ids=KeyRing((KEY,)).ids).beat()

    def why(self, enrollment: UUID | None = None) -> str:
        """What is said of one person; by default of the last in the mailbox's line."""
        if enrollment is None:
            line = sorted(self.stage.all(Delivery), key=lambda each: (each.due_at, each.id))
            enrollment = line[-1].enrollment_id
        with self.stage.world.database.transaction() as tx:
            (answer,) = explanations.answers(tx, [enrollment], at_utc)
        return answer.next.text

    def fault(self, method: str, **values: Any) -> None:
        self.stage.emulator.control.fault(method, times=100, **values)


def due(_desk: Desk) -> None:
    """All three are due."""


def next_one(desk: Desk) -> None:
    line = sorted(desk.stage.all(Delivery), key=lambda each: (each.due_at, each.id))
    for each in line[:-1]:
        withdraw.stop_enrollment(desk.stage.runtime, each.enrollment_id, actor="rita", reason="by hand")


def planned(desk: Desk) -> None:
    desk.stage.send_due()


def outside_hours(desk: Desk) -> None:
    """Sending hours were an hour ago."""
    then = datetime.now(UTC) - timedelta(hours=2)
    hours = {"zone": "UTC", "from": f"{then:%H:%M}", "to": f"{then + timedelta(minutes=1):%H:%M}"}
    if then.hour == 23:  # it would end before it begins
        hours = {"zone": "UTC", "from": "12:00", "to": "12:01"}
    desk.stage.put(Sequence, sending=hours)


def planned_for_hours(desk: Desk) -> None:
    outside_hours(desk)
    desk.stage.send_due()


def no_scheduler(desk: Desk) -> None:
    desk.stage.older(ProcessRow, "seen_at", where={"kind": "scheduler"}, minutes=5)


def no_worker(desk: Desk) -> None:
    desk.stage.put(ProcessRow, where={"kind": "worker"}, stopped_at=ago(minutes=1))


def cannot_work(desk: Desk) -> None:
    """Its Redis is away, say."""
    said = ["Redis does not answer: Connection refused."]
    desk.stage.put(ProcessRow, where={"kind": "scheduler"}, troubles=said, works=False)


def key_lost(desk: Desk) -> None:
    """The workers came back with other keys."""
    desk.stage.put(ProcessRow, where={"kind": "worker"}, key_ids=["00" * 8])


def queued_and_no_worker(desk: Desk) -> None:
    desk.stage.due()
    no_worker(desk)


def queued(desk: Desk) -> None:
    desk.stage.due()


def cap(desk: Desk) -> None:
    desk.stage.put(Lane, daily_cap=1)
    desk.stage.send_due()


def permission_used_up(desk: Desk) -> None:
    desk.stage.put(Grant, daily_limit=1)
    desk.stage.send_due()


def providers_limit(desk: Desk) -> None:
    desk.stage.emulator.control.switch(mailbox=desk.stage.address(desk.box), emails_a_day=1)
    desk.stage.send_due()


def throttled(desk: Desk) -> None:
    desk.fault("POST /me/messages", status=429, headers={"Retry-After": "120"})
    desk.stage.send_due()


def misconfigured(desk: Desk) -> None:
    """This worker's keys are not those that the tokens were stored with."""
    desk.stage.runtime.keys = KeyRing((bytes(range(32)),))
    desk.stage.send_due()


def away(desk: Desk) -> None:
    address = desk.stage.address(desk.box)
    replies = {"status": "alwaysEnabled", "externalAudience": "all"}
    desk.stage.emulator.control.add_mailboxes({"address": address, "automatic_replies": replies})
    desk.stage.put(Mailbox, settings_at=ago(minutes=16), checked_at=ago())
    desk.stage.send_due()


def not_read(desk: Desk) -> None:
    desk.stage.send_due()
    desk.fault(LIST, status=500)
    desk.stage.later(3700)
    desk.stage.send_due()


def revoked(desk: Desk) -> None:
    withdraw.revoke_grant(desk.stage.runtime, desk.grant, actor="hans")
    desk.stage.run_outbox()


def disconnected(desk: Desk) -> None:
    withdraw.disconnect_mailbox(desk.stage.runtime, desk.box, actor="hans")
    desk.stage.run_outbox()


def paused(desk: Desk) -> None:
    withdraw.pause_sequence(desk.stage.runtime, desk.sequence, actor="rita", reason="paused_by_owner")


def archived(desk: Desk) -> None:
    withdraw.archive_sequence(desk.stage.runtime, desk.sequence, actor="rita", reason="archived")


def person_paused(desk: Desk) -> None:
    for each in desk.people:
        withdraw.pause_enrollment(desk.stage.runtime, each, actor="rita", reason="on holiday")


def person_stopped(desk: Desk) -> None:
    for each in desk.people:
        withdraw.stop_enrollment(desk.stage.runtime, each, actor="rita", reason="hired")


def held(desk: Desk, mailbox: bool = True, level: Level = Level.OWNER) -> None:
    whose = Whose(desk.stage.world.organization_id, desk.box if mailbox else None)
    holds.hold(desk.stage.runtime, whose, level=level, actor="Hans Holder", reason="a wrong signature")


def organization_held(desk: Desk) -> None:
    held(desk, mailbox=False, level=Level.ADMIN)


def drained(desk: Desk) -> None:
    holds.drain(desk.stage.runtime, actor="operator olga", reason="a new disk", within=timedelta())


def suppressed(desk: Desk) -> None:
    desk.stage.world.suppress(*(each.email for each in desk.stage.all(Candidate)))


def finished(desk: Desk) -> None:
    for _ in range(2):
        desk.stage.send_due()
        desk.stage.later(3700)


def in_doubt(desk: Desk) -> None:
    desk.fault(SEND, when="after", status=504)
    desk.stage.send_due()


def not_approved(desk: Desk) -> None:
    first = desk.stage.only(Step, sequence_id=desk.sequence, position=1)
    desk.stage.put(Step, first.id, kind="approval")
    desk.stage.send_due()


def a_task(desk: Desk) -> None:
    first = desk.stage.only(Step, sequence_id=desk.sequence, position=1)
    desk.stage.put(Step, first.id, kind="task", subject=None, body="Call them")
    desk.stage.send_due()


def draft(desk: Desk) -> None:
    desk.stage.put(Sequence, status="draft")


STATES: dict[str, tuple[Callable[[Desk], object], str]] = {
    "next in line": (next_one, r"due and waits for the mailbox's pace: it is the next one of"),
    "behind others": (due, r"sends 2 emails before it, which takes about 1 minute\."),
    "planned": (planned, r"^Step 2 is planned for .* UTC\.$"),
    "sending hours": (outside_hours, r"due and waits for sending hours, which begin at .* UTC"),
    "planned for sending hours": (
        planned_for_hours,
        r"is planned for .*\. That is when sending hours begin\.",
    ),
    "no scheduler": (no_scheduler, r"due since .*does not send: no scheduler runs since .* UTC\."),
    "no worker sends": (no_worker, r"does not send: no worker sends emails \(queue send\) since .* UTC\."),
    "processes cannot work": (cannot_work, r"does not send: no scheduler can work\. .* onbehalf processes"),
    "key lost": (key_lost, r"signs in to .* is sealed under a key that no worker has"),
    "queued": (queued, r"Step 1 is on its way\."),
    "queued, no worker": (queued_and_no_worker, r"is queued\. Onbehalf itself does not send: no worker"),
    "daily limit of the mailbox": (cap, r"Today's limit of this mailbox is used up \(1 of 1\); next email"),
    "daily limit of the permission": (permission_used_up, r"limit of this permission is used up \(1 of 1\)"),
    "provider's limit": (providers_limit, r"has sent as much as it may for now\. We try again at"),
    "provider asks to wait": (throttled, r"Microsoft asked this mailbox to wait until .* UTC"),
    "our own settings": (misconfigured, r"Onbehalf itself is not set up correctly"),
    "sender away": (away, r"Hans Holder is away: automatic replies are on"),
    "mailbox not read": (not_read, r"could not read .* whether .* answered\. We try again every minute"),
    "permission ended": (revoked, r"has no permission to send from .*: ask .* for it\."),
    "mailbox disconnected": (disconnected, r"is not connected: its owner has to connect it again\."),
    "a task": (a_task, r"Step 1 waits for a task of Rita.*: Call them, since .* UTC\.$"),
    "not approved": (not_approved, r"Step 1 waits for approval by rita\..* since .* UTC\.$"),
    "sequence paused": (paused, r"has been waiting since .*Resume the sequence"),
    "sequence archived": (archived, r"archived"),
    "draft": (draft, r"waits: the sequence is still a draft"),
    "person paused": (person_paused, r"somebody paused this person: on holiday"),
    "person stopped": (person_stopped, r"somebody stopped the sequence for this person: hired"),
    "mailbox held": (
        held,
        r"waits\. .* is held since .* UTC by Hans Holder: a wrong signature\. It lasts until it is released\. The mailbox's owner can",
    ),
    "organization held": (
        organization_held,
        r"waits\. All sending of this organization is held since .* UTC by Hans Holder: .*owners and admins can release it",
    ),
    "drained": (
        drained,
        r"Onbehalf's operators have stopped all sending since .* UTC \(operator olga: a new disk\)",
    ),
    "suppressed": (suppressed, r"the address is on the suppression list, because they want no more emails"),
    "finished": (finished, r"All steps have been sent"),
    "in doubt": (in_doubt, r"is in doubt, because .* looking for it in .*, until .* UTC at least"),
}


@pytest.mark.parametrize("state", STATES)
def test_why_names_the_true_cause(stage: Stage, state: str) -> None:
    make, words = STATES[state]
    desk = Desk(stage)
    make(desk)
    said = desk.why()
    assert re.search(words, said), said


def test_whoever_sends_is_not_blamed_for_what_waits_for_something_else(stage: Stage) -> None:
    desk = Desk(stage)
    paused(desk)
    no_scheduler(desk)
    assert "no scheduler" not in desk.why()


def test_hours_that_last_are_not_named(stage: Stage) -> None:
    desk = Desk(stage)
    stage.put(Sequence, sending={"zone": "UTC", "from": "00:00", "to": "23:59"})
    stage.put(Delivery, due_at=ahead(minutes=1))
    if datetime.now(UTC).strftime("%H:%M") != "23:59":
        assert "hours" not in desk.why()


def test_the_table_of_states_has_each_of_them() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", TABLE.read_text(), re.MULTILINE)
    listed = [each for each in rows if each not in ("state", "---")]
    assert set(STATES) <= set(listed)
