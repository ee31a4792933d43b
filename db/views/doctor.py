"""What only the database can say about how it is set up."""

from datetime import datetime
from typing import NamedTuple

from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.schema.privileges import ROLES
from domain.servers import Server, postgresql


class Login(NamedTuple):
    """As whom we are connected. ``tenant``: may it act for one organization? ``owner``: of the tables; None if there are none.

    ``anybody_makes``: may every role make tables here?
    """

    name: str
    superuser: bool
    tenant: bool
    owner: str | None
    anybody_makes: bool


class Unwatched(NamedTuple):
    """Connected mailboxes whose changes the provider does not publish, by its reason."""

    code: str
    mailboxes: int


class LostTenant(NamedTuple):
    """An organization whose tenant Microsoft refuses, since when, and Microsoft's code."""

    organization: str
    since: datetime
    code: str | None


_SQL = SqlFile(__name__)
_LOGIN = _SQL.statement("login", Login)
_ABSENT_ROLES = _SQL.statement("absent_roles", str)
_DEFAULT_ADDRESSES = _SQL.statement("default_addresses", int)

_LOST_TENANTS = Statement(
    "SELECT o.name AS organization, t.ended_at AS since, t.code FROM tenant_connections t"
    " JOIN organizations o ON o.id = t.organization_id WHERE t.status = 'lost' ORDER BY o.name",
    LostTenant,
)
_CONNECTED_BY = Statement(
    "SELECT count(*) FROM mailboxes WHERE provider = :provider AND status = 'connected'", int
)
_WATCHED = Statement(
    "SELECT count(*) FROM subscriptions s JOIN mailboxes b ON b.id = s.mailbox_id"
    " WHERE b.provider = :provider AND s.expires_at > clock_timestamp()",
    int,
)
_UNWATCHED = Statement(
    "SELECT coalesce(r.code, '') AS code, count(*) AS mailboxes FROM subscription_requests r"
    " JOIN mailboxes b ON b.id = r.mailbox_id WHERE b.provider = :provider AND b.status = 'connected' AND r.refusals > 0"
    " GROUP BY r.code ORDER BY count(*) DESC, r.code",
    Unwatched,
)
_VERSION = Statement("SELECT current_setting('server_version_num')::int", int)


def lost_tenants(tx: Transaction) -> list[LostTenant]:
    """Return the organizations whose tenant-wide connection Microsoft refuses."""
    return _LOST_TENANTS.all(tx)


def login(tx: Transaction) -> Login:
    """Return as whom we are connected."""
    return _LOGIN.one(tx)


def absent_roles(tx: Transaction) -> list[str]:
    """Return the database roles that our processes need and that do not exist."""
    return _ABSENT_ROLES.all(tx, names=list(ROLES))


def default_addresses(tx: Transaction) -> int:
    """Count the default addresses: whether anybody can answer to one."""
    return _DEFAULT_ADDRESSES.one(tx)


def connected_by(tx: Transaction, provider: str) -> int:
    """Return how many mailboxes are connected by this provider."""
    return _CONNECTED_BY.one(tx, provider=provider)


def watched(tx: Transaction, provider: str) -> int:
    """Return of how many of this provider's mailboxes we hear."""
    return _WATCHED.one(tx, provider=provider)


def unwatched(tx: Transaction, provider: str) -> list[Unwatched]:
    """Return why others are not, the most frequent reason first."""
    return _UNWATCHED.all(tx, provider=provider)


def server(tx: Transaction) -> Server:
    """Return which PostgreSQL it is."""
    return postgresql(_VERSION.one(tx))
