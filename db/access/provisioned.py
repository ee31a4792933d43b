"""Members as an identity provider sees and changes them (SCIM). Whom it deleted, it sees no more."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.errors import NotFound, Taken
from domain.provisioning import Said, Stake, check_sign_in_names
from domain.team import Role


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A member. ``user_name``: their address, if no identity provider has named them."""

    id: UUID
    user_name: str
    external_id: str | None
    name: str
    formatted_name: str | None
    given_name: str | None
    family_name: str | None
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which members; None: any. ``user_name`` without regard to case."""

    id: UUID | None = None
    user_name: str | None = None
    external_id: str | None = None


class _Stake(NamedTuple):
    signed_in: bool
    role: str
    owns: bool


_SQL = SqlFile(__name__)
_PAGE, _COUNT = _SQL.statement("page", Provisioned), _SQL.statement("count", int)
_LOCKED, _STAKE = _SQL.statement("locked", Provisioned), _SQL.statement("stake", _Stake)
_IS_TAKEN, _DELETED = _SQL.statement("is_taken", bool), _SQL.statement("deleted", UUID)
_ADD, _CHANGE, _REMOVE = _SQL.statement("add", UUID), _SQL.statement("change"), _SQL.statement("remove", UUID)
_LISTED_AGAIN = Statement("UPDATE members SET deprovisioned_at = NULL WHERE id = :id")


def page(
    tx: Transaction, organization_id: UUID, wanted: Wanted, *, offset: int, limit: int
) -> tuple[list[Provisioned], int]:
    """Return members, oldest first, and how many there are in all."""
    which = {
        "organization_id": organization_id,
        "id": wanted.id,
        "user_name": wanted.user_name,
        "external_id": wanted.external_id,
    }
    return _PAGE.all(tx, **which, offset=offset, limit=limit), _COUNT.one(tx, **which)


def one(tx: Transaction, organization_id: UUID, member_id: UUID) -> Provisioned:
    """Return a member. Raises ``NotFound``."""
    found, _ = page(tx, organization_id, Wanted(id=member_id), offset=0, limit=1)
    if not found:
        raise NotFound("There is no such member.")
    return found[0]


def lock(tx: Transaction, organization_id: UUID, member_id: UUID) -> Provisioned:
    """Return a member, and keep others from changing them meanwhile. Raises ``NotFound``."""
    found = _LOCKED.one_or_none(tx, organization_id=organization_id, id=member_id)
    if found is None:
        raise NotFound("There is no such member.")
    return found


def add(tx: Transaction, organization_id: UUID, said: Said, *, active: bool, actor: str) -> UUID:
    """Add a member. ``active`` false: who has left already. Raises ``Taken``."""
    _check_free(tx, organization_id, None, said)
    added = _ADD.one_or_none(
        tx, id=new_id(), organization_id=organization_id, active=active, **_columns(said)
    )
    if added is None:  # by somebody else a moment ago
        raise _taken()
    data = {"role": Role.MEMBER.value, "active": active}
    audit.write(tx, organization_id, actor, "member_added", f"member:{added}", data)
    return added


def list_again(tx: Transaction, organization_id: UUID, said: Said) -> UUID | None:
    """Let the identity provider see a member again whom it had deleted, and return them. None: there is no such member."""
    deleted = _DELETED.one_or_none(
        tx, organization_id=organization_id, email=said.email, user_name=said.user_name
    )
    if deleted is not None:
        _LISTED_AGAIN.run(tx, id=deleted)
    return deleted


def change(
    tx: Transaction,
    organization_id: UUID,
    before: Provisioned,
    said: Said,
    *,
    again: bool = False,
    actor: str,
) -> None:
    """Change what is known of a member whom the caller has locked. Raises ``Taken``, ``NotPermitted``.

    ``again``: the identity provider had deleted them. With another id of its own it may well mean another person.
    """
    changed = [name for name, value in _columns(said).items() if value != getattr(before, name)]
    if not changed:
        return
    renamed = said.email != before.email or said.user_name.lower() != before.user_name.lower()
    if renamed or (again and "external_id" in changed):
        row = _STAKE.one(tx, id=before.id)
        check_sign_in_names(Stake(row.signed_in, Role(row.role), row.owns))
        _check_free(tx, organization_id, before.id, said)
    try:
        with tx.begin_nested():
            _CHANGE.run(tx, id=before.id, **_columns(said))
    except IntegrityError as error:  # by somebody else a moment ago
        raise _taken() from error
    # Which, and not what: the trail keeps no addresses.
    audit.write(tx, organization_id, actor, "member_changed", f"member:{before.id}", {"fields": changed})


def remove(tx: Transaction, organization_id: UUID, member_id: UUID, *, actor: str) -> None:
    """Let the identity provider see a member no more who has left. Whoever comes back after that is a member, without another role."""
    if _REMOVE.one_or_none(tx, id=member_id) is not None:
        audit.write(tx, organization_id, actor, "member_deprovisioned", f"member:{member_id}", {})


def _check_free(tx: Transaction, organization_id: UUID, member_id: UUID | None, said: Said) -> None:
    if _IS_TAKEN.one(
        tx, organization_id=organization_id, id=member_id, email=said.email, user_name=said.user_name
    ):
        raise _taken()


def _taken() -> Taken:
    return Taken(
        "Another member, or a mailbox of the organization, has this user name or address",
        where="userName",
        fix="Look for them on the page Team, under Active and Left.",
    )


def _columns(said: Said) -> dict[str, str | None]:
    return {
        "name": said.name,
        "email": said.email,
        "user_name": said.user_name,
        "external_id": said.external_id,
        "formatted_name": said.formatted_name,
        "given_name": said.given_name,
        "family_name": said.family_name,
    }
