"""Logging in at Azure's Postgres and Redis with a token of Microsoft Entra in place of a password (``?auth=entra``).

The token is for the identity that Azure gives this host. azure-identity finds it by the variables that Azure sets: workload identity
in a pod that has one, a managed identity elsewhere; ``AZURE_CLIENT_ID`` names which, where there are several.
"""

import base64
import binascii
import functools
import os
from typing import TYPE_CHECKING, Any

import orjson

from domain.errors import OnbehalfError

if TYPE_CHECKING:
    from azure.identity import ManagedIdentityCredential

POSTGRES = "https://ossrdbms-aad.database.windows.net/.default"
REDIS = "https://redis.azure.com/.default"
# azure-identity would try for more than a minute. Whoever needs a connection waits, and asks again by itself.
_PATIENCE: dict[str, Any] = {"retry_total": 1, "connection_timeout": 3, "read_timeout": 5}


class NoEntraToken(OnbehalfError):
    """Azure gave no token, so nobody can log in. The text says what kind of failure it was, for the operator."""


def token(scope: str) -> str:
    """A token that is good now; azure-identity keeps it until shortly before it ends. Raises ``NoEntraToken``."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415 - most installations never log in like this

    try:
        return str(_identity().get_token(scope).token)
    except (AzureError, ValueError, OSError) as error:
        raise NoEntraToken(
            f"This host's identity got no token of Microsoft Entra ({type(error).__name__}). With ?auth=entra it needs a managed"
            " identity (AZURE_CLIENT_ID names a user-assigned one) or workload identity (AZURE_CLIENT_ID, AZURE_TENANT_ID and"
            " AZURE_FEDERATED_TOKEN_FILE, which AKS sets)."
        ) from error


def object_id(token: str) -> str:
    """Whose token it is: Azure's Redis takes this as the user name. Raises ``NoEntraToken``."""
    try:
        part = token.split(".")[1]
        found = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["oid"]
    except (IndexError, KeyError, TypeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise NoEntraToken("Microsoft Entra's token names no object id.") from error
    return str(found)


@functools.cache
def _identity() -> "ManagedIdentityCredential":
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415

    return ManagedIdentityCredential(client_id=os.environ.get("AZURE_CLIENT_ID") or None, **_PATIENCE)
