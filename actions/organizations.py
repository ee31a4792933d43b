"""Organizations and their members' mailboxes, added one at a time. By files: ``actions/organization_files.py``."""

from uuid import UUID

from app.runtime import Runtime
from db.access import organizations
from db.audit import audit
from db.mailboxes import senders
from db.sequences import imports
from db.views import lists
from domain.address import parse_address
from domain.errors import InvalidInput, NotPermitted
from domain.lane import DAILY_CAP
from domain.send_window import known_zone

MAX_NAME = 100  # characters


def add_organization(runtime: Runtime, name: str, time_zone: str, *, actor: str) -> UUID:
    """Add an organization without anybody in it; it gets its default address if there is a default mail service.

    Raises ``InvalidInput``.
    """
    name, settings = " ".join(name.split()), runtime.settings
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidInput(
            "A name is missing" if not name else "This name is too long",
            where="name",
            fix=f"Give one of at most {MAX_NAME} characters.",
        )
    zone = known_zone(time_zone)
    with runtime.database.transaction() as tx:
        added = organizations.add(tx, name, zone, actor=actor)
        if settings.default_mail_url:
            senders.ensure_default(tx, added, settings.default_mail_domain)
        return added


def add_mailbox(
    runtime: Runtime, member_id: UUID, address: str, daily_cap: int = DAILY_CAP, *, actor: str
) -> UUID:
    """Add a member's mailbox, not connected yet. ``daily_cap``: emails a day. Raises ``InvalidInput``, ``NotPermitted``."""
    wanted = parse_address(address, where="address").email
    with runtime.database.transaction() as tx:
        owner = lists.member(tx, member_id)
        if not owner.active:
            raise NotPermitted(f"{owner.email} is deactivated. Reactivate them first.")
        if imports.listed_mailbox(tx, owner.organization_id, wanted) is not None:
            raise InvalidInput(
                f"{owner.organization} has the mailbox {wanted}",
                where="address",
                fix="Choose another address.",
            )
        zone = lists.organization(tx, owner.organization_id).time_zone
        added, _ = imports.upsert_mailbox(tx, owner.organization_id, member_id, wanted, daily_cap, zone)
        audit.write(
            tx,
            owner.organization_id,
            actor,
            "mailbox_added",
            f"mailbox:{added}",
            {"address": wanted, "owner": str(member_id)},
        )
        return added
