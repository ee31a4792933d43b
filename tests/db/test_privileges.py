"""Each process has its own role, and no role may do more than its process needs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from actions import doctor
from actions.doctor import State
from db.audit import retention
from db.audit.retention import Month
from db.core.session import Database, Transaction
from db.schema import privileges
from db.schema.migrate import pending, upgrade
from domain.errors import OperatorMisconfigured
from lab.factories import KEY, World
from lab.stage import Stage
from scheduler import sweeper
from scheduler.retention import keep
from tests.conftest import Servers


@pytest.fixture
def web(url_as: Callable[[str], str]) -> Iterator[Database]:
    database = Database(url_as(privileges.WEB), pool_size=2)
    yield database
    database.close()


@pytest.fixture
def worker(url_as: Callable[[str], str]) -> Iterator[Database]:
    database = Database(url_as(privileges.WORKER), pool_size=4)
    yield database
    database.close()


def refused(database: Database, statement: str, before: str = "SELECT 1") -> None:
    with (
        pytest.raises(DBAPIError, match=r"permission denied|must be (owner|superuser)"),
        database.transaction() as tx,
    ):
        tx.execute(text(before))
        tx.execute(text(statement))


@pytest.mark.parametrize(
    "table",
    [
        "credentials",
        "smtp_settings",
        "candidates",
        "receipts",
        "steps",
        "sequences",
        "audit_entries",
        "grants",
        "outbox",
    ],
)
def test_leaving_the_tenants_role_gains_the_web_process_nothing(
    stage: Stage, web: Database, table: str
) -> None:
    """``RESET ROLE`` inside a transaction, as an injection would do."""
    stage.mailbox(stage.world.member())
    tenant = web.for_tenant(stage.world.organization_id)
    with pytest.raises(DBAPIError, match="permission denied"), tenant.transaction() as tx:
        tx.execute(text("RESET ROLE"))
        tx.execute(text(f"SELECT * FROM {table}"))


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "DROP TABLE members",
        "CREATE TABLE mine (id int)",
        "UPDATE organizations SET tenant_id = 'evil'",
        "UPDATE members SET role = 'owner'",
        "UPDATE members SET email = 'evil@example.org'",
        "SELECT key_hash FROM api_keys, credentials",
        "DELETE FROM audit_entries",
        "SET ROLE onbehalf_worker",
        "SELECT drop_audit_month('audit_entries_2001_01')",
    ],
)
def test_the_web_process_itself_may_do_little(web: Database, statement: str) -> None:
    refused(web, statement)


SEALED = {
    "credentials": ("access_token", "refresh_token", "last_token"),
    "smtp_settings": ("password",),
    "webhooks": ("url", "sealed_url", "secret", "next_secret"),
    "notice_channels": ("sealed_url",),
    "sessions": ("refresh_token",),
}


@pytest.mark.parametrize(("table", "column"), [(table, each) for table in SEALED for each in SEALED[table]])
def test_the_web_process_selects_no_token_or_password(
    stage: Stage, web: Database, table: str, column: str
) -> None:
    """Neither as itself nor for a tenant, nor by asking for what it writes."""
    stage.mailbox(stage.world.member())
    tenant = web.for_tenant(stage.world.organization_id)
    for database in (web, tenant):
        for statement in (
            f"SELECT {column} FROM {table}",
            f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL",
            f"SELECT t FROM {table} t",
            f"UPDATE {table} SET {column} = NULL RETURNING {column}",
            f"UPDATE {table} SET {column} = {column}",
            f"COPY {table} ({column}) TO STDOUT",
        ):
            refused(database, statement)


def test_every_column_that_may_hold_a_secret_is_one_that_web_does_not_select(database: Database) -> None:
    """Encrypted and hashed values are bytes, so somebody has to decide about each new column of bytes."""
    readable = {
        ("api_keys", "key_hash"),
        ("api_keys", "former_hash"),
        ("address_proofs", "code_hash"),
        ("column_mappings", "headers"),  # a digest
        ("idempotency_keys", "request_hash"),
        # For pages: members read what people wrote to them.
        ("incoming_messages", "digest"),
        ("notice_channels", "url_digest"),
        ("incoming_messages", "html"),
        ("incoming_messages", "text"),
        ("incoming_files", "content"),  # pages show them
        ("people_imports", "left_out"),
        ("people_imports", "report"),
        ("sessions", "token_hash"),
        ("sign_ins", "browser_hash"),
        ("sign_ins", "flow"),
        ("sign_ins", "state_hash"),
        ("subscriptions", "key_id"),
        ("suppressions", "address_hash"),
        ("webhooks", "url_code"),
    }
    with database.transaction() as tx:
        found = tx.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND data_type = 'bytea' AND (has_column_privilege('onbehalf_web', table_name, column_name, 'SELECT')"
                "   OR has_column_privilege('onbehalf_tenant', table_name, column_name, 'SELECT'))"
            )
        )
        assert {(row.table_name, row.column_name) for row in found} <= readable


@pytest.fixture
def inbox(url_as: Callable[[str], str]) -> Iterator[Database]:
    database = Database(url_as(privileges.INBOX), pool_size=2)
    yield database
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT raw FROM received_mail",
        "SELECT sender FROM received_mail",
        "UPDATE received_mail SET raw = NULL",
        "DELETE FROM received_mail",
        "INSERT INTO received_mail (id, processed_at) VALUES (gen_random_uuid(), now())",
        "SELECT owner_id FROM mailboxes",
        "UPDATE mailboxes SET address = 'evil@example.org'",
        "SELECT payload FROM outbox",
        "UPDATE outbox SET done_at = now()",
        "SELECT * FROM candidates",
        "SELECT * FROM incoming_messages",
        "SELECT * FROM incoming_files",
        "SELECT * FROM credentials",
        "SELECT * FROM members",
        "SET ROLE onbehalf_worker",
        "SET ROLE onbehalf_tenant",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_inbox_takes_mail_and_reads_none(inbox: Database, statement: str) -> None:
    refused(inbox, statement)


def test_pages_reach_no_mail_that_is_not_processed(stage: Stage, web: Database) -> None:
    tenant = web.for_tenant(stage.world.organization_id)
    for database in (web, tenant):
        refused(database, "SELECT id FROM received_mail")


def test_the_web_process_sees_of_a_tenant_what_that_tenant_sees(stage: Stage, web: Database) -> None:
    other = World(stage.world.database)
    for world in (stage.world, other):
        world.enroll(world.sequence(owner := world.member(), world.mailbox(owner)), 2)
    with web.for_tenant(other.organization_id).transaction() as tx:
        assert tx.execute(text("SELECT count(*) FROM candidates")).scalar_one() == 2
        assert tx.execute(text("SELECT count(*) FROM members")).scalar_one() == 1


def test_a_worker_reads_and_writes_every_organizations_rows(stage: Stage, worker: Database) -> None:
    other = World(stage.world.database)
    for world in (stage.world, other):
        world.enroll(world.sequence(owner := world.member(), world.mailbox(owner)), 2)
    with worker.transaction() as tx:
        assert tx.execute(text("SELECT count(*) FROM candidates")).scalar_one() == 4


def test_every_table_serves_the_workers(worker: Database, database: Database) -> None:
    """A table that a later migration adds is granted too."""
    with database.transaction() as tx:
        tables = (
            tx.execute(
                text(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^audit_entries_'"
                )
            )
            .scalars()
            .all()
        )
    for table in tables:
        with worker.transaction() as tx:
            tx.execute(text(f"SELECT * FROM {table} LIMIT 1"))
    with worker.transaction() as tx:
        walled = tx.execute(
            text("SELECT count(*) FROM pg_class c WHERE relrowsecurity AND NOT EXISTS (SELECT FROM pg_policies p"
                 " WHERE p.tablename = c.relname AND p.policyname = 'worker')")
        ).scalar_one()  # fmt: skip
    assert walled == 0


def test_a_worker_cannot_change_what_is_written_down_for_good(worker: Database) -> None:
    for statement in (
        "UPDATE audit_entries SET actor_name = 'x'",
        "DELETE FROM audit_entries",
        "UPDATE receipts SET sender = 'x'",
        "ALTER TABLE audit_entries DISABLE TRIGGER USER",
        "DROP TABLE audit_entries_default",
        "SELECT drop_audit_month('members')",
    ):
        with (
            pytest.raises(DBAPIError, match=r"permission denied|must be owner|not a month"),
            worker.transaction() as tx,
        ):
            tx.execute(text(statement))


def test_the_scheduler_seals_keeps_months_and_lets_old_ones_go_without_owning_a_table(
    stage: Stage, worker: Database
) -> None:
    world = stage.world
    this = Month.of(datetime.now(UTC))
    world.enroll(world.sequence(owner := world.member(), stage.mailbox(owner)))
    stage.send_due()
    with worker.transaction() as tx:
        retention.prepare_months(tx, this.later(-3).begins)
    sweeper.seal(worker, world.keys.audit)
    sweeper.sweep(worker, None)  # type: ignore[arg-type]  # nothing is due, so nobody is called
    sweeper.tidy(worker)
    sweeper.expire_grants(worker)
    sweeper.plan_checks(worker)
    keep(worker, world.keys.audit, 1)
    with worker.transaction() as tx:
        assert [each for each in retention.months(tx) if each < this.later(-1)] == []


def test_a_worker_sends_and_records_under_its_role(stage: Stage, worker: Database) -> None:
    world = stage.world
    world.enroll(world.sequence(owner := world.member(), stage.mailbox(owner)), 2)
    stage.runtime.database = worker
    stage.send_due()
    stage.run_outbox()
    assert len(stage.left()) == 2
    assert world.states() == {"sent": 2}


def test_the_metrics_role_counts_work_and_sees_nothing_else(
    stage: Stage, url_as: Callable[[str], str]
) -> None:
    stage.world.enroll(stage.world.sequence(owner := stage.world.member(), stage.mailbox(owner)))
    database = Database(url_as(privileges.METRICS), pool_size=1)
    try:
        with database.transaction() as tx:
            assert tx.execute(text("SELECT mailboxes FROM metrics_mailboxes_with_work")).scalar_one() == 1
            assert tx.execute(text("SELECT seconds FROM metrics_reading_lag")).scalar_one() == 0
        refused(database, "SELECT count(*) FROM lanes")
        refused(database, "SELECT count(*) FROM mailbox_reads")
        refused(database, "SELECT count(*) FROM members")
    finally:
        database.close()


@pytest.fixture
def empty(servers: Servers) -> Iterator[str]:
    """A new database whose user may not create roles, on a server with its own users."""
    with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS humble")
        admin.execute("DROP ROLE IF EXISTS humble")
        admin.execute("CREATE ROLE humble LOGIN PASSWORD 'humble'")
        admin.execute("CREATE DATABASE humble OWNER humble")
    yield (
        servers.postgres.url("humble")
        .replace("postgres:", "humble:", 1)
        .replace(servers.postgres.url().split(":")[2].split("@")[0], "humble")
    )
    with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:
        admin.execute("DROP DATABASE humble WITH (FORCE)")
        admin.execute("DROP OWNED BY humble")
        admin.execute("DROP ROLE humble")


def tables(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found: int = connection.execute(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        ).scalar_one()
    engine.dispose()
    return found


def test_a_user_who_may_not_make_roles_hears_what_an_administrator_must_run_and_nothing_was_changed(
    empty: str, servers: Servers
) -> None:
    for act in (pending, upgrade):
        with pytest.raises(OperatorMisconfigured, match="Nothing was changed") as raised:
            act(empty)
        assert tables(empty) == 0
    statements = [
        each for each in str(raised.value).split("run: ")[1].split(" Then")[0].split(";") if each.strip()
    ]
    assert any("onbehalf_tenant TO" in each for each in statements)
    with psycopg.connect(servers.admin_dsn, autocommit=True) as admin:
        for each in statements:
            admin.execute(each.encode())
    assert len(pending(empty).revisions) > 5
    upgrade(empty, secret_keys=(KEY,))
    assert pending(empty).revisions == ()


def test_asking_what_a_migration_would_do_changes_nothing(database_url: str) -> None:
    assert pending(database_url).revisions == ()


def count(tx: Transaction, sql: str) -> int:
    found: int = tx.execute(text(sql)).scalar_one()
    return found


def test_rights_given_by_hand_do_not_outlive_the_next_migration(
    database: Database, database_url: str
) -> None:
    with database.transaction() as tx:
        tx.execute(text("GRANT SELECT ON credentials TO onbehalf_web"))
    upgrade(database_url)
    with database.transaction() as tx:
        assert (
            count(tx, "SELECT CAST(has_table_privilege('onbehalf_web', 'credentials', 'SELECT') AS int)") == 0
        )


def test_members_learn_who_runs_and_not_where(web: Database, world: World) -> None:
    tenant = web.for_tenant(world.organization_id)
    with tenant.transaction() as tx:
        tx.execute(text("SELECT kind, queues, key_ids, works, seen_at, stopped_at FROM processes"))
    for statement in (
        "SELECT host FROM processes",
        "SELECT troubles FROM processes",
        "DELETE FROM processes",
    ):
        refused(tenant, statement)
    refused(web, "UPDATE processes SET key_ids = '{}'")
    refused(web, "DELETE FROM processes")


def test_a_database_in_which_every_role_may_make_tables_is_warned_of_and_the_next_migration_ends_it(
    stage: Stage, url_as: Callable[[str], str]
) -> None:
    ours = stage.runtime.database
    with psycopg.connect(ours.url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    stage.runtime.database = worker = Database(url_as(privileges.WORKER), pool_size=2)
    try:
        (warned,) = (each for each in doctor.examine(stage.runtime) if each.check == "roles")
        assert (warned.state, "Every role may make tables" in warned.said) == (State.WARNING, True)
        upgrade(ours.url)
        (then,) = (each for each in doctor.examine(stage.runtime) if each.check == "roles")
        assert then.state is State.OK
    finally:
        stage.runtime.database = ours
        worker.close()
