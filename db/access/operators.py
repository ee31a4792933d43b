"""Operators of the installation: members who see how all of it stands (docs/decisions/0025).

It holds for the account and the activation that it was given to, so nobody inherits it with an address, and nobody who left has it
again with a new access.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.errors import NotFound, NotPermitted


@dataclass(frozen=True, slots=True)
class Operator:
    """One of them. ``holds``: False if the member has left, or signs in with another account now."""

    member_id: UUID
    organization: str
    name: str
    email: str
    added_at: datetime
    holds: bool


@dataclass(frozen=True, slots=True)
class _Member:
    organization_id: UUID
    name: str
    active: bool
    account_id: str | None
    holds: bool


_SQL = SqlFile(__name__)
HOLDS = _SQL.fragment("holds")  # of a member ``m``
_MEMBER = _SQL.statement("member", _Member)
_OPERATES = Statement(f"SELECT {HOLDS} FROM members m WHERE m.id = :id", bool)
_ADD = _SQL.statement("add")
_REMOVE = Statement("DELETE FROM operators WHERE member_id = :id")
_ALL = _SQL.statement("everyone", Operator)


def add(tx: Transaction, member_id: UUID, *, actor: str) -> bool:
    """Make a member an operator. Returns False if they are. Raises ``NotFound``, ``NotPermitted``."""
    found = _locked(tx, member_id)
    if found.holds:
        return False
    if not found.active:
        raise NotPermitted(f"{found.name} has left. Give them access again first.")
    if found.account_id is None:
        raise NotPermitted(
            f"{found.name} has never signed in, so we do not know their account. Have them sign in once, then add them."
        )
    _ADD.run(tx, id=member_id)
    audit.write(tx, found.organization_id, actor, "operator_added", f"member:{member_id}", {})
    return True


def remove(tx: Transaction, member_id: UUID, *, actor: str) -> bool:
    """End it. Returns False if they are none. Raises ``NotFound``."""
    found = _locked(tx, member_id)
    if not _REMOVE.run(tx, id=member_id):
        return False
    audit.write(tx, found.organization_id, actor, "operator_removed", f"member:{member_id}", {})
    return True


def operates(tx: Transaction, member_id: UUID) -> bool:
    """Is this member an operator? Their own page may ask."""
    return _OPERATES.one(tx, id=member_id)


def everyone(tx: Transaction) -> list[Operator]:
    """Return all of them, also those for whom it no longer holds."""
    return _ALL.all(tx)


def _locked(tx: Transaction, member_id: UUID) -> _Member:
    found = _MEMBER.one_or_none(tx, id=member_id)
    if found is None:
        raise NotFound("There is no such member.")
    return found
