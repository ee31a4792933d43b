"""Who may send from whose mailbox: the rule for giving a grant, and the one for using it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from domain.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class Person:
    """A member, as far as grants care."""

    id: UUID
    organization_id: UUID
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """An active grant. ``grantee_id`` None = everyone in the organization, whoever joins later included."""

    id: UUID
    version: int
    grantee_id: UUID | None


def check_grant(*, mailbox_owner: Person, grantor: Person, grantee: Person | None) -> None:
    """Raise ``NotPermitted`` unless ``grantor`` may let ``grantee`` (None = everyone) send from the mailbox."""
    if grantor.id != mailbox_owner.id:
        raise NotPermitted(
            f"Only {mailbox_owner.email}, whose mailbox it is, can allow sending from it; {grantor.email} cannot."
        )
    if not grantor.active:
        raise NotPermitted(f"{grantor.email} is not active and cannot give permissions.")
    if grantee is None:
        return
    if grantee.organization_id != mailbox_owner.organization_id:
        raise NotPermitted(f"{grantee.email} belongs to another organization.")
    if grantee.id == grantor.id:
        raise NotPermitted(f"{grantor.email} needs no permission for their own mailbox.")
    if not grantee.active:
        raise NotPermitted(f"{grantee.email} is not active; only active members can be given permission.")


def usable_grant(grants: Iterable[Grant], sender_id: UUID) -> Grant | None:
    """The grant under which ``sender_id`` may send now: a personal one before one for everyone."""
    fitting = [grant for grant in grants if grant.grantee_id in (sender_id, None)]
    return min(fitting, key=lambda grant: grant.grantee_id is None, default=None)
