"""What a runtime reaches others by: Microsoft, Google, mail servers, the DNS, Redis. Importing it takes longer than most commands do.

``app/runtime.py`` imports it at first use, workers and the web process at their start.
"""

from dns.resolver import Resolver

from app.limiter import Limiter
from app.tenant_tokens import TenantTokens, stored
from app.tokens import StoredTokens
from transports.entra import Entra
from transports.entra_credential import client_credential
from transports.gmail import GmailProvider
from transports.google import Google
from transports.google_push import Pushes
from transports.graph import GraphProvider
from transports.providers import PROVIDERS, MailProvider, SignIn

__all__ = [
    "PROVIDERS",
    "Entra",
    "GmailProvider",
    "Google",
    "GraphProvider",
    "Limiter",
    "MailProvider",
    "Pushes",
    "Resolver",
    "SignIn",
    "StoredTokens",
    "TenantTokens",
    "client_credential",
    "stored",
]
