"""The audit trail's hash chain.

Each seal needs a key and covers the entry before, so no change or removal goes unnoticed.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.connection import REFUSED_BY

GENESIS = "0" * 64


class ActorKind(StrEnum):
    """What kind of actor did something."""

    MEMBER = "member"  # id: the member's id
    API_KEY = "api_key"  # id: the key's id
    OPERATOR = "operator"  # id: the machine's user, or ONBEHALF_ACTOR
    PROVIDER = "provider"  # id: the name in lower case, such as microsoft
    SYSTEM = "system"  # Onbehalf itself
    NAME = "name"  # only a name is known: recorded before actors had ids


class Actor(str):
    """Who did something. Its string value is the name that people see; ``typed`` tells namesakes apart.

    It is a string, so it works wherever a name is shown. Code that stores an actor stores kind, id and name.
    """

    __slots__ = ("id", "kind")

    kind: ActorKind
    id: str

    def __new__(cls, kind: ActorKind, id_: object, name: str) -> Self:
        """``id_`` depends on the kind, see ``ActorKind``. It is empty if there is none."""
        made = super().__new__(cls, name)
        made.kind, made.id = kind, str(id_)
        return made

    @classmethod
    def of(cls, who: str) -> "Actor":
        """Return an ``Actor`` as it is. A bare name becomes Onbehalf, a provider, or an actor known by name only."""
        if isinstance(who, Actor):
            return who
        if who.lower() == "onbehalf":
            return cls(ActorKind.SYSTEM, "", who)
        if who in REFUSED_BY.values():
            return cls(ActorKind.PROVIDER, who.removeprefix("The ").lower().replace(" ", "_"), who)
        return cls(ActorKind.NAME, "", who)

    @property
    def name(self) -> str:
        """The name as a plain string."""
        return str(self)

    @property
    def typed(self) -> str:
        """``member:<id>``, ``api_key:<id>``, ``operator:<name>``, ``provider:microsoft``, ``system``."""
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Actor):
            return (self.kind, self.id, self.name) == (other.kind, other.id, other.name)
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return super().__hash__()

    def __repr__(self) -> str:
        return f"Actor({self.typed!r}, {self.name!r})"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that seal a chain, by id. The newest key seals; every key verifies."""

    newest: str
    by_id: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one organization's audit trail. ``position`` counts from 1 without gaps."""

    organization_id: UUID
    id: UUID
    position: int
    at: datetime
    actor: Actor
    action: str
    subject: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: a position, and the hash of the entry there."""

    position: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry with its seal. ``key_id`` is None for entries sealed before there were keys."""

    entry: Entry
    hash: str
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """What is stored about one organization's chain besides its entries, under a seal of its own.

    ``dropped``: the last link of the months that were removed; ``kept_from``: when those months ended.
    ``unkeyed``: entries up to this position carry no key.
    """

    organization_id: UUID
    head: Link = Link()
    dropped: Link = Link()
    kept_from: datetime | None = None
    unkeyed: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result of verifying a chain.

    ``broken_at``: the first position that does not fit; None means the chain holds.

    ``unknown_keys``: ids of keys that seal entries but are not among ``Keys``. Those entries are not proven.
    """

    broken_at: int | None = None
    unknown_keys: tuple[str, ...] = ()


def digest(value: object) -> str:
    """SHA-256 of ``value`` as canonical JSON, in hex."""
    return hashlib.sha256(_canonical(value)).hexdigest()


def chain_hash(previous: str, entry: Entry, key: bytes | None) -> str:
    """The hash that seals ``entry`` after an entry with the hash ``previous`` (``GENESIS`` for the first).

    ``key`` None gives the hash of entries from before there were keys. It covers the actor's name only.
    """
    actor = [str(entry.actor.kind), entry.actor.id, entry.actor.name]
    value = [
        previous,
        str(entry.organization_id),
        str(entry.id),
        entry.position,
        entry.at.astimezone(UTC).isoformat(),
        entry.actor.name if key is None else actor,
        entry.action,
        entry.subject,
        entry.data,
    ]
    return digest(value) if key is None else _mac(key, value)


def chain_seal(chain: Chain, key: bytes) -> str:
    """The seal of ``chain``. Without the key nobody can move the head or pretend that a month was dropped."""
    return _mac(
        key,
        [
            "chain",
            str(chain.organization_id),
            chain.head.position,
            chain.head.hash,
            chain.dropped.position,
            chain.dropped.hash,
            None if chain.kept_from is None else chain.kept_from.astimezone(UTC).isoformat(),
            chain.unkeyed,
        ],
    )


def same(one: str, other: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(one, other)


def judge(entries: Iterable[Sealed], chain: Chain, keys: Keys) -> Judgement:
    """Verify ``entries``, in order of position, from the last dropped link to the head."""
    previous, unknown = chain.dropped, dict[str, None]()
    for sealed in entries:
        entry, expected = sealed.entry, previous.position + 1
        if entry.position != expected or not _fits(sealed, previous, chain, keys, unknown):
            return Judgement(expected, tuple(unknown))
        previous = Link(expected, sealed.hash)
    broken = None if previous == chain.head else previous.position + 1
    return Judgement(broken, tuple(unknown))


def _fits(sealed: Sealed, previous: Link, chain: Chain, keys: Keys, unknown: dict[str, None]) -> bool:
    entry = sealed.entry
    if sealed.key_id is None:
        # Entries without a key sealed only a name. A kind or an id on one of them was added later.
        known = replace(entry, actor=Actor(ActorKind.NAME, "", entry.actor.name)) == entry
        return (
            entry.position <= chain.unkeyed
            and known
            and same(chain_hash(previous.hash, entry, None), sealed.hash)
        )
    if entry.position <= chain.unkeyed:
        return False
    key = keys.by_id.get(sealed.key_id)
    if key is None:
        unknown[sealed.key_id] = None
        return True
    return same(chain_hash(previous.hash, entry, key), sealed.hash)


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def _mac(key: bytes, value: object) -> str:
    return hmac.new(key, _canonical(value), hashlib.sha256).hexdigest()
