"""The audit trail's chain: each entry's seal covers the one before it and needs a key, so nothing can be changed or dropped unseen."""

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
    """What somebody is who did something."""

    MEMBER = "member"  # id: the member's
    API_KEY = "api_key"  # id: the key's
    OPERATOR = "operator"  # id: the user of the machine, or ONBEHALF_ACTOR
    PROVIDER = "provider"  # id: the name in small letters, such as microsoft
    SYSTEM = "system"  # Onbehalf itself
    NAME = "name"  # only a name is known: written down before actors had ids


class Actor(str):
    """Who did something. Reads as the name that people see; ``typed`` tells namesakes apart.

    A string, so that a name goes wherever an actor is shown; what stores an actor stores all three parts.
    """

    __slots__ = ("id", "kind")

    kind: ActorKind
    id: str

    def __new__(cls, kind: ActorKind, id_: object, name: str) -> Self:
        """``id_``: as ``ActorKind`` says; empty where there is none."""
        made = super().__new__(cls, name)
        made.kind, made.id = kind, str(id_)
        return made

    @classmethod
    def of(cls, who: str) -> "Actor":
        """An actor as it is; a bare name is Onbehalf's or a provider's own, or one that says nothing but itself."""
        if isinstance(who, Actor):
            return who
        if who.lower() == "onbehalf":
            return cls(ActorKind.SYSTEM, "", who)
        if who in REFUSED_BY.values():
            return cls(ActorKind.PROVIDER, who.removeprefix("The ").lower().replace(" ", "_"), who)
        return cls(ActorKind.NAME, "", who)

    @property
    def name(self) -> str:
        """The name alone."""
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
    """The keys that seal a chain, by their ids. The newest seals, all verify."""

    newest: str
    by_id: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of one organization. ``position`` counts from 1 without gaps."""

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
    """A place in a chain: a position and the hash that stands there."""

    position: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry with its seal. ``key_id`` None: sealed without a key, before there were keys."""

    entry: Entry
    hash: str
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """What is kept of one organization's chain beside its entries, under a seal of its own.

    ``dropped``: the last link of what went with old months; ``kept_from``: where those ended. ``unkeyed``: up to which
    position entries carry no key.
    """

    organization_id: UUID
    head: Link = Link()
    dropped: Link = Link()
    kept_from: datetime | None = None
    unkeyed: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a walk along a chain found. ``broken_at``: the first position that does not fit; None = it holds.

    ``unknown_keys``: ids of keys that seal entries and are not in the ring; those entries are not proven.
    """

    broken_at: int | None = None
    unknown_keys: tuple[str, ...] = ()


def digest(value: object) -> str:
    """SHA-256 of ``value`` as canonical JSON, hex."""
    return hashlib.sha256(_canonical(value)).hexdigest()


def chain_hash(previous: str, entry: Entry, key: bytes | None) -> str:
    """The hash that seals ``entry`` behind the entry whose hash is ``previous`` (``GENESIS`` for the first).

    ``key`` None: as entries were sealed before there were keys, which knew an actor's name alone.
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
    """The seal of what is kept beside the entries: nobody without the key can move the head, or pretend that a month was dropped."""
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
    """Compare two hashes."""
    return hmac.compare_digest(one, other)


def judge(entries: Iterable[Sealed], chain: Chain, keys: Keys) -> Judgement:
    """Walk along ``entries`` (in order of position) from what was dropped to the head."""
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
        # Old entries knew a name alone; a kind or an id that stands there now was never sealed.
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
