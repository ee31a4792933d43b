"""The nemesis itself: a trouble that hits it must not keep it from judging the run."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from db.core.session import Database
from lab.nemesis.arena import Arena
from lab.nemesis.nemesis import Nemesis
from lab.nemesis.troubles import Strike
from tests.db.test_session import end_others


@pytest.mark.parametrize("kind", ["cut_sessions", "duplicate_messages"])
def test_a_trouble_strikes_also_when_the_one_before_it_has_ended_the_judges_session(
    database_url: str, redis_url: str, kind: str
) -> None:
    judge, other = (Database(database_url, pool_size=1, application=name) for name in ("judge", "other"))
    notified: list[Any] = []
    arena = SimpleNamespace(
        direct=judge,
        redis=SimpleNamespace(url=lambda: redis_url),
        control=SimpleNamespace(switch=lambda **_: None),
        journal=SimpleNamespace(note=notified.append),
    )
    with judge.transaction():
        pass
    end_others(other)
    Nemesis(cast("Arena", arena), 0.0).strike(Strike(0.0, kind, 0, 0.0))
    assert [each["strike"]["kind"] for each in notified] == [kind]
    judge.close()
    other.close()
