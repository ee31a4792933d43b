"""What keeps a mailbox from sending now: a hold of its own, of its organization, or of everybody.

The database says it, by the function ``hold_of``: the gate, the dispatch and every page ask the same one.
"""

from typing import NamedTuple
from uuid import UUID

from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import Statement
from domain.holds import SendingHold


class _Found(NamedTuple):
    hold: Json | None


_OF_MAILBOX = Statement("SELECT hold_of(organization_id, id) AS hold FROM mailboxes WHERE id = :id", _Found)
_OF_ORGANIZATION = Statement("SELECT hold_of(CAST(:id AS uuid), NULL) AS hold", _Found)
_OF_EVERYBODY = Statement("SELECT hold_of(NULL, NULL) AS hold", _Found)


def read_hold(value: Json | None) -> SendingHold | None:
    """Read a hold from what ``hold_of`` returns."""
    return None if value is None else SendingHold.from_json(value)


def of_mailbox(tx: Transaction, mailbox_id: UUID) -> SendingHold | None:
    """Return what keeps the mailbox from sending: of several holds, the one that lasts longest."""
    return read_hold(_OF_MAILBOX.one(tx, id=mailbox_id).hold)


def of_organization(tx: Transaction, organization_id: UUID) -> SendingHold | None:
    """Return what keeps the whole organization from sending."""
    return read_hold(_OF_ORGANIZATION.one(tx, id=organization_id).hold)


def of_everybody(tx: Transaction) -> SendingHold | None:
    """Return the drain that stops everybody, if there is one."""
    return read_hold(_OF_EVERYBODY.one(tx).hold)
