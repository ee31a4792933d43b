"""Two mailboxes that were connected to one account: the older stays, the other stops and its owners are notified."""

from db.schema.migrate import check, downgrade, upgrade
from lab.access_records import Lane, Mailbox
from lab.records import Notice, Sequence
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
    stage.put(Mailbox, [first, second], tenant_id="t", account_id="a")
    stage.world.database.close()
    upgrade(database_url)
    check(database_url)
    found = [(each.id, each.status, each.status_reason, each.account_id) for each in stage.all(Mailbox)]
    assert found == [
        (first, "connected", None, "a"),
        (second, "disconnected", "same_account", None),
        (alone, "connected", None, None),
    ]
    assert [each.mailbox_id for each in stage.all(Lane, open=True)] == [first, alone]
    stage.run_outbox()
    assert stage.only(Sequence).status == "paused"
    (title,) = [each.title for each in stage.notices(channel="in_app")]
    assert title == f"{stage.address(second)} cannot send"
    assert "belongs to the same Microsoft account" in stage.only(Notice, channel="in_app").body
    stage.check_mailboxes()
    assert stage.only(Mailbox, second).status == "disconnected"
