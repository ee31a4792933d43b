"""Graph on the application's own token for a whole tenant: the contract of all transports, and what only such a token has."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.tenant_tokens import TenantTokens
from config import Settings
from domain.errors import (
    MailboxDisconnected,
    OperatorMisconfigured,
    OrganizationGone,
    OutsideScope,
    ProviderUnavailable,
    TenantRefused,
    Throttled,
)
from lab.emulator.app_only import PERMISSIONS
from lab.emulator.background import Running, running_emulator
from tests.transports.certificates import self_signed
from tests.transports.contract import Bench, TraceableContract, letter
from transports.base import User
from transports.entra_app import EntraApp, roles_of
from transports.graph import GraphProvider, GraphTransport
from transports.once import ANY_NEWER

ADDRESS, COLLEAGUE = "rita@acme.example", "hans@acme.example"
TOKEN = "POST /token"
ROUTES = {
    "send": "POST /me/messages/{id}/send",
    "prepare": "POST /me/messages",
    "find": "GET /me/messages",
}


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
def settings(running: Running) -> Settings:
    return Settings(
        "postgresql://h/d",
        "redis://h",
        (b"k" * 32,),
        microsoft_client_id="onbehalf",
        microsoft_client_secret="demo-secret",
        entra_url=running.url,
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[EntraApp]:
    made = EntraApp(settings)
    yield made
    made.close()


@pytest.fixture
def user(running: Running) -> User:
    """Rita, whose tenant has consented."""
    control = running.control
    control.reset()
    made, _ = control.add_mailboxes({"address": ADDRESS, "name": "Rita Recruiter"}, {"address": COLLEAGUE})
    control.switch(drafts_delay=0.0)
    control.app_access(ADDRESS, consented=PERMISSIONS)
    return User(made["tenant_id"], made["user_id"], ADDRESS)


def opened(provider: GraphProvider, app: EntraApp, user: User) -> GraphTransport:
    return provider.transport_of(TenantTokens(app, lambda: user))


@pytest.fixture
def bench(running: Running, provider: GraphProvider, app: EntraApp, user: User) -> Bench:
    control = running.control

    def fault(kind: str, **values: Any) -> None:
        control.fault(ROUTES[kind], **values)

    return Bench(
        transport=opened(provider, app, user),
        left=control.ledger,
        sends_seen=lambda: control.stats()["requests"].get(ROUTES["send"], 0),
        fault=fault,
        settle=lambda: time.sleep(0.01),
        disconnect=lambda: control.app_access(ADDRESS, consented=[]),
    )


class TestTenantWide(TraceableContract):
    """It keeps the contract."""


def tokens_asked(running: Running) -> int:
    return int(running.control.stats()["requests"].get(TOKEN, 0))


def test_a_mailbox_is_read_and_its_settings_tell_when_its_owner_works(
    running: Running, provider: GraphProvider, app: EntraApp, user: User
) -> None:
    transport = opened(provider, app, user)
    facts = transport.verify()
    assert (facts.addresses, facts.account_id, facts.tenant_id) == (
        [ADDRESS],
        user.account_id,
        user.tenant_id,
    )
    assert facts.settings["purpose"] == "user"
    item = running.control.incoming(ADDRESS, sender="anna@example.org", subject="Re: An offer", text="Yes.")
    ((header,),) = list(transport.incoming(datetime.now(UTC) - timedelta(hours=1)))
    assert header.provider_id == item
    content = transport.message(item)
    assert content is not None
    assert "Yes." in content.text


def test_a_subscription_names_the_mailbox(
    running: Running, provider: GraphProvider, app: EntraApp, user: User
) -> None:
    transport = opened(provider, app, user)
    until = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(
        Exception, match="not accept"
    ):  # nobody answers there, so the emulator refuses after it took the resource
        transport.subscribe(f"{running.url}/nowhere", "secret", until, "inbox")
    assert running.control.stats()["requests"]["POST /subscriptions"] == 1


def test_one_token_serves_a_tenant_however_many_ask(running: Running, app: EntraApp, user: User) -> None:
    before = tokens_asked(running)
    with ThreadPoolExecutor(8) as pool:
        values = {each.value for each in pool.map(lambda _: app.token(user.tenant_id), range(40))}
    assert len(values) == 1
    assert tokens_asked(running) == before + 1


def test_a_refused_token_is_replaced_and_a_good_one_is_not(
    running: Running, app: EntraApp, user: User
) -> None:
    first = app.token(user.tenant_id)
    assert app.token(user.tenant_id, ANY_NEWER, "another token").value == first.value
    second = app.token(user.tenant_id, ANY_NEWER, first.value)
    assert second.value != first.value
    assert app.token(user.tenant_id).value == second.value


def test_a_token_that_expires_in_the_middle_is_renewed_on_the_way(running: Running, bench: Bench) -> None:
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    running.control.fault(ROUTES["send"], status=401)
    bench.transport.send(draft)
    assert len(bench.left()) == 1


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("7000112", TenantRefused),
        ("700016", TenantRefused),
        ("7000229", TenantRefused),
        ("65001", TenantRefused),
        ("53003", TenantRefused),
        ("900998", TenantRefused),
        ("90002", OrganizationGone),
        ("5000224", OrganizationGone),
        ("5000225", OrganizationGone),
        ("7000215", OperatorMisconfigured),
        ("7000222", OperatorMisconfigured),
        ("90033", ProviderUnavailable),
    ],
)
def test_a_refusal_of_a_token_is_the_tenants_ours_or_nobodys(
    running: Running, app: EntraApp, user: User, code: str, meaning: type[Exception]
) -> None:
    running.control.app_access(ADDRESS, refusal=code)
    with pytest.raises(meaning) as raised:
        app.token(user.tenant_id)
    assert type(raised.value) is meaning
    running.control.app_access(ADDRESS, refusal="")
    assert app.token(user.tenant_id).value  # at once: nothing remembers the refusal


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ({"status": 500}, ProviderUnavailable),
        ({"status": 503}, ProviderUnavailable),
        ({"reset": True}, ProviderUnavailable),
        ({"status": 200, "body": "<html>"}, ProviderUnavailable),
        ({"status": 429, "headers": {"Retry-After": "7"}}, Throttled),
    ],
    ids=["500", "503", "reset", "a page", "429"],
)
def test_a_sign_in_service_in_trouble_is_asked_once_and_passes(
    running: Running, app: EntraApp, user: User, fault: dict[str, Any], meaning: type[Exception]
) -> None:
    before = tokens_asked(running)
    running.control.fault(TOKEN, **fault)
    with pytest.raises(meaning) as raised:
        app.token(user.tenant_id)
    assert type(raised.value) is meaning
    assert tokens_asked(running) == before + 1
    assert app.token(user.tenant_id).value


def test_what_is_outside_the_scope_is_refused_and_what_is_inside_is_not(
    running: Running, provider: GraphProvider, app: EntraApp, user: User
) -> None:
    running.control.app_access(ADDRESS, consented=[], scoped={each: [COLLEAGUE] for each in PERMISSIONS})
    with pytest.raises(OutsideScope):
        opened(provider, app, user).verify()
    colleague = running.world.mailboxes[COLLEAGUE]
    assert opened(provider, app, User(user.tenant_id, colleague.user_id, COLLEAGUE)).verify().addresses == [
        COLLEAGUE
    ]
    assert roles_of(app.token(user.tenant_id)) == frozenset()


def test_sending_alone_can_be_outside_it(running: Running, bench: Bench) -> None:
    running.control.app_access(ADDRESS, consented=["Mail.ReadWrite", "MailboxSettings.Read"])
    draft = bench.transport.prepare(letter(), "correlation_id-1", None)
    with pytest.raises(OutsideScope) as raised:
        bench.transport.send(draft)
    assert raised.value.on_send
    assert bench.left() == []


def test_nobody_of_another_tenant_is_reached(
    running: Running, provider: GraphProvider, app: EntraApp, user: User
) -> None:
    (stranger,) = running.control.add_mailboxes({"address": "eve@other.example"})
    with pytest.raises(MailboxDisconnected, match="no longer knows this account"):
        opened(provider, app, User(user.tenant_id, stranger["user_id"], "eve@other.example")).verify()


def test_a_mailbox_without_a_licence_has_a_reason_of_its_own(
    running: Running, provider: GraphProvider, app: EntraApp, user: User
) -> None:
    running.control.add_mailboxes({"address": ADDRESS, "has_mailbox": False})
    with pytest.raises(MailboxDisconnected) as raised:
        opened(provider, app, user).verify()
    assert raised.value.reason == "no_mailbox"


def test_a_tenant_is_never_part_of_another_address(app: EntraApp) -> None:
    with pytest.raises(MailboxDisconnected):
        app.token("common/../evil")


def test_the_application_proves_itself_by_a_certificate(
    running: Running, settings: Settings, user: User, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    own = self_signed(key)
    running.control.identities(certificates=[own.decode()])
    pem = (private + own).decode()
    changed = replace(
        settings, microsoft_client_secret="", microsoft_credential="certificate", microsoft_certificate=pem
    )
    assert roles_of(EntraApp(changed).token(user.tenant_id)) == set(PERMISSIONS)


def test_or_by_its_pods_token(running: Running, settings: Settings, user: User, tmp_path: Path) -> None:
    file = tmp_path / "azure-identity-token"
    file.write_text("header.of-the-service-account.signature\n")
    changed = replace(
        settings,
        microsoft_client_secret="",
        microsoft_credential="workload-identity",
        azure_federated_token_file=str(file),
    )
    with pytest.raises(OperatorMisconfigured):
        EntraApp(changed).token(user.tenant_id)
    running.control.identities(trusted=["header.of-the-service-account.signature"])
    assert EntraApp(changed).token(user.tenant_id).value
    file.unlink()
    with pytest.raises(ProviderUnavailable, match="workload identity"):
        EntraApp(changed).token(user.tenant_id)


def test_no_token_shows_in_what_is_logged(
    running: Running, app: EntraApp, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        token = app.token(user.tenant_id)
    assert token.value not in caplog.text
    assert "demo-secret" not in caplog.text
