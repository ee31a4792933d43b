"""What an installation had before organizations were kept further apart continues afterwards, also after a downgrade."""

from uuid import uuid4

import psycopg
import pytest

from db.schema.migrate import downgrade, upgrade

BEFORE, REVISION = "2026_11_21_ended_grants", "2026_11_28_tenants"


@pytest.fixture
def connection(database_url: str) -> psycopg.Connection[tuple[object, ...]]:
    downgrade(database_url, BEFORE)
    return psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True)


def test_what_is_in_use_goes_on_and_comes_back(
    database_url: str, connection: psycopg.Connection[tuple[object, ...]]
) -> None:
    acme, globex, initech, used, written, hook = (uuid4() for _ in range(6))
    with connection as sql:
        for each, name in ((acme, "Acme"), (globex, "Globex"), (initech, "Initech")):
            sql.execute(
                "INSERT INTO organizations (id, name, time_zone) VALUES (%s, %s, 'UTC')", (each, name)
            )
        sql.execute(
            "INSERT INTO mailboxes (id, organization_id, address, provider, status, connection_version, connected_at)"
            " VALUES (%s, %s, 'jobs@acme.example', 'smtp', 'connected', 3, now())",
            (used, acme),
        )
        sql.execute(
            "INSERT INTO mailboxes (id, organization_id, address, provider) VALUES (%s, %s, 'x@globex.example', 'graph')",
            (written, globex),
        )
        for box, organization in ((used, acme), (written, globex)):
            sql.execute(
                "INSERT INTO lanes (mailbox_id, organization_id) VALUES (%s, %s)", (box, organization)
            )
        sql.execute(
            "INSERT INTO webhooks (id, organization_id, url, secret) VALUES (%s, %s, 'https://hooks.acme.example:8443/x?y', 'z')",
            (hook, acme),
        )
        upgrade(database_url, REVISION)
        assert sql.execute(
            "SELECT organization_id, domain, known_by FROM organization_domains"
        ).fetchall() == [(acme, "acme.example", "earlier")]
        assert sql.execute("SELECT mailbox_id, proven_at IS NOT NULL FROM address_proofs").fetchall() == [
            (used, True)
        ]
        assert sql.execute("SELECT url, host FROM webhooks").fetchall() == [
            ("https://hooks.acme.example:8443/x?y", "hooks.acme.example:8443")
        ]
        # Now another organization lists the same address, which the old schema does not accept.
        twice = uuid4()
        sql.execute(
            "INSERT INTO mailboxes (id, organization_id, address, provider) VALUES (%s, %s, 'jobs@acme.example', 'graph')",
            (twice, initech),
        )
        sql.execute("INSERT INTO lanes (mailbox_id, organization_id) VALUES (%s, %s)", (twice, initech))
        downgrade(database_url, BEFORE)
        left = sql.execute("SELECT id FROM mailboxes ORDER BY address").fetchall()
        assert left == [(used,), (written,)]
        upgrade(database_url, REVISION)
