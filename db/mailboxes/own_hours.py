"""Sending hours of one mailbox, which its owner sets, and the emails that wait for their time by them.

A trigger keeps them where everybody looks for a mailbox's hours, beside those that its provider states.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import Statement
from db.sequences import imports
from db.sequences.organization_hours import Waiting, moved_of
from domain.errors import NotFound
from domain.organization_hours import HoursReport, version_of


class OwnHours(NamedTuple):
    """``own``: as ``SendWindow`` reads them; None: those that the provider states, ``stated``, if any. ``zone``: of the mailbox."""

    organization_id: UUID
    owner_id: UUID | None
    address: str
    own: Json | None
    stated: Json | None
    zone: str

    @property
    def version(self) -> str:
        """Names what somebody has read, so that a change of theirs replaces nothing that they have not seen."""
        return version_of(self.own)


_OF = Statement(
    "SELECT b.organization_id, b.owner_id, b.address, b.own_hours AS own, l.zone,"
    " CASE WHEN b.own_hours IS NULL THEN b.settings->'window' ELSE b.settings->'stated_window' END AS stated"
    " FROM mailboxes b JOIN lanes l ON l.mailbox_id = b.id WHERE b.id = :id",
    OwnHours,
)
_SET = Statement("UPDATE mailboxes SET own_hours = CAST(:own AS jsonb) WHERE id = :id")
_WAITING = Statement(
    "SELECT s.id, s.name FROM sequences s WHERE s.mailbox_id = :id AND s.kind = 'sequence' AND s.status <> 'archived'"
    " AND EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending') ORDER BY s.id",
    Waiting,
)


def of(tx: Transaction, mailbox_id: UUID) -> OwnHours:
    """Return a mailbox's hours. Raises ``NotFound``."""
    found = _OF.one_or_none(tx, id=mailbox_id)
    if found is None:
        raise NotFound("There is no such mailbox.")
    return found


def replace(tx: Transaction, mailbox_id: UUID, own: Mapping[str, Any] | None) -> HoursReport:
    """Set the hours, and have planned emails follow. The caller holds the organization's lanes (``organization_hours.lock``).

    Raises ``InvalidInput``: they never meet a sequence's.
    """
    waiting = _WAITING.all(tx, id=mailbox_id)
    before = {each.id: imports.sending_windows(tx, each.id) for each in waiting}
    _SET.run(tx, id=mailbox_id, own=None if own is None else dump_json(dict(own)))
    moved = moved_of(tx, waiting, before)
    return HoursReport(changed=True, moved=sorted(moved, key=lambda each: -each.times.people))
