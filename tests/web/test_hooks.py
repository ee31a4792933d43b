"""Microsoft's notifications: the handshake, what proves one, and that it only makes us check."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
import structlog

from actions import withdraw
from db.core.crypto import KeyRing
from db.core.session import database_now
from db.mailboxes import subscriptions
from lab.access_records import Mailbox, Subscription
from lab.listening_records import MailboxRead
from lab.records import Delivery
from lab.stage import Stage
from lab.tables import ago, ahead
from workers import subscribe


@pytest.fixture
def box(stage: Stage, site: str) -> UUID:
    """A mailbox whose changes are sent to the running web process."""
    stage.runtime.settings = replace(stage.runtime.settings, public_url=site)
    box = stage.mailbox(stage.world.member("Hans Holder"))
    stage.check_mailboxes()
    return box


def post(site: str, notices: object) -> int:
    return httpx.post(f"{site}/hooks/microsoft", json=notices, trust_env=False).status_code


def proof(stage: Stage, box: UUID) -> str:
    return subscriptions.client_state(stage.runtime.web_keys, box)


@pytest.fixture
def asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What this process asks the database from now on, by whatever way; no worker runs beside it."""
    stage.leave()
    for each in (stage.world.database, stage.web_database):
        with each.transaction() as tx:  # SQLAlchemy's first connection asks who the server is
            database_now(tx)
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def note(cursor: psycopg.Cursor[Any], query: Any, *rest: Any, **options: Any) -> psycopg.Cursor[Any]:
        if query:  # not the pool's look whether a connection that has rested is alive
            asked.append(str(query))
        return execute(cursor, query, *rest, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", note)
    return asked


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def read_at_the_latest(stage: Stage, moment: datetime) -> bool:
    """Whether the mailbox is to be read by then."""
    planned = stage.only(MailboxRead).next_read_at
    return planned is not None and planned <= moment


def test_a_checked_mailbox_is_subscribed_once_and_renewed_before_it_ends(stage: Stage, box: UUID) -> None:
    first = stage.only(Subscription, folder="sent").subscription_id
    stage.check_mailboxes()
    assert stage.only(Subscription, folder="sent").subscription_id == first
    stage.put(Subscription, expires_at=ahead(days=1))
    stage.check_mailboxes()
    assert stage.only(Subscription, folder="sent").expires_at > ahead(days=5)
    assert stage.only(Subscription, folder="sent").subscription_id == first
    stage.put(Subscription, expires_at=ago(days=1))
    stage.check_mailboxes()
    assert stage.only(Subscription, folder="sent").subscription_id != first


@pytest.mark.parametrize("event", ["subscriptionRemoved", "reauthorizationRequired", "missed"])
def test_a_lifecycle_event_has_the_mailbox_checked_now(stage: Stage, box: UUID, event: str) -> None:
    stage.put(Mailbox, checked_at=ago(minutes=1))
    stage.emulator.control._call("POST", "/lifecycle", {"mailbox": stage.address(box), "event": event})
    wait_for(lambda: stage.only(Mailbox).checked_at is None)
    # Each of the two subscriptions has a notification of its own.
    wait_for(lambda: stage.count(Subscription) == (2 if event == "missed" else 0))
    stage.check_mailboxes()
    assert stage.count(Subscription) == 2


def test_a_new_item_in_the_inbox_only_moves_the_next_reading_forward(stage: Stage, box: UUID) -> None:
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S", "PT1H")))
    stage.send_due()
    stage.read(box)
    stage.later(30)
    before = stage.only(MailboxRead)
    assert before.next_read_at is not None
    assert before.next_read_at > ahead(minutes=1)
    stage.emulator.control.newsletters(stage.address(box), 1)
    wait_for(lambda: read_at_the_latest(stage, ago()))
    hinted = stage.only(MailboxRead)
    assert (hinted.watermark, hinted.read_as_of, hinted.round) == (
        before.watermark,
        before.read_as_of,
        before.round,
    )
    assert hinted.hinted_at is not None
    # Hints neither push a reading back, nor begin with a mailbox that has nobody to hear from.
    stage.put(MailboxRead, next_read_at=ago(hours=1))
    known = stage.only(Subscription, folder="inbox").subscription_id
    hint = {"value": [{"subscriptionId": known, "clientState": proof(stage, box)}]}
    assert post(stage.runtime.settings.public_url, hint) == 202
    assert read_at_the_latest(stage, ago(minutes=59))
    stage.put(MailboxRead, next_read_at=None)
    assert post(stage.runtime.settings.public_url, hint) == 202
    assert stage.only(MailboxRead).next_read_at is None


def test_a_new_item_in_sent_items_has_doubt_looked_into_now(stage: Stage, box: UUID) -> None:
    stage.emulator.control.fault("POST /me/messages/{id}/send", when="after", reset=True, times=1)
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)))
    stage.send_due()
    stage.put(Delivery, where={"state": "in_doubt"}, due_at=ahead(hours=1))
    stage.emulator.control.messages(stage.address(box))  # the item has moved to Sent Items
    wait_for(lambda: stage.only(Delivery, state="in_doubt").due_at <= ago())
    stage.look()
    assert stage.only(Delivery).state == "sent"


def test_what_does_not_prove_itself_changes_nothing(stage: Stage, site: str, box: UUID) -> None:
    known = stage.only(Subscription, folder="sent").subscription_id
    forged = subscriptions.client_state(KeyRing((b"x" * 32,)), box)
    before = stage.everything(Mailbox, Subscription)
    for notice in (
        {"subscriptionId": known, "clientState": "guessed", "lifecycleEvent": "subscriptionRemoved"},
        {"subscriptionId": known, "lifecycleEvent": "subscriptionRemoved"},
        {"subscriptionId": "another", "clientState": "x"},
        {"subscriptionId": known, "clientState": forged, "lifecycleEvent": "subscriptionRemoved"},
        {
            "subscriptionId": known,
            "clientState": proof(stage, uuid4()),
            "lifecycleEvent": "subscriptionRemoved",
        },
        {
            "subscriptionId": "former",
            "clientState": proof(stage, box),
            "lifecycleEvent": "subscriptionRemoved",
        },
        {"subscriptionId": known, "clientState": "é.x", "lifecycleEvent": "subscriptionRemoved"},
        {"subscriptionId": 7, "clientState": ["x"], "lifecycleEvent": {}},
        {"subscriptionId": "\x00", "clientState": "\x00"},
        "no notice",
    ):
        assert post(site, {"value": [notice]}) == 202
    junk: object
    for junk in (None, [], {"value": 3}, {"value": None}, "x"):
        assert post(site, junk) == 202
    assert stage.everything(Mailbox, Subscription) == before


def test_forgeries_cost_no_database_at_all_and_one_line_in_the_log(
    stage: Stage, site: str, box: UUID, asked: list[str]
) -> None:
    forged = [{"subscriptionId": str(uuid4()), "clientState": f"{uuid4().hex}.guess"} for _ in range(1000)]
    asked.clear()
    with structlog.testing.capture_logs() as logs:
        assert post(site, {"value": forged}) == 202
    assert asked == []
    counted = [(each["event"], each["count"]) for each in logs if "count" in each]
    assert counted == [("notifications_ignored", 1000)]


def test_whoever_sends_many_that_prove_nothing_is_not_read_to_the_end(
    stage: Stage, site: str, box: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = stage.only(Subscription, folder="sent").subscription_id
    genuine = {"subscriptionId": known, "clientState": proof(stage, box)}
    forged = [{"subscriptionId": str(uuid4()), "clientState": f"{uuid4().hex}.guess"} for _ in range(1000)]
    read: list[str] = []
    proven = subscriptions.proven

    def note(keys: KeyRing, state: str) -> UUID | None:
        read.append(state)
        return proven(keys, state)

    monkeypatch.setattr(subscriptions, "proven", note)
    with structlog.testing.capture_logs() as logs:
        assert post(site, {"value": [*forged[:15], genuine, *forged]}) == 202
    assert len(read) == 21
    assert {each["event"]: each["count"] for each in logs if "count" in each} == {
        "notifications_taken": 1,
        "notifications_ignored": 1015,
    }


def test_one_request_is_one_statement_however_many_notifications_it_brings(
    stage: Stage, site: str, box: UUID, asked: list[str]
) -> None:
    known = stage.only(Subscription, folder="sent").subscription_id
    genuine = {"subscriptionId": known, "clientState": proof(stage, box)}
    former = [{**genuine, "subscriptionId": str(uuid4())} for _ in range(300)]
    asked.clear()
    with structlog.testing.capture_logs() as logs:
        assert post(site, {"value": [genuine] * 200 + former}) == 202
    assert len(asked) == 1
    assert {each["event"]: each["count"] for each in logs if "count" in each} == {
        "notifications_taken": 1,
        "notifications_ignored": 300,
    }


def test_a_subscription_that_an_older_key_proves_is_made_anew(stage: Stage, box: UUID) -> None:
    first = stage.only(Subscription, folder="sent").subscription_id
    stage.runtime.keys = KeyRing((b"n" * 32, *stage.runtime.settings.secret_keys))
    before = KeyRing(stage.world.keys.web_keys())
    assert subscriptions.proven(stage.runtime.web_keys, subscriptions.client_state(before, box)) == box
    stage.check_mailboxes()
    assert stage.only(Subscription, folder="sent").subscription_id != first
    assert stage.count(Subscription, folder="sent") == 1


def chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize("count", [1, 400])
def test_notifications_arrive_chunked_or_not_and_large(
    stage: Stage, site: str, box: UUID, count: int
) -> None:
    known = stage.only(Subscription, folder="sent").subscription_id
    notice = {
        "subscriptionId": known,
        "clientState": proof(stage, box),
        "resource": "x" * 150,
        "lifecycleEvent": "missed",
    }
    body = json.dumps({"value": [notice] * count}).encode()
    for content in (body, chunks(body)):
        stage.put(Mailbox, checked_at=ago(minutes=1))
        answer = httpx.post(f"{site}/hooks/microsoft", content=content, trust_env=False)
        assert answer.status_code == 202
        assert stage.only(Mailbox).checked_at is None


def test_too_large_a_body_is_refused_chunked_or_not(site: str, box: UUID) -> None:
    for content in (b"x" * 300_000, chunks(b"x" * 300_000)):
        answer = httpx.post(f"{site}/hooks/microsoft", content=content, trust_env=False)
        assert answer.status_code == 413


@pytest.mark.parametrize("content", [None, iter([b""])])
def test_the_handshake_may_be_chunked(site: str, content: Iterator[bytes] | None) -> None:
    answer = httpx.post(
        f"{site}/hooks/microsoft", params={"validationToken": "abc"}, content=content, trust_env=False
    )
    assert (answer.status_code, answer.text) == (200, "abc")


def test_the_handshake_gives_the_token_back_as_plain_text(site: str, box: UUID) -> None:
    token = "<script>alert(1)</script> & more"
    answer = httpx.post(f"{site}/hooks/microsoft", params={"validationToken": token}, trust_env=False)
    assert answer.text == token
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_disconnected_mailbox_is_listened_to_no_more(stage: Stage, box: UUID) -> None:
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    assert stage.count(Subscription) == 0


def test_where_microsoft_cannot_reach_us_everything_goes_on(stage: Stage, box: UUID) -> None:
    stage.remove(Subscription)
    stage.runtime.settings = replace(stage.runtime.settings, public_url="http://localhost:1")
    stage.check_mailboxes()
    assert stage.count(Subscription) == 0
    assert stage.only(Mailbox).status == "connected"
    assert subscribe.HOOK == "/hooks/microsoft"
