"""Mail that comes to default addresses: taken once, sealed, read by a worker, and forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from db.core.crypto import KeyRing, Place, Sealer
from db.core.ids import new_id
from db.core.jsonb import dump_json
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import outbox
from domain.jobs import ProcessMail

_SAME_WITHIN = timedelta(days=1)

_SQL = SqlFile(__name__)


class _Address(NamedTuple):
    organization_id: UUID
    mailbox_id: UUID


_RECIPIENT = _SQL.statement("recipient", _Address)
_LOCK = _SQL.statement("lock")
_KNOWN = _SQL.statement("known", bool)
_STORE = _SQL.statement("store")
_END = _SQL.statement("end")
_FORGET = _SQL.statement("forget")
_WHOSE = Statement("SELECT organization_id FROM received_mail WHERE id = :id AND processed_at IS NULL", UUID)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A default address of ours. ``written``: as the sending server wrote it, in lower case."""

    organization_id: UUID
    mailbox_id: UUID
    written: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it came. ``sender``: of the envelope, empty for reports. ``peer``: an IP address. ``digest``: ``inbox/content.py``."""

    raw: bytes
    digest: bytes
    sender: str
    peer: str
    helo: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A message that is being processed. ``failures``: attempts until now, this one included."""

    id: UUID
    organization_id: UUID
    mailbox_id: UUID
    address: str
    sender: str
    peer: str
    helo: str
    raw: bytes
    digest: bytes
    received_at: datetime
    failures: int


_BEGIN = _SQL.statement("begin", ReceivedMail)


def find_recipient(tx: Transaction, address: str, written: str) -> Recipient | None:
    """Return the default address ``address``, in lower case; None if there is none."""
    found = _RECIPIENT.one_or_none(tx, address=address)
    return None if found is None else Recipient(found.organization_id, found.mailbox_id, written)


def store(tx: Transaction, sealer: Sealer, arrival: Arrival, recipients: Sequence[Recipient]) -> int:
    """Keep the message for each organization, sealed, with the job that reads it; returns for how many it is new.

    A server whose 250 was lost delivers again: what is the same within a day is not kept twice.
    """
    new = 0
    for recipient in sorted(
        {each.organization_id: each for each in recipients}.values(), key=lambda each: each.organization_id
    ):
        organization_id = recipient.organization_id
        _LOCK.run(tx, organization_id=organization_id, digest=arrival.digest)
        if _KNOWN.one(tx, organization_id=organization_id, digest=arrival.digest, within=_SAME_WITHIN):
            continue
        mail_id = new_id()
        _STORE.run(
            tx,
            id=mail_id,
            organization_id=organization_id,
            mailbox_id=recipient.mailbox_id,
            address=recipient.written,
            sender=arrival.sender,
            peer=arrival.peer,
            helo=arrival.helo,
            encrypted=arrival.encrypted,
            raw=sealer.encrypt_bytes(arrival.raw, _place(organization_id, mail_id)),
            size=len(arrival.raw),
            digest=arrival.digest,
        )
        outbox.put(tx, ProcessMail(mail_id))
        new += 1
    return new


def whose(tx: Transaction, mail_id: UUID) -> UUID | None:
    """Return the organization that a message is for; None if it is processed or gone."""
    return _WHOSE.one_or_none(tx, id=mail_id)


def begin(tx: Transaction, ring: KeyRing, mail_id: UUID) -> ReceivedMail | None:
    """Count an attempt and open the message; None if it is processed or gone. Raises what ``KeyRing.decrypt`` does.

    Counted before, so that one that ends the process is counted too.
    """
    sealed = _BEGIN.one_or_none(tx, id=mail_id)
    if sealed is None:
        return None
    return replace(sealed, raw=ring.decrypt_bytes(sealed.raw, _place(sealed.organization_id, sealed.id)))


def end(tx: Transaction, mail_id: UUID, auth: dict[str, Any]) -> bool:
    """Erase the text of a message, as it is processed now; False: another worker has processed it.

    ``auth``: what SPF, DKIM and DMARC said of it.
    """
    return bool(_END.run(tx, id=mail_id, auth=dump_json(auth)))


def forget_processed(tx: Transaction, older_than: timedelta) -> int:
    """Delete the rows of messages processed long ago; returns how many."""
    return _FORGET.run(tx, age=older_than)


def _place(organization_id: UUID, mail_id: UUID) -> Place:
    return Place(organization_id, mail_id, "received_mail.raw")
