"""What a send reads and writes is found by the delivery's own key, whatever Postgres knows of its tables."""

import re

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from db.core.statements import CATALOGUE
from lab.factories import World

_EACH = [
    "sending.claims.claim",
    "sending.gate.note_draft",
    "sending.claims.load",
    "sending.gate.pass_gate",
    "sending.outcomes.in_flight",
]


@pytest.mark.parametrize("name", ["sending.claims.claim", "sending.claims.load"])
def test_it_reads_neither_all_lanes_nor_all_sent_emails(world: World, name: str) -> None:
    for _ in range(60):
        world.mailbox(world.member())
    plan = _plan(world, name)
    assert "Index Scan using pk_lanes" in plan
    assert "Seq Scan on lanes" not in plan
    assert "ix_deliveries_sent" not in plan


@pytest.mark.parametrize("name", _EACH)
def test_it_does_not_walk_through_what_others_have_in_hand(world: World, name: str) -> None:
    # As Postgres sees it when it counts between two rushes: nothing is in any state that a send passes through, so that an index of
    # those seems to be empty, and quicker than the key. In a rush it is full of what has just left it.
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)), 300)
    world.run("ANALYZE deliveries")
    plan = _plan(world, name)
    assert "pk_deliveries" in plan
    assert re.findall(r"ix_deliveries_\w+", plan) == []


@pytest.mark.parametrize("name", _EACH)
def test_the_driver_remembers_how_to_convert_it(name: str) -> None:
    assert len(CATALOGUE[name].sql) <= MAX_CACHED_STATEMENT_LENGTH


def test_many_are_enrolled_by_their_keys_after_a_few_were(world: World) -> None:
    # On one connection, whose plans of foreign keys' checks were made for the few.
    owner = world.member()
    sequence = world.sequence(owner, world.mailbox(owner))
    for _ in range(3):
        world.enroll(sequence, 10)
    world.enroll(sequence, 3_000)
    world.rows("SELECT pg_stat_force_next_flush()")
    read = world.one(
        "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'candidates'"
    )
    assert 0 < int(str(read)) < 10 * 3_000


def _plan(world: World, name: str) -> str:
    numbers: dict[str, int] = {}
    sql = re.sub(
        r"%\((\w+)\)s",
        lambda name: f"${numbers.setdefault(name[1], len(numbers) + 1)}",
        CATALOGUE[name].sql.decode(),
    )
    return "\n".join(str(line) for (line,) in world.rows(f"EXPLAIN (GENERIC_PLAN) {sql}"))
