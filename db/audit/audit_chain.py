"""The chains of the audit trail: seal new entries under a key, and judge what is stored.

Nothing is added to a chain whose own record is missing or was changed: that would make a forgery genuine. It waits,
and ``audit verify`` and the hourly ``audit_chain_broken`` say so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from db.core.crypto import KeyMissing
from db.core.session import Transaction
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

_LOCK = 7_266_242_535_032  # advisory: one sealer at a time, over all processes
_ENTRY = (
    "organization_id, id, position, at, actor_kind, actor_id, actor_name, action, subject, data, hash, key_id"
)
_CHAINS = text(
    "SELECT * FROM audit_chains WHERE organization_id = ANY(:ids) ORDER BY organization_id FOR UPDATE"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A chain's own record as it is stored. ``genuine``: its seal is right. ``known``: its key is in the ring."""

    chain: Chain
    key_id: str
    seal: str
    genuine: bool
    known: bool


def seal(tx: Transaction, keys: Keys, limit: int = 2000) -> int:
    """Give unsealed entries their place and hash; returns how many. Nothing when another process is sealing."""
    if not tx.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar_one():
        return 0
    waiting = tx.execute(text("SELECT DISTINCT organization_id FROM audit_entries WHERE position IS NULL"))
    chains = for_update(tx, keys, list(waiting.scalars()))
    if not chains:
        return 0
    rows = tx.execute(
        text(
            f"SELECT {_ENTRY} FROM audit_entries WHERE position IS NULL AND organization_id = ANY(:ids)"
            " ORDER BY organization_id, id LIMIT :limit"
        ),
        {"limit": limit, "ids": list(chains)},
    ).all()
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
    tx.execute(
        text(
            "UPDATE audit_entries a SET position = r.position, hash = r.hash, key_id = :key_id"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[]), CAST(:hashes AS text[]))"
            " AS r(id, position, hash) WHERE a.id = r.id"
        ),
        {"ids": ids, "positions": positions, "hashes": hashes, "key_id": keys.newest},
    )
    save(tx, keys, [chains[each] for each in {row.organization_id for row in rows}])
    return len(ids)


def for_update(tx: Transaction, keys: Keys, organization_ids: Sequence[UUID]) -> dict[UUID, Chain]:
    """The chains that may be continued, locked. Left out: one whose record is gone or not genuine."""
    found = {row.organization_id: row for row in tx.execute(_CHAINS, {"ids": list(organization_ids)})}
    stored = {each: stored_of(row, keys).chain for each, row in found.items() if stored_of(row, keys).genuine}
    begun = with_sealed_entries(tx, [each for each in organization_ids if each not in found])
    fresh = {each: Chain(each) for each in organization_ids if each not in found and each not in begun}
    return stored | fresh


def save(tx: Transaction, keys: Keys, chains: Sequence[Chain]) -> None:
    """Store the chains' records under the newest key."""
    key = keys.by_id[keys.newest]
    if not chains:
        return
    tx.execute(
        text(
            "INSERT INTO audit_chains (organization_id, position, hash, dropped_position, dropped_hash, kept_from, unkeyed,"
            " key_id, seal) VALUES (:id, :position, :hash, :dropped_position, :dropped_hash, :kept_from, :unkeyed, :key_id,"
            " :seal) ON CONFLICT (organization_id) DO UPDATE SET position = excluded.position, hash = excluded.hash,"
            " dropped_position = excluded.dropped_position, dropped_hash = excluded.dropped_hash,"
            " kept_from = excluded.kept_from, unkeyed = excluded.unkeyed, key_id = excluded.key_id, seal = excluded.seal"
        ),
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
    """Put every chain's record under the newest key; returns how many were under an older one. Raises ``KeyMissing``.

    Entries keep the keys that sealed them.
    """
    tx.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    rows = tx.execute(
        text("SELECT * FROM audit_chains WHERE key_id <> :newest ORDER BY organization_id FOR UPDATE"),
        {"newest": keys.newest},
    ).all()
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
    """What a walk along a chain found. ``kept_from``: older entries were dropped because of their age; None = none were.

    ``unkeyed``: so many entries carry no key, because they are older than the keys. ``unknown_keys``: ids of keys that
    seal something here and are not in SECRET_KEYS; what they seal is not proven. ``problem``: what is wrong, in words.
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
        """Is everything there, unchanged and proven?"""
        return self.broken_at is None and not self.unknown_keys


def verify(tx: Transaction, keys: Keys, organization_id: UUID) -> Verified:
    """Walk an organization's sealed entries from the oldest kept to the newest and check every hash."""
    row = tx.execute(
        text("SELECT * FROM audit_chains WHERE organization_id = :id"), {"id": organization_id}
    ).one_or_none()
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


def stored_of(row: Row[Any], keys: Keys) -> Stored:
    """A row of ``audit_chains``, judged."""
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
    """Which of them have entries in a chain."""
    return set(
        tx.execute(
            text(
                "SELECT id FROM unnest(CAST(:ids AS uuid[])) AS o(id) WHERE EXISTS (SELECT FROM audit_entries a"
                " WHERE a.organization_id = o.id AND a.position IS NOT NULL)"
            ),
            {"ids": list(organization_ids)},
        ).scalars()
    )


def _beyond(tx: Transaction, organization_id: UUID) -> bool:
    # In one statement: the sealer goes on meanwhile.
    beyond: bool = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM audit_entries a JOIN audit_chains c ON c.organization_id = a.organization_id"
            " WHERE a.organization_id = :id AND a.position > c.position)"
        ),
        {"id": organization_id},
    ).scalar_one()
    return beyond


def rows_of(tx: Transaction, organization_id: UUID, after: int, until: int) -> Iterator[Row[Any]]:
    """Sealed entries in their order, read as they are needed."""
    with tx.execute(
        text(
            f"SELECT {_ENTRY} FROM audit_entries WHERE organization_id = :id AND position > :after AND position <= :until"
            " ORDER BY position"
        ).execution_options(yield_per=1000),
        {"id": organization_id, "after": after, "until": until},
    ) as rows:
        yield from rows


def _sealed(tx: Transaction, chain: Chain) -> Iterator[Sealed]:
    for row in rows_of(tx, chain.organization_id, chain.dropped.position, chain.head.position):
        yield Sealed(_entry(row, row.position), row.hash, row.key_id)


def _entry(row: Row[Any], position: int) -> Entry:
    who = Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_name)
    return Entry(row.organization_id, row.id, position, row.at, who, row.action, row.subject, row.data)
