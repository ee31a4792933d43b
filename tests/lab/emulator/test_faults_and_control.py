"""Scripted faults, the control API, and a state that is saved and restored."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest

from lab.emulator.background import Running
from lab.emulator.client import ControlError
from lab.emulator.snapshot import restore, snapshot
from lab.emulator.switches import SWITCHES
from lab.emulator.world import World
from tests.lab.emulator.local import MESSAGES, OTTO, RITA, Local, at, code, filtering, letter, marked

SEND = "POST /me/messages/{id}/send"


class Client:
    """Rita's and Otto's HTTP client. The emulator closes connections on it."""

    def __init__(self, emulator: Running, http: httpx.Client) -> None:
        self.control, self.http = emulator.control, http
        self.control.add_mailboxes({"address": RITA}, {"address": OTTO})
        self.tokens = {address: self.sign_in(address).json()["access_token"] for address in (RITA, OTTO)}

    def sign_in(self, address: str) -> httpx.Response:
        form = {"client_secret": "demo-secret", "grant_type": "refresh_token"}
        form["refresh_token"] = self.control.refresh_token(address)
        return self.http.post("/organizations/oauth2/v2.0/token", data=form)

    def __call__(self, verb: str, path: str, body: Any = None, address: str = RITA) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[address]}"}
        return self.http.request(verb, path, json=body, headers=headers)

    def draft(self, address: str = RITA) -> str:
        return at(self("POST", MESSAGES, letter(), address).json(), "/send")

    def left(self) -> int:
        return len(self.control.ledger())


@pytest.fixture
def client(emulator: Running) -> Iterator[Client]:
    with httpx.Client(base_url=emulator.url, trust_env=False, timeout=5) as http:
        yield Client(emulator, http)


@pytest.fixture
def local() -> Iterator[Local]:
    inside = Local()
    yield inside
    inside.runner.close()


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_an_error_may_come_before_or_after_the_effect(
    client: Client, when: str, left: int, status: int
) -> None:
    send = client.draft()
    client.control.fault(SEND, when=when, status=status, headers={"Retry-After": "7"})
    answer = client("POST", send)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert answer.json()["error"]["message"] == "scripted fault"
    assert client.left() == left


def test_an_error_may_carry_a_body_of_ones_own(client: Client) -> None:
    client.control.fault("GET /me", status=401, value={"error": {"code": "Mine"}})
    client.control.fault("GET /me", status=504, body="<h1>Gateway</h1>")
    assert code(client("GET", "/v1.0/me")) == (401, "Mine")
    gateway = client("GET", "/v1.0/me")
    assert (gateway.text, gateway.headers["Content-Type"].split(";")[0]) == ("<h1>Gateway</h1>", "text/html")


def test_an_acceptance_may_carry_retry_after(client: Client) -> None:
    client.control.fault(SEND, when="after", status=202, headers={"Retry-After": "30"})
    answer = client("POST", client.draft())
    assert (answer.status_code, answer.content, answer.headers["Retry-After"]) == (202, b"", "30")
    assert client.left() == 1


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_a_connection_may_break_before_or_after_the_effect(client: Client, when: str, left: int) -> None:
    send = client.draft()
    client.control.fault(SEND, when=when, reset=True)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client("POST", send)
    assert client.left() == left


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_an_answer_may_hang_until_the_client_gives_up(client: Client, when: str, left: int) -> None:
    send = client.draft()
    client.control.fault(SEND, when=when, hang=0.4)
    client.http.timeout = httpx.Timeout(5, read=0.1)
    with pytest.raises(httpx.ReadTimeout):
        client("POST", send)
    assert client.left() == left


def test_a_hanging_connection_breaks_in_the_end(client: Client) -> None:
    client.control.fault("GET /me", hang=0.1)
    started = time.monotonic()
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client("GET", "/v1.0/me")
    assert time.monotonic() - started >= 0.1


def test_an_answer_may_merely_be_late(client: Client) -> None:
    client.control.fault("GET /me", delay=0.1)
    started = time.monotonic()
    assert client("GET", "/v1.0/me").status_code == 200
    assert time.monotonic() - started >= 0.1


def test_in_this_process_a_broken_connection_is_an_error_of_the_client(local: Local) -> None:
    local.control("faults", route="GET /me", reset=True)
    with pytest.raises(ConnectionResetError):
        local("GET", "/v1.0/me")
    assert local("GET", "/v1.0/me").status_code == 200


def test_a_fault_strikes_the_nth_calls_and_counts_them(client: Client) -> None:
    client.control.fault("GET /me", skip=2, times=2, status=503)
    assert [client("GET", "/v1.0/me").status_code for _ in range(6)] == [200, 200, 503, 503, 200, 200]
    (fault,) = client.control.faults()
    assert (fault["seen"], fault["used"]) == (4, 2)


def test_a_fault_strikes_its_mailbox_only(client: Client) -> None:
    client.control.fault(SEND, mailbox=RITA.upper(), status=503)
    assert client("POST", client.draft(OTTO), address=OTTO).status_code == 202
    assert client("POST", client.draft()).status_code == 503


def test_a_fault_strikes_its_route_or_all(client: Client) -> None:
    client.control.fault(SEND, status=503)
    assert client("GET", "/v1.0/me").status_code == 200
    client.control.fault("*", status=502)
    assert client("GET", MESSAGES).status_code == 502
    assert client("POST", client.draft()).status_code == 503


def test_the_token_endpoint_meets_faults_too(client: Client) -> None:
    client.control.fault("POST /token", mailbox=RITA, status=503, value={"error": "temporarily_unavailable"})
    assert client.sign_in(OTTO).status_code == 200
    assert client.sign_in(RITA).status_code == 503
    assert client.sign_in(RITA).status_code == 200


def test_cleared_faults_strike_no_more(client: Client) -> None:
    client.control.fault("*", times=9, status=503)
    client.control.clear_faults()
    assert client.control.faults() == []
    assert client("GET", "/v1.0/me").status_code == 200


@pytest.mark.parametrize(
    ("verb", "path", "body", "text"),
    [
        ("POST", "/switches", {"switches": {"nonsense": 1}}, "no such switch: nonsense"),
        ("POST", "/switches", {"mailbox": "no@x.example", "switches": {}}, "no such mailbox: no@x.example"),
        ("POST", "/switches", {}, "missing or unknown: switches"),
        ("POST", "/mailboxes", {"mailboxes": [{"address": OTTO, "colour": 1}]}, "no field colour"),
        ("POST", "/mailboxes", {"mailboxes": [{"address": OTTO, "refusal": "1"}]}, "no such refusal: 1"),
        ("POST", "/mailboxes", {"mailboxes": [{}]}, "missing or unknown: address"),
        ("POST", "/faults", {"route": "*", "colour": 1}, "a fault has no such field"),
        ("POST", "/faults", {"route": "*"}, "one of status, hang, reset, delay"),
        ("POST", "/faults", {"route": "*", "status": 500, "when": "later"}, "before or after"),
        ("POST", "/refresh-tokens", {"address": "no@x.example"}, "no such mailbox: no@x.example"),
        ("POST", "/deliver", {"mailbox": RITA}, "missing or unknown: from"),
        ("POST", "/explode", {}, "no such verb: POST /_control/explode"),
        ("DELETE", "/ledger", None, "no such verb: DELETE /_control/ledger"),
        ("GET", "/messages", None, "missing or unknown: mailbox"),
    ],
)
def test_a_control_request_that_makes_no_sense_is_refused_in_words(
    client: Client, verb: str, path: str, body: Any, text: str
) -> None:
    answer = client.http.request(verb, f"/_control{path}", json=body)
    assert answer.status_code == 400
    assert text in answer.json()["error"]
    assert client.control.faults() == []


def test_a_control_request_that_is_no_json_is_refused(client: Client) -> None:
    assert client.http.post("/_control/faults", content=b"{").status_code == 400


def test_the_control_client_raises_the_emulators_words(client: Client) -> None:
    with pytest.raises(ControlError, match="no such switch: nonsense; there are copy_delay"):
        client.control.switch(nonsense=True)


def test_an_unknown_path_is_not_found(client: Client) -> None:
    assert client.http.get("/nowhere").status_code == 404


def test_a_switch_of_one_mailbox_goes_before_the_worlds(client: Client) -> None:
    client.control.switch(drafts_delay=60.0)
    client.control.switch(mailbox=OTTO, drafts_delay=0.0)
    for address in (RITA, OTTO):
        client("POST", client.draft(address), address=address)
    folders = [client.control.messages(address)[0]["folder"] for address in (RITA, OTTO)]
    assert folders == ["drafts", "sentitems"]


def test_a_reset_forgets_everything(client: Client, emulator: Running) -> None:
    client("POST", client.draft())
    client.control.fault("*", status=500)
    client.control.reset()
    stats = client.control.stats()
    assert (stats["requests"], stats["accepted_total"], client.left()) == ({}, 0, 0)
    assert (client.control.faults(), emulator.world.switches) == ([], SWITCHES)
    assert client("GET", "/v1.0/me").status_code == 401


def test_stats_count_requests_and_acceptances_by_route_and_mailbox(client: Client) -> None:
    client.draft()
    client("POST", client.draft())
    stats = client.control.stats()
    assert stats["requests"] == {"POST /token": 2, "POST /me/messages": 2, SEND: 1}
    assert (stats["accepted_total"], {key: len(value) for key, value in stats["accepted"].items()}) == (
        1,
        {RITA: 1},
    )
    assert stats["folders"] == {"inbox": 0, "drafts": 1, "sentitems": 1, "deleteditems": 0}
    assert (stats["in_flight"], stats["violations"]) == (0, [])


def test_an_owner_may_delete_an_item_and_receive_an_email(client: Client) -> None:
    send = client.draft()
    (item,) = client.control.messages(RITA)
    assert [client.control.delete(RITA, item["id"]) for _ in range(2)] == [True, False]
    assert client("POST", send).status_code == 404
    delivered = client.control.deliver(
        RITA, **{"from": "anna@example.org", "subject": "Yes", "body": "Gladly"}
    )
    received = client("GET", at(delivered)).json()
    assert (received["subject"], received["isDraft"], received["isRead"]) == ("Yes", False, False)
    assert received["from"]["emailAddress"]["address"] == "anna@example.org"


def test_the_ledger_can_be_read_from_an_entry_on(client: Client) -> None:
    for _ in range(3):
        client("POST", client.draft())
    assert [each.seq for each in client.control.ledger(since=1)] == [2, 3]


def revived(world: World) -> World:
    """As after a stop and a start: through JSON."""
    value = orjson.loads(orjson.dumps(snapshot(world)))
    again = World()
    restore(again, value, list(world.ledger))
    return again


def without_times(value: Any) -> Any:
    """Ages differ by the time in between, and the counter grows with each snapshot."""
    if isinstance(value, dict):
        times = ("accepted_at", "copied_at", "expires_at", "next_id")
        return {
            key: key if key in times and each is not None else without_times(each)
            for key, each in value.items()
        }
    return [without_times(each) for each in value] if isinstance(value, list) else value


def test_a_restored_world_equals_the_one_put_away(local: Local) -> None:
    local.switch(drafts_delay=60.0)
    local.control("switches", mailbox=OTTO, switches={"latency": 0.5})
    local.control("mailboxes", mailboxes=[{"address": OTTO, "refusal": "50076", "working_hours": {"a": 1}}])
    local.send(local.draft(marked()))
    local.send(local.draft(letter(subject="Late")))
    local("POST", at(local.draft(), "/permanentDelete"))
    again = revived(local.world)
    assert without_times(snapshot(again)) == without_times(snapshot(local.world))
    assert again.ledger == local.world.ledger
    assert len(again.mailboxes[RITA].moving) == 2


def test_a_restored_world_goes_on_where_it_stopped(local: Local) -> None:
    local.switch(drafts_delay=60.0, copy_delay=60.0)
    draft = local.draft(marked())
    local.send(draft)
    other = Local()
    other.world.__dict__.update(vars(revived(local.world)))
    other.token = local.token
    assert (other.ledger(), [each["isDraft"] for each in other.listed(**filtering())]) == ([], [True])
    other.switch(drafts_delay=0.0, copy_delay=0.0)
    assert [each["correlation_id"] for each in other.ledger()] == ["key-1"]
    assert [each["id"] for each in other.listed("sentitems")] == [draft["id"]]
    assert other.draft()["id"] not in local.world.mailboxes[RITA].messages
    other.runner.close()
