"""The suppression list. Every send and every enrollment asks it (``suppressed`` in the database); lifted entries stay on record.

After an erasure, an entry holds a keyed hash of its address and nothing else. It forbids again as soon as somebody brings that
address back: ``recognise`` is asked about every new address.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.ids import new_id
from db.core.session import Database, Transaction
from db.core.statements import SqlFile, Statement
from domain.cells import as_text
from domain.errors import InvalidInput, NotFound
from domain.suppression import Entry

PER_PAGE = 50
COLUMNS = ("address or domain", "reason", "source", "since", "by")
_EXPORTED = 5000  # entries in one transaction
_PURPOSE = "suppressions"


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as people see it. ``value`` None: erased. ``person``: the candidate of the address, or None."""

    id: UUID
    kind: str
    value: str | None
    address_hash: bytes | None
    reason: str
    source: str
    created_by: str
    created_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None
    lift_reason: str | None
    person: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are."""

    addresses: int
    domains: int
    lifted: int


@dataclass(frozen=True, slots=True)
class _Present:
    kind: str
    value: str


_SQL = SqlFile(__name__)
_ACTIVE, _ADD, _LIFT = (
    _SQL.statement("active_id", UUID),
    _SQL.statement("add", UUID),
    _SQL.statement("lift", UUID),
)
_ENTRIES, _COUNTS = _SQL.statement("entries", Listed), _SQL.statement("counts", Counts)
_PRESENT, _RECOGNISE = _SQL.statement("present", _Present), _SQL.statement("recognise")
_RECOGNISED = _SQL.statement("recognised", str)
_FORGET = _SQL.statement("forget")
_REASON = Statement("SELECT reason FROM suppressions WHERE id = :id", str)
_IS_ACTIVE = Statement(
    "SELECT lifted_at IS NULL FROM suppressions WHERE id = :id AND organization_id = :organization_id", bool
)


def active_id(tx: Transaction, organization_id: UUID, value: str, *, kind: str = "address") -> UUID | None:
    """Return the entry of an address or domain that is in force, or None."""
    return _ACTIVE.one_or_none(tx, organization_id=organization_id, kind=kind, value=value)


def reason_of(tx: Transaction, entry_id: UUID) -> str:
    """Return why an entry is on the list."""
    return _REASON.one(tx, id=entry_id)


def add(tx: Transaction, organization_id: UUID, entries: Sequence[Entry], *, actor: str) -> int:
    """Add what is not on the list, audited; returns how many that were. The caller holds the lanes of those concerned."""
    added = [
        found
        for each in entries
        if (
            found := _ADD.one_or_none(
                tx,
                id=new_id(),
                organization_id=organization_id,
                kind=each.kind,
                value=each.value,
                reason=each.reason.value,
                source=each.source,
                actor=actor,
            )
        )
        is not None
    ]
    if len(added) == 1:
        audit.write(tx, organization_id, actor, "suppression_added", f"suppression:{added[0]}", {})
    elif added:
        data = {"count": len(added)}
        audit.write(
            tx, organization_id, actor, "suppressions_imported", f"organization:{organization_id}", data
        )
    return len(added)


def known(tx: Transaction, organization_id: UUID, entries: Sequence[Entry]) -> set[tuple[str, str]]:
    """Return kind and value of those that are on the list."""
    rows = _PRESENT.all(tx, organization_id=organization_id, values=[each.value for each in entries])
    return {(row.kind, row.value) for row in rows}


def lift(tx: Transaction, organization_id: UUID, entry_id: UUID, *, actor: str, reason: str) -> bool:
    """Lift an entry: from now on, its address may be written to. Sends nothing. Returns False if it was lifted before.

    Raises ``NotFound``, ``InvalidInput`` (no reason).
    """
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidInput(
            "A reason is missing", where="reason", fix="Write how the person allowed it again."
        )
    if len(reason) > 500:
        raise InvalidInput(
            f"The reason has {len(reason)} characters", where="reason", fix="Shorten it to 500."
        )
    if _LIFT.one_or_none(tx, id=entry_id, organization_id=organization_id, actor=actor, reason=reason):
        audit.write(
            tx, organization_id, actor, "suppression_lifted", f"suppression:{entry_id}", {"reason": reason}
        )
        return True
    if _IS_ACTIVE.one_or_none(tx, id=entry_id, organization_id=organization_id) is None:
        raise NotFound("There is no such suppression.")
    return False


def entries(
    tx: Transaction,
    organization_id: UUID,
    *,
    kind: str | None = None,
    reason: str | None = None,
    search: str = "",
    lifted: bool = False,
    only: UUID | None = None,
    before: UUID | None = None,
    limit: int = PER_PAGE,
) -> list[Listed]:
    """Return entries, newest first. ``before``: those after this one on the next page."""
    return _ENTRIES.all(
        tx,
        organization_id=organization_id,
        kind=kind,
        reason=reason,
        search=search.strip().lower() or None,
        lifted=lifted,
        only=only,
        before=before,
        limit=limit,
    )


def export(database: Database, organization_id: UUID) -> Iterator[tuple[str, ...]]:
    """Yield what is in force and not erased, as rows of ``COLUMNS``, newest first.

    Each page is read in a transaction of its own, because whoever takes them may be slow.
    """
    before = None
    while True:
        with database.transaction() as tx:
            found = entries(tx, organization_id, before=before, limit=_EXPORTED)
        for each in found:
            if each.value is not None:
                since = each.created_at.isoformat(timespec="seconds")
                yield each.value, each.reason, as_text(each.source), since, as_text(each.created_by)
        if len(found) < _EXPORTED:
            return
        before = found[-1].id


def name_of(listed: Listed) -> str:
    """What people call an entry. Of an erased one, the beginning and the end of its hash."""
    if listed.value is not None:
        return listed.value
    code = (listed.address_hash or b"").hex()
    return f"Erased address {code[:4]}…{code[-2:]}"


def counts(tx: Transaction, organization_id: UUID) -> Counts:
    """Count the list."""
    return _COUNTS.one(tx, organization_id=organization_id)


def recognise(tx: Transaction, keys: KeyRing, organization_id: UUID, addresses: Collection[str]) -> int:
    """Give erased entries their address back where somebody brings it again, so that they forbid it; returns how many."""
    return _RECOGNISE.run(tx, **_hashed(keys, organization_id, addresses))


def recognised(
    tx: Transaction, keys: KeyRing, organization_id: UUID, addresses: Collection[str]
) -> frozenset[str]:
    """Return the addresses that ``recognise`` would give back to erased entries. Changes nothing."""
    return frozenset(_RECOGNISED.all(tx, **_hashed(keys, organization_id, addresses)))


def forget(tx: Transaction, keys: KeyRing, organization_id: UUID, address: str) -> int:
    """Keep of an address's entries nothing but a keyed hash, for an erasure; returns how many there are."""
    code = _hashes(keys, organization_id, address)[0]
    return _FORGET.run(tx, organization_id=organization_id, value=address, hash=code)


def _hashed(keys: KeyRing, organization_id: UUID, addresses: Collection[str]) -> dict[str, object]:
    pairs = [(each, code) for each in addresses for code in _hashes(keys, organization_id, each)]
    return {
        "organization_id": organization_id,
        "addresses": [address for address, _ in pairs],
        "hashes": [code for _, code in pairs],
    }


def _hashes(keys: KeyRing, organization_id: UUID, address: str) -> list[bytes]:
    return keys.codes(_PURPOSE, organization_id.bytes + address.encode())
