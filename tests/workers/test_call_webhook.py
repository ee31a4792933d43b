"""Webhooks: sent for each pause, signed, repeated after a failure, and never led into our own network."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import UUID

import pytest
import standardwebhooks

from actions import webhooks, withdraw
from db.core.crypto import KeyRing
from db.core.ids import new_id
from db.events import events, outbox
from db.events import webhooks as db_webhooks
from db.events.webhooks import MAX_CALLS, Busy, Webhook
from db.mailboxes import credentials
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.jobs import CallWebhook, CheckMailbox
from domain.webhooks import signature
from lab import access_records
from lab.access_records import Mailbox, Member, WebhookCall
from lab.factories import KEY, World
from lab.records import AuditEntry, Event, OutboxJob, Sequence
from lab.stage import _BODIES, Stage
from lab.tables import PRESENT, ago
from scheduler import sweeper


@dataclass
class Receiver:
    """Another program. ``statuses`` are its next answers, then 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = made.statuses.pop(0) if made.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", made.url + "elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/hook?a=b"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def paused(stage: Stage) -> UUID:
    """Hans has a mailbox that Rita's sequence sends from; returns its grant."""
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    grant = stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box, ("P1D",)))
    return UUID(str(grant))


def add(stage: Stage, receiver: Receiver) -> tuple[UUID, str]:
    return webhooks.add_webhook(stage.runtime, stage.world.organization_id, receiver.url, actor="Olga")


def test_a_pause_is_told_once_signed_with_what_it_paused(
    stage: Stage, receiver: Receiver, paused: UUID
) -> None:
    _, secret = add(stage, receiver)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans Holder")
    stage.run_outbox()
    stage.run_outbox()
    ((headers, body),) = receiver.calls
    told = json.loads(body)
    assert told["type"] == "permission.ended"
    assert told["data"]["actor"] == "Hans Holder"
    assert [each["name"] for each in told["data"]["paused"]] == [stage.only(Sequence).name]
    assert headers["webhook-id"] == str(stage.only(Event).id)
    assert headers["webhook-signature"] == signature(
        secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body
    )
    assert headers["content-type"] == "application/json"
    call = stage.only(WebhookCall)
    assert (call.state, call.attempts, call.answer) == ("taken", 1, "204")


def test_a_member_is_named_where_one_has_left_and_nowhere_else(stage: Stage) -> None:
    hans, rita = stage.world.member("Hans Holder"), stage.world.member("Rita Recruiter")
    box = stage.mailbox(hans)
    stage.world.enroll(stage.world.sequence(rita, box))
    stage.send_due()  # the gate notices first that she has no permission
    assert "member_id" not in _payload(stage, "GrantMissing")
    stage.world.grant(box, rita)
    stage.world.enroll(stage.world.sequence(rita, box))
    stage.put(Member, rita, active=False, deactivated_at=ago())
    stage.send_due()
    told = _payload(stage, "MemberDeactivated")
    assert (told["member_id"], told["person"]) == (str(rita), "Rita Recruiter")


def _payload(stage: Stage, kind: str) -> Mapping[str, object]:
    """What webhooks get for the one event of this kind."""
    event_id = stage.only(Event, kind=kind).id
    with stage.world.database.transaction() as tx:
        event = events.load(tx, event_id)
        assert event is not None
        return db_webhooks.payload(tx, event)


def test_connections_are_told_too_and_other_organizations_hear_nothing(
    stage: Stage, receiver: Receiver, paused: UUID
) -> None:
    other = World(stage.world.database)
    webhooks.add_webhook(stage.runtime, other.organization_id, receiver.url, actor="Somebody")
    box = stage.only(Mailbox).id
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    stage.run_outbox()
    assert receiver.calls == []
    add(stage, receiver)
    stage.give_token(box)
    stage.put(Mailbox, status_reason="sign_in_expired")
    stage.check_mailboxes()
    assert [json.loads(body)["type"] for _, body in receiver.calls] == ["mailbox.connected"]


def test_a_failed_call_is_made_again_and_given_up_in_the_end(
    stage: Stage, receiver: Receiver, paused: UUID
) -> None:
    receiver.statuses = [500, 302, 404, 503, 500, 500, 500]
    add(stage, receiver)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    stage.run_outbox()
    assert len(receiver.calls) == 6  # the first and five more
    assert len({headers["webhook-id"] for headers, _ in receiver.calls}) == 1
    call = stage.only(WebhookCall)
    assert (call.state, call.answer) == ("given_up", "500")
    assert [headers.get("host") for headers, _ in receiver.calls].count(receiver.url.split("/")[2]) == 6


def test_a_receiver_that_comes_back_is_told(stage: Stage, receiver: Receiver, paused: UUID) -> None:
    receiver.statuses = [503]
    add(stage, receiver)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    stage.run_outbox()
    assert len(receiver.calls) == 2
    call = stage.only(WebhookCall)
    assert (call.state, call.attempts) == ("taken", 2)


def test_a_removed_webhook_hears_nothing_more(stage: Stage, receiver: Receiver, paused: UUID) -> None:
    webhook, _ = add(stage, receiver)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    organization = stage.world.organization_id
    webhooks.remove_webhook(stage.runtime, organization, webhook, actor="Olga")
    stage.run_outbox()
    assert receiver.calls == []
    with pytest.raises(NotFound):
        webhooks.remove_webhook(stage.runtime, organization, webhook, actor="Olga")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/x", "ftp://hooks.example", "https://", "https://user@hooks.example/", "https://hooks.example/#x", "x",
        "https://hooks.example:0/", "https://hooks.example:x/", "https://hooks.exa mple/", "https://hooks.example/\r\nX: y",
        "https://ünï.example/", "https://hooks.example/" + "x" * 2000, "//hooks.example", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_called_is_refused(stage: Stage, url: str) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    with pytest.raises(InvalidInput) as raised:
        webhooks.add_webhook(stage.runtime, stage.world.organization_id, url, actor="Olga")
    assert raised.value.where == "url"
    assert stage.count(access_records.Webhook) == 0


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "169.254.169.254", "[::1]", "2130706433", "nowhere.invalid"]
)
def test_a_webhook_into_our_own_network_is_refused(stage: Stage, host: str) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    with pytest.raises(InvalidInput, match="open internet"):
        webhooks.add_webhook(stage.runtime, stage.world.organization_id, f"https://{host}/", actor="Olga")
    assert stage.count(access_records.Webhook) == 0


def test_a_name_that_leads_inside_later_is_not_called(stage: Stage, receiver: Receiver, paused: UUID) -> None:
    add(stage, receiver)
    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    stage.put(access_records.Webhook, url="https://localhost:1/", sealed_url=None)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    stage.run_outbox()
    call = stage.only(WebhookCall)
    assert (call.state, call.answer) == ("given_up", "private_address")


def test_the_secret_is_kept_encrypted_and_five_are_enough(stage: Stage, receiver: Receiver) -> None:
    _, secret = add(stage, receiver)
    assert secret.startswith("whsec_")
    assert secret.encode() not in stage.only(access_records.Webhook).secret
    assert secret not in str(stage.everything(AuditEntry))
    ring = KeyRing((b"n" * 32, KEY))
    with stage.world.database.transaction() as tx:
        assert credentials.rotate_keys(tx, ring, 100).left == 0
    stage.runtime.keys = ring
    with pytest.raises(NotPermitted, match="already"):
        add(stage, receiver)
    for number in range(4):
        webhooks.add_webhook(
            stage.runtime, stage.world.organization_id, f"{receiver.url}&{number}", actor="Olga"
        )
    with pytest.raises(NotPermitted, match="5 webhooks"):
        webhooks.add_webhook(stage.runtime, stage.world.organization_id, f"{receiver.url}&6", actor="Olga")


def test_an_independent_library_verifies_what_is_told(stage: Stage, receiver: Receiver, paused: UUID) -> None:
    _, secret = add(stage, receiver)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    stage.run_outbox()
    ((headers, body),) = receiver.calls
    assert standardwebhooks.Webhook(secret).verify(body, headers) == json.loads(body)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(body.replace(b"Hans", b"Rita"), headers)


def test_the_url_is_kept_encrypted_and_no_dump_or_audit_entry_shows_it(
    stage: Stage, receiver: Receiver
) -> None:
    add(stage, receiver)
    kept = stage.only(access_records.Webhook)
    host = receiver.url.split("/")[2]
    assert (kept.url, kept.host) == (None, host)
    assert kept.sealed_url is not None
    assert b"hook?a=b" not in kept.sealed_url
    assert stage.only(AuditEntry, action="webhook_added").data == {"host": host}


def test_urls_of_an_earlier_release_are_sealed_and_called_meanwhile(
    stage: Stage, receiver: Receiver, paused: UUID
) -> None:
    add(stage, receiver)
    stage.put(access_records.Webhook, url=receiver.url, sealed_url=None)
    with pytest.raises(NotPermitted, match="already"):
        add(stage, receiver)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    stage.run_outbox()
    assert len(receiver.calls) == 1
    sweeper.seal_urls(stage.world.database, stage.runtime.keys)
    webhook = stage.only(access_records.Webhook)
    assert (webhook.url, webhook.sealed_url is None) == (None, False)
    with pytest.raises(NotPermitted, match="already"):
        add(stage, receiver)


def leases(stage: Stage) -> int:
    now = ago()
    return sum(
        each.lease_until > now for each in stage.all(WebhookCall, lease_until=PRESENT) if each.lease_until
    )


def begin(stage: Stage, webhook: UUID, event: UUID) -> tuple[Webhook, int] | Busy | None:
    with stage.world.database.transaction() as tx:
        return db_webhooks.begin_call(tx, stage.runtime.keys, webhook, event)


def test_one_event_is_called_once_at_a_time_and_few_of_one_organization(
    stage: Stage, receiver: Receiver
) -> None:
    hooks = [
        webhooks.add_webhook(stage.runtime, stage.world.organization_id, f"{receiver.url}&{n}", actor="Olga")[
            0
        ]
        for n in range(4)
    ]
    event = new_id()
    assert isinstance(begin(stage, hooks[0], event), tuple)
    assert begin(stage, hooks[0], event) is Busy.CALLED
    assert isinstance(begin(stage, hooks[1], event), tuple)
    assert begin(stage, hooks[2], event) is Busy.ORGANIZATION
    assert leases(stage) == MAX_CALLS
    other = World(stage.world.database)
    theirs, _ = webhooks.add_webhook(stage.runtime, other.organization_id, receiver.url, actor="Somebody")
    assert isinstance(begin(stage, theirs, event), tuple)  # nobody waits for another organization's receivers
    stage.put(WebhookCall, lease_until=ago(seconds=1))
    again = begin(stage, hooks[0], event)
    assert isinstance(again, tuple)
    webhook, attempt = again
    assert attempt == 2
    with stage.world.database.transaction() as tx:
        # The first caller returns after all. Its lease is over, so the second one's answer counts.
        assert not db_webhooks.end_call(tx, webhook.id, event, 1, "taken", "200")
        assert db_webhooks.end_call(tx, webhook.id, event, 2, "taken", "200")
    assert begin(stage, hooks[0], event) is None


def test_many_at_once_are_no_more_than_may(stage: Stage, receiver: Receiver) -> None:
    hook, _ = add(stage, receiver)
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: begin(stage, hook, new_id()), range(16)))
    assert sum(isinstance(each, tuple) for each in begun) == MAX_CALLS
    assert begun.count(Busy.ORGANIZATION) == 16 - MAX_CALLS


def test_a_call_that_finds_no_room_waits_and_costs_no_attempt(
    stage: Stage, receiver: Receiver, paused: UUID
) -> None:
    hook, _ = add(stage, receiver)
    for _ in range(MAX_CALLS):
        begin(stage, hook, new_id())
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    with stage.world.database.transaction() as tx:
        rows = outbox.take_unpublished(tx)
    while rows:
        for row in rows:
            _BODIES[row.actor](stage.runtime, row.id)
        with stage.world.database.transaction() as tx:
            rows = outbox.take_unpublished(tx)
    assert receiver.calls == []
    stage.put(WebhookCall, lease_until=None)
    stage.run_outbox()
    assert len(receiver.calls) == 1
    assert stage.only(WebhookCall, state="taken").attempts == 1


def test_a_crowd_of_calls_keeps_no_other_job_waiting(stage: Stage) -> None:
    """The relay takes a limited number of rows per round, those of webhooks last."""
    with stage.world.database.transaction() as tx:
        for _ in range(30):
            outbox.put(tx, CallWebhook(new_id(), new_id()))
        stage.put(OutboxJob, available_at=ago(hours=1))
        outbox.put(tx, CheckMailbox(new_id(), "1"))
    with stage.world.database.transaction() as tx:
        rows = outbox.take_unpublished(tx, 10)
    assert [row.queue for row in rows].count("reconcile") == 1
    assert {row.queue for row in rows} == {"reconcile", "webhooks"}
