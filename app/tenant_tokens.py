"""The application's own token for one mailbox of a tenant, for one delivery. Nothing is stored."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from db.core.session import Database, DatabaseUnavailable
from db.mailboxes import tenants
from domain.errors import MailboxDisconnected, ProviderUnavailable
from transports.base import AccessToken, User

if TYPE_CHECKING:
    from transports.entra_app import EntraApp


class TenantTokens:
    """``AppTokens``. ``whose``: reads whose mailbox it is, once; it raises what ``user`` raises."""

    def __init__(self, app: "EntraApp", whose: Callable[[], User]) -> None:
        self._app, self._whose = app, whose
        self._user: User | None = None
        self._held = ""

    @property
    def organization(self) -> str:
        """Whose mailbox it is: the tenant's."""
        return self.user().tenant_id

    def token(self, claims: str | None = None) -> AccessToken:
        """Return the tenant's token. With ``claims``: not the last one, which was refused. Raises what ``EntraApp.token`` does."""
        found = self._app.token(self.user().tenant_id, claims, "" if claims is None else self._held)
        self._held = found.value
        return found

    def user(self) -> User:
        """Return whose mailbox it is. Raises ``MailboxDisconnected``, ``ProviderUnavailable``."""
        if self._user is None:
            self._user = self._whose()
        return self._user


def stored(database: Database, mailbox_id: UUID) -> Callable[[], User]:
    """Read whose mailbox it is from its row, as long as we may use it."""

    def read() -> User:
        try:
            with database.statement() as tx:
                found = tenants.user_of(tx, mailbox_id)
        except DatabaseUnavailable as error:
            raise ProviderUnavailable("The mailbox cannot be read.", code="database_unavailable") from error
        if found is None:
            raise MailboxDisconnected("The mailbox is not connected.", code="not_connected")
        return User(*found)

    return read
