"""What every provider's sign-in offers for mailboxes that are connected, as types."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from transports.base import AccessToken


@dataclass(frozen=True, slots=True)
class Tokens:
    """The result of a refresh. ``scopes``: those granted, in the provider's normalized spelling; none if the answer names none."""

    access_token: AccessToken
    refresh_token: str = field(repr=False)
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Identity:
    """The account that signed in. ``account_id`` never changes, at Microsoft within ``tenant_id``; ``address`` is for display and may.

    ``tenant_id``: Entra's tenant, or the domain of a Google Workspace; empty for a personal Google account.
    """

    tenant_id: str
    account_id: str
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A finished sign-in. ``tokens`` only if requested."""

    identity: Identity
    tokens: Tokens | None = field(repr=False)


class TokenEndpoint(Protocol):
    """Shared by a process, for any thread."""

    @property
    def shown(self) -> str:
        """The provider's name, as people read it."""
        ...

    def refresh(
        self, refresh_token: str, tenant_id: str, *, scopes: Sequence[str], claims: str | None = None
    ) -> Tokens:
        """Exchange a refresh token for new tokens. ``claims``: the JSON text of a claims challenge to meet.

        Raises ``MailboxDisconnected``, ``ConsentMissing``, ``AdminApprovalRequired``, ``PolicyBlocked``,
        ``OperatorMisconfigured``, ``Throttled`` and ``ProviderUnavailable``.
        """
        ...

    def missing_scopes(self, granted: Iterable[str], asked: Iterable[str]) -> frozenset[str]:
        """The scopes asked for that are not among ``granted``, as people read them."""
        ...

    def app_refused(self, code: str) -> str:
        """Return the operators' message for a code by which the provider refuses the app itself."""
        ...
