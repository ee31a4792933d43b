"""Two mailboxes that were connected to one account: the older stays, the other stops and its owners are notified."""

from uuid import UUID

from db.schema.migrate import check, downgrade, upgrade
from lab.stage import Stage


def test_send_path_8_the_second_mailbox_of_an_account_is_stopped_and_told(
    stage: Stage, database_url: str
) -> None:
    owner = stage.world.member()
    first, second = stage.mailbox(owner), stage.mailbox(owner)
    running = stage.world.sequence(owner, second, ("PT1H",))
    stage.world.enroll(running)
    alone = stage.mailbox(owner)
    stage.world.database.close()
    downgrade(database_url, "2026_11_28_identity-1")
    stage.world.run("UPDATE mailboxes SET tenant_id = 't', account_id = 'a' WHERE id <> :id", id=alone)
    stage.world.database.close()
    upgrade(database_url)
    check(database_url)
    found = stage.world.rows("SELECT id, status, status_reason, account_id FROM mailboxes ORDER BY id")
    assert found == [
        (first, "connected", None, "a"),
        (second, "disconnected", "same_account", None),
        (alone, "connected", None, None),
    ]
    assert stage.world.rows("SELECT mailbox_id FROM lanes WHERE open ORDER BY mailbox_id") == [
        (first,),
        (alone,),
    ]
    stage.run_outbox()
    assert stage.world.one("SELECT status FROM sequences") == "paused"
    (title,) = [title for _, channel, title in stage.notices() if channel == "in_app"]
    assert title == f"{stage.address(second)} cannot send"
    assert "belongs to the same Microsoft account" in str(
        stage.world.one("SELECT body FROM notices WHERE channel = 'in_app'")
    )
    stage.check_mailboxes()
    assert stage.world.one("SELECT status FROM mailboxes WHERE id = :id", id=second) == "disconnected"
    assert isinstance(first, UUID)
