"""What operators see of processes, jobs and their own mistakes."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
import structlog
from typer.testing import CliRunner

from actions import doctor
from actions.doctor import Finding, State
from app import health
from app.heartbeat import Heartbeat
from app.readiness import Readiness
from app.release import release
from cli import app
from config import Settings
from db.core.crypto import KeyRing
from db.events import outbox
from db.mailboxes import senders
from db.schema.migrate import pending
from domain import servers
from domain.errors import OperatorMisconfigured
from domain.jobs import QUEUES
from lab.access_records import ProcessRow
from lab.embedded import free_port
from lab.factories import KEY
from lab.records import OutboxJob
from lab.stage import Stage, as_environment
from lab.tables import PRESENT, ago

Cli = Callable[..., Any]


@pytest.fixture
def cli(stage: Stage, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    stage.runtime.settings = replace(stage.runtime.settings, redis_url=redis_url)
    for name, value in (as_environment(stage.runtime.settings) | {"ONBEHALF_ACTOR": "ops"}).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> Any:
        root, structured = logging.getLogger(), structlog.get_config()
        before = root.handlers[:], root.level
        try:
            return CliRunner().invoke(app, [str(each) for each in arguments])
        finally:
            root.handlers[:], root.level = before
            structlog.configure(**structured)

    return run


def report(stage: Stage, *but: str, ring: KeyRing | None = None) -> None:
    """Every kind of process reports, except those left out; ``ring``: the workers'."""
    database = stage.world.database
    for kind in ("scheduler", "web"):
        if kind not in but:
            ids = () if kind == "web" else (ring or stage.runtime.keys).ids
            Heartbeat(database, kind, Readiness(database), key_ids=ids).beat()
    queues = [each for each in QUEUES if each not in but]
    ids = (ring or stage.runtime.keys).ids
    Heartbeat(database, "worker", Readiness(database), queues=queues, key_ids=ids).beat()


def test_processes_and_status_name_who_is_missing(stage: Stage, cli: Cli) -> None:
    report(stage, "send")
    shown = cli("processes")
    assert shown.exit_code == 0, shown.output
    assert "scheduler" in shown.output
    assert release() in shown.output
    assert stage.runtime.keys.newest_id.hex() in shown.output
    assert "No worker sends emails (queue send)." in shown.output
    assert "No worker sends emails (queue send)." in cli("status").output
    assert "No worker sends emails (queue send)." in json.loads(cli("status", "--json").stdout)["missing"]
    stage.older(ProcessRow, "seen_at", where={"kind": "scheduler"}, minutes=5)
    assert "No scheduler runs: none since" in cli("status").output
    listed = json.loads(cli("processes", "--json").stdout)
    assert {each["kind"] for each in listed} == {"web", "worker"}
    assert "silent since" in cli("processes", "--all").output


def park(stage: Stage) -> None:
    """Revoke a permission, and enqueue what follows until it is given up."""
    from actions import withdraw

    owner = stage.world.member()
    withdraw.disconnect_mailbox(stage.runtime, stage.mailbox(owner), actor="rita")
    with stage.world.database.transaction() as tx:
        assert outbox.parked(tx) == 0
    stage.put(OutboxJob, parked_at=ago(hours=1), attempts=20)


def test_parked_jobs_are_listed_and_enqueued_again(stage: Stage, cli: Cli) -> None:
    assert "none" in cli("jobs", "list").output
    park(stage)
    listed = json.loads(cli("jobs", "list", "--json").stdout)
    assert listed
    assert {each["attempts"] for each in listed} == {20}
    assert listed[0]["id"] in cli("jobs", "list").output
    assert cli("jobs", "retry").exit_code == 2
    done = cli("jobs", "retry", listed[0]["id"])
    assert (done.exit_code, "1 job is enqueued again." in done.output) == (0, True)
    assert cli("jobs", "retry", listed[0]["id"]).exit_code == 2
    assert json.loads(cli("jobs", "retry", "--all", "--json").stdout) == {"retried": len(listed) - 1}
    assert stage.count(OutboxJob, parked_at=PRESENT) == 0
    stage.run_outbox()
    assert json.loads(cli("jobs", "list", "--json").stdout) == []


def found(stage: Stage, check: str) -> Finding:
    """The worst that the doctor says of one check."""
    order = [State.FAULT, State.WARNING, State.OK, State.SKIPPED]
    return min(
        (each for each in doctor.examine(stage.runtime) if each.check == check),
        key=lambda each: order.index(each.state),
    )


@pytest.fixture
def public_url() -> Iterator[str]:
    """Where something answers as the web process does."""
    port = free_port()
    settings = Settings("", "", (), health_port=port)
    server = health.serve(settings, lambda: True, list)
    assert server is not None
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("cli")
def test_an_installation_in_good_health_has_no_fault(stage: Stage, public_url: str) -> None:
    stage.mailbox(stage.world.member())
    report(stage)
    stage.runtime.settings = replace(stage.runtime.settings, public_url=public_url)
    states = {each.check: each for each in doctor.examine(stage.runtime)}
    assert {each.state for each in states.values()} <= {State.OK, State.SKIPPED, State.WARNING}, states
    assert {name for name, each in states.items() if each.state is State.OK} >= {
        "settings", "database", "schema", "keys", "processes", "broker", "clock", "PUBLIC_URL", "graph", "microsoft", "gmail", "google", "relay",
    }  # fmt: skip


def test_a_fault_ends_with_1_and_is_json_too(stage: Stage, cli: Cli) -> None:
    shown = cli("doctor")
    assert shown.exit_code == 1
    assert "No process has reported that it runs." in shown.output
    assert "Start every process of the Procfile." in shown.output
    listed = json.loads(cli("doctor", "--json").stdout)
    assert {"check", "state", "said", "fix"} == set(listed[0])


def test_a_setting_that_is_none_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEYS", "short")
    shown = cli("doctor")
    assert (shown.exit_code, "SECRET_KEYS: key 1 is not 32 bytes" in shown.output) == (1, True)


def test_wrong_servers_are_named_with_their_reason(stage: Stage) -> None:
    stage.runtime.settings = replace(
        stage.runtime.settings,
        redis_url="redis://127.0.0.1:1/0",
        graph_url="http://127.0.0.1:1",
        public_url="http://127.0.0.1:1",
        default_mail_url="smtp://127.0.0.1:1",
    )
    for check in ("broker", "graph", "PUBLIC_URL", "relay"):
        fault = found(stage, check)
        assert fault.state is State.FAULT, fault
        assert fault.fix


def test_a_broker_that_throws_away_is_a_fault(stage: Stage, redis_url: str) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, redis_url=redis_url)
    client = redis.Redis.from_url(redis_url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        fault = found(stage, "broker")
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert fault.state is State.FAULT
    assert "noeviction" in fault.fix


@pytest.mark.parametrize(
    ("tested", "state"),
    [(range(98, 100), State.FAULT), (range(1, 3), State.WARNING)],
    ids=["too old", "newer"],
)
def test_a_server_that_no_test_runs_on_is_named_with_its_version(
    stage: Stage, redis_url: str, monkeypatch: pytest.MonkeyPatch, tested: range, state: State
) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, redis_url=redis_url)
    monkeypatch.setattr(servers, "TESTED", dict.fromkeys(servers.TESTED, tested))
    for check, name in (("database", "PostgreSQL"), ("broker", "Valkey|Redis")):
        finding = found(stage, check)
        assert (finding.state, bool(finding.fix)) == (state, True)
        assert re.search(
            rf"This is ({name}) [\d.]+; Onbehalf is tested on {tested.start} to {tested.stop - 1}\.",
            finding.said,
        )


def test_no_migration_begins_on_a_server_that_is_too_old(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(servers.TESTED, "PostgreSQL", range(98, 100))
    with pytest.raises(OperatorMisconfigured, match=r"This is PostgreSQL .* Nothing was changed\."):
        pending(stage.runtime.settings.database_url)


def test_a_secret_that_microsoft_refuses_is_a_fault(stage: Stage) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, microsoft_client_secret="wrong")
    assert found(stage, "microsoft").state is State.FAULT


def test_a_secret_that_google_refuses_is_a_fault(stage: Stage) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, google_client_secret="wrong")
    assert found(stage, "google").state is State.FAULT
    assert found(stage, "gmail").state is State.OK


def test_a_google_that_cannot_be_reached_is_a_fault(stage: Stage) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, google_url="http://127.0.0.1:1")
    assert {found(stage, check).state for check in ("google", "gmail")} == {State.FAULT}


def test_a_tenant_that_microsoft_refuses_is_named(stage: Stage) -> None:
    box = stage.tenant_mailbox(stage.world.member())
    assert "tenant" not in {each.check for each in doctor.examine(stage.runtime)}
    stage.emulator.control.app_access(stage.address(box), refusal="7000112")
    stage.check_mailboxes()
    refused = found(stage, "tenant")
    assert refused.state is State.WARNING
    assert "AADSTS7000112" in refused.said


def test_mailboxes_at_google_without_its_settings_are_a_fault(stage: Stage) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, google_client_id="")
    assert "google" not in {each.check for each in doctor.examine(stage.runtime)}
    stage.google_mailbox(stage.world.member())
    fault = found(stage, "google")
    assert (fault.state, "1 mailbox is connected at Google" in fault.said) == (State.FAULT, True)
    # A worker says so too, and goes on with all others.
    (trouble,) = Readiness(stage.world.database, ring=stage.runtime.keys, google=False).examine()
    assert (trouble.said, trouble.stops) == (fault.said, False)
    assert Readiness(stage.world.database, ring=stage.runtime.keys).examine() == ()


def test_a_process_with_other_keys_is_a_fault(stage: Stage) -> None:
    report(stage, ring=KeyRing((bytes(range(32)),)))
    fault = found(stage, "keys")
    assert fault.state is State.FAULT
    assert "has another SECRET_KEYS than this" in fault.said


def test_keys_that_cannot_read_what_is_stored_are_a_fault(stage: Stage) -> None:
    stage.mailbox(stage.world.member())
    stage.runtime.keys = KeyRing((bytes(range(32)),))
    assert "SECRET_KEYS lacks keys" in found(stage, "keys").said
    stage.runtime.keys = KeyRing((KEY,))
    assert found(stage, "keys").state is State.OK


def test_default_addresses_whose_answers_nobody_takes_are_a_fault(stage: Stage, cli: Cli) -> None:
    report(stage)
    database, key_ids = stage.world.database, stage.runtime.keys.ids
    asleep = Heartbeat(database, "inbox", Readiness(database), key_ids=key_ids, on=False)
    asleep.beat()
    assert "INBOX_PORT" in cli("processes").output
    assert found(stage, "processes").state is State.OK  # nobody can answer to one
    with database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "mail.example")
    fault = found(stage, "processes")
    assert (fault.state, "which has no INBOX_PORT, does not take" in fault.said) == (State.FAULT, True)
    assert "Set INBOX_PORT and INBOX_NAME" in fault.fix
    asleep.close()
    assert "no inbox process takes" in found(stage, "processes").said
    Heartbeat(database, "inbox", Readiness(database), key_ids=key_ids).beat()
    assert found(stage, "processes").state is State.OK


def test_an_inbox_that_nobody_serves_is_a_fault(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(stage, "inbox").state is State.SKIPPED
    monkeypatch.setenv("INBOX_PORT", str(free_port()))
    monkeypatch.setenv("INBOX_NAME", "inbox.example.com")
    assert "Connection refused" in found(stage, "inbox").said
