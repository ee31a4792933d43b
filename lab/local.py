"""``onbehalf run``: everything on this machine, with its own servers, until Ctrl-C.

Real Postgres and Valkey, the emulator and every process of the Procfile, with demo data. If DATABASE_URL, REDIS_URL or the
Microsoft settings are given, it uses those instead. Data stays in ``.onbehalf``.
"""

import os
import secrets
import shlex
import shutil
import signal
import socket
import ssl
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
from honcho.environ import parse_procfile
from sqlalchemy import make_url

from actions import keys
from app.runtime import Runtime
from commands.live import watch
from config import Settings
from db.core.session import DatabaseUnavailable
from db.schema import migrate, privileges
from domain.errors import OperatorMisconfigured
from lab.demo_data import SEQUENCES, first_steps, load_demo
from lab.demo_life import DemoLife
from lab.embedded import EmbeddedPostgres, EmbeddedRedis, ServerError, free_port
from lab.emulator.client import EmulatorControl
from lab.folder import (
    MARK,
    empty,
    end_left_behind,
    kept_secret,
    left_behind,
    only_one,
    short,
    write_env,
)
from lab.processes import ROOT, Processes, console
from observability import configure_logging

_MICROSOFT = ("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET")


def run_locally(
    *, seconds: float | None = None, demo: bool = True, fresh: bool = False, folder: Path | None = None
) -> None:
    """Start everything, show it, stop everything. ``fresh``: without the data of earlier runs.

    Raises ``OperatorMisconfigured``, ``ServerError``.
    """
    home = (folder or Path.cwd() / ".onbehalf").resolve()
    home.mkdir(parents=True, exist_ok=True)
    _let_signals_stop_us()
    with ExitStack() as stack:
        try:
            _start_and_show(stack, home, seconds=seconds, demo=demo, fresh=fresh)
        except KeyboardInterrupt:
            console.print("Stopping …")
        finally:
            _ignore_signals()  # from here on everything stops, and nothing may interrupt that
    console.print("Stopped. Everything is kept; the next run continues from here.")


def _start_and_show(stack: ExitStack, home: Path, *, seconds: float | None, demo: bool, fresh: bool) -> None:
    stack.enter_context(only_one(home))
    if left := left_behind(home):
        _say(f"an earlier run was killed and left {len(left)} processes behind: ending them")
        end_left_behind(home)
    if fresh:
        _start_afresh(home)
    (home / "logs").mkdir(exist_ok=True)
    processes = Processes(home / "logs", home / "processes.json")
    environment, emulated = _surroundings(stack, home, processes)
    settings = Settings.from_environment(environment)
    configure_logging("auto", "warning")  # for this process; the others log to files
    _say("bringing the database up to date")
    migrate.upgrade(settings.database_url, secret_keys=settings.secret_keys)
    if demo and emulated:
        _say("loading the demo data")
        with _opened(settings) as runtime:
            load_demo(runtime)
    roles = {} if os.environ.get("DATABASE_URL") else _roles(settings.database_url)
    stack.callback(processes.stop, but="emulator")  # which what is in flight needs to end well
    _start_procfile(processes, environment, settings, roles)
    console.print(
        f"Running. Pages are at {settings.public_url}. Logs are in {short(home / 'logs')}. Ctrl-C stops it.",
        *([first_steps(settings.public_url)] if demo and emulated else []),
        f"To ask or tell it something, in another terminal: set -a; . {_quoted(home / 'env')}; {_command()} status",
        sep="\n",
        highlight=False,
        soft_wrap=True,
    )
    runtime = stack.enter_context(_opened(settings))
    life = DemoLife(runtime, SEQUENCES if demo else frozenset()) if emulated else None
    if life is not None:
        stack.callback(life.close)
    ends = None if seconds is None else time.monotonic() + seconds
    broken: list[str] = []

    def over() -> bool:
        broken.extend(processes.tend())
        if life is not None:
            # The view says it when the database is away; a drill may have stopped either for a moment.
            with suppress(DatabaseUnavailable, httpx.TransportError):
                life.go_on(time.monotonic())
        return bool(broken) or (ends is not None and time.monotonic() >= ends)

    watch(runtime.database, settings.redis_url, until=over)
    if broken:
        raise ServerError(processes.last_words(broken[0]))
    console.print("Stopping …")


def _start_afresh(home: Path) -> None:
    given = [name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)]
    if given:
        raise OperatorMisconfigured(
            f"{given[0]} is set, and --fresh deletes only data of its own. Leave out one of the two."
        )
    _say(f"deleting the data in {short(home)}")
    empty(home)


def _surroundings(stack: ExitStack, home: Path, processes: Processes) -> tuple[dict[str, str], bool]:
    """Return the environment of all processes, with our own server for everything that is not given."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    environment[MARK] = str(home)
    environment.setdefault("SECRET_KEYS", kept_secret(home / "secret-keys"))
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
        stack.callback(processes.stop)
        _start_emulator(processes, home, port, smtp_port)
        environment |= {
            "MICROSOFT_CLIENT_ID": "onbehalf-demo",
            "MICROSOFT_CLIENT_SECRET": "demo-secret",
            "ENTRA_URL": f"http://127.0.0.1:{port}",
            "GRAPH_URL": f"http://127.0.0.1:{port}",
            "GOOGLE_CLIENT_ID": "onbehalf-demo",
            "GOOGLE_CLIENT_SECRET": "demo-secret",
            "GOOGLE_URL": f"http://127.0.0.1:{port}",
        }
        environment["SSL_CERT_FILE"] = str(_certificates(home, port, environment.get("SSL_CERT_FILE")))
        environment.setdefault("DEFAULT_MAIL_URL", f"smtp://relay:relay-password@127.0.0.1:{smtp_port}")
        environment.setdefault("DEFAULT_MAIL_DOMAIN", "onbehalf.example")
        environment.setdefault("INBOX_PORT", str(free_port()))
        environment.setdefault("INBOX_NAME", "inbox.onbehalf.example")
    environment["UVICORN_PORT"] = str(_web_port(environment))
    environment.setdefault("UVICORN_HOST", "127.0.0.1")
    environment.setdefault("PUBLIC_URL", f"http://localhost:{environment['UVICORN_PORT']}")
    if emulated:
        environment |= _hints_of_gmail(environment)
    write_env(home / "env", environment)
    return environment, emulated


def _hints_of_gmail(environment: Mapping[str, str]) -> dict[str, str]:
    """Have the emulator's Pub/Sub push to our web process, as docs/google.md has an operator do. Returns the settings that go with it."""
    topic, account = "projects/demo/topics/gmail", "push@demo.iam.gserviceaccount.com"
    control = EmulatorControl(environment["GOOGLE_URL"])
    control.push_to(f"{environment['PUBLIC_URL'].rstrip('/')}/hooks/google", topic=topic, account=account)
    control.close()
    return {"GOOGLE_PUBSUB_TOPIC": topic, "GOOGLE_PUBSUB_ACCOUNT": account}


def _certificates(home: Path, port: int, given: str | None) -> Path:
    """Return a file with the usual trusted certificates plus that of the emulator's mail server (STARTTLS)."""
    trusted = given or ssl.get_default_verify_paths().cafile
    before = Path(trusted).read_text() if trusted and Path(trusted).is_file() else ""
    answer = httpx.get(f"http://127.0.0.1:{port}/_control/certificate", trust_env=False)
    path = home / "certificates.pem"
    path.write_text(f"{before}\n{answer.json()['pem']}")
    return path


def _web_port(environment: Mapping[str, str]) -> int:
    """Return PORT or UVICORN_PORT if one is given; else 8000, or a free port if that is taken."""
    name = next((each for each in ("PORT", "UVICORN_PORT") if environment.get(each)), "")
    given = environment.get(name, "").strip()
    if given and not (given.isascii() and given.isdigit() and 1 <= int(given[:6]) <= 65535):
        raise OperatorMisconfigured(
            f"{name} is {given[:20]!r}. Give a port from 1 to 65535, or leave it out."
        )
    port = int(given or 8000)
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", port)) == 0
    if taken and given:
        raise OperatorMisconfigured(
            f"{name}: something else listens on port {port}. Give another port, or leave it out."
        )
    return free_port() if taken else port


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


def _start_procfile(
    processes: Processes, environment: dict[str, str], settings: Settings, roles: dict[str, str]
) -> None:
    """Start every process of the Procfile except ``release``. ``roles``: each role's database URL; empty = the given one."""
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


def _start_emulator(processes: Processes, home: Path, port: int, smtp_port: int) -> None:
    """Start the emulator as its own process, with its state on disk, and wait until it answers."""
    command = [sys.executable, "-m", "lab.emulator", "--port", str(port), "--smtp-port", str(smtp_port)]
    command += ["--data", str(home / "emulator")]
    processes.start("emulator", shlex.join(command), {**os.environ, MARK: str(home)})
    deadline = time.monotonic() + 30
    while True:
        if processes.broken() is not None or time.monotonic() > deadline:
            raise ServerError(processes.last_words("emulator"))
        try:
            httpx.get(f"http://127.0.0.1:{port}/_control/stats", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return


@contextmanager
def _opened(settings: Settings) -> Iterator[Runtime]:
    runtime = Runtime.open(settings, application="onbehalf-run", pool_size=2)
    try:
        yield runtime
    finally:
        runtime.close()


def _command() -> str:
    """Return the command that starts this program, for a shell."""
    return "onbehalf" if shutil.which("onbehalf") else _quoted(Path(sys.argv[0]).absolute())


def _quoted(path: Path) -> str:
    return shlex.quote(short(path))


def _say(what: str) -> None:
    console.print(f"[dim]{what} …[/]", highlight=False)


def _let_signals_stop_us() -> None:
    signal.signal(signal.SIGINT, _interrupt)  # also where a script's background processes ignore it at first
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup: it shall outlive its terminal
        signal.signal(signal.SIGHUP, _hang_up)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: object) -> None:
    _ignore_signals()  # a second Ctrl-C must not interrupt the stopping
    raise KeyboardInterrupt


def _hang_up(number: int, frame: object) -> None:
    """Stop as after Ctrl-C, without a word: writing to a terminal that was closed fails."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.dup2(nowhere, descriptor)
    _interrupt(number, frame)
