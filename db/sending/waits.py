"""Why running sequences send nothing now: the facts behind the sentence, for pages, ``why`` and previews."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from db.access.authority import GRANTS, read_grant
from db.core.session import Transaction
from db.sending.absences import absences_in
from db.sending.enrollments import windows_of
from domain.grant import Grant
from domain.waits import Standing, sentence

_SQL = text(
    "SELECT s.id, s.owner_id, s.sending, o.sending AS organization_sending, o.time_zone, b.settings, b.owner_id AS mailbox_owner_id,"
    " coalesce(h.name, b.address) AS sender, clock_timestamp() AS now, l.daily_cap,"
    " CASE WHEN l.sent_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today,"
    " ((clock_timestamp() AT TIME ZONE l.zone)::date + 1)::timestamp AT TIME ZONE l.zone AS tomorrow,"
    " (SELECT min(d.due_at) FROM deliveries d WHERE d.sequence_id = s.id AND d.state = 'pending'"
    "   AND (NOT d.held OR s.status = 'paused')) AS next_due_at,"
    f" {GRANTS} AS grants"
    " FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id JOIN lanes l ON l.mailbox_id = b.id"
    " JOIN organizations o ON o.id = s.organization_id LEFT JOIN members h ON h.id = b.owner_id"
    " WHERE s.id = ANY(:ids) AND s.status = ANY(:statuses) AND b.status = 'connected'"
)


def grants_of(row: Any, owner_id: UUID, mailbox_owner_id: UUID | None) -> list[Grant] | None:
    """The grants in a row of ``GRANTS``; None where the sequence needs none."""
    if mailbox_owner_id in (None, owner_id):
        return None
    return [grant for value in row or [] if (grant := read_grant(value)) is not None]


def of_sequences(
    tx: Transaction, sequence_ids: Sequence[UUID], statuses: Sequence[str] = ("active",)
) -> dict[UUID, str]:
    """A sentence for each of these sequences that waits for its sender or for tomorrow."""
    found = {}
    for row in tx.execute(_SQL, {"ids": list(sequence_ids), "statuses": list(statuses)}).all():
        settings = row.settings or {}
        due: datetime | None = row.next_due_at
        said = sentence(
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
                due,
            )
        )
        if said is not None:
            found[row.id] = said
    return found
