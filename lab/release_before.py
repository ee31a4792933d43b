"""The release before this one, from the repository's own history: until it is replaced, it runs on this release's schema.

``COMMIT`` moves on when a release is cut (docs/releasing.md).
"""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from domain.errors import OnbehalfError
from lab.drills.company import Company, Desk, Person

COMMIT = "2f42cf820c55c396c4bce551931a5364246dbc37"  # its newest migration: 2026_11_30_lost_keys
_ROOT = Path(__file__).parents[1]

_FOUND = """
import json, sys
from dataclasses import asdict
from app.runtime import Runtime
from config import Settings
from lab.drills.company import found_company
from lab.emulator.client import EmulatorControl

settings = Settings.from_environment()
runtime = Runtime.open(settings, application="onbehalf-founding", pool_size=4)
control = EmulatorControl(settings.graph_url)
print(json.dumps(asdict(found_company(runtime, control, **json.loads(sys.argv[1]))), default=str))
control.close()
runtime.close()
"""

_REFUSED = """
import json, sys
import psycopg
from db.core.statements import row_maker
from tests.db.test_every_statement import columns, everything

class Planned:
    "A connection that plans what it prepares: only the planner looks for the index of an ON CONFLICT."
    def __init__(self, connection):
        self.adapters, self.pgconn, self._connection, self._real = connection.adapters, self, connection, connection.pgconn

    def prepare(self, name, sql, types):
        done = self._real.prepare(b"planned", sql, types)
        if done.status == psycopg.pq.ExecStatus.COMMAND_OK:
            values = ", ".join(["NULL"] * self._real.describe_prepared(b"planned").nparams)
            try:
                self._connection.execute(f"EXPLAIN EXECUTE planned{f'({values})' if values else ''}")
            except psycopg.Error as error:
                raise AssertionError(str(error)) from None
            finally:
                self._connection.execute("DEALLOCATE planned")
            done = self._real.prepare(name, sql, types)
        return done

    def describe_prepared(self, name):
        return self._real.describe_prepared(name)

refused, count = {}, 0
with psycopg.connect(sys.argv[1], autocommit=True, prepare_threshold=None) as connection:
    connection.execute("SET plan_cache_mode = force_generic_plan")
    for name, statement in everything():
        count += 1
        try:
            row_maker(statement.row, columns(Planned(connection), statement))
        except (AssertionError, TypeError) as error:
            refused[name] = str(error)
print(json.dumps([count, refused]))
"""


class NoHistory(OnbehalfError):
    """The repository's history is not here. The text says what to do."""


class ReleaseBefore:
    """Its files in ``folder``. It runs in this environment's Python: of what is locked now, it needs nothing older."""

    def __init__(self, folder: Path) -> None:
        packed = subprocess.run(
            ["git", "-C", str(_ROOT), "archive", "--format=tar", COMMIT], capture_output=True, check=False
        )
        if packed.returncode:
            said = " ".join(packed.stderr.decode(errors="replace").split())[-300:]
            raise NoHistory(
                f"The release before ({COMMIT[:12]}) is not here: {said}. Tests of a rolling upgrade need the repository's whole"
                " history: git fetch --unshallow, and fetch-depth: 0 of actions/checkout."
            )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        self.root = folder

    def migrate(self, url: str) -> None:
        """Bring a database to its schema."""
        self.run("import sys; from db.schema.migrate import upgrade; upgrade(sys.argv[1])", url)

    def found_company(self, environment: Mapping[str, str], **wanted: object) -> Company:
        """Found a company as it does (``lab.drills.company``)."""
        made = json.loads(
            self.run(_FOUND, json.dumps(wanted), environment=environment).splitlines()[-1]
        )  # after its log
        desks = []
        for desk in made["desks"]:
            people = [
                Person(UUID(each["enrollment_id"]), UUID(each["candidate_id"]), each["email"])
                for each in desk.pop("people")
            ]
            ids = {key: UUID(value) for key, value in desk.items() if key.endswith("_id")}
            desks.append(Desk(**{**desk, **ids}, people=people))
        return Company(UUID(made["id"]), made["name"], desks)

    def refused_statements(self, url: str) -> tuple[int, dict[str, str]]:
        """Return how many statements it has, and those that this database does not take from it, with the reasons."""
        count, refused = json.loads(self.run(_REFUSED, url.replace("+psycopg", "")))
        return count, refused

    def run(self, code: str, *arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> str:
        """Run Python in its folder, where its modules come before this release's. Returns what it prints."""
        whole = f"import db, os; assert db.__path__[0].startswith(os.getcwd()), db.__path__\n{code}"
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", whole, *arguments],
            cwd=self.root,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout
