"""``onbehalf run``: everything on this machine, on servers of its own, until Ctrl-C.

Real Postgres and Valkey, the emulator and every process of the Procfile, with demo data. Where
DATABASE_URL, REDIS_URL or the Microsoft settings are given, those are used instead. Data stays in ``.onbehalf``.
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
from actions.connect import connect_mailbox
from actions.organization_files import import_and_wait
from app.runtime import Runtime
from commands.live import watch
from config import Settings
from db.access import sessions
from db.schema import migrate, privileges
from db.views import lookups
from domain.audit import Actor, ActorKind
from domain.errors import OperatorMisconfigured
from importing.people import import_people
from lab.embedded import EmbeddedPostgres, EmbeddedRedis, ServerError, free_port
from lab.processes import ROOT, Processes, console
from observability import configure_logging

_DEMO = Path(__file__).with_name("demo")
_CANDIDATES = {
    "backend-engineers.csv": "Backend engineers",
    "designers.csv": "Designers",
    "recruiting-partners.csv": "Recruiting partners",
    "data-people.csv": "Data people",
}
_OPERATOR = Actor(ActorKind.OPERATOR, "demo", "demo")
_ORGANIZATIONS = {"Acme", "Globex"}
_MICROSOFT = ("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET")


def run_locally(*, seconds: float | None = None, demo: bool = True, folder: Path | None = None) -> None:
    """Start everything, show it, stop everything. Raises ``OperatorMisconfigured``, ``ServerError``."""
    home = (folder or Path.cwd() / ".onbehalf").resolve()
    home.mkdir(parents=True, exist_ok=True)
    (home / "logs").mkdir(exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)  # SIGINT too: in the background of a script it is ignored at first
    with ExitStack() as stack:
        stack.enter_context(_only_one(home))
        environment, emulated = _surroundings(stack, home)
        settings = Settings.from_environment(environment)
        configure_logging("auto", "warning")  # of this process; the others log to files
        _say("bringing the database up to date")
        migrate.upgrade(settings.database_url, secret_keys=settings.secret_keys)
        if demo and emulated:
            _load_demo(settings)
        roles = {} if os.environ.get("DATABASE_URL") else _roles(settings.database_url)
        processes = stack.enter_context(_procfile(home, environment, settings, roles))
        pids = home / "processes.json"
        processes.write_pids(pids)
        stack.callback(pids.unlink, missing_ok=True)
        console.print(
            f"Running. Pages are at {settings.public_url}{_who_signs_in(demo and emulated)}. Logs are in {_short(home / 'logs')}. Ctrl-C stops it.\n"
            f"To ask or tell it something, in another terminal: set -a; . {_short(home / 'env')}; {_command()} status",
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
    """The environment of all processes, with a server of our own for everything that is not given."""
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
    environment.setdefault("UVICORN_PORT", str(_web_port()))
    environment.setdefault("PUBLIC_URL", f"http://localhost:{environment['UVICORN_PORT']}")
    _write_env(home / "env", environment)
    return environment, emulated


def _certificates(home: Path, port: int, given: str | None) -> Path:
    """Whom to trust: everybody as before, and the emulator's mail server (STARTTLS)."""
    trusted = given or ssl.get_default_verify_paths().cafile
    before = Path(trusted).read_text() if trusted and Path(trusted).is_file() else ""
    answer = httpx.get(f"http://127.0.0.1:{port}/_control/certificate", trust_env=False)
    path = home / "certificates.pem"
    path.write_text(f"{before}\n{answer.json()['pem']}")
    return path


def _load_demo(settings: Settings) -> None:
    """The demo data: imported like anybody's data, its mailboxes connected with tokens that the emulator gives out.

    Everybody in it has an account there, and may sign in with it.
    """
    _say("loading the demo data")
    with _opened(settings) as runtime, httpx.Client(base_url=settings.graph_url, trust_env=False) as emulator:
        with runtime.database.transaction() as tx:
            known = {each["name"] for each in lookups.listing(tx, "organization")}
        if _ORGANIZATIONS - known:  # once: what people change or end afterwards stays as they left it
            import_and_wait(runtime, _DEMO / "organization.yaml", actor=_OPERATOR)
        with runtime.database.transaction() as tx:
            rows = lookups.listing(tx, "mailbox")
            members = lookups.listing(tx, "member")
        _ask(emulator, "mailboxes", {"mailboxes": [{"address": each["email"]} for each in members]})
        for row in rows:
            if row["status"] != "never_connected":
                continue
            _ask(emulator, "mailboxes", {"mailboxes": [{"address": row["address"]}]})
            token = _ask(emulator, "refresh-tokens", {"address": row["address"]})["refresh_token"]
            facts = connect_mailbox(runtime, row["id"], refresh_token=token, actor=_OPERATOR)
            with runtime.database.transaction() as tx:
                organization_id = lookups.by_name(tx, "organization", row["organization"])
                sessions.trust_tenant(tx, organization_id, facts.tenant_id, actor=_OPERATOR)
        with runtime.database.transaction() as tx:
            empty = {each["name"] for each in lookups.listing(tx, "sequence") if not each["people"]}
        for name, sequence in _CANDIDATES.items():
            if sequence in empty:
                import_people(runtime.database, _DEMO / name, sequence=sequence, actor=_OPERATOR)


def _who_signs_in(demo: bool) -> str:
    return "; sign in as rita@acme.example, hans@acme.example or mona@acme.example" if demo else ""


def _web_port() -> int:
    """8000, or a free one where something else has that."""
    with socket.socket() as probe:
        return free_port() if probe.connect_ex(("127.0.0.1", 8000)) == 0 else 8000


def _ask(emulator: httpx.Client, verb: str, body: dict[str, object]) -> dict[str, str]:
    answer = emulator.post(f"/_control/{verb}", json=body)
    if answer.status_code != 200:
        raise ServerError(f"The emulator refused {verb}: {answer.text[:200]}")
    value = answer.json()
    return value if isinstance(value, dict) else {}


def _roles(url: str) -> dict[str, str]:
    """The database's URL for each role: a server of our own treats processes as any other does."""
    made = {}
    with psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as owner:
        for role in (privileges.WEB, privileges.WORKER):
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
    """Every process of the Procfile but ``release``. ``roles``: each one's database URL; none = the one given."""
    processes = Processes(home / "logs")
    try:
        for name, command in parse_procfile((ROOT / "Procfile").read_text()).processes.items():
            if name != "release":
                _say(f"starting {name}")
                role, own = privileges.WORKER, {}
                if name == "web":
                    role, own = privileges.WEB, {**keys.of_web(settings.secret_keys), "SECRET_KEYS": ""}
                url = roles.get(role, environment["DATABASE_URL"])
                processes.start(name, command, {**environment, **own, "DATABASE_URL": url})
        yield processes
    finally:
        processes.stop()


@contextmanager
def _emulator(home: Path, port: int, smtp_port: int) -> Iterator[None]:
    """The emulator as a process of its own, its state kept on disk."""
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
    """One run per folder."""
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
    """What another terminal needs to talk to this run."""
    names = (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEYS",
        *_MICROSOFT,
        "ENTRA_URL",
        "GRAPH_URL",
        "DEFAULT_MAIL_URL",
        "DEFAULT_MAIL_DOMAIN",
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
    """How this program is called from here."""
    return "onbehalf" if shutil.which("onbehalf") else _short(Path(sys.argv[0]).absolute())


def _say(what: str) -> None:
    console.print(f"[dim]{what} …[/]", highlight=False)


def _interrupt(_number: int, _frame: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # stopping is under way; a second Ctrl-C must not break it off
    raise KeyboardInterrupt
