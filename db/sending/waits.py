"""Why running sequences send nothing now: the facts for the sentence that pages, ``why`` and previews show."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.access.authority import GRANTS, read_grant
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile
from db.sending.absences import absences_in
from db.sending.enrollments import windows_of
from db.sending.holds import read_hold
from domain.grant import Grant
from domain.waits import Standing, sentence


class _Sequence(NamedTuple):
    id: UUID
    owner_id: UUID
    sending: Json | None
    organization_sending: Json | None
    time_zone: str
    settings: Json | None
    mailbox_owner_id: UUID | None
    sender: str
    now: datetime
    daily_cap: int
    sent_today: int
    tomorrow: datetime
    next_due_at: datetime | None
    grants: list[Json] | None
    hold: Json | None
    address: str


_OF_SEQUENCES = SqlFile(__name__).statement("of_sequences", _Sequence, grants=GRANTS)


def grants_of(
    found: Sequence[Json] | None, owner_id: UUID, mailbox_owner_id: UUID | None
) -> list[Grant] | None:
    """Return the grants that ``GRANTS`` found; None if the sequence needs none."""
    if mailbox_owner_id in (None, owner_id):
        return None
    return [grant for value in found or [] if (grant := read_grant(value)) is not None]


def of_sequences(
    tx: Transaction, sequence_ids: Sequence[UUID], statuses: Sequence[str] = ("active",)
) -> dict[UUID, str]:
    """Return a sentence for each of these sequences that waits for its sender or for tomorrow."""
    found = ((each.sequence_id, sentence(each)) for each in standings(tx, sequence_ids, statuses))
    return {sequence_id: said for sequence_id, said in found if said is not None}


def standings(
    tx: Transaction, sequence_ids: Sequence[UUID], statuses: Sequence[str] = ("active",)
) -> list[Standing]:
    """Return what decides when these sequences' next emails may leave."""
    found = []
    for row in _OF_SEQUENCES.all(tx, ids=list(sequence_ids), statuses=list(statuses)):
        settings = row.settings or {}
        found.append(
            Standing(
                row.now,
                row.time_zone,
                row.id,
                row.owner_id,
                row.sender,
                absences_in(settings),
                windows_of(row.sending, row.organization_sending, settings.get("window")),
                grants_of(row.grants, row.owner_id, row.mailbox_owner_id),
                row.sent_today,
                row.daily_cap,
                row.tomorrow,
                row.next_due_at,
                read_hold(row.hold),
                row.address,
            )
        )
    return found
