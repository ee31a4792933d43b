"""What a resumption promises and what really leaves then, day by day, by the ledger."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from actions import resume, withdraw
from domain.resume import Planned
from lab.access_records import Grant, Lane, Mailbox, Organization
from lab.records import Delivery, Sequence
from lab.stage import Stage


@dataclass
class Desk:
    """Rita's paused sequence from Hans's mailbox, on his permission. It is about noon in the mailbox's zone."""

    stage: Stage
    hans: UUID
    rita: UUID
    box: UUID
    sequence: UUID
    zone: str

    def bound(self, daily_limit: int) -> None:
        self.stage.put(Grant, daily_limit=daily_limit)

    def pause(self) -> None:
        withdraw.pause_sequence(self.stage.runtime, self.sequence, actor="rita", reason="a test")
        self.stage.run_outbox()

    def promised(self, planned: list[Planned]) -> dict[date, int]:
        zone = ZoneInfo(self.zone)
        return dict(
            Counter(
                each.send_at.astimezone(zone).date() for each in planned if each.send_at and not each.waits
            )
        )

    def sent(self) -> int:
        count = self.stage.count(Delivery, sequence_id=self.sequence, state="sent")
        return int(str(count))

    def lived(self, number: int) -> Iterator[tuple[date, int]]:
        """Let this many of the mailbox's days pass. Returns how many emails of the sequence left on each."""
        now = datetime.now(ZoneInfo(self.zone))
        for day in (now.date() + timedelta(days=n) for n in range(number)):
            before = self.sent()
            for _ in range(6):  # minutes of it
                self.stage.send_due()
                self.stage.later(30)
            yield day, self.sent() - before
            until_midnight = datetime.combine(day + timedelta(days=1), time(), now.tzinfo) - max(
                now, datetime.combine(day, time(), now.tzinfo)
            )
            self.stage.later(until_midnight.total_seconds() - 180)
            self.stage.older(Lane, "sent_on", days=1)
            self.stage.older(Grant, "used_on", days=1)


@pytest.fixture
def desk(stage: Stage) -> Desk:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    offset = datetime.now(UTC).hour - 12
    zone = f"Etc/GMT{offset:+d}" if offset else "Etc/GMT"
    stage.put(Lane, zone=zone)
    stage.put(Organization, time_zone=zone)
    return Desk(stage, hans, rita, box, stage.world.sequence(rita, box), zone)


def kept(desk: Desk, planned: list[Planned], days: int) -> None:
    promised = desk.promised(planned)
    lived = {day: count for day, count in desk.lived(days) if count}
    assert lived == promised
    assert len(desk.stage.left()) >= sum(promised.values())


@pytest.mark.parametrize("used", [0, 3, 5])
def test_a_permission_for_five_a_day_is_kept_to_by_the_plan_and_by_the_gate(desk: Desk, used: int) -> None:
    desk.bound(5)
    if used:
        desk.stage.world.enroll(desk.sequence, used)
        for _ in range(4):
            desk.stage.send_due()
            desk.stage.later(10)
        assert desk.sent() == used
    desk.stage.world.enroll(desk.sequence, 12)
    desk.pause()
    preview = resume.preview_resume(desk.stage.runtime, desk.sequence)
    planned = resume.resume_sequence(desk.stage.runtime, desk.sequence, actor="rita").planned
    assert desk.promised(list(preview.planned)) == desk.promised(list(planned))
    assert max(desk.promised(list(planned)).values()) <= 5
    kept(desk, list(planned), 4)


def test_the_mailboxs_daily_cap_is_kept_to(desk: Desk) -> None:
    desk.stage.put(Lane, daily_cap=4)
    desk.stage.world.enroll(desk.sequence, 10)
    desk.pause()
    planned = resume.resume_sequence(desk.stage.runtime, desk.sequence, actor="rita").planned
    kept(desk, list(planned), 4)


def test_another_sequence_on_the_mailbox_keeps_its_turns_under_the_cap(desk: Desk) -> None:
    desk.stage.put(Lane, daily_cap=6)
    desk.stage.world.enroll(desk.sequence, 8)
    desk.pause()
    other = desk.stage.world.sequence(desk.hans, desk.box)
    desk.stage.world.enroll(other, 4)
    planned = list(resume.resume_sequence(desk.stage.runtime, desk.sequence, actor="rita").planned)
    assert sorted(desk.promised(planned).values()) == [2, 6]
    kept(desk, planned, 3)


def test_another_sequence_under_the_same_permission_uses_it_up_too(desk: Desk) -> None:
    desk.bound(5)
    desk.stage.world.enroll(desk.sequence, 6)
    desk.pause()
    desk.stage.world.enroll(desk.stage.world.sequence(desk.rita, desk.box), 3)
    planned = list(resume.resume_sequence(desk.stage.runtime, desk.sequence, actor="rita").planned)
    assert sorted(desk.promised(planned).values()) == [2, 4]
    kept(desk, planned, 3)


def test_nothing_is_planned_before_the_sender_is_back(desk: Desk) -> None:
    desk.stage.world.enroll(desk.sequence, 3)
    desk.pause()
    back = datetime.now(UTC) + timedelta(days=1)
    away = {"starts": "2026-01-01T00:00:00+00:00", "ends": back.isoformat()}
    desk.stage.put(Mailbox, settings=desk.stage.only(Mailbox).settings | {"absences": [away]})
    planned = resume.resume_sequence(desk.stage.runtime, desk.sequence, actor="rita").planned
    assert all(each.send_at is not None and each.send_at >= back for each in planned)
    desk.stage.send_due()
    assert desk.stage.left() == []


def test_several_sequences_of_one_cause_come_back_in_one_plan(desk: Desk) -> None:
    desk.stage.put(Lane, daily_cap=5)
    second = desk.stage.world.sequence(desk.rita, desk.box)
    for sequence in (desk.sequence, second):
        desk.stage.world.enroll(sequence, 4)
    grant = desk.stage.only(Grant).id
    withdraw.revoke_grant(desk.stage.runtime, grant, actor="hans")
    desk.stage.run_outbox()
    desk.stage.world.grant(desk.box, desk.rita)
    both = [desk.sequence, second]
    previews = resume.preview_together(desk.stage.runtime, both)
    together = [each for preview in previews.values() for each in preview.planned]
    assert sorted(desk.promised(together).values()) == [3, 5]
    resume.resume_together(desk.stage.runtime, both, actor="rita")
    assert {each.status for each in desk.stage.all(Sequence)} == {"active"}
    first_day: dict[str, Any] = {}
    for day, _ in desk.lived(1):
        first_day[str(day)] = len(desk.stage.left())
    assert list(first_day.values()) == [5]
