"""Connect a mailbox: prove that it can send, check that it is the right one, and store what it needs, encrypted."""

from dataclasses import replace
from uuid import UUID

import structlog

from app.runtime import Runtime
from db.core.session import database_now
from db.events import outbox
from db.mailboxes import accounts, credentials, mailboxes, renames, smtp_settings, subscriptions
from domain.connection import Provider, SmtpServer, SmtpSettings
from domain.errors import ConsentMissing, NotFound, NotPermitted
from domain.jobs import CheckMailbox
from domain.provider_words import PROVIDER_WORDS, ProviderWords
from transports.base import UNUSABLE, MailboxFacts
from transports.providers import PROVIDERS, SignIn
from transports.token_endpoint import Tokens
from workers.subscribe import heard

log = structlog.get_logger()

ANY_TENANT = "organizations"


def connect_mailbox(
    runtime: Runtime,
    mailbox_id: UUID,
    *,
    refresh_token: str,
    tenant_id: str = ANY_TENANT,
    actor: str,
    provider: Provider = Provider.GRAPH,
    server: SmtpServer | None = None,
) -> MailboxFacts:
    """As ``connect_signed_in``, with a refresh token from elsewhere. Raises the refusals of a refresh too."""
    mailbox = known_mailbox(runtime, mailbox_id)
    if tenant_id == ANY_TENANT:
        with runtime.database.transaction() as tx:
            tenant_id = accounts.expected_account(tx, mailbox, provider).tenant_id or ANY_TENANT
    kind = PROVIDERS[provider]
    tokens = runtime.endpoint(kind).refresh(refresh_token, tenant_id, scopes=kind.scopes)
    return connect_signed_in(
        runtime, mailbox_id, tokens, tenant_id=tenant_id, actor=actor, provider=provider, server=server
    )


def connect_signed_in(
    runtime: Runtime,
    mailbox_id: UUID,
    tokens: Tokens,
    *,
    tenant_id: str,
    account_id: str = "",
    actor: str,
    provider: Provider = Provider.GRAPH,
    server: SmtpServer | None = None,
) -> MailboxFacts:
    """Connect, or reconnect in place. ``server``: the one to send to by SMTP with Microsoft's sign-in.

    ``tokens``: just received. They prove the mailbox and are stored; the provider is not asked for others. ``tenant_id`` and
    ``account_id``: who has signed in, where an identity token said so. A mailbox that was connected before is known by its
    account and follows that account's address; else the address has to be one of the account's own. An SMTP connection of the
    same address is out of use from then on.

    Raises ``NotFound``, ``NotPermitted`` and the provider's subclasses of ``ConnectionRefused``; then nothing has changed.
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    with runtime.database.transaction() as tx:
        expected = accounts.expected_account(tx, mailbox, provider)
    kind = PROVIDERS[provider]
    if missing := runtime.endpoint(kind).missing_scopes(tokens.scopes, kind.scopes):
        raise ConsentMissing(
            f"{mailbox.address} did not grant {', '.join(sorted(missing))}. {kind.consent_fix}"
        )
    facts = runtime.transport_with(mailbox_id, provider, tokens.access_token, server=server).verify()
    if kind.sign_in is SignIn.GOOGLE or (facts.tenant_id and (tenant_id == ANY_TENANT or server is None)):
        tenant_id = facts.tenant_id
    account_id = facts.account_id or account_id
    if kind.sign_in is SignIn.GOOGLE and not tenant_id and not runtime.settings.google_personal:
        raise NotPermitted(
            f"{facts.addresses[0]} is a personal Google account. Sign in with the Google account of your organization."
        )
    _check_account(mailbox, expected, facts, tenant_id, account_id, PROVIDER_WORDS[provider])
    if purpose := UNUSABLE.get(str(facts.settings.get("purpose", "user"))):
        raise NotPermitted(
            f"{mailbox.address} is {purpose}; only a person's own, licensed mailbox can be connected."
        )
    mailbox = replace(mailbox, provider=provider)
    with runtime.database.transaction() as tx:
        mailboxes.lock(tx, mailbox)
        if account_id:
            accounts.refuse_second(tx, mailbox, tenant_id, account_id)
        if server is None and renames.follow(tx, mailbox, facts.sends_as(mailbox.address), actor=actor):
            mailbox = replace(mailbox, address=facts.sends_as(mailbox.address))
        mailboxes.mark_connected(
            tx,
            mailbox,
            actor=actor,
            provider=provider,
            scopes=tokens.scopes,
            tenant_id=tenant_id,
            account_id=account_id,
            settings=facts.settings,
        )
        credentials.store_connected(
            tx,
            runtime.sealer,
            mailbox.organization_id,
            mailbox_id,
            access_token=tokens.access_token.value,
            expires_at=tokens.access_token.expires_at,
            refresh_token=tokens.refresh_token,
        )
        if server is not None:
            kept = SmtpSettings(server, mailbox.address, "")
            smtp_settings.save(
                tx, runtime.sealer, mailbox.organization_id, mailbox_id, provider, kept, actor=actor
            )
        elif heard(runtime.settings, provider):
            # The check that follows at once also asks for the provider's hints.
            subscriptions.ask_anew(tx, mailbox_id)
            outbox.put(tx, CheckMailbox(mailbox_id, database_now(tx).isoformat()))
    log.info("mailbox_connected", mailbox_id=str(mailbox_id))
    return facts


def known_mailbox(runtime: Runtime, mailbox_id: UUID) -> mailboxes.Mailbox:
    """Return the mailbox as it is now. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    return mailbox


def _check_account(
    mailbox: mailboxes.Mailbox,
    expected: accounts.ExpectedAccount,
    facts: MailboxFacts,
    tenant_id: str,
    account_id: str,
    words: ProviderWords,
) -> None:
    """Check that the account is the mailbox's. Raises ``NotPermitted``."""
    signed_in = facts.addresses[0] if facts.addresses else "an account without a mailbox"
    trusted = expected.tenant_id
    if trusted and tenant_id != ANY_TENANT and tenant_id.lower() != trusted.lower():
        raise NotPermitted(
            f"{signed_in} belongs to another {words.name} organization than the one whose accounts this organization trusts."
            f" Sign in as {mailbox.address} with your work account."
        )
    known = expected.account_id
    if known and account_id and known.lower() != account_id.lower():
        if signed_in == mailbox.address:
            raise another_account(mailbox.address, words)
        raise wrong_account(signed_in, mailbox.address)
    if not known and mailbox.address not in {address.lower() for address in facts.addresses}:
        raise wrong_account(signed_in, mailbox.address)


def another_account(address: str, words: ProviderWords) -> NotPermitted:
    """Return the error for another account that has the mailbox's address now."""
    return NotPermitted(
        f"{address} was connected as another {words.account}, which had this address before. If {words.name} made"
        f" a new account for the same person, have an operator run: onbehalf mailbox forget-account {address}"
    )


def wrong_account(signed_in: str, address: str) -> NotPermitted:
    """Return the error for a sign-in with another account."""
    return NotPermitted(
        f"The account that signed in is {signed_in}, but this mailbox is {address}. Sign in as {address}."
    )
