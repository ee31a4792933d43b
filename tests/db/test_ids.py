"""Ids are UUIDv7, in the order in which a process makes them."""

import threading
import time

from db.core.ids import new_id


def test_ids_are_in_the_order_they_were_made_in_also_within_a_millisecond() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(set(made))
    assert {each.version for each in made} == {7}
    assert abs((made[0].int >> 80) / 1000 - time.time()) < 60


def test_threads_share_the_order_and_make_no_id_twice() -> None:
    made: list[list[object]] = [[] for _ in range(4)]

    def make(into: list[object]) -> None:
        into.extend(new_id() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(each,)) for each in made]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert all(each == sorted(each) for each in made)  # type: ignore[type-var]
    assert len({one for each in made for one in each}) == 20_000
