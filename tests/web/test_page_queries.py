"""How often pages ask the database: as often for many rows as for two, and for what is around every page once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from actions import withdraw
from db.core.statements import Statement
from lab.access_records import Lane, Member
from lab.stage import Stage
from tests.web.test_sequences_settings import member
from tests.web.visitor import Visitor, email_of

LISTS = (
    "/sequences?whose=all",
    "/sequences/resume?whose=all",
    "/sequences/resume?whose=all&late=3",
    "/people",
    "/people?whose=all",
    "/people?whose=all&q=last",
    "/messages?whose=all",
    "/outbox?whose=all",
    "/attention?whose=all",
    "/notifications",
    "/numbers?by=sequence",
    "/settings/team",
    "/settings/email",
    "/search?q=last",
)


@contextmanager
def asked() -> Iterator[list[str]]:
    """The names of the statements that are run meanwhile."""
    names: list[str] = []
    run = Statement._run

    def noted(statement: Statement[Any], *args: Any) -> Any:
        names.append(statement.name)
        return run(statement, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Statement, "_run", noted)
        yield names


def more(stage: Stage, owner: UUID, box: UUID, count: int) -> None:
    """Sequences of which every other one is paused, each with people."""
    for number in range(count):
        sequence = stage.world.sequence(owner, box, ("PT0S", "P1D"))
        stage.world.enroll(sequence, 2)
        stage.put(Lane, tokens=4)
        stage.send_due()
        if number % 2:
            withdraw.pause_sequence(stage.runtime, sequence, actor="Hans", reason="holidays")
    stage.run_outbox()


def test_lists_ask_as_often_for_many_rows_as_for_a_few(stage: Stage) -> None:
    hans = member(stage, "Hans Holder")
    stage.put(Member, hans, role="admin")
    box = stage.mailbox(hans)
    more(stage, hans, box, 4)
    visitor = Visitor(stage).sign_in(email_of(stage, hans))

    def counts() -> dict[str, list[str]]:
        found = {}
        for path in LISTS:
            with asked() as names:
                assert visitor.get(path).status == 200
            found[path] = names
        return found

    few = counts()
    more(stage, hans, box, 6)
    many = counts()
    assert {path: sorted(names) for path, names in many.items()} == {
        path: sorted(names) for path, names in few.items()
    }
    for path, names in many.items():
        assert names.count("views.frame.around") == 1, path
        assert len(names) <= 22, f"{path}: {names}"
