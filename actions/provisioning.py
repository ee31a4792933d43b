"""What an identity provider asks for by SCIM: add a member, change one, end their access, give it back."""

from collections.abc import Callable
from uuid import UUID

from actions import withdraw
from app.runtime import Runtime
from db.access import provisioned
from db.access.provisioned import Provisioned
from db.withdrawing import people
from domain.provisioning import Said


def create(runtime: Runtime, organization_id: UUID, said: Said, *, active: bool, actor: str) -> Provisioned:
    """Add a member, always with the role member, or list one again whom the identity provider had deleted.

    ``active`` false: they have left. Raises ``Taken``: somebody has the user name or the address. Raises ``NotPermitted``.
    """
    with runtime.database.transaction() as tx:
        member_id = provisioned.list_again(tx, organization_id, said)
        if member_id is None:
            member_id = provisioned.add(tx, organization_id, said, active=active, actor=actor)
        else:
            before = provisioned.lock(tx, organization_id, member_id)
            provisioned.change(tx, organization_id, before, said, again=True, actor=actor)
            if active:
                people.reactivate_member(tx, member_id, actor=actor)
        return provisioned.one(tx, organization_id, member_id)


def change(
    runtime: Runtime,
    organization_id: UUID,
    member_id: UUID,
    how: Callable[[Provisioned], Said],
    *,
    active: bool | None,
    actor: str,
) -> Provisioned:
    """Change a member. ``how``: what they are to be, from what they are. ``active`` None: as before.

    Their access ends first, whatever else is refused: a departure does not wait for a name. Answers then when nothing of theirs
    can leave any more. Raises ``NotFound``, ``Taken``, ``NotPermitted``, and what ``how`` raises.
    """
    if active is False:
        end_access(runtime, organization_id, member_id, actor=actor)
    with runtime.database.transaction() as tx:
        before = provisioned.lock(tx, organization_id, member_id)
        provisioned.change(tx, organization_id, before, how(before), actor=actor)
        if active:
            people.reactivate_member(tx, member_id, actor=actor)
        return provisioned.one(tx, organization_id, member_id)


def remove(runtime: Runtime, organization_id: UUID, member_id: UUID, *, actor: str) -> None:
    """End a member's access, and let the identity provider see them no more. What they did stays. Raises ``NotFound``."""
    end_access(runtime, organization_id, member_id, actor=actor)
    with runtime.database.transaction() as tx:
        provisioned.remove(tx, organization_id, member_id, actor=actor)


def end_access(runtime: Runtime, organization_id: UUID, member_id: UUID, *, actor: str) -> None:
    """End a member's access; answers when nothing of theirs can leave any more, also if it had ended. Raises ``NotFound``.

    Anybody's, the last owner's too: a mailbox of somebody who left is worse than an organization for which an operator names an owner.
    """
    with runtime.database.transaction() as tx:
        provisioned.one(tx, organization_id, member_id)
    withdraw.deactivate_member(runtime, member_id, actor=actor)
