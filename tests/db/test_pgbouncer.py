"""Whole sequences through a real PgBouncer in transaction mode, whose server sessions change with every transaction."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from db.core.session import Database
from lab.pooler import PROGRAM, pooler
from lab.stage import Stage
from lab.system import System
from tests.end_to_end.test_whole_sequences import fill, judge

# CI installs it from Debian; a developer's machine may lack it.
pytestmark = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="PgBouncer is not installed")


@pytest.fixture
def pooled_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The test's database behind a pooler with four server sessions."""
    with pooler(database_url, tmp_path / "pooler", sessions=4) as url:
        yield url


def test_our_limits_hold_in_every_transaction_and_nothing_is_left_behind(pooled_url: str) -> None:
    database = Database(pooled_url, pool_size=6)
    for _ in range(12):  # more often than psycopg waits before it prepares
        with database.transaction() as tx:
            assert tx.execute(text("SHOW statement_timeout")).scalar_one() == "30s"
            assert tx.execute(text("SHOW lock_timeout")).scalar_one() == "10s"
    with psycopg.connect(pooled_url.partition("?")[0].replace("+psycopg", "")) as plain:
        assert plain.execute("SHOW statement_timeout").fetchone() == ("0",)
    database.close()


def test_whole_sequences_run_through_it(
    stage: Stage, pooled_url: str, redis_url: str, tmp_path: Path
) -> None:
    fill(stage, mailboxes=4, people=2)
    (tmp_path / "logs").mkdir()
    system = System(stage, redis_url, tmp_path / "logs", DATABASE_URL=pooled_url)
    try:
        system.scheduler()
        system.workers(threads=8)
        system.wait(system.sent(24), 60)
        judge(stage, 24)
        assert system.tracebacks() == []
    finally:
        system.stop()
