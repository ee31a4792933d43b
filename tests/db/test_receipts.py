"""On whose authority an email left, and whether anybody has changed the record since."""

from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from db.audit import audit, audit_chain
from domain.audit import digest
from lab.records import AuditEntry, Receipt
from lab.stage import Stage


@pytest.fixture
def sent(stage: Stage) -> UUID:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member()
    box = stage.mailbox(hans)
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box))
    stage.send_due()
    return stage.only(Receipt).delivery_id


def seal_all(stage: Stage) -> None:
    with stage.world.database.transaction() as tx:
        while audit_chain.seal(tx, stage.world.keys.audit):
            pass


def breaks(stage: Stage) -> tuple[int | None, int]:
    organization_id = stage.world.organization_id
    with stage.world.database.transaction() as tx:
        broken_at = audit_chain.verify(tx, stage.world.keys.audit, organization_id).broken_at
        return broken_at, audit.broken_receipts(tx, organization_id)


def without_triggers(stage: Stage, table: str, sql: str) -> None:
    """Act as a superuser of the database. We cannot stop one, only show what they did."""
    stage.world.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    stage.world.run(sql)
    stage.world.run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_a_receipt_matches_the_digest_in_the_audit_trail(stage: Stage, sent: UUID) -> None:
    with stage.world.database.transaction() as tx:
        assert audit.receipt_digest(tx, sent) == digest(audit.receipt_as_signed(tx, sent))
    seal_all(stage)
    assert breaks(stage) == (None, 0)


@pytest.mark.parametrize("table", ["receipts", "audit_entries"])
@pytest.mark.parametrize("how", ["DELETE FROM {}", "UPDATE {} SET organization_id = organization_id"])
def test_receipts_and_audit_entries_cannot_be_changed(stage: Stage, sent: UUID, table: str, how: str) -> None:
    seal_all(stage)
    with pytest.raises(DBAPIError):
        stage.world.run(how.format(table))


@pytest.mark.parametrize(
    ("table", "tamper"),
    [
        pytest.param("receipts", "UPDATE receipts SET sender = 'else@acme.example'", id="altered"),
        pytest.param(
            "audit_entries", "DELETE FROM audit_entries WHERE action = 'email_sent'", id="without its entry"
        ),
    ],
)
def test_a_receipt_that_the_audit_trail_does_not_bear_out_shows(
    stage: Stage, sent: UUID, table: str, tamper: str
) -> None:
    without_triggers(stage, table, tamper)
    assert breaks(stage)[1] == 1


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE audit_entries SET actor_name = 'nobody' WHERE position = 1",
        "UPDATE audit_entries SET data = '{}' WHERE position = 1",
        "UPDATE audit_entries SET at = at - interval '1 microsecond' WHERE position = 1",
        "DELETE FROM audit_entries WHERE position = 1",
    ],
)
def test_an_altered_or_missing_entry_breaks_the_chain_where_it_stood(
    stage: Stage, sent: UUID, tamper: str
) -> None:
    for n in range(3):
        with stage.world.database.transaction() as tx:
            audit.write(tx, stage.world.organization_id, "test", "noted", f"note:{n}", {"n": n})
    seal_all(stage)
    without_triggers(stage, "audit_entries", tamper)
    assert breaks(stage)[0] == 1


def test_two_sealers_at_once_make_one_chain(stage: Stage) -> None:
    for n in range(50):
        with stage.world.database.transaction() as tx:
            audit.write(tx, stage.world.organization_id, "test", "noted", f"note:{n}", {"n": n})
    with stage.world.database.transaction() as one:
        assert audit_chain.seal(one, stage.world.keys.audit, limit=20) == 20
        with stage.world.database.transaction() as other:
            assert audit_chain.seal(other, stage.world.keys.audit) == 0, "only one may seal at a time"
    seal_all(stage)
    assert breaks(stage) == (None, 0)
    assert [each.position for each in stage.all(AuditEntry)] == list(range(1, 51))
