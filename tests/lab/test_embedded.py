"""The servers that ``make run`` and the tests start, on restricted machines."""

import shutil
from pathlib import Path

import psycopg
import pytest

from lab.embedded import EmbeddedPostgres


@pytest.fixture
def without_user_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container or a chroot: no ``unshare`` can map root to another user."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("setpriv", "test"):
        found = shutil.which(name)
        if found:  # macOS has no setpriv, and nobody is root there
            (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(programs))


@pytest.mark.usefixtures("without_user_namespaces")
def test_postgres_runs_for_root_too_in_a_folder_that_only_root_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with (
        EmbeddedPostgres(closed / "postgres") as postgres,
        psycopg.connect(postgres.url().replace("+psycopg", "")) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert closed.stat().st_mode & 0o777 == 0o700
