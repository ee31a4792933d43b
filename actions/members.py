"""The members of an organization: add somebody, change a role, let somebody come back. Who leaves: ``actions/withdraw.py``."""

from uuid import UUID

from app.runtime import Runtime
from db.access import members
from db.withdrawing import people
from domain.address import parse_address
from domain.errors import InvalidInput, NotPermitted
from domain.team import Role, choices

MAX_NAME = 100  # characters


def add_member(
    runtime: Runtime, organization_id: UUID, name: str, email: str, role: Role, *, by: Role | None, actor: str
) -> UUID:
    """Add somebody. They can sign in with a Microsoft account of this address, of a tenant that the organization trusts.

    ``by``: the role of whoever adds them, None: a program or an operator. Raises ``InvalidInput``, ``NotPermitted``.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidInput(
            "A name is missing" if not name else "This name is too long",
            where="name",
            fix=f"Enter first and family name, at most {MAX_NAME} characters.",
        )
    address = parse_address(email, where="email").email
    if role not in choices(by):
        raise NotPermitted("Only an owner of the organization makes somebody an owner or admin.")
    with runtime.database.transaction() as tx:
        return members.add(tx, organization_id, name, address, role, actor=actor)


def change_role(
    runtime: Runtime,
    organization_id: UUID,
    member_id: UUID,
    role: Role,
    *,
    was: Role | None = None,
    by: Role | None,
    actor: str,
) -> bool:
    """Change a member's role; returns False if they have it. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        return members.set_role(tx, organization_id, member_id, role, was=was, by=by, actor=actor)


def reactivate_member(runtime: Runtime, member_id: UUID, *, actor: str) -> None:
    """Make a member active again. What their departure archived or disconnected stays so and must be given again explicitly.

    Raises ``NotFound``.
    """
    with runtime.database.transaction() as tx:
        people.reactivate_member(tx, member_id, actor=actor)
