"""The Graph transport against the emulator: the contract of all transports, and what only Graph has."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from domain.connection import Provider
from domain.errors import (
    ConsentMissing,
    DeliveryInDoubt,
    MailboxDisconnected,
    MessageRejected,
    PolicyBlocked,
    RecipientRejected,
    SendingLimitReached,
    Throttled,
)
from domain.send_window import Absence, SendWindow
from lab.emulator.background import Running, running_emulator
from tests.transports.contract import Bench, TraceableContract, letter
from transports.base import AccessToken, Thread
from transports.entra import Entra
from transports.graph import GraphProvider
from transports.providers import PROVIDERS

ADDRESS = "rita@acme.example"
ROUTES = {
    "send": "POST /me/messages/{id}/send",
    "prepare": "POST /me/messages",
    "find": "GET /me/messages",
}


class EntraTokens:
    """A token from the emulator's Entra, a newer one for each challenge."""

    def __init__(self, entra: Entra, refresh_token: str) -> None:
        self._entra, self._refresh_token = entra, refresh_token
        self._held: AccessToken | None = None

    organization = ""

    def token(self, claims: str | None = None) -> AccessToken:
        if self._held is None or claims is not None:
            tokens = self._entra.refresh(
                self._refresh_token, "organizations", scopes=PROVIDERS[Provider.GRAPH].scopes, claims=claims
            )
            self._refresh_token, self._held = tokens.refresh_token, tokens.access_token
        return self._held


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def provider(running: Running) -> Iterator[GraphProvider]:
    made = GraphProvider(running.url)
    yield made
    made.close()


@pytest.fixture
def bench(running: Running, provider: GraphProvider) -> Bench:
    control = running.control
    control.reset()
    control.add_mailboxes({"address": ADDRESS, "name": "Rita Recruiter"})
    control.switch(drafts_delay=0.0)
    entra = Entra("onbehalf", "demo-secret", running.url)
    tokens = EntraTokens(entra, control.refresh_token(ADDRESS))

    def fault(kind: str, **values: Any) -> None:
        control.fault(ROUTES[kind], **values)

    def disconnect() -> None:
        control.revoke(ADDRESS)

    return Bench(
        transport=provider.transport(tokens),
        left=control.ledger,
        sends_seen=lambda: control.stats()["requests"].get(ROUTES["send"], 0),
        fault=fault,
        settle=lambda: time.sleep(0.01),
        disconnect=disconnect,
    )


class TestGraph(TraceableContract):
    """Graph keeps the contract."""


@pytest.mark.parametrize("survives", [True, False])
def test_the_correlation_id_is_found_whether_or_not_ids_survive_the_move(
    running: Running, bench: Bench, survives: bool
) -> None:
    running.control.switch(immutable_id_survives=survives)
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.transport.send(draft)
    bench.settle()
    (found,) = bench.transport.find("correlation_id-1")
    assert not found.is_draft
    assert (found.id == draft.id) is survives
    follow_up = bench.transport.prepare(
        letter(2), "correlation_id-2", Thread("correlation_id-1", "An offer", "")
    )
    assert follow_up.conversation_id == found.conversation_id


def test_accepted_and_still_in_drafts_is_found_as_a_draft(running: Running, bench: Bench) -> None:
    running.control.switch(drafts_delay=60.0)
    bench.transport.send(bench.transport.prepare(letter(), "correlation_id-1", None))
    assert len(bench.left()) == 1
    (found,) = bench.transport.find("correlation_id-1")
    assert found.is_draft


@pytest.mark.parametrize(
    ("second", "accepted"), [("404", False), ("400", None), ("202", True), ("duplicate", True)]
)
def test_a_second_submission_of_one_item_is_never_a_certain_no_of_its_kind(
    running: Running, bench: Bench, second: str, accepted: bool | None
) -> None:
    running.control.switch(second_send=second, drafts_delay=60.0)
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.transport.send(draft)
    if accepted is None:  # Graph's own 400 says that *this* request was not accepted
        with pytest.raises(MessageRejected):
            bench.transport.send(draft)
    elif accepted:
        bench.transport.send(draft)
    else:
        with pytest.raises(DeliveryInDoubt):
            bench.transport.send(draft)


def test_an_expired_access_token_is_renewed_on_the_way(running: Running, bench: Bench) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    running.control.fault(ROUTES["send"], status=401)
    bench.transport.send(draft)
    assert len(bench.left()) == 1
    assert bench.sends_seen() == 2


@pytest.mark.parametrize(
    ("granted", "call"),
    [
        ("User.Read MailboxSettings.Read Mail.ReadWrite", "send"),
        ("User.Read MailboxSettings.Read Mail.Send", "prepare"),
        ("User.Read Mail.ReadWrite Mail.Send", "verify"),
    ],
)
def test_a_missing_scope_is_missing_consent(running: Running, bench: Bench, granted: str, call: str) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    running.control.add_mailboxes({"address": ADDRESS, "granted": granted})
    running.control.fault("*", status=401)  # so that a token with the new scopes is fetched
    calls: dict[str, Callable[[], object]] = {
        "send": lambda: bench.transport.send(draft),
        "prepare": lambda: bench.transport.prepare(letter(), "correlation_id-2", None),
        "verify": bench.transport.verify,
    }
    with pytest.raises(ConsentMissing):
        calls[call]()


@pytest.mark.row("P19")
def test_a_mailbox_outside_exchange_online_cannot_be_connected(running: Running, bench: Bench) -> None:
    running.control.add_mailboxes({"address": ADDRESS, "has_mailbox": False})
    with pytest.raises(MailboxDisconnected):
        bench.transport.verify()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "ErrorInvalidRecipients", RecipientRejected),
        (403, "ErrorExceededMessageLimit", SendingLimitReached),
        (403, "ErrorMessageSubmissionBlocked", PolicyBlocked),
    ],
)
def test_refusals_that_graph_states_are_certain(
    bench: Bench, status: int, code: str, kind: type[Exception]
) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    bench.fault("send", status=status, value={"error": {"code": code, "message": "x"}})
    with pytest.raises(kind):
        bench.transport.send(draft)
    assert bench.left() == []


def test_too_many_at_once_is_throttling_that_names_itself(running: Running, bench: Bench) -> None:
    running.control.switch(latency=0.1, requests_at_once=2)
    bench.transport.find("warm")

    def look(_: int) -> str:
        try:
            bench.transport.find("x")
        except Throttled as error:
            return error.code
        return "found"

    with ThreadPoolExecutor(6) as pool:
        outcomes = set(pool.map(look, range(6)))
    assert outcomes == {"found", "MailboxConcurrency"}


def test_the_settings_of_a_mailbox_are_read_in_our_words(running: Running, bench: Bench) -> None:
    running.control.add_mailboxes({
        "address": ADDRESS,
        "time_zone": "W. Europe Standard Time",
        "working_hours": {
            "daysOfWeek": ["monday", "Tuesday"],
            "startTime": "08:30:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": "W. Europe Standard Time"},
        },
        "automatic_replies": {
            "status": "Scheduled",
            "scheduledStartDateTime": {"dateTime": "2030-03-14T07:00:00.0000000", "timeZone": "UTC"},
            "scheduledEndDateTime": {"dateTime": "2030-03-20T07:00:00.0000000", "timeZone": "UTC"},
        },
    })  # fmt: skip
    facts = bench.transport.verify()
    assert list(facts.addresses) == [ADDRESS]
    assert facts.tenant_id
    assert facts.settings["zone"] == "Europe/Berlin"
    assert facts.settings["purpose"] == "user"
    window = facts.settings["window"]
    assert isinstance(window, dict)
    assert SendWindow.from_json(window).to_json() == window
    assert (window["days"], window["from"], window["to"]) == (["mon", "tue"], "08:30", "17:00")
    absences = facts.settings["absences"]
    assert isinstance(absences, list)
    assert Absence.from_json(absences[0]).starts.isoformat() == "2030-03-14T07:00:00+00:00"


def test_many_emails_at_once_through_one_client(running: Running, bench: Bench) -> None:
    running.control.switch(requests_at_once=100)

    def one(number: int) -> None:
        bench.transport.send(bench.transport.prepare(letter(number), f"correlation_id-{number}", None))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
    assert sorted(email.correlation_id for email in bench.left()) == sorted(
        f"correlation_id-{number}" for number in range(40)
    )
