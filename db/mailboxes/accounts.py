"""A mailbox's account at its provider: whose it is expected to be, one mailbox each, and the name it goes by."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.session import Transaction
from db.mailboxes.mailboxes import Mailbox
from domain.connection import Provider
from domain.errors import NotPermitted


@dataclass(frozen=True, slots=True)
class ExpectedAccount:
    """Whose sign-in connects a mailbox: of this tenant, and this account. None: not known yet."""

    tenant_id: str | None
    account_id: str | None


_CONNECT = text(
    "UPDATE mailboxes SET status = 'connected', status_reason = NULL, connection_version = connection_version + 1,"
    " provider = :provider, scopes = :scopes, tenant_id = :tenant_id, account_id = :account_id, settings = CAST(:settings AS jsonb),"
    " settings_at = clock_timestamp(), checked_at = clock_timestamp(), connected_at = clock_timestamp(),"
    " disconnected_at = NULL WHERE id = :id RETURNING connection_version"
)


def expected_account(tx: Transaction, mailbox: Mailbox) -> ExpectedAccount:
    """The tenant that the organization trusts, and the account of the mailbox or else of its owner."""
    row = tx.execute(
        text(
            "SELECT o.tenant_id, coalesce(nullif(b.account_id, ''), m.account_id) AS account_id FROM mailboxes b"
            " JOIN organizations o ON o.id = b.organization_id LEFT JOIN members m ON m.id = b.owner_id WHERE b.id = :id"
        ),
        {"id": mailbox.id},
    ).one()
    return ExpectedAccount(row.tenant_id, row.account_id)


def forget_account(tx: Transaction, mailbox: Mailbox, *, actor: str) -> None:
    """Microsoft made a new account for the same person: the next one with the address counts, for the mailbox and its owner."""
    tx.execute(text("UPDATE mailboxes SET account_id = NULL WHERE id = :id"), {"id": mailbox.id})
    tx.execute(text("UPDATE members SET account_id = NULL WHERE id = :id"), {"id": mailbox.owner_id})
    audit.write(tx, mailbox.organization_id, actor, "account_forgotten", f"mailbox:{mailbox.id}", {})


def refuse_second(tx: Transaction, mailbox: Mailbox, tenant_id: str, account_id: str) -> None:
    """One account is one mailbox, whatever names it has: the provider counts per account. Raises ``NotPermitted``."""
    others = tx.execute(
        text(
            "SELECT address FROM mailboxes WHERE id <> :id AND account_id = :account AND provider <> :smtp"
            " AND (tenant_id = :tenant OR tenant_id IS NULL OR 'organizations' IN (tenant_id, :tenant))"
        ),
        {"id": mailbox.id, "account": account_id, "tenant": tenant_id, "smtp": Provider.SMTP},
    ).scalars()
    for address in others:
        raise NotPermitted(
            f"{mailbox.address} is the same Microsoft account as {address}, which is a mailbox here already."
            f" One account is connected once: use {address}."
        )


def change_address(tx: Transaction, mailbox: Mailbox, address: str) -> bool:
    """Give the mailbox, and its owner who is listed under the same address, ``address``. False: somebody has done it meanwhile.

    Raises ``NotPermitted``, and has changed nothing then: it is listed as somebody else's.
    """
    taken = NotPermitted(
        f"Microsoft says that {mailbox.address} sends as {address}, which is listed here as another mailbox or member."
        " Ask an administrator of your organization to remove the other entry first."
    )
    known = tx.execute(
        text(
            "SELECT EXISTS (SELECT FROM mailboxes WHERE address = :address AND id <> :id)"
            " OR EXISTS (SELECT FROM members WHERE organization_id = :organization_id AND email = :address"
            "   AND id IS DISTINCT FROM CAST(:owner AS uuid))"
        ),
        {
            "address": address,
            "id": mailbox.id,
            "organization_id": mailbox.organization_id,
            "owner": mailbox.owner_id,
        },
    ).scalar_one()
    if known:
        raise taken
    try:
        with tx.begin_nested():
            changed = tx.execute(
                text("UPDATE mailboxes SET address = :address WHERE id = :id AND address = :before"),
                {"address": address, "id": mailbox.id, "before": mailbox.address},
            ).rowcount
            tx.execute(
                text("UPDATE members SET email = :address WHERE id = :owner AND email = :before"),
                {"address": address, "owner": mailbox.owner_id, "before": mailbox.address},
            )
    except (
        IntegrityError
    ) as error:  # another organization's, of which nobody here sees anything, or a moment ago
        raise taken from error
    return bool(changed)
