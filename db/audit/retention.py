"""How long things are kept: the audit trail by whole months, and with a month the settled deliveries of that time.

A month of the trail is a partition; dropping it leaves in ``audit_chains`` the link from which the rest is verified.
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
_AHEAD = 2  # months that are prepared before they begin
_TABLE = "audit_entries"
_WITHIN = "id >= :first AND id < :next"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC; ``number`` counts months since the year 0."""

    number: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """The month of a moment."""
        at = at.astimezone(UTC)
        return cls(at.year * 12 + at.month - 1)

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime(self.number // 12, self.number % 12 + 1, 1, tzinfo=UTC)

    @property
    def first_id(self) -> UUID:
        """The least UUIDv7 made in it."""
        return uuid.UUID(int=int(self.begins.timestamp() * 1000) << 80)

    @property
    def partition(self) -> str:
        """The table that holds its entries."""
        return f"{_TABLE}_{self.number // 12}_{self.number % 12 + 1:02}"

    def later(self, months: int) -> "Month":
        """So many months later, or earlier."""
        return Month(self.number + months)

    def __str__(self) -> str:
        return f"{self.begins:%Y-%m}"


def prepare_months(tx: Transaction, now: datetime) -> list[Month]:
    """Make the partitions of this month and the next two, if they are missing. Nothing while another process does."""
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
    """The months that have a partition, oldest first."""
    names = tx.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"),
        {"table": _TABLE},
    ).scalars()
    parts = [name.removeprefix(f"{_TABLE}_").split("_") for name in names if not name.endswith("_default")]
    return sorted(Month(int(year) * 12 + int(month) - 1) for year, month in parts)


@dataclass(frozen=True, slots=True)
class Dropped:
    """One month that is gone. ``None`` as ``entries``: it had to stay; some entries are not sealed, or a chain is broken."""

    month: Month
    entries: int | None


def drop_oldest_month(tx: Transaction, keys: Keys, kept_from: Month) -> Dropped | None:
    """Drop the oldest month before ``kept_from``; every chain's record, under its seal, says where it goes on.

    None: there is none.
    """
    old = [each for each in months(tx) if each < kept_from]
    if not old or not _alone(tx):
        return None
    month = old[0]
    # Until the end of this transaction nobody writes to the trail: the gate must not wait for us, so we wait briefly.
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
        return Dropped(month, None)  # to sign what goes on from a forged record would make it genuine
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
    """One batch: how many deliveries went, and after which enrollment to go on; None = that was the last."""

    deliveries: int
    after: UUID | None


def forget_settled(tx: Transaction, after: UUID | None, limit: int = 500) -> Forgotten:
    """Delete deliveries and receipts of people whose sequence ended before the oldest month that the audit trail keeps.

    The people stay enrolled, as ended: nobody is written to again by the same sequence.
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
