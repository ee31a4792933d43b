"""Sender addresses of organizations and legal entities: written down, shown to be their own, forgotten, and who is notified.

Written down, an address reserves nothing: another organization may write down the same one. It counts from the moment that
somebody sends from it, and then for one organization (``uq_mailboxes_connected``).
"""

import secrets
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.crypto import KeyRing
from db.core.ids import new_id
from db.core.session import Transaction
from db.events import events
from db.mailboxes import domains
from db.mailboxes.senders import add_lane
from domain.connection import Provider
from domain.errors import NotFound, NotPermitted
from domain.events import EventKind

_CODE = "address proofs"
_CODE_LASTS = timedelta(hours=1)
_MAX_TRIES = 5
Change = Literal["set", "server", "connected", "out_of_use", "removed"]


def put_address(
    tx: Transaction, organization_id: UUID, entity_id: UUID | None, address: str, *, actor: str
) -> UUID:
    """Give the organization or an entity an address of its own, not connected yet. ``address`` is a checked one.

    Raises ``NotFound``, ``NotPermitted``: its domain is not the organization's, it is a person's, or the present one is in use.
    """
    if entity_id is not None:
        known = tx.execute(
            text("SELECT 1 FROM legal_entities WHERE id = :id AND organization_id = :organization_id"),
            {"id": entity_id, "organization_id": organization_id},
        ).one_or_none()
        if known is None:
            raise NotFound("There is no such legal entity.")
    check_domain(tx, organization_id, address)
    check_not_a_persons(tx, address)
    present = tx.execute(
        text(
            "SELECT id, address, status, connection_version FROM mailboxes WHERE organization_id = :id AND owner_id IS NULL"
            " AND provider <> 'default' AND legal_entity_id IS NOT DISTINCT FROM CAST(:entity AS uuid) FOR UPDATE"
        ),
        {"id": organization_id, "entity": entity_id},
    ).one_or_none()
    if present is not None and present.address == address:
        found: UUID = present.id
        return found
    if present is not None and present.status == "connected":
        raise NotPermitted(
            f"{present.address} is in use. Switch to the default mail service first, then change the address."
        )
    if present is not None and present.connection_version > 0:
        raise NotPermitted(
            f"Emails were sent from {present.address}, so it cannot become another. Reconnect it, or use the default service."
        )
    if present is not None:
        _forget(tx, present.id)
    mailbox_id = new_id()
    try:
        tx.execute(
            text(
                "INSERT INTO mailboxes (id, organization_id, legal_entity_id, address, provider)"
                " VALUES (:id, :organization_id, :entity, :address, 'graph')"
            ),
            {"id": mailbox_id, "organization_id": organization_id, "entity": entity_id, "address": address},
        )
    except IntegrityError as error:
        raise NotPermitted(f"{address} is an address of your organization already.") from error
    add_lane(tx, organization_id, mailbox_id, open_=False)
    data = {"legal_entity_id": None if entity_id is None else str(entity_id)}
    audit.write(tx, organization_id, actor, "sender_address_set", f"mailbox:{mailbox_id}", data)
    notify_admins(tx, organization_id, mailbox_id, address, "set", actor=actor)
    return mailbox_id


def check_domain(tx: Transaction, organization_id: UUID, address: str) -> None:
    """Raise ``NotPermitted`` unless the address is in a domain of the organization."""
    domain = address.rpartition("@")[2]
    if not domains.is_verified(tx, organization_id, domain):
        raise NotPermitted(f"{domain} has not been shown to be your organization's.")


def check_not_a_persons(tx: Transaction, address: str) -> None:
    """Raise ``NotPermitted`` for the address of a person in any organization: nobody else sends in their name.

    The domain is checked first, so that nobody learns who is a customer where they have no business.
    """
    if tx.execute(text("SELECT is_a_persons_address(:address)"), {"address": address}).scalar_one():
        raise NotPermitted(
            f"{address} is a person's address. A company sends from an address of its own; people connect theirs themselves."
        )


def check_may_send(tx: Transaction, mailbox_id: UUID, *, provider: str, tenant_id: str) -> None:
    """All of it again, the moment before emails leave from a sender address. Raises ``NotPermitted``."""
    row = tx.execute(text("SELECT * FROM mailboxes WHERE id = :id"), {"id": mailbox_id}).one()
    by_microsoft = provider in (Provider.GRAPH, Provider.MICROSOFT_SMTP)
    if not (by_microsoft and domains.trusts(tx, row.organization_id, tenant_id)):
        # Microsoft gives its customers addresses of no domain but their own.
        check_domain(tx, row.organization_id, row.address)
    check_not_a_persons(tx, row.address)
    if not by_microsoft and not is_proven(tx, mailbox_id):
        raise NotPermitted(f"Nobody has shown yet that they read what arrives at {row.address}.")


def is_proven(tx: Transaction, mailbox_id: UUID) -> bool:
    """Has somebody of the organization shown that they read what arrives there?"""
    found: bool = tx.execute(
        text("SELECT EXISTS (SELECT FROM address_proofs WHERE mailbox_id = :id AND proven_at IS NOT NULL)"),
        {"id": mailbox_id},
    ).scalar_one()
    return found


def make_code(tx: Transaction, ring: KeyRing, organization_id: UUID, mailbox_id: UUID) -> str:
    """A code to be emailed to the address, in place of any other; kept as a keyed hash."""
    code = f"{secrets.randbelow(10**8):08d}"
    tx.execute(
        text(
            "INSERT INTO address_proofs (mailbox_id, organization_id, code_hash) VALUES (:id, :organization_id, :code)"
            " ON CONFLICT (mailbox_id) DO UPDATE SET code_hash = excluded.code_hash, tries = 0, asked_at = clock_timestamp()"
        ),
        {
            "id": mailbox_id,
            "organization_id": organization_id,
            "code": ring.codes(_CODE, mailbox_id.bytes + code.encode())[0],
        },
    )
    return code


def take_code(tx: Transaction, ring: KeyRing, mailbox_id: UUID, code: str) -> bool:
    """Does the code prove the address? A few tries within an hour, each counted."""
    row = tx.execute(
        text(
            "UPDATE address_proofs SET tries = tries + 1 WHERE mailbox_id = :id AND code_hash IS NOT NULL AND tries < :most"
            " AND asked_at > clock_timestamp() - CAST(:lasts AS interval) RETURNING code_hash"
        ),
        {"id": mailbox_id, "most": _MAX_TRIES, "lasts": _CODE_LASTS},
    ).one_or_none()
    if row is None or not ring.proves(_CODE, mailbox_id.bytes + code.encode(), bytes(row.code_hash)):
        return False
    tx.execute(
        text(
            "UPDATE address_proofs SET proven_at = clock_timestamp(), code_hash = NULL WHERE mailbox_id = :id"
        ),
        {"id": mailbox_id},
    )
    return True


def vouch(tx: Transaction, organization_id: UUID, mailbox_id: UUID, *, actor: str) -> None:
    """An operator knows the address to be the organization's, by other means than a code."""
    tx.execute(
        text(
            "INSERT INTO address_proofs (mailbox_id, organization_id, proven_at) VALUES (:id, :organization_id, clock_timestamp())"
            " ON CONFLICT (mailbox_id) DO UPDATE SET proven_at = coalesce(address_proofs.proven_at, clock_timestamp())"
        ),
        {"id": mailbox_id, "organization_id": organization_id},
    )
    audit.write(tx, organization_id, actor, "address_vouched", f"mailbox:{mailbox_id}", {})


def forget_address(tx: Transaction, organization_id: UUID, mailbox_id: UUID, *, actor: str) -> None:
    """Remove one that nothing was ever sent from, with its settings. Raises ``NotFound``, ``NotPermitted``."""
    row = tx.execute(
        text(
            "SELECT address, connection_version FROM mailboxes WHERE id = :id AND organization_id = :organization_id"
            " AND owner_id IS NULL AND provider <> 'default' FOR UPDATE"
        ),
        {"id": mailbox_id, "organization_id": organization_id},
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such address.")
    if row.connection_version > 0:
        raise NotPermitted(f"Emails were sent from {row.address}: take it out of use instead.")
    _forget(tx, mailbox_id)
    audit.write(tx, organization_id, actor, "sender_address_removed", f"mailbox:{mailbox_id}", {})
    notify_admins(tx, organization_id, mailbox_id, row.address, "removed", actor=actor)


def give_way(tx: Transaction, organization_id: UUID, address: str) -> None:
    """An address that was only written down gives way to the person in the organization whose it is."""
    row = tx.execute(
        text(
            "SELECT id FROM mailboxes WHERE organization_id = :id AND address = :address AND owner_id IS NULL"
            " AND provider <> 'default' AND connection_version = 0 FOR UPDATE"
        ),
        {"id": organization_id, "address": address},
    ).one_or_none()
    if row is not None:
        _forget(tx, row.id)


def _forget(tx: Transaction, mailbox_id: UUID) -> None:
    # Its credentials go with the mailbox (a cascade): pages may delete none.
    for table in ("address_proofs", "smtp_settings", "subscriptions", "lanes"):
        tx.execute(text(f"DELETE FROM {table} WHERE mailbox_id = :id"), {"id": mailbox_id})
    tx.execute(text("DELETE FROM mailboxes WHERE id = :id"), {"id": mailbox_id})


def notify_admins(
    tx: Transaction, organization_id: UUID, mailbox_id: UUID, address: str, change: Change, *, actor: str
) -> None:
    """Owners and admins hear of every change to what the company's emails are sent from, whoever makes it.

    The one who acts too: should it not have been them, this is how they learn of it.
    """
    admins = tx.execute(
        text("SELECT id FROM members WHERE organization_id = :id AND active AND role IN ('owner', 'admin')"),
        {"id": organization_id},
    ).scalars()
    happened = new_id()
    for admin in admins:
        payload = {"mailbox": address, "change": change, "actor": actor, "recipient": str(admin)}
        cause = f"sender_address:{mailbox_id}:{happened}:{admin}"
        events.record(tx, organization_id, EventKind.SENDER_ADDRESS_CHANGED, cause, actor, payload)
