"""Whole sequences through a real PgBouncer in transaction mode, whose server sessions change with every transaction."""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from db.core.session import Database
from lab.embedded import free_port
from lab.stage import Stage
from lab.system import System
from tests.end_to_end.test_whole_sequences import fill, judge

# CI installs it from Debian; a developer's machine may lack it.
pytestmark = pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="PgBouncer is not installed")


@pytest.fixture
def pooled_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The test's database behind a pooler with four server sessions."""
    direct, port = make_url(database_url), free_port()
    (tmp_path / "users.txt").write_text(f'"{direct.username}" "{direct.password}"\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={direct.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\npool_mode = transaction\n"
        f"auth_type = plain\nauth_file = {tmp_path / 'users.txt'}\ndefault_pool_size = 4\nmax_client_conn = 200\n"
        "logfile =\npidfile =\n"
    )
    command = ["pgbouncer", "-q", str(tmp_path / "pgbouncer.ini")]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        folder = tmp_path
        while folder != folder.parent and folder.is_relative_to("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
            folder = folder.parent
        for path in (tmp_path, *tmp_path.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        command = [
            "setpriv",
            f"--reuid={nobody.pw_uid}",
            f"--regid={nobody.pw_gid}",
            "--clear-groups",
            *command,
        ]
    pooler = subprocess.Popen(command, stderr=subprocess.PIPE)
    url = str(direct.set(port=port).render_as_string(hide_password=False))
    until = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
            break
        except psycopg.OperationalError:
            if time.monotonic() > until or pooler.poll() is not None:
                pooler.kill()
                raise AssertionError(f"PgBouncer did not start: {pooler.communicate()[1].decode()}") from None
            time.sleep(0.05)
    yield f"{url}?pooler=transaction"
    pooler.terminate()
    pooler.communicate(timeout=10)


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
