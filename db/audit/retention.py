"""How long we keep data: the audit trail by whole months, and with each month the deliveries settled in that time.

Each month of the trail is a partition. When we drop one, ``audit_chains`` keeps the link from which the rest is verified.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from db.audit import audit, audit_chain
from db.core.session import Transaction
from domain.audit import Keys, Link

_LOCK = 7_266_242_535_033  # advisory: one process at a time changes partitions
_AHEAD = 2  # months prepared in advance
_TABLE = "audit_entries"
_WITHIN = "id >= :first AND id < :next"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC; ``number`` counts months since the year 0."""

    number: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """Return the month of a moment."""
        at = at.astimezone(UTC)
        return cls(at.year * 12 + at.month - 1)

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime(self.number // 12, self.number % 12 + 1, 1, tzinfo=UTC)

    @property
    def first_id(self) -> UUID:
        """The smallest UUIDv7 that it can contain."""
        return uuid.UUID(int=int(self.begins.timestamp() * 1000) << 80)

    @property
    def partition(self) -> str:
        """The table that holds its entries."""
        return f"{_TABLE}_{self.number // 12}_{self.number % 12 + 1:02}"

    def later(self, months: int) -> "Month":
        """Return the month this many months later, or earlier if negative."""
        return Month(self.number + months)

    def __str__(self) -> str:
        return f"{self.begins:%Y-%m}"


def prepare_months(tx: Transaction, now: datetime) -> list[Month]:
    """Create missing partitions for this month and the next two. Does nothing while another process does this."""
    if not _alone(tx):
        return []
    wanted = [Month.of(now).later(each) for each in range(_AHEAD + 1)]
    missing = [each for each in wanted if each not in months(tx)]
    for month in missing:
        _make(tx, month)
    return missing


def _make(tx: Transaction, month: Month) -> None:
    tx.execute(
        text("SELECT make_audit_month(:name, :first, :next)"),
        {"name": month.partition, "first": month.first_id, "next": month.later(1).first_id},
    )


def months(tx: Transaction) -> list[Month]:
    """Return the months that have a partition, oldest first."""
    names = tx.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"),
        {"table": _TABLE},
    ).scalars()
    parts = [name.removeprefix(f"{_TABLE}_").split("_") for name in names if not name.endswith("_default")]
    return sorted(Month(int(year) * 12 + int(month) - 1) for year, month in parts)


@dataclass(frozen=True, slots=True)
class Dropped:
    """The month dropped. ``entries`` None: it had to stay, because entries are unsealed or a chain is broken."""

    month: Month
    entries: int | None


def drop_oldest_month(tx: Transaction, keys: Keys, kept_from: Month) -> Dropped | None:
    """Drop the oldest month before ``kept_from``. Each chain's record, under its seal, says where the chain continues.

    Returns None if there is no such month, or another process is changing partitions.
    """
    old = [each for each in months(tx) if each < kept_from]
    if not old or not _alone(tx):
        return None
    month = old[0]
    # Nobody can write to the trail until this transaction ends. The gate must not wait for us, so we give up after a short wait.
    tx.execute(text("SET LOCAL lock_timeout = '2s'"))
    tx.execute(text("SELECT hold_audit_entries()"))
    bounds = {"first": month.first_id, "next": month.later(1).first_id}
    if tx.execute(
        text(f"SELECT EXISTS (SELECT FROM {_TABLE} WHERE {_WITHIN} AND position IS NULL)"), bounds
    ).scalar_one():
        return Dropped(month, None)
    ends = tx.execute(
        text(
            "SELECT DISTINCT ON (organization_id) organization_id, position, hash,"
            " count(*) OVER (PARTITION BY organization_id) AS entries"
            f" FROM {_TABLE} WHERE {_WITHIN} ORDER BY organization_id, position DESC"
        ),
        bounds,
    ).all()
    known = set(tx.execute(text("SELECT organization_id FROM audit_chains")).scalars())
    touched = known | {end.organization_id for end in ends}
    chains = audit_chain.for_update(tx, keys, sorted(touched))
    if set(chains) != touched:
        return Dropped(month, None)  # continuing a forged record under our seal would make it genuine
    for end in ends:
        chain = chains[end.organization_id]
        if end.position > chain.dropped.position:
            chains[end.organization_id] = replace(chain, dropped=Link(end.position, end.hash))
        audit.write(
            tx,
            end.organization_id,
            "onbehalf",
            "audit_month_dropped",
            f"organization:{end.organization_id}",
            {"month": str(month), "entries": end.entries, "position": end.position, "hash": end.hash},
        )
    border = month.later(1).begins
    audit_chain.save(
        tx, keys, [replace(each, kept_from=max(each.kept_from or border, border)) for each in chains.values()]
    )
    tx.execute(text("SELECT drop_audit_month(:name)"), {"name": month.partition})
    return Dropped(month, sum(end.entries for end in ends))


@dataclass(frozen=True, slots=True)
class Forgotten:
    """One batch: the number of deliveries deleted, and the enrollment to continue after; None = that was the last batch."""

    deliveries: int
    after: UUID | None


def forget_settled(tx: Transaction, after: UUID | None, limit: int = 500) -> Forgotten:
    """Delete deliveries and receipts of people whose sequence ended before the oldest month in the audit trail.

    The enrollments stay, as ended, so the same sequence never emails anybody again.
    """
    row = tx.execute(
        text(
            "WITH border AS (SELECT max(kept_from) AS at FROM audit_chains),"
            " people AS (SELECT id, status FROM enrollments, border WHERE enrollments.created_at < border.at"
            "   AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit),"
            " ended AS (SELECT p.id FROM people p, border WHERE p.status IN ('finished', 'stopped', 'archived')"
            "   AND NOT EXISTS (SELECT FROM deliveries d LEFT JOIN receipts r ON r.delivery_id = d.id WHERE d.enrollment_id = p.id"
            "     AND (d.state NOT IN ('sent', 'closed')"
            "       OR greatest(d.created_at, d.due_at, d.sent_at, r.accepted_at) >= border.at))),"
            " gone AS (DELETE FROM deliveries WHERE enrollment_id IN (SELECT id FROM ended) RETURNING receipt_id),"
            " receipts_gone AS (DELETE FROM receipts WHERE delivery_id IN (SELECT receipt_id FROM gone))"
            " SELECT (SELECT count(*) FROM gone) AS deliveries, (SELECT max(id::text) FROM people) AS last,"
            " (SELECT count(*) FROM people) AS people"
        ),
        {"after": after, "limit": limit},
    ).one()
    return Forgotten(row.deliveries, UUID(row.last) if row.people == limit else None)


def _alone(tx: Transaction) -> bool:
    alone: bool = tx.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar_one()
    return alone
