"""The mailbox that a member's new sequences and emails by hand send from, unless they choose another there."""

from typing import NamedTuple
from uuid import UUID

from db.core.session import Transaction
from db.core.statements import Statement
from domain.errors import NotFound

# SQL for an ORDER BY over a mailbox ``b``: the one that ``:member_id`` chose comes first.
CHOSEN_FIRST = "b.id = (SELECT m.default_mailbox_id FROM members m WHERE m.id = :member_id) DESC NULLS LAST"


class Chosen(NamedTuple):
    """``mailbox_id`` None: nothing is chosen; their own mailbox comes first."""

    organization_id: UUID
    mailbox_id: UUID | None


_OF = Statement(
    "SELECT organization_id, default_mailbox_id AS mailbox_id FROM members WHERE id = :id FOR UPDATE", Chosen
)
_SET = Statement("UPDATE members SET default_mailbox_id = :mailbox_id WHERE id = :id")


def of(tx: Transaction, member_id: UUID) -> Chosen:
    """Return what a member chose, until this transaction ends. Raises ``NotFound``."""
    found = _OF.one_or_none(tx, id=member_id)
    if found is None:
        raise NotFound("There is no such member.")
    return found


def choose(tx: Transaction, member_id: UUID, mailbox_id: UUID | None) -> None:
    """Set it. It counts only while they may send from it: no reference keeps the mailbox."""
    _SET.run(tx, id=member_id, mailbox_id=mailbox_id)
