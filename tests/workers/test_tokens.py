"""One refresh for many deliveries, none that restores a disconnected mailbox, and no token older than its row."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs
from uuid import UUID

import pytest
import structlog

from app import tokens as tokens_module
from app.tokens import StoredTokens
from db.core.crypto import Unreadable
from db.core.session import Database, database_now
from db.mailboxes import credentials
from db.mailboxes.credentials import Credential, SealedToken
from domain.connection import Provider
from domain.errors import (
    ConsentMissing,
    MailboxDisconnected,
    OperatorMisconfigured,
    ProviderUnavailable,
    RefusalUnexplained,
    Throttled,
)
from lab.access_records import Credentials
from lab.factories import World
from lab.tables import ago
from tests.transports.odd_server import OddServer, Reply, Request, http, odd_server
from transports.entra import Entra
from transports.google import MODIFY, Google
from transports.providers import PROVIDERS

SCOPES = (
    "https://graph.microsoft.com/Mail.ReadWrite Mail.Send https://graph.microsoft.com/MailboxSettings.Read"
)
ASKED = PROVIDERS[Provider.GRAPH].scopes

REFUSED = http(400, {"error": "invalid_grant", "error_codes": [50173]})


class StrictEntra:
    """A token endpoint that accepts each refresh token once, stricter than Entra, to notice every second refresh."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.valid = "refresh-0"
        self.issued = 0
        self.asked: list[dict[str, str]] = []
        self.on_refresh: Callable[[], None] = lambda: None
        self.reply: Reply | None = None

    def __call__(self, request: Request) -> Reply:
        if request.method == "GET":
            base = "https://login.microsoftonline.com/organizations/oauth2/v2.0"
            return http(
                200, {"authorization_endpoint": f"{base}/authorize", "token_endpoint": f"{base}/token"}
            )
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        with self.lock:
            self.asked.append(form)
            self.on_refresh()
            if self.reply is not None:
                return self.reply
            if form["refresh_token"] != self.valid:
                return REFUSED
            self.issued += 1
            self.valid = f"refresh-{self.issued}"
            answer = {"access_token": f"access-{self.issued}", "refresh_token": self.valid}
            return http(200, {**answer, "expires_in": 3600, "scope": SCOPES, "token_type": "Bearer"})


@pytest.fixture
def endpoint() -> StrictEntra:
    return StrictEntra()


@pytest.fixture
def server(endpoint: StrictEntra) -> Iterator[OddServer]:
    with odd_server(endpoint) as running:
        yield running


@pytest.fixture
def entra(server: OddServer) -> Iterator[Entra]:
    made = Entra("client", "secret", server.url)
    yield made
    made.close()


@pytest.fixture
def mailbox_id(world: World) -> UUID:
    return world.mailbox(world.member(), refresh_token="refresh-0")


@pytest.fixture
def source(world: World, entra: Entra, mailbox_id: UUID) -> Callable[[], StoredTokens]:
    return lambda: StoredTokens(world.database, world.keys, entra, mailbox_id, ASKED)


def store(
    world: World, mailbox_id: UUID, lasts: timedelta, *, access: str = "stored", refresh: str = "refresh-0"
) -> None:
    with world.database.transaction() as tx:
        credentials.store_connected(
            tx, world.keys, world.organization_id, mailbox_id,
            access_token=access, expires_at=database_now(tx) + lasts, refresh_token=refresh,
        )  # fmt: skip


def row(world: World, mailbox_id: UUID) -> Credential:
    with world.database.transaction() as tx:
        loaded = credentials.load(tx, world.keys, mailbox_id)
    assert loaded is not None
    return loaded


def erase(world: World, mailbox_id: UUID) -> None:
    with world.database.transaction() as tx:
        credentials.erase(tx, mailbox_id)


Source = Callable[[], StoredTokens]


def test_a_token_that_lasts_is_used(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    store(world, mailbox_id, timedelta(minutes=7))
    assert source().token().value == "stored"
    assert endpoint.asked == []


@pytest.mark.parametrize(
    "lasts", [timedelta(minutes=3, seconds=50), timedelta(seconds=30), -timedelta(hours=1)]
)
def test_a_token_that_ends_soon_is_renewed_in_time(
    world: World, source: Source, mailbox_id: UUID, lasts: timedelta
) -> None:
    store(world, mailbox_id, lasts)
    assert source().token().value == "access-1"
    stored = row(world, mailbox_id)
    assert (stored.access_token, stored.refresh_token) == ("access-1", "refresh-1")


def claimed(world: World, mailbox_id: UUID) -> SealedToken:
    """The row's access token as a claim reads it."""
    stored = world.only(Credentials, mailbox_id)
    assert stored.access_token is not None
    assert stored.access_expires_at is not None
    return SealedToken(
        world.organization_id, stored.access_token, stored.access_expires_at, datetime.now(UTC)
    )


def test_the_token_that_came_with_the_delivery_serves_it_and_is_read_again_later(
    world: World, entra: Entra, mailbox_id: UUID, endpoint: StrictEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "HELD_FOR", 2.0)
    store(world, mailbox_id, timedelta(minutes=7))
    token = claimed(world, mailbox_id)
    tokens = StoredTokens(world.database, world.keys, entra, mailbox_id, ASKED, token=token)
    assert tokens.token().value == "stored"
    assert endpoint.asked == []
    erase(world, mailbox_id)
    time.sleep(2.1)
    with pytest.raises(MailboxDisconnected):
        tokens.token()


def test_a_token_that_came_with_the_delivery_and_ends_soon_is_renewed(
    world: World, entra: Entra, mailbox_id: UUID
) -> None:
    store(world, mailbox_id, timedelta(minutes=3, seconds=50))
    token = claimed(world, mailbox_id)
    assert (
        StoredTokens(world.database, world.keys, entra, mailbox_id, ASKED, token=token).token().value
        == "access-1"
    )


def test_a_token_that_came_with_the_delivery_and_was_refused_is_not_given_again(
    world: World, entra: Entra, mailbox_id: UUID
) -> None:
    store(world, mailbox_id, timedelta(minutes=7))
    tokens = StoredTokens(
        world.database, world.keys, entra, mailbox_id, ASKED, token=claimed(world, mailbox_id)
    )
    assert [tokens.token().value, tokens.token("{}").value, tokens.token().value] == [
        "stored",
        "access-1",
        "access-1",
    ]


def test_another_mailboxs_token_cannot_be_read(world: World, entra: Entra, mailbox_id: UUID) -> None:
    store(world, mailbox_id, timedelta(minutes=7))
    other = world.mailbox(world.member(), refresh_token="refresh-1")
    tokens = StoredTokens(world.database, world.keys, entra, other, ASKED, token=claimed(world, mailbox_id))
    with pytest.raises(Unreadable):
        tokens.token()


def test_a_mailbox_that_never_had_an_access_token_gets_one(source: Source) -> None:
    assert source().token().value == "access-1"


def test_two_hundred_deliveries_at_an_expired_token_refresh_once(
    source: Source, endpoint: StrictEntra
) -> None:
    endpoint.on_refresh = lambda: time.sleep(0.3)
    with ThreadPoolExecutor(200) as pool:
        got = list(pool.map(lambda _: source().token().value, range(200)))
    assert set(got) == {"access-1"}
    assert len(endpoint.asked) == 1


def test_many_mailboxes_refresh_side_by_side_on_a_small_pool(
    world: World, database_url: str, server: OddServer
) -> None:
    boxes = [world.mailbox(world.member(), refresh_token=f"refresh-{number}") for number in range(12)]
    answer = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "token_type": "Bearer"}
    script = server.script

    def slow(request: Request) -> Reply:
        if request.method == "GET":
            return script(request)
        time.sleep(0.1)
        return http(200, answer)

    server.script = slow
    entra = Entra("client", "secret", server.url)
    database = Database(database_url, pool_size=5)  # fewer than flights, readers and deliveries together
    with ThreadPoolExecutor(36) as pool:
        sources = [StoredTokens(database, world.keys, entra, box, ASKED) for box in boxes * 3]
        assert {token.value for token in pool.map(StoredTokens.token, sources)} == {"a"}
    database.close()
    entra.close()
    assert len([request for request in server.requests if request.method == "POST"]) == 12


def test_while_one_refreshes_the_others_use_what_still_lasts(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    store(world, mailbox_id, timedelta(minutes=2))
    entered, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        go_on.wait(60)

    endpoint.on_refresh = wait
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(source().token)
        assert entered.wait(60)
        assert source().token().value == "stored"
        assert not first.done()
        go_on.set()
        assert first.result().value == "access-1"


def test_who_waits_too_long_gives_the_delivery_back(
    source: Source, endpoint: StrictEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "WAIT_FOR_OTHERS", 0.3)
    entered, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        go_on.wait(60)

    endpoint.on_refresh = wait
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(source().token)
        assert entered.wait(60)
        with pytest.raises(ProviderUnavailable) as raised:
            source().token()
        assert raised.value.code == "refresh_busy"
        go_on.set()
        assert first.result().value == "access-1"


def test_a_refresh_that_races_a_disconnect_never_resurrects_it(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    waited: list[float] = []

    def disconnect() -> None:
        started = time.monotonic()
        erase(world, mailbox_id)
        waited.append(time.monotonic() - started)

    endpoint.on_refresh = disconnect
    with pytest.raises(MailboxDisconnected):
        source().token()
    stored = row(world, mailbox_id)
    assert (stored.access_token, stored.refresh_token) == (None, None)
    assert waited[0] < 1  # the disconnect did not wait for Entra


def test_disconnects_at_any_moment_of_many_refreshes_stand(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    for round_number in range(10):
        store(world, mailbox_id, -timedelta(hours=1), refresh=endpoint.valid)
        with ThreadPoolExecutor(9) as pool:
            flights = [pool.submit(source().token) for _ in range(8)]
            time.sleep(round_number * 0.003)
            erase(world, mailbox_id)
            for flight in flights:
                error = flight.exception()
                assert error is None or isinstance(error, MailboxDisconnected)
        stored = row(world, mailbox_id)
        assert (stored.access_token, stored.refresh_token) == (None, None)
        with pytest.raises(MailboxDisconnected):
            source().token()


def test_a_reconnect_during_a_refresh_wins(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    endpoint.on_refresh = lambda: store(
        world, mailbox_id, timedelta(hours=1), access="reconnected", refresh="new"
    )
    assert source().token().value == "reconnected"
    assert row(world, mailbox_id).refresh_token == "new"


def test_an_old_refresh_token_that_was_replaced_meanwhile_is_no_disconnect(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    def replace() -> None:
        # Another process, whose lock was lost with its connection, refreshed while this request was on its way.
        endpoint.on_refresh = lambda: None
        endpoint.valid = "refresh-elsewhere"
        store(world, mailbox_id, -timedelta(hours=1), refresh="refresh-elsewhere")

    endpoint.on_refresh = replace
    assert source().token().value == "access-1"
    assert [form["refresh_token"] for form in endpoint.asked] == ["refresh-0", "refresh-elsewhere"]


def test_a_refused_refresh_token_is_a_disconnect_asked_once(source: Source, endpoint: StrictEntra) -> None:
    endpoint.reply = REFUSED
    with pytest.raises(MailboxDisconnected):
        source().token()
    assert len(endpoint.asked) == 1


def test_our_own_mistakes_and_troubles_pass_as_what_they_are(source: Source, endpoint: StrictEntra) -> None:
    endpoint.reply = http(401, {"error": "invalid_client", "error_codes": [7000222]})
    with pytest.raises(OperatorMisconfigured):
        source().token()
    endpoint.reply = http(503, b"")
    with pytest.raises(ProviderUnavailable):
        source().token()
    endpoint.reply = None
    assert source().token().value == "access-1"  # neither left a lock or a memory behind


def test_entra_is_left_alone_for_as_long_as_it_asked_whoever_asks_next(
    world: World, source: Source, endpoint: StrictEntra
) -> None:
    endpoint.reply = http(429, {"error": "temporarily_unavailable"}, Retry_After="20")
    with pytest.raises(Throttled) as first:
        source().token()
    endpoint.reply = None
    with pytest.raises(Throttled) as second:
        source().token()
    assert first.value.retry_after == timedelta(seconds=20)
    assert timedelta(seconds=10) < second.value.retry_after <= timedelta(seconds=20)
    assert len(endpoint.asked) == 1
    world.put(Credentials, refresh_not_before=ago(seconds=1))
    assert source().token().value == "access-1"


def test_a_token_that_still_lasts_is_used_while_entra_asks_to_wait(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    store(world, mailbox_id, timedelta(minutes=2), access="old")
    endpoint.reply = http(503, b"", Retry_After="20")
    assert source().token().value == "old"
    assert source().token().value == "old"
    assert len(endpoint.asked) == 1


def test_a_disconnected_mailbox_has_no_token(world: World, source: Source, mailbox_id: UUID) -> None:
    erase(world, mailbox_id)
    with pytest.raises(MailboxDisconnected):
        source().token()


def test_a_delivery_reads_its_token_once_and_the_next_one_reads_it_again(
    world: World, source: Source, mailbox_id: UUID
) -> None:
    tokens = source()
    store(world, mailbox_id, timedelta(hours=1), access="one")
    assert tokens.token().value == "one"
    store(world, mailbox_id, timedelta(hours=1), access="two")
    assert tokens.token().value == "one"
    assert source().token().value == "two"
    erase(world, mailbox_id)
    with pytest.raises(MailboxDisconnected):
        source().token()


def test_a_refused_token_is_replaced_by_a_newer_one(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    store(world, mailbox_id, timedelta(hours=1))
    tokens = source()
    assert tokens.token().value == "stored"
    assert tokens.token("{}").value == "access-1"
    assert len(endpoint.asked) == 1


def test_a_newer_token_of_somebody_else_serves_too(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    store(world, mailbox_id, timedelta(hours=1))
    tokens = source()
    tokens.token()
    store(world, mailbox_id, timedelta(hours=1), access="newer")
    assert tokens.token("{}").value == "newer"
    assert endpoint.asked == []


def test_a_challenge_with_claims_is_met_by_a_token_issued_after_it(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    store(world, mailbox_id, timedelta(hours=1))
    tokens = source()
    tokens.token()
    store(world, mailbox_id, timedelta(hours=1), access="newer, but perhaps older than the challenge")
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    assert tokens.token(claims).value == "access-1"
    assert json.loads(endpoint.asked[0]["claims"])["access_token"]["nbf"]["value"] == "1"


def test_key_rotation_is_not_mistaken_for_a_newer_token(
    world: World, source: Source, mailbox_id: UUID, endpoint: StrictEntra
) -> None:
    store(world, mailbox_id, timedelta(hours=1))
    tokens = source()
    tokens.token()
    world.put(Credentials, version=world.only(Credentials).version + 1)
    assert tokens.token("{}").value == "access-1"
    assert len(endpoint.asked) == 1


def test_the_margin_is_spread(source: Source) -> None:
    margins = {source()._margin for _ in range(50)}
    assert len(margins) > 40
    assert timedelta(minutes=4) <= min(margins) <= max(margins) <= timedelta(minutes=6)


def test_no_token_is_logged(source: Source) -> None:
    with structlog.testing.capture_logs() as logs:
        source().token()
    assert logs
    assert "access-" not in repr(logs)
    assert "refresh-" not in repr(logs)


class StrictGoogle:
    """Google's token endpoint: the refresh token stays, and each access token is a new one."""

    def __init__(self) -> None:
        self.issued = 0
        self.scope = "https://www.googleapis.com/auth/gmail.modify openid"
        self.error = ""

    def __call__(self, request: Request) -> Reply:
        if self.error:
            return http(400, {"error": self.error, "error_description": "Token has been expired or revoked."})
        self.issued += 1
        answer = {"access_token": f"ya29.{self.issued}", "expires_in": 3599, "token_type": "Bearer"}
        return http(200, {**answer, "scope": self.scope})


@pytest.fixture
def googles() -> StrictGoogle:
    return StrictGoogle()


@pytest.fixture
def at_google(world: World, mailbox_id: UUID, googles: StrictGoogle) -> Iterator[Source]:
    with odd_server(googles) as running:
        google = Google("client", "secret", running.url)
        yield lambda: StoredTokens(world.database, world.keys, google, mailbox_id, (MODIFY,))
        google.close()


def test_at_google_a_refresh_stores_the_access_token_and_keeps_the_refresh_token(
    world: World, at_google: Source, mailbox_id: UUID, googles: StrictGoogle
) -> None:
    store(world, mailbox_id, -timedelta(hours=1))
    assert at_google().token().value == "ya29.1"
    stored = row(world, mailbox_id)
    assert (stored.access_token, stored.refresh_token) == ("ya29.1", "refresh-0")
    assert at_google().token().value == "ya29.1"
    tokens = at_google()
    tokens.token()
    assert tokens.token("{}").value == "ya29.2"
    assert googles.issued == 2


def test_at_google_a_refused_refresh_is_a_lost_sign_in_and_changes_nothing(
    world: World, at_google: Source, mailbox_id: UUID, googles: StrictGoogle
) -> None:
    store(world, mailbox_id, -timedelta(hours=1))
    googles.error = "invalid_grant"
    with pytest.raises(MailboxDisconnected, match="Google wants the mailbox's owner to sign in again"):
        at_google().token()
    assert row(world, mailbox_id).access_token == "stored"


def test_at_google_a_scope_that_was_not_granted_is_named(
    world: World, at_google: Source, mailbox_id: UUID, googles: StrictGoogle
) -> None:
    store(world, mailbox_id, -timedelta(hours=1))
    googles.scope = "openid"
    with pytest.raises(ConsentMissing, match=r"Google no longer grants gmail\.modify"):
        at_google().token()


def test_at_google_a_code_that_nobody_knows_is_the_apps_fault_if_others_get_it_too(
    at_google: Source, world: World, mailbox_id: UUID, googles: StrictGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(world, mailbox_id, -timedelta(hours=1))
    googles.error = "new_rule"
    with pytest.raises(RefusalUnexplained):
        at_google().token()
    monkeypatch.setattr(credentials, "refused_elsewhere", lambda *_: True)
    with pytest.raises(OperatorMisconfigured, match="Google refuses our app"):
        at_google().token()
