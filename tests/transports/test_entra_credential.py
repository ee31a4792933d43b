"""How the app authenticates to Entra without a secret, by the real MSAL and azure-identity against the emulator."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from config import Settings
from domain.connection import Provider
from domain.errors import OperatorMisconfigured, ProviderUnavailable
from lab.emulator.background import Running
from tests.transports.certificates import self_signed
from transports.entra import Entra
from transports.entra_credential import client_credential
from transports.providers import PROVIDERS
from transports.token_endpoint import Tokens

ADDRESS = "rita@acme.example"
SCOPES = PROVIDERS[Provider.GRAPH].scopes
TENANT = "organizations"
SETTINGS = Settings(
    "postgresql://h/d", "redis://h", (b"k" * 32,), microsoft_client_id="onbehalf", microsoft_client_secret=""
)
Refresh = Callable[[Settings], Tokens]


@pytest.fixture
def refresh(emulator: Running) -> Refresh:
    emulator.control.add_mailboxes({"address": ADDRESS})

    def act(settings: Settings) -> Tokens:
        entra = Entra(settings.microsoft_client_id, client_credential(settings), emulator.url)
        try:
            return entra.refresh(emulator.control.refresh_token(ADDRESS), TENANT, scopes=SCOPES)
        finally:
            entra.close()

    return act


@pytest.fixture
def certificate(tmp_path: Path) -> Settings:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path / "app.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + self_signed(key))
    environment = {
        "DATABASE_URL": SETTINGS.database_url,
        "REDIS_URL": SETTINGS.redis_url,
        "SECRET_KEYS": base64.b64encode(b"k" * 32).decode(),
        "MICROSOFT_CLIENT_ID": "onbehalf",
        "MICROSOFT_CREDENTIAL": "certificate",
        "MICROSOFT_CERTIFICATE_FILE": str(file),
    }
    return Settings.from_environment(environment)


@pytest.fixture
def pod(tmp_path: Path) -> Settings:
    file = tmp_path / "azure-identity-token"
    file.write_text("header.of-the-service-account.signature\n")
    return replace(SETTINGS, microsoft_credential="workload-identity", azure_federated_token_file=str(file))


@pytest.fixture
def host(emulator: Running, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.url)
    emulator.control.identities(hosts={"mi-client": "mi-object"})
    return replace(SETTINGS, microsoft_credential="managed-identity", azure_client_id="mi-client")


def test_a_secret_is_the_proof_where_nothing_else_is_said(refresh: Refresh) -> None:
    assert refresh(replace(SETTINGS, microsoft_client_secret="demo-secret")).access_token.value


def test_a_certificate_proves_the_app(refresh: Refresh, certificate: Settings, emulator: Running) -> None:
    with pytest.raises(OperatorMisconfigured):
        refresh(certificate)
    pem = certificate.microsoft_certificate
    emulator.control.identities(certificates=[pem[pem.index("-----BEGIN CERTIFICATE") :]])
    assert refresh(certificate).access_token.value


def test_a_pods_own_token_proves_the_app_and_is_read_anew(
    refresh: Refresh, pod: Settings, emulator: Running
) -> None:
    emulator.control.identities(trusted=["header.of-the-service-account.signature"])
    assert refresh(pod).access_token.value
    Path(pod.azure_federated_token_file).write_text("the.next.one")
    with pytest.raises(OperatorMisconfigured):
        refresh(pod)
    emulator.control.identities(trusted=["the.next.one"])
    assert refresh(pod).access_token.value


def test_a_pods_token_is_read_for_each_request_of_one_process(pod: Settings, emulator: Running) -> None:
    emulator.control.add_mailboxes({"address": ADDRESS})
    emulator.control.identities(trusted=["header.of-the-service-account.signature", "the.next.one"])
    entra = Entra("onbehalf", client_credential(pod), emulator.url)
    first = entra.refresh(emulator.control.refresh_token(ADDRESS), TENANT, scopes=SCOPES)
    Path(pod.azure_federated_token_file).unlink()
    with pytest.raises(ProviderUnavailable) as missing:
        entra.refresh(first.refresh_token, TENANT, scopes=SCOPES)
    assert missing.value.code == "no_federated_token"
    Path(pod.azure_federated_token_file).write_text("the.next.one")
    assert entra.refresh(first.refresh_token, TENANT, scopes=SCOPES).access_token.value
    entra.close()


def test_a_hosts_managed_identity_proves_the_app(refresh: Refresh, host: Settings, emulator: Running) -> None:
    with pytest.raises(OperatorMisconfigured):  # the app's registration does not know it
        refresh(host)
    emulator.control.identities(trusted=["mi-object"])
    assert refresh(host).access_token.value


def test_in_a_pod_with_workload_identity_the_managed_identity_is_asked_all_the_same(
    refresh: Refresh, host: Settings, emulator: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", "https://127.0.0.1:1")
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/nowhere")
    emulator.control.identities(trusted=["mi-object"])
    assert refresh(host).access_token.value


@pytest.mark.parametrize("trouble", ["nobody there", "no such identity"])
def test_without_a_managed_identity_nothing_is_disconnected(
    refresh: Refresh, host: Settings, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    if trouble == "nobody there":
        monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1")
    else:
        host = replace(host, azure_client_id="somebody-else")
    with pytest.raises(ProviderUnavailable) as raised:
        refresh(host)
    assert raised.value.code == "no_managed_identity"
