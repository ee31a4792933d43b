"""How the Entra app authenticates to Microsoft (``MICROSOFT_CREDENTIAL``), in the form that MSAL takes.

* ``workload-identity``: the pod's own token is the proof; the app registration trusts its service account. We pass it on
  unchanged: Entra refuses a token obtained with one federated credential as proof for the next (AADSTS700231).
* ``managed-identity``: a token of the host's user-assigned managed identity, which the app registration trusts ("Configure
  an application to trust a managed identity").
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from config import Settings
from domain.errors import ProviderUnavailable

Credential = str | Mapping[str, object]
_EXCHANGE = "api://AzureADTokenExchange/.default"
# By default, azure-identity would retry for more than a minute, and a refresh holds a lock during that time.
_PATIENCE = {"retry_total": 0, "connection_timeout": 2, "read_timeout": 4}


def client_credential(settings: Settings) -> Credential:
    """Return MSAL's ``client_credential``."""
    match settings.microsoft_credential:
        case "certificate":
            pem = settings.microsoft_certificate  # MSAL computes the thumbprint
            return {"private_key": pem, "public_certificate": pem}
        case "workload-identity":
            return {"client_assertion": _pods_token(Path(settings.azure_federated_token_file))}
        case "managed-identity":
            return {"client_assertion": _hosts_token(settings.azure_client_id)}
    return settings.microsoft_client_secret


def _pods_token(file: Path) -> Callable[[], str]:
    """Read the token each time, because Kubernetes writes a new one before the old one expires."""

    def read() -> str:
        try:
            return file.read_text().strip()
        except OSError as error:
            raise ProviderUnavailable(
                "The token of workload identity cannot be read.", code="no_federated_token"
            ) from error

    return read


def _hosts_token(client_id: str) -> Callable[[], str]:
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - hundreds of modules that few need
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

    # In a pod with workload identity it would pick that one, whose token is no proof for another app.
    options: dict[str, Any] = {"_exclude_workload_identity_credential": True, **_PATIENCE}
    identity = ManagedIdentityCredential(client_id=client_id, **options)

    def fetch() -> str:
        try:
            return str(identity.get_token(_EXCHANGE).token)
        except (AzureError, ValueError, OSError) as error:
            raise ProviderUnavailable(
                "Azure gives no token for the managed identity.", code="no_managed_identity"
            ) from error

    return fetch
