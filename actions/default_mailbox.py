"""Which mailbox a member's new sequences and emails by hand send from."""

from uuid import UUID

from app.runtime import Runtime
from db.audit import audit
from db.mailboxes import default_mailbox
from db.sequences import built
from domain.errors import InvalidInput


def choose(runtime: Runtime, member_id: UUID, mailbox_id: UUID | None, *, actor: str) -> bool:
    """Choose it, None: their own mailbox comes first. Returns False if it was so.

    It offers that mailbox first and gives no permission. Raises ``NotFound``, ``InvalidInput`` (they may not send from it).
    """
    with runtime.database.transaction() as tx:
        present = default_mailbox.of(tx, member_id)
        if present.mailbox_id == mailbox_id:
            return False
        choices = {each.id for each in built.senders(tx, present.organization_id, member_id)}
        if mailbox_id is not None and mailbox_id not in choices:
            raise InvalidInput(
                "Sequences of this member may not send from that mailbox",
                where="mailbox",
                fix="Choose another, or ask its owner for permission.",
            )
        default_mailbox.choose(tx, member_id, mailbox_id)
        audit.write(
            tx,
            present.organization_id,
            actor,
            "default_mailbox_chosen",
            f"member:{member_id}",
            {"mailbox_id": None if mailbox_id is None else str(mailbox_id)},
        )
    return True
