"""Failures in the web process, the API and the workers are logged by type and place, never with anybody's words."""

import io
import json
import logging
import sys
import time
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import runtime
from db.core.session import Database
from db.schema import privileges
from lab.access_records import Session
from lab.records import Candidate
from lab.stage import Stage
from observability import configure_logging
from tests.sentry import Sentry
from tests.web.test_api import key_of
from workers import fan_out

CANARIES = ("Anna-Canary", "anna.canary@example.org", "salary-91000-canary", "token-canary")


Logged = Callable[[], list[dict[str, object]]]


@pytest.fixture
def failures(site: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Logged:
    """The log lines with an exception. Waits for them, because the server writes them after its answer.

    Logs are set up after uvicorn's, as in a process of its own.
    """
    out = io.StringIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", out)
        configure_logging("json", "info")

    def logged() -> list[dict[str, object]]:
        until = time.monotonic() + 10
        while '"exception"' not in out.getvalue() and time.monotonic() < until:
            time.sleep(0.02)
        everything = out.getvalue() + "".join(capfd.readouterr())
        assert not any(each in everything for each in CANARIES)
        assert "Traceback" not in everything
        return [each for each in map(json.loads, out.getvalue().splitlines()) if "exception" in each]

    return logged


def test_a_page_that_fails_is_one_json_line_without_anybodys_words(
    stage: Stage, site: str, failures: Logged
) -> None:
    with stage.without(Session), httpx.Client(base_url=site, trust_env=False) as client:
        client.cookies.set("onbehalf", CANARIES[3])
        answer = client.get("/settings/sequences", headers={"Referer": f"/{CANARIES[0]}"})
    assert answer.status_code == 500
    (line,) = failures()
    assert str(line["exception"]).startswith("ProgrammingError\n")
    assert "web/protection.py:" in str(line["exception"])


def test_a_page_that_fails_is_reported_once_without_what_was_asked(
    stage: Stage, site: str, failures: Logged, reported: Callable[[], Sentry]
) -> None:
    with stage.without(Session), httpx.Client(base_url=site, trust_env=False) as client:
        client.cookies.set("onbehalf", CANARIES[3])
        client.get(f"/settings/sequences?{CANARIES[0]}")
    failures()
    sentry = reported()
    (event,) = sentry.events
    assert event["exception"]["values"][-1]["type"] == "ProgrammingError"
    assert not [each for each in CANARIES if each.encode() in sentry.raw]


def test_an_api_call_that_fails_is_logged_likewise(stage: Stage, site: str, failures: Logged) -> None:
    key = key_of(stage.world, "read", "manage")
    with stage.without(Candidate), httpx.Client(base_url=site, trust_env=False) as client:
        answer = client.post(
            f"/api/v1/candidates/{UUID(int=4)}/suppress",
            headers={"Authorization": f"Bearer {key}"},
            json={"reason": "stopped"},
        )
    assert answer.status_code == 500
    assert not any(each in answer.text for each in CANARIES)
    assert "web/api.py:" in str(failures()[0]["exception"])


_MEMBER = "INSERT INTO members (id, organization_id, name, email, role) SELECT :id, organization_id, :name, email, 'member' FROM members"


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        (_MEMBER, CANARIES[0]),
        ("SELECT CAST(:name AS int)", CANARIES[2]),
        ("INSERT INTO members (id, name, email) VALUES (:id, :name, 'anna.canary@example.org')", CANARIES[0]),
    ],
)
def test_a_statement_that_fails_tells_no_values(stage: Stage, failures: Logged, sql: str, value: str) -> None:
    stage.world.member()
    try:
        with stage.world.database.transaction() as tx:
            tx.execute(text(sql), {"id": UUID(int=9), "name": value} if ":id" in sql else {"name": value})
    except DBAPIError as error:
        assert "parameters hidden" in str(error)
        structlog.get_logger().exception("job_failed", job="x")
    (line,) = failures()
    assert "sqlalchemy/engine" in str(line["exception"])


def test_an_actor_that_fails_is_logged_likewise(
    stage: Stage, failures: Logged, monkeypatch: pytest.MonkeyPatch, url_as: Callable[[str], str]
) -> None:
    lame = Database(url_as(privileges.METRICS), pool_size=1)  # it may read nothing
    monkeypatch.setattr(stage.runtime, "database", lame)
    monkeypatch.setattr(runtime, "_installed", (stage.runtime, stage.runtime))
    try:
        fan_out.fan_out(str(UUID(int=3)))
    except DBAPIError:
        # As Dramatiq's worker logs it.
        logging.getLogger("dramatiq.worker.WorkerThread").exception(
            "Failed to process message %s with unhandled exception.", f"fan_out('{CANARIES[3]}')"
        )
    finally:
        lame.close()
    (line,) = failures()
    assert "workers/fan_out.py" in str(line["exception"])
