"""Who may change whom in an organization: roles, new members, and members who leave."""

from enum import StrEnum

from domain.errors import NotPermitted


class Role(StrEnum):
    """What a member may do, besides their own sequences, people and mailbox."""

    OWNER = "owner"  # all an admin can, and names owners and admins
    ADMIN = "admin"  # settings, team, suppressions, keys, audit; sees every sequence
    MEMBER = "member"


# What each role may do, as pages say it.
MEANINGS = {
    Role.OWNER: "Everything an admin can do; also appoints owners and admins",
    Role.ADMIN: "Email settings, team, suppressions, keys and audit; sees every sequence. Never sends from a mailbox without the"
    " permission of its owner.",
    Role.MEMBER: "Own sequences, people and mailbox",
}


def choices(by: Role | None) -> tuple[Role, ...]:
    """Return the roles that somebody may give. ``by`` None: a program of the organization or an operator."""
    return tuple(Role) if by in (None, Role.OWNER) else (Role.MEMBER,)


def check_role(*, by: Role | None, before: Role, after: Role, other_owners: int) -> None:
    """Refuse a change of role. ``other_owners``: active ones besides this member. Raises ``NotPermitted``."""
    if not {before, after} <= set(choices(by)):
        raise NotPermitted("Only an owner of the organization changes the role of an owner or admin.")
    if before is Role.OWNER and after is not Role.OWNER and not other_owners:
        raise NotPermitted("An organization keeps at least one owner. Make somebody else an owner first.")


def check_leaving(*, by: Role | None, role: Role, same: bool, other_owners: int) -> None:
    """Refuse to end somebody's access. ``same``: their own. Raises ``NotPermitted``."""
    if same:
        raise NotPermitted("You cannot end your own access. Another admin can.")
    if role is Role.OWNER and by is Role.ADMIN:
        raise NotPermitted("Only an owner of the organization ends the access of an owner.")
    if role is Role.OWNER and not other_owners:
        raise NotPermitted("An organization keeps at least one owner. Make somebody else an owner first.")
