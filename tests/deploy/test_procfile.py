"""The Procfile as it is, under supervisors and hosts that know nothing of us but the Procfile."""

import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import httpx
import pytest
import yaml

from lab.embedded import free_port
from lab.emulator.background import Running
from lab.factories import KEY
from lab.stage import Stage
from tests.databases import drop_schema

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def settings(database_url: str, redis_url: str, emulator: Running) -> dict[str, str]:
    """What such a host gives every process."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEYS": b64encode(KEY).decode(),
        "MICROSOFT_CLIENT_ID": "onbehalf",
        "MICROSOFT_CLIENT_SECRET": "demo-secret",
        "ENTRA_URL": emulator.url,
        "GRAPH_URL": emulator.url,
        "LOG_FORMAT": "json",
        "ONE_ENVIRONMENT": "yes",
    }


def start(log: Path, *command: str, **variables: str) -> subprocess.Popen[bytes]:
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    with log.open("wb") as out:
        return subprocess.Popen(
            command, cwd=ROOT, env={"PATH": path, **variables}, stdout=out, stderr=out, start_new_session=True
        )


def answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a page answers 200."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_honcho_starts_everything_on_an_empty_database_and_emails_leave(
    request: pytest.FixtureRequest, settings: dict[str, str], log: Path, tmp_path: Path
) -> None:
    drop_schema(settings["DATABASE_URL"])
    env = tmp_path / "env"
    env.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    port = free_port()
    honcho = start(log, str(PROGRAMS / "honcho"), "start", "--no-colour", "-e", str(env), "-p", str(port))
    try:
        answers(f"http://127.0.0.1:{port}/health/ready", honcho, log)
        stage: Stage = request.getfixturevalue("stage")
        owner_id = stage.world.member()
        stage.world.enroll(stage.world.sequence(owner_id, stage.mailbox(owner_id)))
        until = time.monotonic() + 120
        while not stage.left() and time.monotonic() < until:
            assert honcho.poll() is None, log.read_text()[-3000:]
            time.sleep(0.2)
        assert len(stage.left()) == 1
        said = log.read_text()
        assert "The database is up to date." in said
        assert "release.1 stopped" not in said
    finally:
        honcho.terminate()
        honcho.wait(60)
    assert honcho.returncode == 143  # SIGTERM, as honcho says it: nothing had ended before


def test_a_release_waits_where_its_end_would_end_the_others(settings: dict[str, str], log: Path) -> None:
    release = start(log, str(PROGRAMS / "onbehalf"), "migrate", PS="release.1", **settings)
    until = time.monotonic() + 120
    while b"Waiting" not in log.read_bytes() and time.monotonic() < until:
        assert release.poll() is None, log.read_text()
        time.sleep(0.1)
    release.send_signal(signal.SIGTERM)
    assert release.wait(30) == 0


@pytest.mark.parametrize("given", [{}, {"DYNO": "release.1234"}, {"HONCHO_PROCESS_NAME": "worker.1"}])
def test_elsewhere_a_release_ends(settings: dict[str, str], log: Path, given: dict[str, str]) -> None:
    assert start(log, str(PROGRAMS / "onbehalf"), "migrate", **given, **settings).wait(120) == 0
    assert "Waiting" not in log.read_text()


def test_web_listens_on_the_hosts_port_and_holds_no_keys_of_workers(
    settings: dict[str, str], log: Path
) -> None:
    port = str(free_port())
    web = start(log, sys.executable, "-m", "web", PORT=port, **settings)
    try:
        answers(f"http://127.0.0.1:{port}/health/ready", web, log)
        variables = Path(f"/proc/{web.pid}/environ")
        if variables.exists():
            held = variables.read_bytes().split(b"\0")
            assert not [each for each in held if each.startswith(b"SECRET_KEYS=")]
            assert [each for each in held if each.startswith(b"WEB_SECRET_KEYS=")]
            # 00000000 is every address of this host.
            listening = Path(f"/proc/{web.pid}/net/tcp").read_text()
            assert f"00000000:{int(port):04X} " in listening
    finally:
        web.terminate()
        web.wait(30)


@pytest.mark.parametrize("module", ["web", "inbox"])
def test_a_host_that_could_give_each_its_own_keys_has_to(
    settings: dict[str, str], log: Path, module: str
) -> None:
    process = start(log, sys.executable, "-m", module, **settings | {"ONE_ENVIRONMENT": "no"})
    assert process.wait(60) != 0
    assert "ONE_ENVIRONMENT=yes" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_other_supervisors_are_told_what_they_need() -> None:
    # Foreman gives 5 s to end unless told; overmind ends everything when one process ends, except these.
    assert yaml.safe_load((ROOT / ".foreman").read_text()) == {"timeout": 60}
    assert (ROOT / ".overmind.env").read_text() == "OVERMIND_CAN_DIE=release\n"
    first = (ROOT / "Procfile").read_text().splitlines()[0]
    assert first.startswith("web:")  # the first process gets the port that one asks for
