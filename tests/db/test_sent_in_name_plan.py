"""What others sent from a mailbox is read by the index of each permission, however much it was."""

from sqlalchemy import text

from db.core.statements import CATALOGUE
from lab.records import Receipt
from lab.stage import Stage


def test_pages_of_fifty_read_the_index_however_much_was_sent(stage: Stage) -> None:
    world = stage.world
    hans, rita = world.member("Hans Okafor"), world.member("Rita Berger")
    box = stage.mailbox(hans)
    world.grant(box, rita)
    world.enroll(world.sequence(rita, box), 1)
    stage.send_due()
    one = stage.only(Receipt).delivery_id
    rows = 20_000
    stage.world.run("ALTER TABLE receipts DROP CONSTRAINT fk_receipts_delivery")
    stage.world.run(
        "INSERT INTO receipts SELECT (x.r).* FROM (SELECT jsonb_populate_record(r, jsonb_build_object('delivery_id', gen_random_uuid(),"
        " 'accepted_at', r.accepted_at - n * interval '1 minute')) AS r FROM receipts r, generate_series(1, CAST(:rows AS int)) n"
        " WHERE r.delivery_id = :id) x",
        id=one,
        rows=rows,
    )
    stage.world.run("ANALYZE receipts")
    values = {"mailbox_ids": [box], "grant_id": None, "before": None, "limit": 51}
    with stage.web_database.for_tenant(stage.world.organization_id).transaction() as tx:
        for name, given in (
            ("sent", values),
            ("counts", {"mailbox_ids": [box], "zone": "UTC", "most": 1000}),
        ):
            found = CATALOGUE[f"views.sent_in_name.{name}"].text
            plan = "\n".join(
                line for (line,) in tx.execute(text(f"EXPLAIN (ANALYZE, BUFFERS) {found}"), given)
            )
            assert "Seq Scan on receipts" not in plan, plan
            assert "ix_receipts_grant" in plan, plan
            assert "rows=20000" not in plan, plan
