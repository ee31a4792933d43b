"""The verbs that tests read and change the product's tables by."""

from datetime import UTC, datetime, timedelta

import pytest

from lab.access_records import Grant, Lane, Mailbox, Member
from lab.factories import World
from lab.records import Delivery
from lab.tables import PRESENT, ago, ahead


def test_records_are_found_by_key_value_nothing_anything_and_any_of_several(world: World) -> None:
    hans, rita = world.member("Hans Holder"), world.member()
    box = world.mailbox(hans)
    world.grant(box, rita)
    assert world.only(Member, hans).name == "Hans Holder"
    assert [each.id for each in world.all(Member, id=[hans, rita])] == sorted([hans, rita])
    assert world.count(Member, name="Hans Holder") == 1
    assert (world.count(Grant, grantee_id=None), world.count(Grant, grantee_id=PRESENT)) == (0, 1)
    assert world.all(Mailbox, None) == []  # no record has no key
    assert world.all(Member, id=[]) == []


def test_where_one_is_expected_none_and_two_are_errors(world: World) -> None:
    with pytest.raises(AssertionError, match="0 members where one"):
        world.only(Member)
    world.member()
    world.member()
    with pytest.raises(AssertionError, match="2 members where one"):
        world.only(Member)


def test_a_column_that_is_none_is_an_error_wherever_it_is_named(world: World) -> None:
    world.member()
    for wrong in (
        lambda: world.count(Member, nickname="x"),
        lambda: world.put(Member, nickname="x"),
        lambda: world.put(Member, where={"nickname": "x"}, name="y"),
        lambda: world.older(Member, "nickname", days=1),
    ):
        with pytest.raises(KeyError, match="nickname"):
            wrong()


def test_values_are_put_where_they_fit_and_moments_and_dates_become_older(world: World) -> None:
    owner = world.member()
    first, second = world.mailbox(owner), world.mailbox(owner)
    until = ahead(hours=2)
    world.put(Lane, first, tokens=1, sent_on=until.date(), retry_after_until=until)
    world.put(Lane, where={"tokens": 4}, open=False)
    world.older(Lane, "sent_on", "retry_after_until", days=1)
    changed, other = world.only(Lane, first), world.only(Lane, second)
    assert (changed.open, changed.tokens, changed.sent_on) == (True, 1, until.date() - timedelta(days=1))
    assert changed.retry_after_until == until - timedelta(days=1)
    assert (other.open, other.tokens, other.sent_on) == (False, 4, None)
    world.put(Mailbox, first, settings=None)
    assert world.count(Mailbox, settings=None) == 1  # nothing, not JSON's null


def test_what_no_move_leads_to_is_overwritten_and_counted(world: World) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)), 2)
    world.overwrite(Delivery, world.all(Delivery)[0].id, state="review", reason="not_found")
    assert world.states() == {"pending": 1, "review": 1}
    assert world.everything(Delivery) != []


def test_moments_are_of_the_same_clock_as_the_databases() -> None:
    assert ago(hours=1) < ago() <= datetime.now(UTC) < ahead(hours=1)
