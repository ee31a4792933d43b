"""The one door for delivery states: the table of transitions, the statements and the database say the same."""

import re
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.core.ids import new_id
from db.sending.moves import Move, at_rest, leased, trigger
from domain.delivery import LEASED, TRANSITIONS, State
from lab.factories import World

_SETS_A_STATE = re.compile(
    r"UPDATE deliveries\b(?:(?!WHERE|RETURNING)[^;])*?(?:SET|,)[\s\"f]*state = (?:'|:|CASE WHEN state)"
)
ROOT = Path(__file__).parents[2]
PRODUCT = ("actions", "app", "commands", "db", "importing", "scheduler", "web", "workers")
MOVES = [(before, after) for before, after in product(State, State) if before is not after]
# What a row in a state has to have, for the table's own constraints.
_DRESSED = {
    State.PREPARING: "lease_token = id, lease_until = now()",
    State.DRAFTED: "lease_token = id, lease_until = now(), draft_id = 'x'",
    State.SENDING: "lease_token = id, lease_until = now(), draft_id = 'x', epoch = 0, authority = '{}', send_started_at = now()",
    State.SENT: "draft_id = 'x', sent_at = now(), receipt_id = id",
    State.IN_DOUBT: "grace_until = now()",
    State.REVIEW: "reason = 'x'",
    State.CLOSED: "outcome = 'failed', reason = 'x'",
}


def test_the_trigger_in_the_database_is_the_table(world: World) -> None:
    with world.database.transaction() as tx:
        before = tx.execute(
            text("SELECT prosrc FROM pg_proc WHERE proname = 'check_delivery_move'")
        ).scalar_one()
        tx.execute(text(trigger()))
        after = tx.execute(
            text("SELECT prosrc FROM pg_proc WHERE proname = 'check_delivery_move'")
        ).scalar_one()
    assert _pairs(before) == _pairs(after) == {(a.value, b.value) for a, b in TRANSITIONS if a is not b}


def _pairs(source: str) -> set[tuple[str, str]]:
    return set(re.findall(r"\('(\w+)', '(\w+)'\)", source))


@pytest.mark.parametrize("state", list(State))
def test_the_database_refuses_every_move_that_is_not_listed(world: World, state: State) -> None:
    owner = world.member()
    world.enroll(world.sequence(owner, world.mailbox(owner)))
    dress = _DRESSED.get(state)
    world.force(f"UPDATE deliveries SET state = :state{', ' + dress if dress else ''}", state=state.value)
    for after in State:
        if after is state or (state, after) in TRANSITIONS:
            continue
        with pytest.raises(IntegrityError, match="no move leads from"):
            world.run("UPDATE deliveries SET state = :after", after=after.value)


def test_a_statement_of_an_unlisted_move_cannot_be_written() -> None:
    for before, after in MOVES:
        if (before, after) in TRANSITIONS:
            assert before.value in Move(after, before).where()
        else:
            with pytest.raises(ValueError, match="no move leads from"):
                Move(after, before)
            with pytest.raises(ValueError, match="no move leads from"):
                at_rest(before).sources(after)


def test_a_lease_may_end_in_every_listed_move_of_a_held_state() -> None:
    for after in State:
        sources = [each.value for each in LEASED if (each, after) in TRANSITIONS]
        if sources:
            assert leased(new_id()).sources(after) == sources


def test_no_other_statement_sets_a_deliverys_state() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0][:80]}"
        for folder in PRODUCT
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".sql")
        if "migrations" not in path.parts and path.name != "moves.py"
        for match in _SETS_A_STATE.finditer(path.read_text())
    ]
    assert found == []
