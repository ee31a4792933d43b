"""What only the database can say about how it is set up."""

from typing import NamedTuple

from db.core.session import Transaction
from db.core.statements import SqlFile
from db.schema.privileges import ROLES


class Login(NamedTuple):
    """As whom we are connected. ``tenant``: may it act for one organization? ``owner``: of the tables; None if there are none."""

    name: str
    superuser: bool
    tenant: bool
    owner: str | None


_SQL = SqlFile(__name__)
_LOGIN = _SQL.statement("login", Login)
_ABSENT_ROLES = _SQL.statement("absent_roles", str)
_DEFAULT_ADDRESSES = _SQL.statement("default_addresses", int)


def login(tx: Transaction) -> Login:
    """Return as whom we are connected."""
    return _LOGIN.one(tx)


def absent_roles(tx: Transaction) -> list[str]:
    """Return the database roles that our processes need and that do not exist."""
    return _ABSENT_ROLES.all(tx, names=list(ROLES))


def default_addresses(tx: Transaction) -> int:
    """Count the default addresses: whether anybody can answer to one."""
    return _DEFAULT_ADDRESSES.one(tx)
