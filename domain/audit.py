"""The audit trail's hash chain: each entry's hash covers the one before it, so nothing can be changed or dropped unseen."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of one organization. ``position`` counts from 1 without gaps."""

    organization_id: UUID
    id: UUID
    position: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: Mapping[str, object]


def digest(value: object) -> str:
    """SHA-256 of ``value`` as canonical JSON, hex."""
    return hashlib.sha256(
        json.dumps(
            value,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            default=str,
        ).encode()
    ).hexdigest()


def chain_hash(previous: str, entry: Entry) -> str:
    """The hash that seals ``entry`` behind the entry whose hash is ``previous`` (``GENESIS`` for the first)."""
    return digest(
        [
            previous,
            str(entry.organization_id),
            str(entry.id),
            entry.position,
            entry.at.astimezone(UTC).isoformat(),
            entry.actor,
            entry.action,
            entry.subject,
            entry.data,
        ]
    )


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: a position and the hash that stands there."""

    position: int = 0
    hash: str = GENESIS


def first_break(
    entries: Iterable[tuple[Entry, str]], after: Link = Link(), head: Link | None = None
) -> int | None:
    """Position of the first entry (in order of position) that does not fit the chain; None = the chain holds.

    ``after``: the last link of what is not kept any more. ``head``: the newest link there must be.
    """
    previous = after
    for entry, sealed in entries:
        expected = previous.position + 1
        if entry.position != expected or chain_hash(previous.hash, entry) != sealed:
            return expected
        previous = Link(expected, sealed)
    if head is not None and previous != head:
        return previous.position + 1
    return None
