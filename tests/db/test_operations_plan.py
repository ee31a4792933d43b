"""What operators see costs a page the same however many emails there are, and a scheduler no look through all of them."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from db.core.session import Transaction
from db.core.statements import CATALOGUE
from db.views import operations
from domain.lag import BOUNDS
from lab.access_records import Lane, Measurement
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ago
from tests.db.test_outbox_plan import owner  # noqa: F401 - a fixture
from tests.web.visitor import made_operator


def explained(tx: Transaction, name: str, **values: object) -> str:
    lines = tx.execute(text(f"EXPLAIN (ANALYZE, BUFFERS) {CATALOGUE[name].text}"), values)
    return "\n".join(line for (line,) in lines)


def blocks(plan: str) -> int:
    """Pages of 8 KB that the whole read."""
    found = re.search(r"Buffers: shared hit=(\d+)(?: read=(\d+))?", plan)
    assert found is not None, plan
    return int(found[1]) + int(found[2] or 0)


def test_counting_looks_through_no_table_of_emails(stage: Stage, owner: Any) -> None:  # noqa: F811
    stage.put(Delivery, due_at=ago(minutes=5))  # all 100,000 of one mailbox are due
    stage.put(Lane, next_due_at=ago(minutes=5))
    stage.world.run("ANALYZE deliveries")
    some = {"most": operations.MOST, "counted": operations.MAX_COUNTED}
    with stage.world.database.transaction() as tx:
        plans = {
            "lanes": explained(tx, "views.operations.lanes", **some),
            "doubts": explained(tx, "views.operations.doubts", most=operations.MOST),
            "unread": explained(tx, "views.operations.unread", most=operations.MOST),
            "reading": explained(tx, "views.operations.reading"),
            "jobs": explained(tx, "views.operations.jobs"),
            "lately": explained(tx, "views.operations.lately", bounds=list(BOUNDS)),
        }
    assert {name: plan for name, plan in plans.items() if "Seq Scan on deliveries" in plan} == {}
    assert {name: blocks(plan) for name, plan in plans.items() if blocks(plan) > 300} == {}


def test_a_page_reads_a_day_of_measurements_and_nothing_of_what_was_measured(stage: Stage) -> None:
    made_operator(stage, stage.world.member())
    minute = ago().replace(second=0, microsecond=0)
    figures = {
        "sent_last_minute": 1,
        "due": 2,
        "overdue_for_no_reason": 0,
        "queue_lag": 0.5,
        "in_doubt": 0,
        "unread": 0,
    }
    stage.add(
        Measurement,
        *({"minute": minute - timedelta(minutes=each), "figures": figures} for each in range(2880)),
    )  # fmt: skip
    stage.world.run("ANALYZE measurements")
    day = {"span": timedelta(days=1), "step": timedelta(minutes=15)}
    with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
        plans = [
            explained(tx, "core.measurements.newest"),
            explained(tx, "core.measurements.history", **day),
        ]
    for plan in plans:
        assert set(re.findall(r"Scan(?: using \w+)? on (\w+)", plan)) <= {
            "measurements",
            "operators",
            "generate_series",
            "jsonb_array_elements_text",
            "counted",
        }, plan
        assert blocks(plan) < 200, plan
    assert blocks(plans[0]) < 20
