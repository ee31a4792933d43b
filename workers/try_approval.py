"""Find out whether an administrator has approved the app: try the sign-in of somebody who waits for that."""

from uuid import UUID

import structlog

from app.runtime import Runtime
from app.tokens import StoredTokens
from db.access import sessions
from db.core.crypto import Unreadable
from db.events.errands import Errand
from db.mailboxes import approvals, credentials, mailboxes
from db.mailboxes.mailboxes import Mailbox
from domain.connection import Provider
from domain.errors import (
    AccountDisabled,
    AdminApprovalRequired,
    ConnectionRefused,
    ConsentMissing,
    OperatorMisconfigured,
    ProviderError,
)
from transports.providers import PROVIDERS

_ASKED = PROVIDERS[Provider.GRAPH].scopes  # whose approval Microsoft's administrators give

log = structlog.get_logger()


def watch(runtime: Runtime, errand: Errand) -> dict[str, object]:
    """Store the token of a member's sign-in, if we kept one, with their mailbox, so that checks try it until the approval shows.

    ``subject_id``: the mailbox, owned by the member.
    """
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, errand.subject_id)
        if mailbox is None or mailbox.owner_id is None or mailbox.organization_id != errand.organization_id:
            return {}
        kept = sessions.kept_token(tx, mailbox.owner_id)
        if kept is None or mailbox.status == "connected":
            return {}
        try:
            token = runtime.keys.decrypt(kept.sealed, sessions.place(kept.organization_id, mailbox.owner_id))
        except Unreadable as error:  # the member has to sign in again
            log.info(
                "approval_cannot_be_watched", member_id=str(mailbox.owner_id), error=type(error).__name__
            )
            return {}
        credentials.store_waiting(tx, runtime.keys, mailbox.organization_id, mailbox.id, token)
    return {}


def try_approval(runtime: Runtime, mailbox: Mailbox, member_id: UUID) -> None:
    """Ask Microsoft for the permissions with the member's sign-in. This never connects the mailbox."""
    refusal: ProviderError | OperatorMisconfigured | None = None
    try:
        StoredTokens(runtime.database, runtime.keys, runtime.entra, mailbox.id, _ASKED).token()
    except (ProviderError, OperatorMisconfigured) as error:
        refusal = error
    with runtime.database.transaction() as tx:
        match refusal:
            case None:
                credentials.erase(tx, mailbox.id)
                approvals.proved(tx, mailbox.organization_id, member_id)
            case ConsentMissing() | AdminApprovalRequired():
                pass  # not yet
            case ConnectionRefused():
                # The sign-in has expired. The member still waits, and the page says that a new sign-in lets us look again.
                credentials.erase(tx, mailbox.id)
                if isinstance(refusal, AccountDisabled):
                    sessions.end_all(tx, member_id)
            case _:
                pass  # transient, or our fault
    log.info("approval_tried", outcome="approved" if refusal is None else type(refusal).__name__)
