"""``python -m inbox`` as a supervisor runs it."""

import base64
import os
import signal
import smtplib
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.access_records import ProcessRow
from lab.embedded import free_port
from lab.factories import World
from tests.inbox.delivering import wait_until
from tests.inbox.test_receiver import LETTER, kept

ROOT = Path(__file__).parents[2]


@contextmanager
def running(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process with these variables and no others of ours."""
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "inbox"], cwd=ROOT, env=given | environment, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def environment(world: World, url_as: Callable[[str], str]) -> dict[str, str]:
    return {
        "DATABASE_URL": url_as("onbehalf_inbox"),
        "SEALING_PUBLIC_KEY": base64.b64encode(world.keys.public_key).decode(),
        "LOG_FORMAT": "json",
    }


def test_it_takes_mail_says_that_it_is_well_and_ends_in_good_order(
    environment: dict[str, str], world: World, address: str, tmp_path: Path
) -> None:
    port, health = free_port(), free_port()
    environment |= {
        "INBOX_PORT": str(port),
        "INBOX_NAME": "inbox.example.com",
        "HEALTH_PORT": str(health),
    }
    log = tmp_path / "log"
    with running(environment, log) as process:
        wait_until(lambda: "inbox_without_tls" in log.read_text(), log.read_text)  # its last line
        assert "inbox_started" in log.read_text()
        with smtplib.SMTP("127.0.0.1", port) as client:
            assert client.ehlo()[1].startswith(b"inbox.example.com")
            client.sendmail("anna@example.org", [address], LETTER)
        with urllib.request.urlopen(f"http://127.0.0.1:{health}/health/ready") as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{health}/metrics") as answer:
            assert 'onbehalf_inbox_messages_total{code="250"} 1.0' in answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert kept(world) == [LETTER]
    said = log.read_text()
    assert "inbox_stopped" in said
    assert address not in said
    assert "anna@" not in said
    assert "Traceback" not in said


def test_a_renewed_certificate_is_taken_by_a_signal(
    environment: dict[str, str], certificate: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "tls.pem"
    copy.write_bytes(certificate.read_bytes())
    environment |= {
        "INBOX_PORT": str(free_port()),
        "INBOX_NAME": "inbox.example.com",
        "INBOX_CERTIFICATE_FILE": str(copy),
    }
    log = tmp_path / "log"
    with running(environment, log) as process:
        wait_until(lambda: "inbox_started" in log.read_text(), log.read_text)
        assert "inbox_without_tls" not in log.read_text()
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "certificate_read" in log.read_text(), log.read_text)
        copy.write_text("no certificate")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "certificate_not_read" in log.read_text(), log.read_text)
        assert process.poll() is None


def test_without_a_port_it_says_so_and_waits_to_be_stopped(
    environment: dict[str, str], world: World, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with running(environment, log) as process:
        wait_until(lambda: "inbox_not_configured" in log.read_text(), log.read_text)
        wait_until(lambda: bool(world.all(ProcessRow)), log.read_text)
        assert not world.all(ProcessRow)[0].works
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"INBOX_PORT": "25x"}, "INBOX_PORT"),
        ({"INBOX_PORT": "2525"}, "INBOX_NAME is not set"),
        ({"SECRET_KEYS": "hush"}, "SECRET_KEYS is set for the inbox process"),
        ({"INBOX_PORT": "2525", "INBOX_NAME": "a.example", "INBOX_HOST": "192.0.2.1"}, "cannot listen"),
    ],
)
def test_a_wrong_value_stops_it_with_one_line(
    environment: dict[str, str], tmp_path: Path, wrong: dict[str, str], says: str
) -> None:
    log = tmp_path / "log"
    with running(environment | wrong, log) as process:
        assert process.wait(60) == 1
    (line,) = log.read_text().splitlines()
    assert says in line
    assert "hush" not in line
