"""Starts ``onbehalf run`` as a new user does, and reads what it says."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from lab.embedded import free_port

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """This environment without any servers or keys."""
    theirs = ("DATABASE", "REDIS", "MICROSOFT", "GRAPH", "ENTRA", "GOOGLE", "SECRET", "DEFAULT_MAIL")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    return inherited | {"PYTHONPATH": str(ROOT), "PORT": str(free_port())} | more


def start(folder: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "run", *arguments],
        cwd=folder,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(running: subprocess.Popen[str], beginning: str) -> str:
    """Read its output until a line begins so."""
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if line.startswith(beginning):
            return said
    raise AssertionError(f"It ended without having said {beginning!r}:\n{said}")


def sent(text: str) -> int:
    found = re.findall(r"sent/h (\d+)", text)
    return int(found[-1]) if found else 0


def read_until_sent(running: subprocess.Popen[str]) -> str:
    """Read its output until it reports a sent email, however long this machine takes to start so many processes."""
    assert running.stdout is not None
    said = ""
    for line in running.stdout:
        said += line
        if sent(line) > 0:
            return said
    raise AssertionError(f"It ended without having sent anything:\n{said}")


def stop(running: subprocess.Popen[str]) -> str:
    """Press Ctrl-C; returns its last lines."""
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said
    return said
