"""Sender addresses of organizations and legal entities: add, prove, forget, and notify of changes.

Adding an address reserves nothing: another organization may add the same one. It counts once somebody sends from it, and
then for one organization only (``uq_mailboxes_connected``).
"""

import secrets
from datetime import timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.ids import new_id
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.events import events
from db.mailboxes import domains
from db.mailboxes.senders import add_lane
from domain.connection import Provider
from domain.errors import NotFound, NotPermitted
from domain.event_payloads import SenderAddressChanged

_CODE = "address proofs"
_CODE_LASTS = timedelta(hours=1)
_MAX_TRIES = 5
Change = Literal["set", "server", "connected", "out_of_use", "removed"]


class _Present(NamedTuple):
    id: UUID
    address: str
    status: str
    connection_version: int


class _Address(NamedTuple):
    organization_id: UUID
    address: str


class _Forgettable(NamedTuple):
    address: str
    connection_version: int


_SQL = SqlFile(__name__)
_IS_ENTITY = Statement(
    "SELECT 1 FROM legal_entities WHERE id = :id AND organization_id = :organization_id", int
)
_PRESENT = Statement(
    "SELECT id, address, status, connection_version FROM mailboxes WHERE organization_id = :id AND owner_id IS NULL"
    " AND provider <> 'default' AND legal_entity_id IS NOT DISTINCT FROM CAST(:entity AS uuid) FOR UPDATE",
    _Present,
)
_ADD = Statement(
    "INSERT INTO mailboxes (id, organization_id, legal_entity_id, address, provider)"
    " VALUES (:id, :organization_id, :entity, :address, 'graph')"
)
_IS_A_PERSONS = Statement("SELECT is_a_persons_address(:address)", bool)
_ADDRESS = Statement("SELECT organization_id, address FROM mailboxes WHERE id = :id", _Address)
_IS_PROVEN = Statement(
    "SELECT EXISTS (SELECT FROM address_proofs WHERE mailbox_id = :id AND proven_at IS NOT NULL)", bool
)
_SET_CODE = _SQL.statement("set_code")
_TRY_CODE = Statement(
    "UPDATE address_proofs SET tries = tries + 1 WHERE mailbox_id = :id AND code_hash IS NOT NULL AND tries < :most"
    " AND asked_at > clock_timestamp() - CAST(:lasts AS interval) RETURNING code_hash",
    bytes,
)
_PROVEN = Statement(
    "UPDATE address_proofs SET proven_at = clock_timestamp(), code_hash = NULL WHERE mailbox_id = :id"
)
_VOUCH = _SQL.statement("vouch")
_FORGETTABLE = Statement(
    "SELECT address, connection_version FROM mailboxes WHERE id = :id AND organization_id = :organization_id"
    " AND owner_id IS NULL AND provider <> 'default' FOR UPDATE",
    _Forgettable,
)
_ONLY_ADDED = Statement(
    "SELECT id FROM mailboxes WHERE organization_id = :id AND address = :address AND owner_id IS NULL"
    " AND provider <> 'default' AND connection_version = 0 FOR UPDATE",
    UUID,
)
# Its credentials go with the mailbox by cascade, because web may not delete them.
_FORGET_DETAILS = [
    Statement(f"DELETE FROM {table} WHERE mailbox_id = :id")
    for table in ("address_proofs", "smtp_settings", "subscriptions", "lanes")
]
_FORGET = Statement("DELETE FROM mailboxes WHERE id = :id")
_ADMINS = Statement(
    "SELECT id FROM members WHERE organization_id = :id AND active AND role IN ('owner', 'admin')", UUID
)


def put_address(
    tx: Transaction, organization_id: UUID, entity_id: UUID | None, address: str, *, actor: str
) -> UUID:
    """Give the organization or an entity a sender address, not connected yet. ``address`` is already validated.

    Raises ``NotFound``, and ``NotPermitted`` if its domain is not the organization's, a person has it, or the current address
    is in use.
    """
    if entity_id is not None:
        known = _IS_ENTITY.one_or_none(tx, id=entity_id, organization_id=organization_id)
        if known is None:
            raise NotFound("There is no such legal entity.")
    check_domain(tx, organization_id, address)
    check_not_a_persons(tx, address)
    present = _PRESENT.one_or_none(tx, id=organization_id, entity=entity_id)
    if present is not None and present.address == address:
        return present.id
    if present is not None and present.status == "connected":
        raise NotPermitted(
            f"{present.address} is in use. Switch to the default mail service first, then change the address."
        )
    if present is not None and present.connection_version > 0:
        raise NotPermitted(
            f"Emails have left from {present.address}, so it cannot change. Reconnect it, or use the default mail service."
        )
    if present is not None:
        _forget(tx, present.id)
    mailbox_id = new_id()
    try:
        _ADD.run(tx, id=mailbox_id, organization_id=organization_id, entity=entity_id, address=address)
    except IntegrityError as error:
        raise NotPermitted(f"Your organization already has the address {address}.") from error
    add_lane(tx, organization_id, mailbox_id, open_=False)
    data = {"legal_entity_id": None if entity_id is None else str(entity_id)}
    audit.write(tx, organization_id, actor, "sender_address_set", f"mailbox:{mailbox_id}", data)
    notify_admins(tx, organization_id, mailbox_id, address, "set", actor=actor)
    return mailbox_id


def check_domain(tx: Transaction, organization_id: UUID, address: str) -> None:
    """Raise ``NotPermitted`` unless the address is in a domain of the organization."""
    domain = address.rpartition("@")[2]
    if not domains.is_verified(tx, organization_id, domain):
        raise NotPermitted(f"We do not know yet that {domain} belongs to your organization.")


def check_not_a_persons(tx: Transaction, address: str) -> None:
    """Raise ``NotPermitted`` for the address of a person in any organization: nobody else may send in their name.

    Check the domain first, so that this reveals nothing about other customers' people.
    """
    if _IS_A_PERSONS.one(tx, address=address):
        raise NotPermitted(
            f"{address} is a person's address. An organization sends from an address of its own; people connect theirs themselves."
        )


def check_may_send(tx: Transaction, mailbox_id: UUID, *, provider: str, tenant_id: str) -> None:
    """Repeat all checks just before emails leave from a sender address. Raises ``NotPermitted``."""
    row = _ADDRESS.one(tx, id=mailbox_id)
    by_microsoft = provider in (Provider.GRAPH, Provider.MICROSOFT_SMTP)
    if not (by_microsoft and domains.trusts(tx, row.organization_id, tenant_id)):
        # Microsoft gives its customers only addresses in their own domains.
        check_domain(tx, row.organization_id, row.address)
    check_not_a_persons(tx, row.address)
    # Whoever signs in at a provider of mailboxes has proven that they use this one.
    if not by_microsoft and provider != Provider.GMAIL and not is_proven(tx, mailbox_id):
        raise NotPermitted(f"Nobody has confirmed yet that your organization reads {row.address}.")


def is_proven(tx: Transaction, mailbox_id: UUID) -> bool:
    """Has somebody in the organization proven that they read this address?"""
    return _IS_PROVEN.one(tx, id=mailbox_id)


def make_code(tx: Transaction, ring: KeyRing, organization_id: UUID, mailbox_id: UUID) -> str:
    """Return a new code to email to the address. It replaces any other; we store a keyed hash."""
    code = f"{secrets.randbelow(10**8):08d}"
    _SET_CODE.run(
        tx,
        id=mailbox_id,
        organization_id=organization_id,
        code=ring.codes(_CODE, mailbox_id.bytes + code.encode())[0],
    )
    return code


def take_code(tx: Transaction, ring: KeyRing, mailbox_id: UUID, code: str) -> bool:
    """Does the code prove the address? Allows a few attempts within an hour and counts each."""
    kept = _TRY_CODE.one_or_none(tx, id=mailbox_id, most=_MAX_TRIES, lasts=_CODE_LASTS)
    if kept is None or not ring.proves(_CODE, mailbox_id.bytes + code.encode(), kept):
        return False
    _PROVEN.run(tx, id=mailbox_id)
    return True


def vouch(tx: Transaction, organization_id: UUID, mailbox_id: UUID, *, actor: str) -> None:
    """Record an operator's word that the address is the organization's, instead of a code."""
    _VOUCH.run(tx, id=mailbox_id, organization_id=organization_id)
    audit.write(tx, organization_id, actor, "address_vouched", f"mailbox:{mailbox_id}", {})


def forget_address(tx: Transaction, organization_id: UUID, mailbox_id: UUID, *, actor: str) -> None:
    """Remove an address that nothing was ever sent from, with its settings. Raises ``NotFound``, ``NotPermitted``."""
    row = _FORGETTABLE.one_or_none(tx, id=mailbox_id, organization_id=organization_id)
    if row is None:
        raise NotFound("There is no such address.")
    if row.connection_version > 0:
        raise NotPermitted(f"Emails have left from {row.address}: disable it instead.")
    _forget(tx, mailbox_id)
    audit.write(tx, organization_id, actor, "sender_address_removed", f"mailbox:{mailbox_id}", {})
    notify_admins(tx, organization_id, mailbox_id, row.address, "removed", actor=actor)


def give_way(tx: Transaction, organization_id: UUID, address: str) -> None:
    """Remove an address that was only added, in favour of the person in the organization who owns it."""
    found = _ONLY_ADDED.one_or_none(tx, id=organization_id, address=address)
    if found is not None:
        _forget(tx, found)


def _forget(tx: Transaction, mailbox_id: UUID) -> None:
    for each in _FORGET_DETAILS:
        each.run(tx, id=mailbox_id)
    _FORGET.run(tx, id=mailbox_id)


def notify_admins(
    tx: Transaction, organization_id: UUID, mailbox_id: UUID, address: str, change: Change, *, actor: str
) -> None:
    """Notify owners and admins of every change to what company sequences are sent from, whoever makes it.

    This includes the actor: if it was not really them, this is how they find out.
    """
    happened = new_id()
    for admin in _ADMINS.all(tx, id=organization_id):
        payload = SenderAddressChanged(mailbox=address, change=change, actor=actor, recipient=admin)
        cause = f"sender_address:{mailbox_id}:{happened}:{admin}"
        events.record(tx, organization_id, payload, cause, actor)
