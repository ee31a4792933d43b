"""How long we keep data: the audit trail by whole months, and with each month the deliveries settled in that time.

Each month of the trail is a partition. When we drop one, ``audit_chains`` keeps the link from which the rest is verified.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from db.audit import audit, audit_chain
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
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


class _End(NamedTuple):
    organization_id: UUID
    position: int
    hash: str
    entries: int


class _Forgotten(NamedTuple):
    deliveries: int
    last: UUID | None
    people: int


_SQL = SqlFile(__name__)
_MAKE_MONTH = Statement("SELECT make_audit_month(:name, :first, :next)")
_PARTITIONS = Statement(
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)", str
)
_WAIT_SHORTLY = Statement("SET LOCAL lock_timeout = '2s'")
_HOLD_ENTRIES = Statement("SELECT hold_audit_entries()")
_HAS_UNSEALED = Statement(f"SELECT EXISTS (SELECT FROM {_TABLE} WHERE {_WITHIN} AND position IS NULL)", bool)
_ENDS = _SQL.statement("ends", _End, table=_TABLE, within=_WITHIN)
_CHAINS = Statement("SELECT organization_id FROM audit_chains", UUID)
_DROP_MONTH = Statement("SELECT drop_audit_month(:name)")
_FORGET_SETTLED = _SQL.statement("forget_settled", _Forgotten)
_ALONE = Statement("SELECT pg_try_advisory_xact_lock(:lock)", bool)


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
    _MAKE_MONTH.run(tx, name=month.partition, first=month.first_id, next=month.later(1).first_id)


def months(tx: Transaction) -> list[Month]:
    """Return the months that have a partition, oldest first."""
    names = _PARTITIONS.all(tx, table=_TABLE)
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
    _WAIT_SHORTLY.run(tx)
    _HOLD_ENTRIES.run(tx)
    bounds = {"first": month.first_id, "next": month.later(1).first_id}
    if _HAS_UNSEALED.one(tx, **bounds):
        return Dropped(month, None)
    ends = _ENDS.all(tx, **bounds)
    known = set(_CHAINS.all(tx))
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
    _DROP_MONTH.run(tx, name=month.partition)
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
    row = _FORGET_SETTLED.one(tx, after=after, limit=limit)
    return Forgotten(row.deliveries, row.last if row.people == limit else None)


def _alone(tx: Transaction) -> bool:
    return _ALONE.one(tx, lock=_LOCK)
