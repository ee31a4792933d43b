"""A mailbox's account at its provider: the account we expect, the rule of one mailbox per account, and its address."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from db.audit import audit
from db.core.session import Transaction
from db.core.statements import SqlFile, Statement
from db.mailboxes.mailboxes import Mailbox
from domain.connection import Provider
from domain.errors import NotPermitted
from domain.provider_words import PROVIDER_WORDS


@dataclass(frozen=True, slots=True)
class ExpectedAccount:
    """The tenant and account that may connect a mailbox. None: not known yet."""

    tenant_id: str | None
    account_id: str | None


class _Known(NamedTuple):
    tenant_id: str | None
    account_id: str | None
    members_account: str | None  # with which its owner signs in to Onbehalf: Microsoft's


_SQL = SqlFile(__name__)
_EXPECTED = Statement(
    "SELECT o.tenant_id, nullif(b.account_id, '') AS account_id, m.account_id AS members_account FROM mailboxes b"
    " JOIN organizations o ON o.id = b.organization_id LEFT JOIN members m ON m.id = b.owner_id WHERE b.id = :id",
    _Known,
)
_FORGET_OF_MAILBOX = Statement("UPDATE mailboxes SET account_id = NULL WHERE id = :id")
_FORGET_OF_MEMBER = Statement("UPDATE members SET account_id = NULL WHERE id = :id")
_SAME_ACCOUNT = Statement(
    "SELECT address FROM mailboxes WHERE id <> :id AND account_id = :account AND provider <> :smtp"
    " AND (tenant_id = :tenant OR tenant_id IS NULL OR 'organizations' IN (tenant_id, :tenant))",
    str,
)
_IS_TAKEN = _SQL.statement("is_taken", bool)
_RENAME_MAILBOX = Statement("UPDATE mailboxes SET address = :address WHERE id = :id AND address = :before")
_RENAME_MEMBER = Statement("UPDATE members SET email = :address WHERE id = :owner AND email = :before")


def expected_account(tx: Transaction, mailbox: Mailbox, provider: str) -> ExpectedAccount:
    """Return the tenant the organization trusts, and the account of the mailbox or else of its owner.

    An organization trusts a tenant of Microsoft's, and members sign in there, so for Google it is the mailbox's account alone. A
    mailbox may have moved from one to the other: Google's ids of accounts are numbers, Microsoft's are not.
    """
    row = _EXPECTED.one(tx, id=mailbox.id)
    googles = row.account_id is not None and row.account_id.isdecimal()
    if provider == Provider.GMAIL:
        return ExpectedAccount(None, row.account_id if googles else None)
    return ExpectedAccount(
        row.tenant_id, row.members_account if googles else row.account_id or row.members_account
    )


def forget_account(tx: Transaction, mailbox: Mailbox, *, actor: str) -> None:
    """Forget the account of a mailbox and its owner, because Microsoft created a new one for the same person.

    The next account that signs in with the address counts.
    """
    _FORGET_OF_MAILBOX.run(tx, id=mailbox.id)
    _FORGET_OF_MEMBER.run(tx, id=mailbox.owner_id)
    audit.write(tx, mailbox.organization_id, actor, "account_forgotten", f"mailbox:{mailbox.id}", {})


def refuse_second(tx: Transaction, mailbox: Mailbox, tenant_id: str, account_id: str) -> None:
    """Refuse a second mailbox on one account: the provider counts per account, whatever its addresses.

    Raises ``NotPermitted``.
    """
    for address in _SAME_ACCOUNT.all(
        tx, id=mailbox.id, account=account_id, tenant=tenant_id, smtp=Provider.SMTP
    ):
        raise NotPermitted(
            f"{mailbox.address} belongs to the same {PROVIDER_WORDS[mailbox.provider].account} as {address}, which is already a mailbox here."
            f" An account can be connected only once: use {address}."
        )


def change_address(tx: Transaction, mailbox: Mailbox, address: str) -> bool:
    """Change the address of the mailbox, and of its owner if they have the same one. Returns False if it had already changed.

    Raises ``NotPermitted``, without any change, if another mailbox or member has the address.
    """
    taken = NotPermitted(
        f"{PROVIDER_WORDS[mailbox.provider].at_start} says that {mailbox.address} sends as {address}, which is listed here as another mailbox or member."
        " Ask an administrator of your organization to remove the other entry first."
    )
    if _IS_TAKEN.one(
        tx, address=address, id=mailbox.id, organization_id=mailbox.organization_id, owner=mailbox.owner_id
    ):
        raise taken
    try:
        with tx.begin_nested():
            changed = _RENAME_MAILBOX.run(tx, address=address, id=mailbox.id, before=mailbox.address)
            _RENAME_MEMBER.run(tx, address=address, owner=mailbox.owner_id, before=mailbox.address)
    except (
        IntegrityError
    ) as error:  # another organization's, which is invisible here, or one taken a moment ago
        raise taken from error
    return bool(changed)
