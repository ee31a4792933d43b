"""Members of an organization: added, and their roles."""

from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import Statement
from domain.errors import NotFound, NotPermitted, Taken
from domain.team import Role, check_leaving, check_role


class _Member(NamedTuple):
    id: UUID
    name: str
    role: str
    active: bool


# All of the organization's owners too, in one order, so that two of them who step back at once do not both succeed.
_LOCK_OWNERS = Statement(
    "SELECT id FROM members WHERE organization_id = :organization_id AND (role = 'owner' OR id = :id)"
    " ORDER BY id FOR UPDATE",
    UUID,
)
_MEMBER = Statement(
    "SELECT id, name, role, active FROM members WHERE id = :id AND organization_id = :organization_id",
    _Member,
)
_OTHER_OWNERS = Statement(
    "SELECT count(*) FROM members WHERE organization_id = :organization_id AND active AND role = 'owner'"
    " AND id <> :id",
    int,
)
_SET_ROLE = Statement("UPDATE members SET role = :role WHERE id = :id")
_ADD = Statement(
    "INSERT INTO members (id, organization_id, name, email, role) SELECT :id, :organization_id, :name, :email, :role"
    " WHERE NOT EXISTS (SELECT FROM members WHERE organization_id = :organization_id AND lower(user_name) = :email)"
    " ON CONFLICT (organization_id, email) DO NOTHING RETURNING id",
    UUID,
)


def add(tx: Transaction, organization_id: UUID, name: str, email: str, role: Role, *, actor: str) -> UUID:
    """Add a member, who can sign in with an account of this address. Raises ``Taken``: somebody has the address."""
    added = _ADD.one_or_none(
        tx, id=new_id(), organization_id=organization_id, name=name, email=email, role=role.value
    )
    if added is None:
        raise Taken(
            "Somebody in the team has this address",
            where="email",
            fix="Look for them under Active and Left.",
        )
    audit.write(tx, organization_id, actor, "member_added", f"member:{added}", {"role": role.value})
    return added


def set_role(
    tx: Transaction,
    organization_id: UUID,
    member_id: UUID,
    role: Role,
    *,
    was: Role | None,
    by: Role | None,
    actor: str,
) -> bool:
    """Change a member's role. Returns False if they have it. ``was``: the role that whoever decided saw, None: not asked.

    ``by``: the role of whoever decides, None: a program or an operator. Raises ``NotFound``, ``NotPermitted``.
    """
    found, others = _locked(tx, organization_id, member_id)
    before = Role(found.role)
    if before is role:
        return False
    if not found.active:
        raise NotPermitted(f"{found.name} has left. Give them access again first.")
    if was is not None and before is not was:
        raise NotPermitted(f"Somebody else made {found.name} {before.value} meanwhile. Nothing was changed.")
    check_role(by=by, before=before, after=role, other_owners=others)
    _SET_ROLE.run(tx, id=member_id, role=role.value)
    data = {"before": before.value, "after": role.value}
    audit.write(tx, organization_id, actor, "member_role_changed", f"member:{member_id}", data)
    return True


def check_may_leave(
    tx: Transaction, organization_id: UUID, member_id: UUID, *, by: Role | None, by_id: UUID | None
) -> None:
    """Raise ``NotPermitted`` if whoever asks may not end this member's access, or ``NotFound``. Somebody who left may."""
    found, others = _locked(tx, organization_id, member_id)
    if found.active:
        check_leaving(by=by, role=Role(found.role), same=member_id == by_id, other_owners=others)


def _locked(tx: Transaction, organization_id: UUID, member_id: UUID) -> tuple[_Member, int]:
    _LOCK_OWNERS.all(tx, organization_id=organization_id, id=member_id)
    found = _MEMBER.one_or_none(tx, id=member_id, organization_id=organization_id)
    if found is None:
        raise NotFound("There is no such member.")
    return found, _OTHER_OWNERS.one(tx, organization_id=organization_id, id=member_id)
