"""Connect a mailbox: prove that it can send, check that it is the right one, store what it needs encrypted."""

from uuid import UUID

import structlog

from db import credentials, mailboxes, smtp_settings
from domain.connection import Provider, SmtpServer
from domain.errors import ConsentMissing, NotFound, NotPermitted
from transports.base import UNUSABLE, MailboxFacts
from transports.entra import ASKED, missing_scopes
from workers.runtime import Runtime

log = structlog.get_logger()


def connect_mailbox(
    runtime: Runtime,
    mailbox_id: UUID,
    *,
    refresh_token: str,
    tenant_id: str = "organizations",
    actor: str,
    server: SmtpServer | None = None,
) -> MailboxFacts:
    """Connect, or reconnect in place. ``server``: send by SMTP to it with Microsoft's sign-in, and not by Graph.

    An SMTP connection of the same address is out of use from then on. Raises ``NotFound``, ``NotPermitted`` and the
    provider's ``ConnectionRefused`` kinds.
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    provider = Provider.GRAPH if server is None else Provider.MICROSOFT_SMTP
    tokens = runtime.entra.refresh(refresh_token, tenant_id, scopes=ASKED[provider])
    if missing := missing_scopes(tokens.scopes, ASKED[provider]):
        raise ConsentMissing(
            f"{mailbox.address} did not grant {', '.join(sorted(missing))}. Connect again and accept all permissions."
        )
    if server is None:
        facts = runtime.transport_with(tokens.access_token).verify()
    else:
        facts = runtime.smtp_with(tokens.access_token, mailbox_id, server).verify()
    if mailbox.address not in {address.lower() for address in facts.addresses}:
        signed_in = facts.addresses[0] if facts.addresses else "an account without a mailbox"
        raise wrong_account(signed_in, mailbox.address)
    if purpose := UNUSABLE.get(str(facts.settings.get("purpose", "user"))):
        raise NotPermitted(
            f"{mailbox.address} is {purpose}; only a person's own, licensed mailbox can be connected."
        )
    with runtime.database.transaction() as tx:
        mailboxes.lock(tx, mailbox)
        mailboxes.mark_connected(
            tx,
            mailbox,
            actor=actor,
            provider=provider,
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
        if server is not None:
            kept = smtp_settings.SmtpSettings(server, mailbox.address, "")
            smtp_settings.save(
                tx, runtime.keys, mailbox.organization_id, mailbox_id, provider, kept, actor=actor
            )
    log.info("mailbox_connected", mailbox_id=str(mailbox_id))
    return facts


def known_mailbox(runtime: Runtime, mailbox_id: UUID) -> mailboxes.Mailbox:
    """The mailbox as it is now. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    return mailbox


def wrong_account(signed_in: str, address: str) -> NotPermitted:
    """Somebody has signed in as somebody else."""
    return NotPermitted(
        f"The account that signed in is {signed_in}, but this mailbox is {address}. Sign in as {address}."
    )
