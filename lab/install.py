"""``python lab/install.py LOCK``: install what a lock file names into this Python, and show how far it is.

It runs before anything is installed, so it uses the standard library only. Modules are compiled when they are first imported: most
of msgraph-sdk's never are, and compiling them all takes longer than everything else. The lock names everything, so pip need not ask what
depends on what; it would refuse a dependency on an extra (``pydantic[email]``) of what is pinned without it.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

_PIN = re.compile(r"^[A-Za-z0-9._-]+(?:\[[^]]*\])?==", re.MULTILINE)
_TAKEN = re.compile(r"^(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)")
_LINE_EVERY = 20  # packages, on something that is no terminal


def main(arguments: list[str], out: TextIO = sys.stdout) -> int:
    """Install; returns pip's exit code, after its own words if it failed."""
    (lock,) = arguments
    command = [
        sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off",
        "--no-compile", "--no-deps", "--require-hashes", "-r", lock,
    ]  # fmt: skip
    count = len(_PIN.findall(Path(lock).read_text()))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        said = show(pip.stdout, count, out)
    if pip.returncode:
        print("pip could not install everything:", *said[-20:], sep="\n", file=out)
    return pip.returncode


def show(lines: Iterable[str], count: int, out: TextIO) -> list[str]:
    """Show pip's progress on one line of a terminal, else on a few; returns what pip said. ``count``: the lock's packages."""
    said: list[str] = []
    taken = 0
    for line in lines:
        said.append(line.rstrip())
        if found := _TAKEN.match(line):
            taken += 1
            if out.isatty() or taken % _LINE_EVERY == 1:
                _say(f"Getting packages: {taken} of {count} at most, {found[1]}", out)
        elif line.startswith("Installing collected packages"):
            _say(f"Installing {line.count(',') + 1} packages", out)
        elif line.startswith("Successfully installed"):
            _say("Packages are installed.", out)
    if out.isatty():
        print(file=out)
    return said


def _say(text: str, out: TextIO) -> None:
    if out.isatty():
        print(f"\r\x1b[K{text[:78]}", end="", file=out, flush=True)
    else:
        print(text, file=out, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
