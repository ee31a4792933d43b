"""Connect a mailbox with a refresh token in hand: prove it, check it is the right mailbox, store it encrypted."""

from uuid import UUID

import structlog

from db import credentials, mailboxes
from db.gate import lock_lane
from domain.errors import ConsentMissing, NotFound, NotPermitted
from transports.base import UNUSABLE, MailboxFacts
from transports.entra import missing_scopes
from workers.runtime import Runtime

log = structlog.get_logger()


def connect_mailbox(
    runtime: Runtime, mailbox_id: UUID, *, refresh_token: str, tenant_id: str = "organizations", actor: str
) -> MailboxFacts:
    """Connect, or reconnect in place. Raises ``NotFound``, ``NotPermitted`` and the provider's ``ConnectionRefused`` kinds."""
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    tokens = runtime.entra.refresh(refresh_token, tenant_id)
    if missing := missing_scopes(tokens.scopes):
        raise ConsentMissing(
            f"{mailbox.address} did not grant {', '.join(sorted(missing))}. Connect again and accept all permissions."
        )
    facts = runtime.transport_with(tokens.access_token).verify()
    if mailbox.address not in {address.lower() for address in facts.addresses}:
        signed_in = facts.addresses[0] if facts.addresses else "an account without a mailbox"
        raise NotPermitted(
            f"The account that signed in is {signed_in}, but this mailbox is {mailbox.address}. Sign in as {mailbox.address}."
        )
    if purpose := UNUSABLE.get(str(facts.settings.get("purpose", "user"))):
        raise NotPermitted(
            f"{mailbox.address} is {purpose}; only a person's own, licensed mailbox can be connected."
        )
    with runtime.database.transaction() as tx:
        lock_lane(tx, mailbox_id)
        mailboxes.mark_connected(
            tx,
            mailbox,
            actor=actor,
            scopes=tokens.scopes,
            tenant_id=facts.tenant_id or tenant_id,
            account_id=facts.account_id,
            settings=facts.settings,
        )
        credentials.store_connected(
            tx,
            runtime.keys,
            mailbox.organization_id,
            mailbox_id,
            access_token=tokens.access_token.value,
            expires_at=tokens.access_token.expires_at,
            refresh_token=tokens.refresh_token,
        )
    log.info("mailbox_connected", mailbox_id=str(mailbox_id))
    return facts
