"""Members' chat channels: their addresses are sealed, only workers open them, and each says one thing once."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from db.audit import audit
from db.core.crypto import KeyRing, Place, Sealer
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from domain.errors import InvalidInput, NotFound, NotPermitted

MAX_CHANNELS = 5  # of one member
MAX_NAME = 60
MAX_SENDING = 2  # of one organization, at the same time: its slow chats keep no others waiting
_LEASE = timedelta(seconds=90)  # after that, an attempt without a recorded end counts as unknown
_KEEP = timedelta(days=90)
_COLUMN = "notice_channels.sealed_url"


class Busy(StrEnum):
    """Why nothing can be said now."""

    SENDING = "it is being said already"
    ORGANIZATION = "as many messages of the organization are under way as may"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that a worker may write to. ``tried_for``: since the first attempt to say this."""

    id: UUID
    organization_id: UUID
    url: str = field(repr=False)
    tried_for: timedelta


@dataclass(frozen=True, slots=True)
class Listed:
    """A channel as pages show it, without its address. ``last_answer``: how the last attempt ended."""

    id: UUID
    service: str
    name: str
    created_at: datetime
    last_answer: str | None
    last_at: datetime | None


class _Same(NamedTuple):
    id: UUID
    name: str


class _Sealed(NamedTuple):
    id: UUID
    organization_id: UUID
    sealed_url: bytes


class _Earlier(NamedTuple):
    state: str
    running: bool | None


_SQL = SqlFile(__name__)
_LOCK_MEMBER, _SAME = _SQL.statement("lock_member", UUID), _SQL.statement("same", _Same)
_ADD, _REMOVE = _SQL.statement("add"), _SQL.statement("remove", UUID)
_LISTING, _OPEN_ONE = _SQL.statement("listing", Listed), _SQL.statement("open_one", _Sealed)
_LOCK_SENDING = Statement("SELECT pg_advisory_xact_lock(hashtextextended('channels ' || :id, 0))")
_RUNNING = Statement(
    "SELECT count(*) FROM channel_notices WHERE organization_id = :id AND lease_until > clock_timestamp()",
    int,
)
_CLAIM, _EARLIER = _SQL.statement("claim", timedelta), _SQL.statement("earlier", _Earlier)
_RECORD = _SQL.statement("record")
_PURGE = Statement(
    "DELETE FROM channel_notices WHERE created_at < clock_timestamp() - CAST(:kept AS interval)"
)


def add(
    tx: Transaction, sealer: Sealer, member_id: UUID, *, service: str, name: str, url: str, actor: str
) -> UUID:
    """Add a channel of a member; returns its id, also if the same one was added before. ``url``: checked.

    Raises ``NotFound``, ``InvalidInput``, and ``NotPermitted`` for a channel that has another name, or one too many.
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput(
            "The channel has no name", where="name", fix=f"Give one of at most {MAX_NAME} characters."
        )
    organization_id = _LOCK_MEMBER.one_or_none(tx, id=member_id)
    if organization_id is None:
        raise NotFound("There is no such member.")
    digest = hashlib.sha256(member_id.bytes + url.encode()).digest()
    same = _SAME.one_or_none(tx, member_id=member_id, digest=digest)
    if same is not None:
        if same.name != name:
            raise NotPermitted(f"This channel is here already, as {same.name}.")
        return same.id
    if len(listing(tx, member_id)) >= MAX_CHANNELS:
        raise NotPermitted(f"One person may have {MAX_CHANNELS} channels. Remove one first.")
    channel_id = new_id()
    _ADD.run(
        tx,
        id=channel_id,
        organization_id=organization_id,
        member_id=member_id,
        service=service,
        name=name,
        url=sealer.encrypt(url, Place(organization_id, channel_id, _COLUMN)),
        digest=digest,
    )
    data = {"service": service, "channel": str(channel_id)}
    audit.write(tx, organization_id, actor, "notice_channel_added", f"member:{member_id}", data)
    return channel_id


def remove(tx: Transaction, member_id: UUID, channel_id: UUID, *, actor: str) -> None:
    """Remove a member's channel and erase its address; nothing is written there any more. Raises ``NotFound``."""
    organization_id = _REMOVE.one_or_none(tx, id=channel_id, member_id=member_id)
    if organization_id is None:
        raise NotFound("There is no such channel.")
    data = {"channel": str(channel_id)}
    audit.write(tx, organization_id, actor, "notice_channel_removed", f"member:{member_id}", data)


def listing(tx: Transaction, member_id: UUID) -> list[Listed]:
    """Return a member's channels."""
    return _LISTING.all(tx, member_id=member_id)


def claim(
    tx: Transaction, ring: KeyRing, member_id: UUID, channel_id: UUID, cause_key: str
) -> Channel | Busy | None:
    """Claim to say one thing in a channel. None: it was said, or the channel is gone, or its member.

    An attempt that died on the way counts as unknown and is not repeated.
    """
    row = _OPEN_ONE.one_or_none(tx, id=channel_id, member_id=member_id)
    if row is None:
        return None
    # Serializes an organization's claims, so that the count below is right.
    _LOCK_SENDING.run(tx, id=str(row.organization_id))
    keys = {"id": channel_id, "cause_key": cause_key}
    earlier = _EARLIER.one_or_none(tx, **keys)
    if earlier is not None and earlier.state == "sending":
        if earlier.running:
            return Busy.SENDING
        record(tx, channel_id, cause_key, "unknown")
        return None
    if earlier is not None and earlier.state != "failed":
        return None
    if _RUNNING.one(tx, id=row.organization_id) >= MAX_SENDING:
        return Busy.ORGANIZATION
    tried_for = _CLAIM.one(tx, **keys, organization_id=row.organization_id, lease=_LEASE)
    place = Place(row.organization_id, row.id, _COLUMN)
    return Channel(row.id, row.organization_id, ring.decrypt(row.sealed_url, place), tried_for)


def record(tx: Transaction, channel_id: UUID, cause_key: str, state: str) -> None:
    """Record how an attempt ended: sent, failed or unknown."""
    _RECORD.run(tx, id=channel_id, cause_key=cause_key, state=state)


def purge(tx: Transaction) -> None:
    """Forget what was said long ago."""
    _PURGE.run(tx, kept=_KEEP)
