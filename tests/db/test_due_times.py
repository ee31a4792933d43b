"""When a step is due: first its delay, then the sending hours. Business days are those of every policy."""

from datetime import UTC, datetime
from typing import Any

import pytest

from actions import steps
from db.core.session import Database
from db.schema.migrate import downgrade, upgrade
from db.sending.enrollments import due_after, windows_of
from db.sequences import built
from domain.hand_edits import AddStep, words
from lab.access_records import Organization
from lab.factories import World
from lab.records import Delivery, Step
from lab.stage import Stage

FRIDAY = datetime(2026, 11, 27, 10, tzinfo=UTC)
WEEK = ["mon", "tue", "wed", "thu", "fri"]
HOURS: dict[str, Any] = {"zone": "UTC", "from": "09:00", "to": "17:00"}


@pytest.mark.parametrize(
    ("delay", "policies", "due"),
    [
        ("1 business day", (), "Mon 2026-11-30 10:00"),
        ("1 business day", (None, None, None), "Mon 2026-11-30 10:00"),
        ("1 business day", (HOURS,), "Mon 2026-11-30 10:00"),
        ("3 business days", (HOURS, {"zone": "UTC", "days": WEEK}), "Wed 2026-12-02 10:00"),
        ("3 business days", (None, None, {**HOURS, "days": WEEK}), "Wed 2026-12-02 10:00"),
        ("3 business days", ({**HOURS, "days": WEEK}, {"holidays": ["2026-11-30"]}, {"holidays": ["2026-12-01"]}), "Fri 2026-12-04 10:00"),
        ("1 business day", ({**HOURS, "days": ["sat", "sun"]},), "Sat 2026-11-28 10:00"),
        ("2 business days", ({"days": [*WEEK, "sat", "sun"]},), "Sun 2026-11-29 10:00"),
        ("1 business day at 09:00", (HOURS,), "Mon 2026-11-30 09:00"),
        ("1 business day at 09:00", ({**HOURS, "zone": "Asia/Tokyo"},), "Mon 2026-11-30 00:00"),
        ("1 business day at 18:00", ({**HOURS, "days": WEEK},), "Tue 2026-12-01 09:00"),
        ("P1D", (HOURS,), "Sat 2026-11-28 10:00"),
        ("P1D", (HOURS, {"days": WEEK}), "Mon 2026-11-30 09:00"),
    ],
)  # fmt: skip
def test_a_delay_is_counted_in_the_days_of_every_policy(
    delay: str, policies: tuple[Any, ...], due: str
) -> None:
    assert f"{due_after(FRIDAY, delay, windows_of(*policies)):%a %F %H:%M}" == due


def test_without_any_policy_the_organizations_days_count() -> None:
    late_on_thursday = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)  # Friday in Tokyo
    assert f"{due_after(late_on_thursday, '1 business day', [], 'Asia/Tokyo'):%a %F}" == "Sun 2026-11-29"
    assert f"{due_after(late_on_thursday, '1 business day', [], 'UTC'):%a %F}" == "Fri 2026-11-27"


def test_the_next_step_of_a_sequence_with_hours_only_is_never_due_at_a_weekend(stage: Stage) -> None:
    owner = stage.world.member()
    for n in range(1, 8):
        sequence = stage.world.sequence(
            owner, stage.mailbox(owner), ("PT0S", f"{n} business days"), sending={"zone": "UTC"}
        )
        stage.world.enroll(sequence)
    stage.send_due()
    days = [each.due_at.astimezone(UTC).isoweekday() for each in stage.all(Delivery, state="pending")]
    assert len(days) == 7
    assert set(days) <= {1, 2, 3, 4, 5}


def test_a_time_of_day_is_kept_apart_from_what_earlier_releases_read(stage: Stage) -> None:
    hans = stage.world.member("Hans Holder")
    sequence = stage.world.sequence(hans, stage.mailbox(hans))
    stage.world.enroll(sequence)

    def add(delay: str) -> None:
        edit = AddStep(steps.new_step_id(sequence, delay), 2, words(delay, None, "Second."))
        steps.edit(stage.runtime, sequence, edit, actor="Hans Holder")

    add("next business day at 9:00")
    stage.send_due()
    due = stage.only(Delivery, state="pending").due_at.astimezone(UTC)
    assert (f"{due:%H:%M}", due.isoweekday() <= 5) == ("09:00", True)
    with stage.database.transaction() as tx:
        (_, second) = built.steps_of(tx, sequence)
    assert second.delay == "1 business day at 09:00"
    step = stage.only(Step, second.id)
    assert (step.delay, step.at) == ("1 business day", "09:00")
    # An earlier release gives it another delay, and leaves the time where it was.
    stage.put(Step, second.id, delay="P3D")
    with stage.database.transaction() as tx:
        assert built.steps_of(tx, sequence)[1].delay == "P3D"


def test_stored_policies_that_never_said_their_days_lose_all_seven(database_url: str) -> None:
    downgrade(database_url, "2026_11_21_ended_grants")
    database = Database(database_url)
    world = World(database)
    stored = '{"zone": "UTC", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "17:00", "holidays": []}'
    world.run("UPDATE organizations SET sending = CAST(:policy AS jsonb)", policy=stored)
    upgrade(database_url)
    kept = world.only(Organization).sending
    assert kept == {"zone": "UTC", "from": "09:00", "to": "17:00", "holidays": []}
    downgrade(database_url, "2026_11_21_ended_grants")
    back = world.one("SELECT jsonb_array_length(sending->'days') FROM organizations")
    assert back == 7
    database.close()
