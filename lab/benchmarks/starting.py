"""(k) What a command costs before it does anything: seconds of CPU of the whole process, the least of several."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from commands.common import BAD_INPUT, OK
from lab.benchmarks.bed import Bed
from lab.stage import as_environment

_ROOT = Path(__file__).parents[2]
# The last ones look for what is not there: they open the database, and end with "bad input".
_COMMANDS = (
    "", "--version", "--help", "status --help", "sequence --help", "status", "deliveries", "sequence list",
    "why nobody@example.com", "sequence pause nothing", "grant revoke 00000000-0000-0000-0000-000000000001",
)  # fmt: skip


def starting(bed: Bed, *, quick: bool) -> list[dict[str, Any]]:
    """Return one figure for each command. The first one is Python alone: what no command can go below."""
    environment = as_environment(bed.stage.runtime.settings) | {"PATH": os.environ["PATH"]}
    figures: dict[str, Any] = {"name": "CPU seconds"}
    for arguments in _COMMANDS:
        run = "import sys, cli; sys.argv = ['onbehalf', *sys.argv[1:]]; cli.main()" if arguments else "pass"
        command = [sys.executable, "-c", run, *arguments.split()]
        figures[f"onbehalf {arguments}" if arguments else "python"] = min(
            _cpu(command, environment) for _ in range(2 if quick else 6)
        )
    return [figures]


def _cpu(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(command, cwd=_ROOT, env=environment, check=False, capture_output=True, text=True)
    assert ended.returncode in (OK, BAD_INPUT), ended.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
