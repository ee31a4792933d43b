"""What a process works with: settings, the database, keys and, imported and created at first use, all that reaches others.

Most commands use the database alone, and start in half the time without the rest (``app/outside.py``).
"""

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from app.servers import open_database
from config import Settings
from db.core.crypto import KeyRing, Seal, Sealer
from db.core.session import Database
from db.mailboxes import smtp_settings
from db.mailboxes.credentials import SealedToken
from domain import correlation_id
from domain.connection import SendsBy, SmtpServer, SmtpSettings
from domain.errors import MailboxDisconnected, NotFound, OperatorMisconfigured

if TYPE_CHECKING:
    from app.outside import (
        Entra,
        GmailProvider,
        Google,
        GraphProvider,
        Limiter,
        MailProvider,
        Pushes,
        Resolver,
    )
    from transports.base import AccessToken, TokenSource, Transport, User
    from transports.entra_app import EntraApp
    from transports.token_endpoint import TokenEndpoint


class HeldToken:
    """An access token held only in memory, for a withdrawal that has erased the stored ones."""

    def __init__(self, token: "AccessToken") -> None:
        self._token = token

    @property
    def organization(self) -> str:
        """Unknown: it is used for one request or two."""
        return ""

    def token(self, claims: str | None = None) -> "AccessToken":
        """Return the same token, whatever ``claims`` says."""
        return self._token


class Runtime:
    """Each process's entry point opens one and closes it."""

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
        """The workers' key ring, which decrypts what is stored. The web process has none."""
        if self._keys is None:
            raise OperatorMisconfigured("This process has no SECRET_KEYS: only workers read what is stored.")
        return self._keys

    @keys.setter
    def keys(self, ring: KeyRing) -> None:
        self._keys, self.sealer = ring, ring
        self.web_keys = KeyRing(ring.web_keys())

    @property
    def works(self) -> bool:
        """Can this process do a worker's work itself?"""
        return self._keys is not None

    @property
    def whole(self) -> "Runtime":
        """Itself, or for one organization's runtime, the one it was made from."""
        return self

    @classmethod
    def open(
        cls, settings: Settings, *, application: str = "onbehalf", pool_size: int = 8, by_key: bool = False
    ) -> "Runtime":
        """Connects lazily: opening touches neither the database nor the network. ``by_key``: as ``Database`` has it."""
        database = open_database(settings, application=application, pool_size=pool_size, by_key=by_key)
        return cls(settings, database)

    @cached_property
    def entra(self) -> "Entra":
        """The client for the token endpoint, shared by the process."""
        from app.outside import Entra, client_credential  # noqa: PLC0415 - see above

        return Entra(
            self.settings.microsoft_client_id,
            client_credential(self.settings),
            self.settings.entra_url,
        )

    @cached_property
    def entra_app(self) -> "EntraApp":
        """The application's own tokens, by tenant, shared by the process."""
        from transports.entra_app import EntraApp  # noqa: PLC0415 - azure-identity, which only tenant-wide connections need

        return EntraApp(self.settings)

    @cached_property
    def google(self) -> "Google":
        """The client for Google's token endpoint, shared by the process. Raises ``OperatorMisconfigured`` where there is no app."""
        from app.outside import Google  # noqa: PLC0415 - see above

        settings = self.settings
        if not settings.google_client_id:
            raise OperatorMisconfigured("GOOGLE_CLIENT_ID is not set, so no mailbox can be used at Google.")
        return Google(settings.google_client_id, settings.google_client_secret, settings.google_url)

    @cached_property
    def pushes(self) -> "Pushes | None":
        """What checks Google's hints, in the web process. None: Google is not asked for any."""
        from app.outside import Pushes  # noqa: PLC0415 - see above

        settings = self.settings
        if not settings.google_pubsub_topic:
            return None
        return Pushes(
            f"{settings.public_url}/hooks/google", settings.google_pubsub_account, settings.google_url
        )

    def endpoint(self, kind: "MailProvider") -> "TokenEndpoint":
        """Where a mailbox of this kind gets its tokens."""
        from app.outside import SignIn  # noqa: PLC0415 - see above

        return self.google if kind.sign_in is SignIn.GOOGLE else self.entra

    @cached_property
    def resolver(self) -> "Resolver":
        """The resolver for DMARC policies and proofs of domains."""
        from app.outside import Resolver  # noqa: PLC0415 - see above

        return Resolver()

    @cached_property
    def limiter(self) -> "Limiter":
        """Limits on how often and how much at once."""
        from app.outside import Limiter  # noqa: PLC0415 - see above

        return Limiter(self.settings.redis_url)

    @cached_property
    def graph(self) -> "GraphProvider":
        """One HTTP client and one loop thread per process."""
        from app.outside import GraphProvider  # noqa: PLC0415 - see above

        return GraphProvider(self.settings.graph_url)

    @cached_property
    def gmail(self) -> "GmailProvider":
        """One HTTP client and one loop thread per process."""
        from app.outside import GmailProvider  # noqa: PLC0415 - see above

        return GmailProvider(self.settings.google_url)

    def transport(
        self,
        mailbox_id: UUID,
        provider: str,
        *,
        writer_id: UUID | None = None,
        token: SealedToken | None = None,
    ) -> "Transport":
        """Return the mailbox's transport for one delivery; the caller closes it.

        ``writer_id``: the member whose sequence it is. ``token``: the one read with the delivery. Without it, or when it
        is about to expire, the transport reads tokens when it uses them. Raises ``MailboxDisconnected`` if nothing is
        stored to send with.
        """
        from app.outside import PROVIDERS, SignIn, StoredTokens, TenantTokens, stored  # noqa: PLC0415 - see above

        kind = PROVIDERS[provider]
        tokens: TokenSource
        if kind.sign_in is SignIn.TENANT:
            tokens = TenantTokens(self.entra_app, stored(self.database, mailbox_id))
        else:
            tokens = StoredTokens(
                self.database, self.keys, self.endpoint(kind), mailbox_id, kind.scopes, token
            )

        def sends_by() -> SendsBy:
            with self.database.statement() as tx:
                found = smtp_settings.sends_by(tx, self.keys, mailbox_id, provider, writer_id)
            if found is None:
                raise MailboxDisconnected("The mailbox is not connected.", code="not_connected")
            return found

        return kind.open(self, tokens, sends_by)

    def transport_with(
        self, mailbox_id: UUID, provider: str, token: "AccessToken", *, server: SmtpServer | None = None
    ) -> "Transport":
        """The same on a token that is at hand, and not on those that are stored: before they are, and after they were erased.

        ``server``: to be tried before it is stored. Raises ``NotFound``.
        """

        from app.outside import PROVIDERS  # noqa: PLC0415 - see above

        def sends_by() -> SendsBy:
            with self.database.statement() as tx:
                found = smtp_settings.sends_by(tx, None, mailbox_id, provider, None)
            if found is None:
                raise NotFound("There is no such mailbox.")
            settings = None if server is None else SmtpSettings(server, found.address, "")
            return replace(found, settings=settings)

        return PROVIDERS[provider].open(self, HeldToken(token), sends_by)

    def transport_of_user(self, user: "User") -> "Transport":
        """The same for somebody of a tenant to which the application has access as a whole, before the mailbox is connected."""
        from app.outside import TenantTokens  # noqa: PLC0415 - see above

        return self.graph.transport_of(TenantTokens(self.entra_app, lambda: user))

    def for_tenant(self, organization_id: UUID) -> "Runtime":
        """Return a runtime for one organization: its database shows only that organization's rows."""
        return _TenantRuntime(self, organization_id)

    def correlation_id(self, delivery_id: UUID) -> str:
        """Return the delivery's correlation id under the newest key."""
        return correlation_id.correlation_id(self.settings.secret_keys[0], delivery_id)

    def close(self) -> None:
        """Close all connections."""
        if "graph" in self.__dict__:
            self.graph.close()
        if "gmail" in self.__dict__:
            self.gmail.close()
        if "entra_app" in self.__dict__:
            self.entra_app.close()
        if "google" in self.__dict__:
            self.google.close()
        if (pushes := self.__dict__.get("pushes")) is not None:
            pushes.close()
        if "limiter" in self.__dict__:
            self.limiter.close()
        self.database.close()


class _TenantRuntime(Runtime):
    """Shares everything but the view of the database. Close the runtime it was made from, not this one."""

    def __init__(self, whole: Runtime, organization_id: UUID) -> None:
        self.settings, self._keys, self._whole = whole.settings, whole._keys, whole
        self.web_keys, self.sealer = whole.web_keys, whole.sealer
        self.database = whole.database.for_tenant(organization_id)

    @property
    def whole(self) -> Runtime:
        return self._whole

    @cached_property
    def entra(self) -> "Entra":
        return self._whole.entra

    @cached_property
    def entra_app(self) -> "EntraApp":
        return self._whole.entra_app

    @cached_property
    def google(self) -> "Google":
        return self._whole.google

    @cached_property
    def resolver(self) -> "Resolver":
        return self._whole.resolver

    @cached_property
    def limiter(self) -> "Limiter":
        return self._whole.limiter

    @cached_property
    def graph(self) -> "GraphProvider":
        return self._whole.graph

    @cached_property
    def gmail(self) -> "GmailProvider":
        return self._whole.gmail


_installed: tuple[Runtime, Runtime] | None = None


def install(runtime: Runtime, sender: Runtime) -> None:
    """Set the runtimes for this process's actors: ``sender`` for the one that sends, ``runtime`` for all others."""
    global _installed  # noqa: PLW0603 - Dramatiq calls plain functions; there is no other way to hand it over
    _installed = runtime, sender


def current() -> Runtime:
    """Return the runtime of this process's actors."""
    return _both()[0]


def current_sender() -> Runtime:
    """Return the runtime of the actor that sends, whose statements all find rows by key."""
    return _both()[1]


def _both() -> tuple[Runtime, Runtime]:
    if _installed is None:
        raise OperatorMisconfigured("This process has not been set up; start workers with: python -m workers")
    return _installed
