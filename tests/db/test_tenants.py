"""Postgres itself keeps organizations apart: whatever a query forgets, nobody sees or changes another's rows."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from actions import withdraw
from db.core import measurements
from db.core.ids import new_id
from db.core.session import Database, Transaction
from db.mailboxes import senders
from db.schema import delivery_models, import_models, models
from db.schema.access_models import smtp_settings
from db.views import lookups
from lab.factories import World
from lab.stage import Stage
from tests.web.visitor import made_operator

assert {
    delivery_models.deliveries.metadata,
    smtp_settings.metadata,
    import_models.people_imports.metadata,
} == {models.metadata}
OF_TENANTS = [
    table.name
    for table in models.metadata.sorted_tables
    if "organization_id" in table.c or table.name == "organizations"
]
HIDDEN = {"channel_notices", "received_mail"}  # of tenants, whom a page does not even show their own rows


def filled(stage: Stage, world: World) -> None:
    """Rows of one organization in as many tables as a few actions touch."""
    hans, rita = world.member("Hans Holder"), world.member("Rita Recruiter")
    box = world.mailbox(hans)
    world.grant(box, rita)
    world.enroll(world.sequence(rita, box, ("PT0S",)), 2)
    with world.database.transaction() as tx:
        senders.ensure_default(tx, world.organization_id, f"{world.organization_id.hex[-8:]}.example")
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    stage.run_outbox()


@pytest.fixture
def other(stage: Stage) -> World:
    """Another organization in the same database."""
    return World(stage.world.database)


@pytest.fixture
def both(stage: Stage, other: World) -> World:
    for world in (stage.world, other):
        filled(stage, world)
    return other


@pytest.fixture
def tenant(stage: Stage) -> Iterator[Transaction]:
    with stage.world.database.for_tenant(stage.world.organization_id).transaction() as tx:
        yield tx


def owner_column(table: str) -> str:
    return "id" if table == "organizations" else "organization_id"


def count(tx: Transaction, table: str, condition: str = "true", **values: object) -> int:
    found: int = tx.execute(text(f"SELECT count(*) FROM {table} WHERE {condition}"), values).scalar_one()
    return found


def denied(tx: Transaction, table: str) -> bool:
    try:
        with tx.begin_nested():
            count(tx, table)
    except DBAPIError as error:
        assert "permission denied" in str(error)
        return True
    return False


@pytest.mark.usefixtures("both")
def test_a_query_without_a_condition_finds_ones_own_rows_only(
    stage: Stage, other: World, tenant: Transaction
) -> None:
    met = 0
    for table in OF_TENANTS:
        with stage.world.database.transaction() as tx:
            mine = count(tx, table, f"{owner_column(table)} = :id", id=stage.world.organization_id)
            theirs = count(tx, table, f"{owner_column(table)} = :id", id=other.organization_id)
        if table in HIDDEN:
            assert denied(tenant, table), table
        else:
            assert count(tenant, table) == mine, table
        met += bool(theirs)
    assert met >= 14  # of so many tables the other organization has rows to be hidden
    names = {row["organization"] for row in lookups.listing(tenant, "mailbox")}
    assert names == {f"Organization {stage.world.organization_id}"}


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("table", OF_TENANTS)
def test_nobody_changes_or_deletes_anothers_rows(
    stage: Stage, other: World, tenant: Transaction, table: str
) -> None:
    column = owner_column(table)
    for statement in (
        f"UPDATE {table} SET {column} = {column} WHERE {column} = :id",
        f"DELETE FROM {table} WHERE {column} = :id",
    ):
        try:
            with tenant.begin_nested():
                changed = tenant.execute(text(statement), {"id": other.organization_id}).rowcount
        except DBAPIError as error:
            assert "permission denied" in str(error)
            changed = 0
        assert changed == 0


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM outbox",
        "UPDATE outbox SET done_at = now()",
        "SELECT payload FROM outbox",
        "SELECT * FROM sign_ins",
        "DELETE FROM sign_ins",
        "UPDATE sign_ins SET member_id = NULL",
        "UPDATE audit_chains SET position = 0",
        "DELETE FROM audit_chains",
        "INSERT INTO audit_chains (organization_id, key_id, seal) SELECT id, '', '' FROM organizations",
        "UPDATE audit_entries SET data = '{}'",
        "DELETE FROM audit_entries",
        "DELETE FROM credentials",
        "UPDATE credentials SET mailbox_id = mailbox_id",
        "UPDATE organizations SET tenant_id = 'evil'",
        "DELETE FROM organizations",
        "UPDATE events SET payload = '{}'",
        "DELETE FROM receipts",
        "SELECT * FROM inbox",
        "SELECT make_audit_month('audit_entries_2001_01', NULL, NULL)",
        "SELECT drop_audit_month('audit_entries_2001_01')",
        "TRUNCATE members",
        "ALTER TABLE members DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE mine (id int)",
    ],
)
def test_what_no_page_does_an_injection_cannot_do_either(tenant: Transaction, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        tenant.execute(text(statement))


def test_nobody_erases_a_person_of_another(stage: Stage, other: World, tenant: Transaction) -> None:
    (theirs,) = other.candidates(1)
    with pytest.raises(DBAPIError, match="permission denied"):
        tenant.execute(
            text("SELECT forget_person(:organization, :candidate, 'x@y.example')"),
            {"organization": other.organization_id, "candidate": theirs},
        )


def test_nobody_writes_rows_for_another(stage: Stage, other: World, tenant: Transaction) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        tenant.execute(
            text(
                "INSERT INTO members (id, organization_id, name, email, role) VALUES (:id, :o, 'x', 'x@y.example', 'member')"
            ),
            {"id": new_id(), "o": other.organization_id},
        )


def test_nobody_moves_ones_own_rows_to_another(stage: Stage, other: World, tenant: Transaction) -> None:
    member = stage.world.member()
    with pytest.raises(DBAPIError, match="row-level security"):
        tenant.execute(
            text("UPDATE members SET organization_id = :o WHERE id = :id"),
            {"o": other.organization_id, "id": member},
        )


def test_partitions_are_no_way_around(tenant: Transaction) -> None:
    partition = tenant.execute(
        text(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_entries'::regclass LIMIT 1"
        )
    ).scalar_one()
    with pytest.raises(DBAPIError, match="permission denied"):
        tenant.execute(text(f"SELECT 1 FROM {partition}"))


@pytest.mark.usefixtures("both")
def test_without_an_organization_there_is_nothing(database: Database) -> None:
    with database.transaction() as tx:
        tx.execute(text("SELECT set_config('role', 'onbehalf_tenant', true)"))
        assert {table for table in OF_TENANTS if denied(tx, table)} == HIDDEN
        assert [table for table in OF_TENANTS if table not in HIDDEN and count(tx, table)] == []


def test_a_connection_comes_back_as_it_was(stage: Stage, other: World) -> None:
    database = Database(stage.runtime.settings.database_url, pool_size=1)
    try:
        with database.for_tenant(other.organization_id).transaction() as tx:
            assert count(tx, "organizations") == 1
        with database.for_tenant(other.organization_id).statement() as tx:
            assert count(tx, "organizations") == 1
        with database.transaction() as tx:
            assert count(tx, "organizations") == 2
            assert tx.execute(text("SELECT current_user")).scalar_one() != "onbehalf_tenant"
    finally:
        database.close()


def test_every_table_of_tenants_has_its_policy(database: Database) -> None:
    """A table that a later migration adds is noticed here."""
    with database.transaction() as tx:
        kept = set(
            tx.execute(
                text(
                    "SELECT c.relname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
                    " WHERE c.relrowsecurity AND p.polroles = ARRAY['onbehalf_tenant'::regrole::oid]"
                )
            ).scalars()
        )
    assert kept == {*OF_TENANTS, "measurements"}  # of all, for organizations that have an operator


def test_a_withdrawal_by_a_member_works_within_these_walls(stage: Stage) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grant = UUID(str(stage.world.grant(box, rita)))
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)), 2)
    runtime = stage.runtime.for_tenant(stage.world.organization_id)
    assert withdraw.revoke_grant(runtime, grant, actor="Hans").stopped == 2
    stage.run_outbox()
    assert stage.world.one("SELECT status FROM sequences") == "paused"


def test_only_organizations_with_an_operator_read_how_the_installation_stands(
    stage: Stage, other: World
) -> None:
    made_operator(stage, stage.world.member())
    with stage.world.database.transaction() as tx:
        measurements.keep(tx, {"due": 7}, {})
    met = {}
    for world in (stage.world, other):
        with stage.web_database.for_tenant(world.organization_id).transaction() as tx:
            met[world.organization_id] = count(tx, "measurements")
    assert met == {stage.world.organization_id: 1, other.organization_id: 0}


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO operators SELECT id, organization_id, account_id, 1 FROM members",
        "UPDATE operators SET account_id = 'mine'",
        "DELETE FROM operators",
        "UPDATE measurements SET figures = '{}'",
    ],
)
def test_no_page_makes_an_operator_or_measures(stage: Stage, statement: str) -> None:
    for database in (stage.web_database, stage.web_database.for_tenant(stage.world.organization_id)):
        with pytest.raises(DBAPIError, match="permission denied"), database.transaction() as tx:
            tx.execute(text(statement))
