"""The chains of the audit trail: seal new entries under a key, and verify stored ones.

We never extend a chain whose own record is missing or altered: that would make a forgery genuine. Its entries wait,
and ``audit verify`` and the hourly ``audit_chain_broken`` report it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.core.crypto import KeyMissing
from db.core.jsonb import Json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.audit import (
    Actor,
    ActorKind,
    Chain,
    Entry,
    Keys,
    Link,
    Sealed,
    chain_hash,
    chain_seal,
    judge,
    same,
)

_LOCK = 7_266_242_535_032  # advisory: one sealer at a time, across all processes


@dataclass(frozen=True, slots=True)
class Stored:
    """A chain's stored record. ``genuine``: its seal is right. ``known``: its key is in the ring."""

    chain: Chain
    key_id: str
    seal: str
    genuine: bool
    known: bool


@dataclass(frozen=True, slots=True)
class ChainRow:
    """A row of ``audit_chains``."""

    organization_id: UUID
    position: int
    hash: str
    dropped_position: int
    dropped_hash: str
    kept_from: datetime | None
    unkeyed: int
    key_id: str
    seal: str


class _Unsealed(NamedTuple):
    organization_id: UUID
    id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject: str
    data: Json


class SealedRow(NamedTuple):
    """A sealed entry as it is stored. ``key_id`` None: sealed before there were keys."""

    organization_id: UUID
    id: UUID
    position: int
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject: str
    data: Json
    hash: str
    key_id: str | None


_SQL = SqlFile(__name__)
_TRY_LOCK = Statement("SELECT pg_try_advisory_xact_lock(:lock)", bool)
_WAITING = Statement("SELECT DISTINCT organization_id FROM audit_entries WHERE position IS NULL", UUID)
_UNSEALED = Statement(
    "SELECT * FROM audit_entries WHERE position IS NULL AND organization_id = ANY(:ids)"
    " ORDER BY organization_id, id LIMIT :limit",
    _Unsealed,
)
_SET_SEALED = _SQL.statement("set_sealed")
_LOCK_CHAINS = Statement(
    "SELECT * FROM audit_chains WHERE organization_id = ANY(:ids) ORDER BY organization_id FOR UPDATE",
    ChainRow,
)
_SAVE = _SQL.statement("save")
_TAKE_LOCK = Statement("SELECT pg_advisory_xact_lock(:lock)")
_OLDER = Statement(
    "SELECT * FROM audit_chains WHERE key_id <> :newest ORDER BY organization_id FOR UPDATE", ChainRow
)
_CHAIN = Statement("SELECT * FROM audit_chains WHERE organization_id = :id", ChainRow)
_WITH_SEALED_ENTRIES = Statement(
    "SELECT id FROM unnest(CAST(:ids AS uuid[])) AS o(id) WHERE EXISTS (SELECT FROM audit_entries a"
    " WHERE a.organization_id = o.id AND a.position IS NOT NULL)",
    UUID,
)
_IS_BEYOND = Statement(
    "SELECT EXISTS (SELECT FROM audit_entries a JOIN audit_chains c ON c.organization_id = a.organization_id"
    " WHERE a.organization_id = :id AND a.position > c.position)",
    bool,
)
_SEALED = Statement(
    "SELECT * FROM audit_entries WHERE organization_id = :id AND position > :after AND position <= :until"
    " ORDER BY position",
    SealedRow,
)


def seal(tx: Transaction, keys: Keys, limit: int = 2000) -> int:
    """Give unsealed entries their position and hash; returns how many. Does nothing while another process is sealing."""
    if not _TRY_LOCK.one(tx, lock=_LOCK):
        return 0
    chains = for_update(tx, keys, _WAITING.all(tx))
    if not chains:
        return 0
    rows = _UNSEALED.all(tx, limit=limit, ids=list(chains))
    key = keys.by_id[keys.newest]
    ids, positions, hashes = [], [], []
    for row in rows:
        chain = chains[row.organization_id]
        written = _entry(row, chain.head.position + 1)
        head = Link(written.position, chain_hash(chain.head.hash, written, key))
        chains[row.organization_id] = replace(chain, head=head)
        ids.append(row.id)
        positions.append(head.position)
        hashes.append(head.hash)
    _SET_SEALED.run(tx, ids=ids, positions=positions, hashes=hashes, key_id=keys.newest)
    save(tx, keys, [chains[each] for each in {row.organization_id for row in rows}])
    return len(ids)


def for_update(tx: Transaction, keys: Keys, organization_ids: Sequence[UUID]) -> dict[UUID, Chain]:
    """Lock and return the chains we may extend. Leaves out chains whose record is missing or not genuine."""
    found = {row.organization_id: row for row in _LOCK_CHAINS.all(tx, ids=list(organization_ids))}
    stored = {each: stored_of(row, keys).chain for each, row in found.items() if stored_of(row, keys).genuine}
    begun = with_sealed_entries(tx, [each for each in organization_ids if each not in found])
    fresh = {each: Chain(each) for each in organization_ids if each not in found and each not in begun}
    return stored | fresh


def save(tx: Transaction, keys: Keys, chains: Sequence[Chain]) -> None:
    """Store the chains' records under the newest key."""
    key = keys.by_id[keys.newest]
    if not chains:
        return
    _SAVE.run_each(
        tx,
        [
            {
                "id": each.organization_id,
                "position": each.head.position,
                "hash": each.head.hash,
                "dropped_position": each.dropped.position,
                "dropped_hash": each.dropped.hash,
                "kept_from": each.kept_from,
                "unkeyed": each.unkeyed,
                "key_id": keys.newest,
                "seal": chain_seal(each, key),
            }
            for each in chains
        ],
    )


def renew(tx: Transaction, keys: Keys) -> int:
    """Seal every chain's record again under the newest key; returns how many had an older one. Raises ``KeyMissing``.

    Entries keep the keys that sealed them.
    """
    _TAKE_LOCK.run(tx, lock=_LOCK)
    rows = _OLDER.all(tx, newest=keys.newest)
    stored = [stored_of(row, keys) for row in rows]
    if gone := sorted({each.key_id for each in stored if not each.known}):
        raise KeyMissing(
            f"An audit chain is sealed by a key that SECRET_KEYS does not hold (id {gone[0]})."
            " Put the old key back at the end of the list."
        )
    genuine = [each.chain for each in stored if each.genuine]
    save(tx, keys, genuine)
    return len(genuine)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk along a chain found.

    ``kept_from``: older entries were dropped because of their age; None = none were. ``unkeyed``: the number of entries
    without a key, because they predate the keys. ``unknown_keys``: ids of keys that seal something here but are not in
    SECRET_KEYS; what they seal is unproven. ``problem``: what is wrong, in words.
    """

    entries: int
    broken_at: int | None
    kept_from: datetime | None
    head: Link = field(default=Link(), compare=False)
    unkeyed: int = 0
    unknown_keys: tuple[str, ...] = ()
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Is every entry present, unchanged and proven?"""
        return self.broken_at is None and not self.unknown_keys


def verify(tx: Transaction, keys: Keys, organization_id: UUID) -> Verified:
    """Walk an organization's sealed entries from the oldest kept to the newest and check every hash."""
    row = _CHAIN.one_or_none(tx, id=organization_id)
    if row is None:
        if with_sealed_entries(tx, [organization_id]):
            return Verified(0, 1, None, problem="The chain's own record is gone, and its entries are there.")
        return Verified(0, None, None)
    stored = stored_of(row, keys)
    chain = stored.chain
    found = judge(_sealed(tx, chain), chain, keys)
    broken, problem = found.broken_at, ""
    if broken is not None:
        problem = f"Entry {broken} was changed, or is missing."
    elif stored.known and not stored.genuine:
        broken, problem = chain.head.position + 1, "The chain's own record was changed."
    elif _beyond(tx, organization_id):
        broken, problem = chain.head.position + 1, "There are entries after the chain's end."
    unknown = tuple(dict.fromkeys([*found.unknown_keys, *([] if stored.known else [stored.key_id])]))
    if unknown and not problem:
        problem = (
            f"SECRET_KEYS does not hold the key {', '.join(unknown)}. Put it back at the end of the list."
        )
    return Verified(
        chain.head.position - chain.dropped.position,
        broken,
        chain.kept_from,
        chain.head,
        max(0, chain.unkeyed - chain.dropped.position),
        unknown,
        problem,
    )


def stored_of(row: ChainRow, keys: Keys) -> Stored:
    """Read a row of ``audit_chains`` and check its seal."""
    chain = Chain(
        row.organization_id,
        Link(row.position, row.hash),
        Link(row.dropped_position, row.dropped_hash),
        row.kept_from,
        row.unkeyed,
    )
    key = keys.by_id.get(row.key_id)
    genuine = key is not None and same(chain_seal(chain, key), row.seal)
    return Stored(chain, row.key_id, row.seal, genuine, key is not None)


def with_sealed_entries(tx: Transaction, organization_ids: Sequence[UUID]) -> set[UUID]:
    """Return those organizations that have sealed entries."""
    return set(_WITH_SEALED_ENTRIES.all(tx, ids=list(organization_ids)))


def _beyond(tx: Transaction, organization_id: UUID) -> bool:
    # One statement, because the sealer may run at the same time.
    return _IS_BEYOND.one(tx, id=organization_id)


def rows_of(tx: Transaction, organization_id: UUID, after: int, until: int) -> Iterator[SealedRow]:
    """Stream sealed entries in order."""
    return _SEALED.stream(tx, id=organization_id, after=after, until=until)


def _sealed(tx: Transaction, chain: Chain) -> Iterator[Sealed]:
    for row in rows_of(tx, chain.organization_id, chain.dropped.position, chain.head.position):
        yield Sealed(_entry(row, row.position), row.hash, row.key_id)


def _entry(row: _Unsealed | SealedRow, position: int) -> Entry:
    who = Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name)
    return Entry(row.organization_id, row.id, position, row.at, who, row.action, row.subject, row.data)
