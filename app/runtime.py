"""What one process works with: settings, the database, keys and, made at first use, the way to Microsoft."""

from dataclasses import replace
from functools import cached_property
from uuid import UUID

import dns.resolver

from app.limiter import Limiter
from app.servers import open_database
from app.tokens import StoredTokens
from config import Settings
from db.core.crypto import KeyRing, Seal, Sealer
from db.core.session import Database
from db.mailboxes import smtp_settings
from db.mailboxes.credentials import SealedToken
from domain import correlation_id
from domain.connection import SendsBy, SmtpServer, SmtpSettings
from domain.errors import MailboxDisconnected, NotFound, OperatorMisconfigured
from transports.base import AccessToken, Transport
from transports.entra import Entra
from transports.entra_credential import client_credential
from transports.graph import GraphProvider
from transports.providers import PROVIDERS


class HeldToken:
    """An access token kept in memory only: what a withdrawal still has after the stored ones were erased."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def token(self, claims: str | None = None) -> AccessToken:
        """The same token, whatever is asked."""
        return self._token


class Runtime:
    """Opened once per process by its entry point, closed by it."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        if settings.secret_keys:
            self.keys = KeyRing(settings.secret_keys)
        else:
            self._keys: KeyRing | None = None
            self.web_keys = KeyRing(settings.web_secret_keys)
            self.sealer: Sealer = Seal(settings.sealing_public_key)

    @property
    def keys(self) -> KeyRing:
        """The workers' key ring, which reads what is stored. The web process has none."""
        if self._keys is None:
            raise OperatorMisconfigured("This process has no SECRET_KEYS: only workers read what is stored.")
        return self._keys

    @keys.setter
    def keys(self, ring: KeyRing) -> None:
        self._keys, self.sealer = ring, ring
        self.web_keys = KeyRing(ring.web_keys())

    @property
    def works(self) -> bool:
        """Can it do a worker's work itself?"""
        return self._keys is not None

    @property
    def whole(self) -> "Runtime":
        """It, or what it was made from for one organization."""
        return self

    @classmethod
    def open(
        cls, settings: Settings, *, application: str = "onbehalf", pool_size: int = 8, by_key: bool = False
    ) -> "Runtime":
        """Connects lazily: opening touches neither the database nor the network. ``by_key``: as ``Database`` has it."""
        database = open_database(settings, application=application, pool_size=pool_size, by_key=by_key)
        return cls(settings, database)

    @cached_property
    def entra(self) -> Entra:
        """The token endpoint, shared by the process."""
        return Entra(
            self.settings.microsoft_client_id,
            client_credential(self.settings),
            self.settings.entra_url,
        )

    @cached_property
    def resolver(self) -> dns.resolver.Resolver:
        """Whom to ask for DMARC policies and proofs of domains."""
        return dns.resolver.Resolver()

    @cached_property
    def limiter(self) -> Limiter:
        """How often, and how much at the same time."""
        return Limiter(self.settings.redis_url)

    @cached_property
    def graph(self) -> GraphProvider:
        """One HTTP client and one loop thread for the process."""
        return GraphProvider(self.settings.graph_url)

    def transport(
        self,
        mailbox_id: UUID,
        provider: str,
        *,
        writer_id: UUID | None = None,
        token: SealedToken | None = None,
    ) -> Transport:
        """The mailbox's transport, for one delivery; close it.

        ``writer_id``: the member whose sequence it is. ``token``: the one read with the delivery; without it, and when it is
        about to expire, tokens are read at the moment of use. Raises ``MailboxDisconnected`` where nothing is kept to send with.
        """
        kind = PROVIDERS[provider]
        tokens = StoredTokens(self.database, self.keys, self.entra, mailbox_id, kind.scopes, token)

        def sends_by() -> SendsBy:
            with self.database.statement() as tx:
                found = smtp_settings.sends_by(tx, self.keys, mailbox_id, provider, writer_id)
            if found is None:
                raise MailboxDisconnected("The mailbox is not connected.", code="not_connected")
            return found

        return kind.open(self, tokens, sends_by)

    def transport_with(
        self, mailbox_id: UUID, provider: str, token: AccessToken, *, server: SmtpServer | None = None
    ) -> Transport:
        """The same on a token that is at hand, and not on those that are stored: before they are, and after they were erased.

        ``server``: to be tried before it is stored. Raises ``NotFound``.
        """

        def sends_by() -> SendsBy:
            with self.database.statement() as tx:
                found = smtp_settings.sends_by(tx, None, mailbox_id, provider, None)
            if found is None:
                raise NotFound("There is no such mailbox.")
            settings = None if server is None else SmtpSettings(server, found.address, "")
            return replace(found, settings=settings)

        return PROVIDERS[provider].open(self, HeldToken(token), sends_by)

    def for_tenant(self, organization_id: UUID) -> "Runtime":
        """The same, for whoever acts for one organization only: of the database it has that organization's rows."""
        return _TenantRuntime(self, organization_id)

    def correlation_id(self, delivery_id: UUID) -> str:
        """The delivery's correlation id under the newest key."""
        return correlation_id.correlation_id(self.settings.secret_keys[0], delivery_id)

    def close(self) -> None:
        """Give everything back."""
        if "graph" in self.__dict__:
            self.graph.close()
        if "limiter" in self.__dict__:
            self.limiter.close()
        self.database.close()


class _TenantRuntime(Runtime):
    """Shares everything but the view of the database; what it was made from is closed, not this."""

    def __init__(self, whole: Runtime, organization_id: UUID) -> None:
        self.settings, self._keys, self._whole = whole.settings, whole._keys, whole
        self.web_keys, self.sealer = whole.web_keys, whole.sealer
        self.database = whole.database.for_tenant(organization_id)

    @property
    def whole(self) -> Runtime:
        return self._whole

    @cached_property
    def entra(self) -> Entra:
        return self._whole.entra

    @cached_property
    def resolver(self) -> dns.resolver.Resolver:
        return self._whole.resolver

    @cached_property
    def limiter(self) -> Limiter:
        return self._whole.limiter

    @cached_property
    def graph(self) -> GraphProvider:
        return self._whole.graph


_installed: tuple[Runtime, Runtime] | None = None


def install(runtime: Runtime, sender: Runtime) -> None:
    """Make ``runtime`` the one that this process's actors use, and ``sender`` the one of the actor that sends."""
    global _installed  # noqa: PLW0603 - Dramatiq calls plain functions; there is no other way to hand it over
    _installed = runtime, sender


def current() -> Runtime:
    """The runtime of this process's actors."""
    return _both()[0]


def current_sender() -> Runtime:
    """The runtime of the actor that sends, all of whose statements go by keys."""
    return _both()[1]


def _both() -> tuple[Runtime, Runtime]:
    if _installed is None:
        raise OperatorMisconfigured(
            "This process has not been set up; start workers with: dramatiq workers.main"
        )
    return _installed
