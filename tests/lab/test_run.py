"""``onbehalf run`` as a new user starts it: everything starts, sends, stops cleanly, and continues later."""

import json
import re
import signal
import smtplib
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from db.core.session import Database
from lab.access_records import Grant, Mailbox
from lab.records import Candidate, Delivery, Enrollment, Suppression
from lab.system import UNEXPECTED
from lab.tables import PRESENT, Tables
from tests.lab.running import environment, read_until, read_until_sent, sent, start, stop


def read_by_a_shell(env: Path) -> dict[str, str]:
    """What README's line for another terminal sets."""
    printed = subprocess.run(
        ["env", "-i", "/bin/sh", "-c", 'set -a; . "$1"; env -0', "sh", str(env)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(line.split("=", 1) for line in printed.split("\0") if line)


def findings(folder: Path, its: dict[str, str]) -> list[dict[str, str]]:
    """What ``onbehalf doctor`` finds in another terminal."""
    asked = subprocess.run(
        [sys.executable, "-m", "cli", "doctor", "--json"],
        cwd=folder,
        env=environment(**its),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found: list[dict[str, str]] = json.loads(asked.stdout)
    return found


def faults(folder: Path, its: dict[str, str]) -> list[str]:
    """What is wrong, and whether Gmail does not yet say what comes in."""
    found = findings(folder, its)
    hinted = any("Gmail publishes what comes into 1 mailbox to" in each["said"] for each in found)
    return [each["said"] for each in found if each["state"] == "fault"] + ["no hints"] * (not hinted)


def test_it_sends_stops_and_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "Rita's new folder"
    first = start(folder, "--for", "400")
    said = read_until_sent(first)
    its = read_by_a_shell(folder / ".onbehalf" / "env")
    with smtplib.SMTP("localhost", urlsplit(its["DEFAULT_MAIL_URL"]).port or 0) as mail_server:
        mail_server.starttls(
            context=ssl.create_default_context(cafile=its["SSL_CERT_FILE"])
        )  # it is trusted here
    until = time.monotonic() + 120
    while found := faults(folder, its):  # the last processes may still be starting
        assert time.monotonic() < until, found
    said += stop(first)
    assert "Everything is kept" in said
    assert "Traceback" not in said
    assert re.search(r"\[(info|warning|error)", said) is None  # logs go to their files

    second = start(folder, "--for", "8")
    again, _ = second.communicate(timeout=150)
    assert second.returncode == 0, again
    assert sent(again) >= sent(said)
    logs = "".join(path.read_text() for path in (folder / ".onbehalf" / "logs").glob("*.log"))
    assert UNEXPECTED.search(logs) is None
    left_over = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False)
    assert left_over.stdout.strip() == ""


def standings(tables: Tables) -> dict[str, tuple[str, str | None]]:
    """Who stands where, by address, of those whom something ended."""
    people = {each.id: each.email for each in tables.all(Candidate)}
    return {people[each.candidate_id]: each.standing for each in tables.all(Enrollment, status="stopped")}


def said_no(folder: Path, tables: Tables) -> None:
    """Hans ends Rita's permission, and Mona's mailbox is removed, while everything runs."""
    its = read_by_a_shell(folder / ".onbehalf" / "env")
    (grant,) = tables.all(Grant, mailbox_id=tables.only(Mailbox, address="hans@acme.example").id)
    for words in (
        ["grant", "revoke", str(grant.id)],
        ["mailbox", "disconnect", "mona@acme.example", "--yes"],
    ):
        subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=folder,
            env=environment(**its),
            check=False,  # an email in doubt has an exit code of its own
            timeout=120,
        )
    assert_no_stands(tables)


def assert_no_stands(tables: Tables) -> None:
    hans, mona = (
        tables.only(Mailbox, address=address) for address in ("hans@acme.example", "mona@acme.example")
    )
    assert (hans.status, mona.status) == ("connected", "disconnected")
    given = [each for box in (hans, mona) for each in tables.all(Grant, mailbox_id=box.id)]
    assert [each.archived_reason for each in given] == ["revoked", "mailbox_disconnected"]


def test_the_demos_candidates_answer_and_a_restart_gives_nobody_back(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    first = start(tmp_path, "--for", "280", **servers)
    read_until_sent(first)
    database = Database(database_url)
    tables = Tables(database)
    wanted = {"answered", "bounced", "opted_out", "left_company"}
    until = time.monotonic() + 240
    while time.monotonic() < until and not (
        "elif.ivanov.4@example.org" in (found := standings(tables))
        and {reason for _, reason in found.values()} >= wanted
    ):
        time.sleep(0.5)
    said_no(tmp_path, tables)
    said = stop(first)
    ended = standings(tables)
    assert {reason for _, reason in ended.values()} == wanted
    assert ended["elif.ivanov.4@example.org"] == ("stopped", "opted_out")
    assert tables.count(Candidate, away_until=PRESENT) > 0
    assert "Traceback" not in said
    listed = {each.value for each in tables.all(Suppression)}

    second = start(tmp_path, "--for", "8", **servers)
    again, _ = second.communicate(timeout=150)
    assert second.returncode == 0, again
    assert {address: standings(tables).get(address) for address in ended} == ended
    assert {each.value for each in tables.all(Suppression)} >= listed >= {"ben.haas.1@example.org"}
    assert_no_stands(tables)
    database.close()


def test_ctrl_c_stops_everything_and_a_second_run_is_refused_meanwhile(tmp_path: Path) -> None:
    running = start(tmp_path, "--no-demo")
    said = read_until(running, "Running.")
    refused = start(tmp_path, "--no-demo")
    refusal, _ = refused.communicate(timeout=60)
    assert refused.returncode != 0
    assert "running already" in refusal
    assert "Traceback" not in refusal
    for _ in range(3):  # a second Ctrl-C does no harm
        running.send_signal(signal.SIGINT)
        time.sleep(0.05)
    rest, _ = running.communicate(timeout=60)
    assert running.returncode == 0, said + rest
    assert "Traceback" not in rest


def test_servers_that_are_given_are_used(tmp_path: Path, database_url: str, redis_url: str) -> None:
    running = start(tmp_path, "--for", "120", DATABASE_URL=database_url, REDIS_URL=redis_url)
    said = read_until_sent(running)
    said += stop(running)
    assert "PostgreSQL" not in said
    assert not (tmp_path / ".onbehalf" / "postgres").exists()
    database = Database(database_url)
    assert Tables(database).count(Delivery, state="sent") > 0
    database.close()


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"MICROSOFT_CLIENT_ID": "only-one"}, "go together"),
        ({"DATABASE_URL": "postgresql://u:hush@127.0.0.1:9/none"}, "database"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://127.0.0.1/x", "PORT": "http"}, "PORT is 'http'. Give a port"),
    ],
)
def test_a_wrong_setting_is_one_line(tmp_path: Path, environment: dict[str, str], says: str) -> None:
    began = time.monotonic()
    running = start(tmp_path, "--for", "5", **environment)
    said, _ = running.communicate(timeout=120)
    assert running.returncode != 0
    assert says in said
    assert "Traceback" not in said
    assert "hush" not in said
    assert time.monotonic() - began < 60
