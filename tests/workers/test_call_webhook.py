"""Webhooks: told of each pause, signed, again after a failure, and never led into our own network."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import UUID

import pytest

from actions import webhooks, withdraw
from db import credentials
from db.crypto import KeyRing
from domain.errors import InvalidInput, NotFound, NotPermitted
from domain.webhooks import signature
from tests.factories import KEY, World
from tests.stage import Stage


@dataclass
class Receiver:
    """Another program. ``statuses`` are its next answers; then 204."""

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
            """Nothing."""

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
    assert [each["name"] for each in told["data"]["paused"]] == [
        stage.world.one("SELECT name FROM sequences")
    ]
    assert headers["webhook-id"] == str(stage.world.one("SELECT id FROM events"))
    assert headers["webhook-signature"] == signature(
        secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body
    )
    assert headers["content-type"] == "application/json"
    assert stage.world.rows("SELECT state, attempts, answer FROM webhook_calls") == [("taken", 1, "204")]


def test_connections_are_told_too_and_other_organizations_hear_nothing(
    stage: Stage, receiver: Receiver, paused: UUID
) -> None:
    other = World(stage.world.database)
    webhooks.add_webhook(stage.runtime, other.organization_id, receiver.url, actor="Somebody")
    box = UUID(str(stage.world.one("SELECT id FROM mailboxes")))
    withdraw.disconnect_mailbox(stage.runtime, box, actor="Hans")
    stage.run_outbox()
    assert receiver.calls == []
    add(stage, receiver)
    stage.give_token(box)
    stage.world.run("UPDATE mailboxes SET status_reason = 'sign_in_expired'")
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
    assert stage.world.rows("SELECT state, answer FROM webhook_calls") == [("given_up", "500")]
    assert [headers.get("host") for headers, _ in receiver.calls].count(receiver.url.split("/")[2]) == 6


def test_a_receiver_that_comes_back_is_told(stage: Stage, receiver: Receiver, paused: UUID) -> None:
    receiver.statuses = [503]
    add(stage, receiver)
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    stage.run_outbox()
    assert len(receiver.calls) == 2
    assert stage.world.rows("SELECT state, attempts FROM webhook_calls") == [("taken", 2)]


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
    assert stage.world.rows("SELECT * FROM webhooks") == []


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "169.254.169.254", "[::1]", "2130706433", "nowhere.invalid"]
)
def test_a_webhook_into_our_own_network_is_refused(stage: Stage, host: str) -> None:
    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    with pytest.raises(InvalidInput, match="open internet"):
        webhooks.add_webhook(stage.runtime, stage.world.organization_id, f"https://{host}/", actor="Olga")
    assert stage.world.rows("SELECT * FROM webhooks") == []


def test_a_name_that_leads_inside_later_is_not_called(stage: Stage, receiver: Receiver, paused: UUID) -> None:
    add(stage, receiver)
    stage.runtime.settings = replace(stage.runtime.settings, graph_url="https://graph.microsoft.com")
    stage.world.run("UPDATE webhooks SET url = 'https://localhost:1/'")
    withdraw.revoke_grant(stage.runtime, paused, actor="Hans")
    stage.run_outbox()
    assert stage.world.rows("SELECT state, answer FROM webhook_calls") == [("given_up", "private_address")]


def test_the_secret_is_kept_encrypted_and_five_are_enough(stage: Stage, receiver: Receiver) -> None:
    _, secret = add(stage, receiver)
    assert secret.startswith("whsec_")
    assert secret.encode() not in bytes(stage.world.one("SELECT secret FROM webhooks"))  # type: ignore[call-overload]
    assert secret not in str(stage.world.rows("SELECT * FROM audit_entries"))
    ring = KeyRing((b"n" * 32, KEY))
    with stage.world.database.transaction() as tx:
        assert credentials.rotate_keys(tx, ring, 100).left == 0
    with pytest.raises(NotPermitted, match="already"):
        add(stage, receiver)
    for number in range(4):
        webhooks.add_webhook(
            stage.runtime, stage.world.organization_id, f"{receiver.url}&{number}", actor="Olga"
        )
    with pytest.raises(NotPermitted, match="5 webhooks"):
        webhooks.add_webhook(stage.runtime, stage.world.organization_id, f"{receiver.url}&6", actor="Olga")
