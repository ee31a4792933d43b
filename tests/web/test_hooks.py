"""Microsoft's notifications: the handshake, what proves one, and that all it does is to make us look."""

import time
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from actions import withdraw
from tests.stage import Stage
from workers import subscribe


@pytest.fixture
def box(stage: Stage, site: str) -> UUID:
    """A mailbox whose changes are told to the web process that runs."""
    stage.runtime.settings = replace(stage.runtime.settings, public_url=site)
    box = stage.mailbox(stage.world.member("Hans Holder"))
    stage.check_mailboxes()
    return box


def post(site: str, notices: object) -> int:
    return httpx.post(f"{site}/hooks/microsoft", json=notices, trust_env=False).status_code


def wait_for(stage: Stage, question: str) -> None:
    until = time.monotonic() + 10
    while not stage.world.one(question):
        assert time.monotonic() < until, question
        time.sleep(0.05)


def test_a_checked_mailbox_is_subscribed_once_and_renewed_before_it_ends(stage: Stage, box: UUID) -> None:
    first = stage.world.one("SELECT subscription_id FROM subscriptions")
    stage.check_mailboxes()
    assert stage.world.rows("SELECT subscription_id FROM subscriptions") == [(first,)]
    stage.world.run("UPDATE subscriptions SET expires_at = now() + interval '1 day'")
    stage.check_mailboxes()
    assert stage.world.one("SELECT expires_at > now() + interval '5 days' FROM subscriptions")
    assert stage.world.one("SELECT subscription_id FROM subscriptions") == first
    stage.world.run("UPDATE subscriptions SET expires_at = now() - interval '1 day'")
    stage.check_mailboxes()
    assert stage.world.one("SELECT subscription_id FROM subscriptions") != first


@pytest.mark.parametrize("event", ["subscriptionRemoved", "reauthorizationRequired", "missed"])
def test_a_lifecycle_event_has_the_mailbox_checked_now(stage: Stage, box: UUID, event: str) -> None:
    stage.world.run("UPDATE mailboxes SET checked_at = now() - interval '1 minute'")
    stage.emulator.control._call("POST", "/lifecycle", {"mailbox": stage.address(box), "event": event})
    wait_for(stage, "SELECT checked_at IS NULL FROM mailboxes")
    assert bool(stage.world.rows("SELECT * FROM subscriptions")) == (event == "missed")
    stage.check_mailboxes()
    assert len(stage.world.rows("SELECT * FROM subscriptions")) == 1


def test_a_new_item_in_sent_items_has_doubt_looked_into_now(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="after", reset=True, times=1)
    owner = UUID(str(stage.world.one("SELECT owner_id FROM mailboxes")))
    stage.world.enroll(stage.world.sequence(owner, box, ("PT0S",)))
    stage.send_due()
    stage.world.run("UPDATE deliveries SET due_at = now() + interval '1 hour' WHERE state = 'reconciling'")
    stage.emulator.control.messages(stage.address(box))  # the item has moved to Sent Items
    wait_for(stage, "SELECT due_at <= now() FROM deliveries WHERE state = 'reconciling'")
    stage.look()
    assert stage.world.one("SELECT state FROM deliveries") == "sent"


def test_what_does_not_prove_itself_changes_nothing(stage: Stage, site: str, box: UUID) -> None:
    known = stage.world.one("SELECT subscription_id FROM subscriptions")
    before = stage.world.rows("SELECT * FROM mailboxes"), stage.world.rows("SELECT * FROM subscriptions")
    for notice in (
        {"subscriptionId": known, "clientState": "guessed", "lifecycleEvent": "subscriptionRemoved"},
        {"subscriptionId": known, "lifecycleEvent": "subscriptionRemoved"},
        {"subscriptionId": "another", "clientState": "x"},
        {"subscriptionId": 7, "clientState": ["x"], "lifecycleEvent": {}},
        {"subscriptionId": "\x00", "clientState": "\x00"},
        "no notice",
    ):
        assert post(site, {"value": [notice]}) == 202
    junk: object
    for junk in (None, [], {"value": 3}, {"value": None}, "x"):
        assert post(site, junk) == 202
    assert (
        stage.world.rows("SELECT * FROM mailboxes"),
        stage.world.rows("SELECT * FROM subscriptions"),
    ) == before


def test_too_large_a_body_is_refused(site: str, box: UUID) -> None:
    assert httpx.post(f"{site}/hooks/microsoft", content=b"x" * 300_000, trust_env=False).status_code == 413


def test_the_handshake_gives_the_token_back_as_plain_text(site: str, box: UUID) -> None:
    token = "<script>alert(1)</script> & more"
    answer = httpx.post(f"{site}/hooks/microsoft", params={"validationToken": token}, trust_env=False)
    assert answer.text == token
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_disconnected_mailbox_is_listened_to_no_more(stage: Stage, box: UUID) -> None:
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert stage.world.rows("SELECT * FROM subscriptions") == []


def test_where_microsoft_cannot_reach_us_everything_goes_on(stage: Stage, box: UUID) -> None:
    stage.world.run("DELETE FROM subscriptions")
    stage.runtime.settings = replace(stage.runtime.settings, public_url="http://localhost:1")
    stage.check_mailboxes()
    assert stage.world.rows("SELECT * FROM subscriptions") == []
    assert stage.world.one("SELECT status FROM mailboxes") == "connected"
    assert subscribe.HOOK == "/hooks/microsoft"
