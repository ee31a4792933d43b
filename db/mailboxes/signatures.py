"""Signatures of mailboxes, and how many sequences end their emails with one."""

from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import Statement
from domain.errors import NotFound
from domain.signature import Signature


class Signed(NamedTuple):
    """A mailbox's signature. ``sequences``: that carry it, without archived ones; ``running``: of these. ``without``: that do not."""

    organization_id: UUID
    address: str
    body: str
    version: int
    sequences: int
    running: int
    without: int

    @property
    def signature(self) -> Signature:
        """Without what is around it."""
        return Signature(self.body, self.version)


_OF = Statement(
    "SELECT b.organization_id, b.address, b.signature AS body, b.signature_version AS version,"
    " count(s.id) FILTER (WHERE s.with_signature) AS sequences,"
    " count(s.id) FILTER (WHERE s.with_signature AND s.status = 'active') AS running,"
    " count(s.id) FILTER (WHERE NOT s.with_signature) AS without"
    " FROM mailboxes b LEFT JOIN sequences s ON s.mailbox_id = b.id AND s.kind = 'sequence' AND s.status <> 'archived'"
    " WHERE b.id = :id GROUP BY b.id",
    Signed,
)
# Receipts name the former ones by their version.
_SET = Statement(
    "UPDATE mailboxes SET former_signatures = former_signatures || jsonb_build_object(signature_version::text, signature),"
    " signature = :signature, signature_version = signature_version + 1"
    " WHERE id = :id AND signature <> :signature RETURNING organization_id",
    UUID,
)


def of(tx: Transaction, mailbox_id: UUID) -> Signed:
    """Return a mailbox's signature. Raises ``NotFound``."""
    found = _OF.one_or_none(tx, id=mailbox_id)
    if found is None:
        raise NotFound("There is no such mailbox.")
    return found


def put(tx: Transaction, mailbox_id: UUID, signature: str, *, actor: str) -> bool:
    """Give a mailbox a signature, as ``domain.signature`` has checked it; "" for none. Returns False if it had it."""
    organization_id = _SET.one_or_none(tx, id=mailbox_id, signature=signature)
    if organization_id is None:
        return False
    audit.write(
        tx,
        organization_id,
        actor,
        "signature_changed" if signature else "signature_removed",
        f"mailbox:{mailbox_id}",
        {"characters": len(signature)},
    )
    return True
