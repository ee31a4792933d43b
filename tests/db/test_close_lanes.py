"""Closing a gate is one statement. It waits for whoever holds the lane, and overwrites nothing of theirs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from db.core.session import Database, database_now
from db.withdrawing.withdrawals import close_lanes
from lab.access_records import Lane
from lab.factories import World


def test_it_waits_for_an_email_at_the_gate_and_keeps_what_that_wrote(
    database: Database, world: World
) -> None:
    boxes = [world.mailbox(world.member()) for _ in range(3)]
    holds, waits = threading.Event(), threading.Event()

    def email() -> datetime:
        with database.transaction() as tx:
            tx.exec_driver_sql("SELECT 1 FROM lanes WHERE mailbox_id = %s FOR UPDATE", (boxes[1],))
            tx.exec_driver_sql("UPDATE lanes SET sent_today = 7 WHERE mailbox_id = %s", (boxes[1],))
            holds.set()
            assert waits.wait(20)
            return database_now(tx)

    def withdrawal() -> datetime:
        assert holds.wait(20)
        with database.transaction() as tx:
            return close_lanes(tx, boxes[:2])

    with ThreadPoolExecutor(2) as pool:
        passed, closed = pool.submit(email), pool.submit(withdrawal)
        world.until_a_lock_is_waited_for()
        waits.set()
        assert closed.result() > passed.result()
    assert sorted((each.epoch, each.sent_today) for each in world.all(Lane)) == [(0, 0), (1, 0), (1, 7)]


def test_nobodys_lanes_are_closed_at_once(database: Database) -> None:
    with database.transaction() as tx:
        before = database_now(tx)
        assert close_lanes(tx, []) > before
