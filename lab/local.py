"""``onbehalf run``: everything on this machine, with its own servers, until Ctrl-C.

Real Postgres and Valkey, the emulator and every process of the Procfile, with demo data. If DATABASE_URL, REDIS_URL or the
Microsoft settings are given, it uses those instead. Data stays in ``.onbehalf``.
"""

import base64
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
from honcho.environ import parse_procfile
from sqlalchemy import make_url

from actions import keys
from app.runtime import Runtime
from commands.live import watch
from config import Settings
from db.schema import migrate, privileges
from domain.errors import OperatorMisconfigured
from lab.demo_data import first_steps, load_demo
from lab.embedded import EmbeddedPostgres, EmbeddedRedis, ServerError, free_port
from lab.processes import ROOT, Processes, console
from observability import configure_logging

_MICROSOFT = ("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET")


def run_locally(*, seconds: float | None = None, demo: bool = True, folder: Path | None = None) -> None:
    """Start everything, show it, stop everything. Raises ``OperatorMisconfigured``, ``ServerError``."""
    home = (folder or Path.cwd() / ".onbehalf").resolve()
    home.mkdir(parents=True, exist_ok=True)
    (home / "logs").mkdir(exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # SIGINT too: a script's background processes ignore it at first
    with ExitStack() as stack:
        stack.enter_context(_only_one(home))
        environment, emulated = _surroundings(stack, home)
        settings = Settings.from_environment(environment)
        configure_logging("auto", "warning")  # for this process; the others log to files
        _say("bringing the database up to date")
        migrate.upgrade(settings.database_url, secret_keys=settings.secret_keys)
        if demo and emulated:
            _say("loading the demo data")
            with _opened(settings) as runtime:
                load_demo(runtime)
        roles = {} if os.environ.get("DATABASE_URL") else _roles(settings.database_url)
        processes = stack.enter_context(_procfile(home, environment, settings, roles))
        pids = home / "processes.json"
        processes.write_pids(pids)
        stack.callback(pids.unlink, missing_ok=True)
        console.print(
            f"Running. Pages are at {settings.public_url}. Logs are in {_short(home / 'logs')}. Ctrl-C stops it.",
            *([first_steps(settings.public_url)] if demo and emulated else []),
            f"To ask or tell it something, in another terminal: set -a; . {_short(home / 'env')}; {_command()} status",
            sep="\n",
            highlight=False,
            soft_wrap=True,
        )
        runtime = stack.enter_context(_opened(settings))
        ends = None if seconds is None else time.monotonic() + seconds
        broken: list[str] = []

        def over() -> bool:
            broken.extend(processes.tend(pids))
            return bool(broken) or (ends is not None and time.monotonic() >= ends)

        watch(runtime.database, settings.redis_url, until=over)
        if broken:
            raise ServerError(processes.last_words(broken[0]))
        console.print("Stopping …")
    console.print("Stopped. Everything is kept; the next run continues from here.")


def _surroundings(stack: ExitStack, home: Path) -> tuple[dict[str, str], bool]:
    """Return the environment of all processes, with our own server for everything that is not given."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    environment.setdefault("SECRET_KEYS", _kept_secret(home / "secret-keys"))
    environment.setdefault("LOG_FORMAT", "json")
    if not environment.get("DATABASE_URL"):
        _say("starting PostgreSQL")
        postgres = stack.enter_context(EmbeddedPostgres(home / "postgres"))
        environment["DATABASE_URL"] = postgres.url()
    if not environment.get("REDIS_URL"):
        _say("starting Valkey")
        environment["REDIS_URL"] = stack.enter_context(EmbeddedRedis(home / "redis")).url()
    given = [name for name in _MICROSOFT if environment.get(name)]
    emulated = not given
    if given and len(given) < len(_MICROSOFT):
        raise OperatorMisconfigured(f"Only {given[0]} is set; {' and '.join(_MICROSOFT)} go together.")
    if emulated:
        _say("starting the emulator")
        port, smtp_port = free_port(), free_port()
        stack.enter_context(_emulator(home, port, smtp_port))
        environment |= {
            "MICROSOFT_CLIENT_ID": "onbehalf-demo",
            "MICROSOFT_CLIENT_SECRET": "demo-secret",
            "ENTRA_URL": f"http://127.0.0.1:{port}",
            "GRAPH_URL": f"http://127.0.0.1:{port}",
        }
        environment["SSL_CERT_FILE"] = str(_certificates(home, port, environment.get("SSL_CERT_FILE")))
        environment.setdefault("DEFAULT_MAIL_URL", f"smtp://relay:relay-password@127.0.0.1:{smtp_port}")
        environment.setdefault("DEFAULT_MAIL_DOMAIN", "onbehalf.example")
        environment.setdefault("INBOX_PORT", str(free_port()))
        environment.setdefault("INBOX_NAME", "inbox.onbehalf.example")
    environment.setdefault("UVICORN_PORT", str(_web_port()))
    environment.setdefault("PUBLIC_URL", f"http://localhost:{environment['UVICORN_PORT']}")
    _write_env(home / "env", environment)
    return environment, emulated


def _certificates(home: Path, port: int, given: str | None) -> Path:
    """Return a file with the usual trusted certificates plus that of the emulator's mail server (STARTTLS)."""
    trusted = given or ssl.get_default_verify_paths().cafile
    before = Path(trusted).read_text() if trusted and Path(trusted).is_file() else ""
    answer = httpx.get(f"http://127.0.0.1:{port}/_control/certificate", trust_env=False)
    path = home / "certificates.pem"
    path.write_text(f"{before}\n{answer.json()['pem']}")
    return path


def _web_port() -> int:
    """Return 8000, or a free port if that is taken."""
    with socket.socket() as probe:
        return free_port() if probe.connect_ex(("127.0.0.1", 8000)) == 0 else 8000


def _roles(url: str) -> dict[str, str]:
    """Return the database's URL for each role, so that our own server restricts processes like any other."""
    made = {}
    with psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as owner:
        for role in (privileges.WEB, privileges.WORKER, privileges.INBOX):
            password = secrets.token_hex(16)
            owner.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{password}'")
            made[role] = (
                make_url(url).set(username=role, password=password).render_as_string(hide_password=False)
            )
    return made


@contextmanager
def _procfile(
    home: Path, environment: dict[str, str], settings: Settings, roles: dict[str, str]
) -> Iterator[Processes]:
    """Run every process of the Procfile except ``release``. ``roles``: each role's database URL; empty = the given one."""
    processes = Processes(home / "logs")
    try:
        for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
            if name != "release":
                _say(f"starting {name}")
                role, own = privileges.WORKER, {}
                if name == "web":
                    role, own = privileges.WEB, {**keys.of_web(settings.secret_keys), "SECRET_KEYS": ""}
                elif name == "inbox":
                    public_key = keys.of_web(settings.secret_keys)["SEALING_PUBLIC_KEY"]
                    role, own = privileges.INBOX, {"SEALING_PUBLIC_KEY": public_key, "SECRET_KEYS": ""}
                url = roles.get(role, environment["DATABASE_URL"])
                processes.start(name, command, {**environment, **own, "DATABASE_URL": url})
        yield processes
    finally:
        processes.stop()


@contextmanager
def _emulator(home: Path, port: int, smtp_port: int) -> Iterator[None]:
    """Run the emulator as its own process, with its state on disk."""
    processes = Processes(home / "logs")
    command = f"'{sys.executable}' -m lab.emulator --port {port} --smtp-port {smtp_port} --data '{home / 'emulator'}'"
    processes.start("emulator", command, dict(os.environ))
    try:
        deadline = time.monotonic() + 30
        while True:
            if processes.broken() is not None or time.monotonic() > deadline:
                raise ServerError(processes.last_words("emulator"))
            try:
                httpx.get(f"http://127.0.0.1:{port}/_control/stats", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield
    finally:
        processes.stop()


@contextmanager
def _opened(settings: Settings) -> Iterator[Runtime]:
    runtime = Runtime.open(settings, application="onbehalf-run", pool_size=2)
    try:
        yield runtime
    finally:
        runtime.close()


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Allow one run per folder."""
    with (home / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServerError(
                f"It is running already, on the data in {_short(home)}. Stop that one first."
            ) from None
        yield


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    return path.read_text().strip()


def _write_env(path: Path, environment: dict[str, str]) -> None:
    """Write what another terminal needs to talk to this run."""
    names = (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEYS",
        *_MICROSOFT,
        "ENTRA_URL",
        "GRAPH_URL",
        "DEFAULT_MAIL_URL",
        "DEFAULT_MAIL_DOMAIN",
        "INBOX_PORT",
        "PUBLIC_URL",
        "SSL_CERT_FILE",
    )
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={environment[name]}\n" for name in names if environment.get(name)))


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return re.sub(rf"^{re.escape(str(Path.home()))}", "~", str(path))


def _command() -> str:
    """Return the command that starts this program."""
    return "onbehalf" if shutil.which("onbehalf") else _short(Path(sys.argv[0]).absolute())


def _say(what: str) -> None:
    console.print(f"[dim]{what} …[/]", highlight=False)


def _interrupt(_number: int, _frame: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            number, signal.SIG_IGN
        )  # we are already stopping; a second Ctrl-C must not interrupt that
    raise KeyboardInterrupt
