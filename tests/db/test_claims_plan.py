"""What a claim and the gate read is found by the delivery's own keys, also where Postgres knows its tables badly."""

import re

import pytest

from db import claims
from db.statements import Statement
from tests.factories import World


@pytest.mark.parametrize("statement", [claims._CLAIM, claims._LOAD], ids=["claim", "gate"])
def test_it_reads_neither_all_lanes_nor_all_sent_emails(world: World, statement: Statement) -> None:
    for _ in range(60):
        world.mailbox(world.member())
    numbers: dict[str, int] = {}
    sql = re.sub(
        r"%\((\w+)\)s",
        lambda name: f"${numbers.setdefault(name[1], len(numbers) + 1)}",
        statement._sql.decode(),
    )
    plan = "\n".join(str(line) for (line,) in world.rows(f"EXPLAIN (GENERIC_PLAN) {sql}"))
    assert "Index Scan using pk_lanes" in plan
    assert "Seq Scan on lanes" not in plan
    assert "ix_deliveries_sent" not in plan
