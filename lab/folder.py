"""The folder of a local run (``.onbehalf``): its lock, its secret, what other terminals read, and what a killed run left behind."""

import base64
import fcntl
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.embedded import EmbeddedPostgres, EmbeddedRedis, ServerError

MARK = "ONBEHALF_RUN"  # in the environment of every process of a run: its folder
_ENDS_WITHIN = 45.0  # seconds
_FOR_TERMINALS = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEYS",
    "MICROSOFT_CLIENT_ID",
    "MICROSOFT_CLIENT_SECRET",
    "ENTRA_URL",
    "GRAPH_URL",
    "GOOGLE_CLIENT_ID",
    "GOOGLE_CLIENT_SECRET",
    "GOOGLE_URL",
    "GOOGLE_PUBSUB_TOPIC",
    "GOOGLE_PUBSUB_ACCOUNT",
    "DEFAULT_MAIL_URL",
    "DEFAULT_MAIL_DOMAIN",
    "INBOX_HOST",
    "INBOX_PORT",
    "INBOX_NAME",
    "INBOX_CERTIFICATE_FILE",
    "INBOX_KEY_FILE",
    "PUBLIC_URL",
    "SSL_CERT_FILE",
)


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Allow one run per folder. Raises ``ServerError``."""
    with (home / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(
                f"It is running already, on the data in {short(home)}. Stop that one first."
            ) from None
        yield


def empty(home: Path) -> None:
    """Delete everything but the lock, which the caller holds. Stops the servers of a killed run first."""
    EmbeddedPostgres(home / "postgres").stop()
    EmbeddedRedis(home / "redis").end_earlier()
    for path in home.iterdir():
        if path.name == "lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def left_behind(home: Path) -> set[int]:
    """Return the processes of an earlier run that still run. The caller holds the lock, so nobody looks after them."""
    mark = f"{MARK}={home}"
    if Path("/proc/self/environ").exists():
        found = set()
        for process in Path("/proc").iterdir():
            with suppress(OSError, ValueError):  # it ended, is another user's, or is no process
                pid = int(process.name)
                if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.add(pid)
        return found
    listed = subprocess.run(
        ["ps", "eww", "-axo", "pid=,command="], capture_output=True, text=True, check=True
    ).stdout
    return {int(line.split()[0]) for line in listed.splitlines() if f"{mark} " in f"{line} "}


def end_left_behind(home: Path) -> None:
    """End them as a supervisor would, then for good. Raises ``ServerError`` if one stays."""
    found = left_behind(home)
    leaders = {each for each in found if _session(each) not in found - {each}}
    for each in leaders:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGTERM)
    if not _gone(home, _ENDS_WITHIN):
        for each in left_behind(home):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        if not _gone(home, 10):
            stay = " ".join(map(str, sorted(left_behind(home))))
            raise ServerError(f"Processes of an earlier run do not end. End them with: kill -9 {stay}")


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _gone(home: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while left_behind(home):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def kept_secret(path: Path) -> str:
    """Return the run's SECRET_KEYS, made the first time."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    return path.read_text().strip()


def write_env(path: Path, environment: Mapping[str, str]) -> None:
    """Write what another terminal needs to talk to this run, as a shell reads it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    given = {name: environment[name] for name in _FOR_TERMINALS if environment.get(name)}
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in given.items()))


def short(path: Path) -> str:
    """Return a path as people would write it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return re.sub(rf"^{re.escape(str(Path.home()))}", "~", str(path))
