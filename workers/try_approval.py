"""Find out whether an administrator has approved the app: try the sign-in of somebody who waits for it."""

from uuid import UUID

import structlog

from db import approvals, credentials, sessions
from db.mailboxes import Mailbox
from domain.errors import (
    AccountDisabled,
    AdminApprovalRequired,
    ConnectionRefused,
    ConsentMissing,
    OperatorMisconfigured,
    ProviderError,
)
from workers.runtime import Runtime
from workers.tokens import StoredTokens

log = structlog.get_logger()


def try_approval(runtime: Runtime, mailbox: Mailbox, member_id: UUID) -> None:
    """Ask Microsoft for the permissions with the member's sign-in. Nothing is connected, whatever the answer is."""
    refusal: ProviderError | OperatorMisconfigured | None = None
    try:
        StoredTokens(runtime.database, runtime.keys, runtime.entra, mailbox.id).token()
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
                # The sign-in has ended. The member waits on, and the page says that signing in again lets us look.
                credentials.erase(tx, mailbox.id)
                if isinstance(refusal, AccountDisabled):
                    sessions.end_all(tx, member_id)
            case _:
                pass  # it passes, or is ours
    log.info("approval_tried", outcome="approved" if refusal is None else type(refusal).__name__)
