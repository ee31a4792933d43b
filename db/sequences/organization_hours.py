"""An organization's time zone and sending hours, and the emails that wait for their time by them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from db.core.jsonb import Json, dump_json
from db.core.session import Transaction
from db.core.statements import Statement
from db.sequences import imports
from db.sequences.steps import Rewritten
from domain.errors import InvalidInput, NotFound
from domain.organization_hours import HoursReport, MovedSequence, OrganizationHours
from domain.send_window import SendWindow


class _Row(NamedTuple):
    time_zone: str
    sending: Json | None


class Waiting(NamedTuple):
    """A sequence of which emails wait."""

    id: UUID
    name: str


_LOCK_LANES = Statement(
    "SELECT 1 FROM lanes WHERE organization_id = :id ORDER BY mailbox_id FOR UPDATE",
)
_OF = Statement("SELECT time_zone, sending FROM organizations WHERE id = :id", _Row)
_LOCK = Statement("SELECT 1 FROM organizations WHERE id = :id FOR UPDATE")
_SET = Statement(
    "UPDATE organizations SET time_zone = :time_zone, sending = CAST(:sending AS jsonb) WHERE id = :id"
)
# What somebody writes by hand waits for no sending hours.
_WAITING = Statement(
    "SELECT s.id, s.name FROM sequences s WHERE s.organization_id = :id AND s.kind = 'sequence' AND s.status <> 'archived'"
    " AND EXISTS (SELECT FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending') ORDER BY s.id",
    Waiting,
)


def of(tx: Transaction, organization_id: UUID) -> OrganizationHours:
    """Return an organization's hours. Raises ``NotFound``."""
    row = _OF.one_or_none(tx, id=organization_id)
    if row is None:
        raise NotFound("There is no such organization.")
    return OrganizationHours(row.time_zone, row.sending)


def lock(tx: Transaction, organization_id: UUID) -> None:
    """Let nothing of the organization pass the gate, and nobody change its hours, until this transaction ends."""
    _LOCK_LANES.run(tx, id=organization_id)
    _LOCK.run(tx, id=organization_id)


def replace(
    tx: Transaction, organization_id: UUID, before: OrganizationHours, wanted: OrganizationHours
) -> HoursReport:
    """Set the hours, and have planned emails follow. The caller holds ``lock``. Raises ``InvalidInput``: they never meet a sequence's."""
    sending = None if wanted.sending is None else dump_json(dict(wanted.sending))
    _SET.run(tx, id=organization_id, time_zone=wanted.time_zone, sending=sending)
    moved = [] if before.sending == wanted.sending else _follow(tx, organization_id, before.sending)
    return HoursReport(changed=True, moved=sorted(moved, key=lambda each: -each.times.people))


def _follow(
    tx: Transaction, organization_id: UUID, sending_before: Mapping[str, Any] | None
) -> list[MovedSequence]:
    waiting = _WAITING.all(tx, id=organization_id)
    before = {
        each.id: imports.sending_windows(tx, each.id, organization=sending_before, of_organization=True)
        for each in waiting
    }
    return moved_of(tx, waiting, before)


def moved_of(
    tx: Transaction, waiting: Sequence[Waiting], before: Mapping[UUID, Sequence[SendWindow]]
) -> list[MovedSequence]:
    """Have planned emails of sequences follow other hours. ``before``: the windows behind their present times. Raises ``InvalidInput``."""
    moved = []
    for sequence in waiting:
        try:
            report = imports.follow_edit(
                tx, sequence.id, Rewritten((), (), changed=False), windows_before=before[sequence.id]
            )
        except InvalidInput as error:
            raise InvalidInput(
                f"{sequence.name} could send nothing: {error.what}", where="sending", fix=error.fix
            ) from None
        if report.times is not None:
            moved.append(MovedSequence(sequence.name, report.times))
    return moved
