"""Members of a company whose Microsoft organization is connected as a whole, for drills and the demo."""

from uuid import UUID

from actions import tenant
from app.runtime import Runtime
from db.access import sessions
from domain.errors import NotFound
from lab.emulator.app_only import PERMISSIONS
from lab.emulator.client import EmulatorControl


def connect_tenant(
    runtime: Runtime, emulator: EmulatorControl, organization_id: UUID, address: str, *, actor: str
) -> None:
    """Have the tenant of this address consent, and connect it. The organization trusts it from then on."""
    (made,) = emulator.add_mailboxes({"address": address})
    emulator.app_access(address, consented=PERMISSIONS)
    with runtime.database.transaction() as tx:
        sessions.trust_tenant(tx, organization_id, made["tenant_id"], actor=actor)
    tenant.connect(runtime, organization_id, actor=actor)


def join(runtime: Runtime, emulator: EmulatorControl, address: str, *, actor: str) -> None:
    """Have the member with this address sign in, and let their mailbox be used."""
    (made,) = emulator.add_mailboxes({"address": address})
    with runtime.database.transaction() as tx:
        member_id = sessions.member_of(tx, made["tenant_id"], made["user_id"], [address])
    if member_id is None:
        raise NotFound(f"{address} is no active member.")
    tenant.join(runtime, member_id, actor=actor)
