"""``python -m lab.servers``: run a slice of the tests on every server that is supported, two versions at a time.

``make test`` runs all of them on the newest PostgreSQL and Valkey. Another version refuses a statement, a migration or a right, or
answers a command otherwise, so the slice has them all; on the oldest and on the system's own, emails also leave, are read and withdrawn.
What this machine cannot run is named and left out; where CI can, it fails.
"""

import itertools
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.embedded import POSTGRES, REDIS
from lab.servers.found import Server, postgresql, systems_postgresql, systems_redis, valkey

_ROOT = Path(__file__).parents[2]
# Of PostgreSQL: all migrations up and down, all statements, rights and row-level security.
_DATABASE: tuple[str, ...] = (
    "tests/db/test_every_statement.py",
    "tests/db/test_migrations.py",
    "tests/db/test_privileges.py",
    "tests/db/test_dispatch.py",
)
_PRODUCT: tuple[str, ...] = (
    "tests/lab/test_servers.py",
    "tests/workers/test_send_step.py",
    "tests/workers/test_read_mailbox.py",
    "tests/actions/test_withdraw.py",
    "tests/end_to_end/test_whole_sequences.py::test_a_sequence_runs_from_due_to_finished",
    "tests/end_to_end/test_whole_sequences.py::test_junk_put_straight_into_redis_is_refused_and_harms_nobody",
)
_BROKER = (
    "tests/workers/test_broker.py",
    "tests/workers/test_redis_failover.py",
    "tests/workers/test_redis_url.py",
)
_AT_ONCE = 2
_WITHIN = 900.0  # seconds for one pair, on a busy machine


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, and what is run on them."""

    database: Server
    broker: Server
    tests: tuple[str, ...]

    def run(self) -> tuple[bool, str]:
        """Return whether all passed, and what pytest said."""
        with TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-n", "0", "--basetemp", folder, *self.tests],
                cwd=_ROOT,
                env={**os.environ, POSTGRES: str(self.database.path), REDIS: str(self.broker.path)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_WITHIN,
                check=False,
            )
        return done.returncode == 0, done.stdout


VALKEY = 8
POSTGRESQL = (14, 15, 16, 17)  # the oldest one first


def main() -> int:
    """Run everything; returns how many pairs failed, or are missing where they must not be."""
    redis, older = systems_redis(), valkey(VALKEY)
    brokers = itertools.cycle([redis, older])
    wanted = [
        (
            f"PostgreSQL {each}",
            postgresql(each),
            next(brokers),
            _DATABASE + (() if number else _PRODUCT + _BROKER),
        )
        for number, each in enumerate(POSTGRESQL)
    ]
    wanted.append(("Debian's PostgreSQL", systems_postgresql(), older, _PRODUCT + _BROKER))
    missing = [name for name, database, _, _ in wanted if database is None]
    missing += [name for name, broker in (("Redis", redis), (f"Valkey {VALKEY}", older)) if broker is None]
    pairs = [Pair(database, broker, tests) for _, database, broker, tests in wanted if database and broker]
    for name in missing:
        print(f"Left out, because it is not here: {name}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        failed = sum(not good for good in pool.map(_tried, pairs))
    must_have = bool(os.environ.get("CI")) and sys.platform == "linux" and platform.machine() == "x86_64"
    return failed + (len(missing) if must_have else 0)


def _tried(pair: Pair) -> bool:
    began = time.monotonic()
    good, said = pair.run()
    shown = said.strip().splitlines()[-1] if good else f"FAILED\n{said}"
    print(
        f"{pair.database.name} with {pair.broker.name}, {time.monotonic() - began:.0f} s: {shown}", flush=True
    )
    return good


if __name__ == "__main__":
    sys.exit(main())
