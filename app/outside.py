"""What a runtime reaches others by: Microsoft, mail servers, the DNS, Redis. Importing it takes longer than most commands do.

``app/runtime.py`` imports it at first use, workers and the web process at their start.
"""

from dns.resolver import Resolver

from app.limiter import Limiter
from app.tokens import StoredTokens
from transports.entra import Entra
from transports.entra_credential import client_credential
from transports.graph import GraphProvider
from transports.providers import PROVIDERS

__all__ = [
    "PROVIDERS",
    "Entra",
    "GraphProvider",
    "Limiter",
    "Resolver",
    "StoredTokens",
    "client_credential",
]
