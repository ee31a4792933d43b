"""An organization's tenant-wide Microsoft connection: an administrator's consent, what works, and the members who use it.

The consent at Microsoft is the administrator's; the permission to use one mailbox is its owner's own, as ever. Whose mailbox it is
shows their sign-in: the account that signed in as this member is the only one that they can connect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog

from actions.connect import another_account
from app.rates import TESTS
from app.runtime import Runtime
from db.access import sessions
from db.audit import audit
from db.core.session import database_now
from db.events import outbox
from db.mailboxes import accounts, approvals, credentials, mailboxes, subscriptions, tenants
from db.mailboxes.tenants import TenantConnection
from db.views import my_settings
from domain.address import MAX_ADDRESS
from domain.connection import SCOPES, Provider
from domain.errors import NotFound, NotPermitted, OperatorMisconfigured, OutsideScope, ProviderError
from domain.exchange_scopes import PERMISSIONS, powershell
from domain.jobs import CheckMailbox
from domain.provider_words import PROVIDER_WORDS
from transports import entra_sign_in
from transports.base import UNUSABLE, MailboxFacts, User
from transports.entra_app import ALL_GRANTED, roles_of
from transports.once import ANY_NEWER
from workers.subscribe import heard

log = structlog.get_logger()

_OURS = "Onbehalf itself is not set up correctly for it. We have alerted its operators."


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that a check asked. ``good`` None: only an email shows it."""

    what: str
    good: bool | None
    said: str
    fix: str = ""


def show(runtime: Runtime, organization_id: UUID) -> TenantConnection | None:
    """Return the organization's connection, or None if there never was one."""
    with runtime.database.transaction() as tx:
        return tenants.of_organization(tx, organization_id)


def consent_page(runtime: Runtime, organization_id: UUID, *, redirect_uri: str) -> dict[str, object]:
    """Return the flow to Microsoft's page where an administrator consents for the whole tenant. Raises ``NotPermitted``."""
    tenant_id = _trusted(runtime, organization_id)
    return entra_sign_in.begin_approval(
        runtime.entra, tenant_id=tenant_id, redirect_uri=redirect_uri, scopes=(ALL_GRANTED,)
    )


def consented(runtime: Runtime, organization_id: UUID, answer: Mapping[str, str], *, actor: str) -> None:
    """Take Microsoft's answer, which proves nothing, and connect by what does. Raises as ``connect``, and the refusal's meaning."""
    tenant_id = entra_sign_in.finish_approval(answer)
    if tenant_id.lower() != _trusted(runtime, organization_id).lower():
        raise NotPermitted(
            "That administrator belongs to another Microsoft organization than the one whose accounts sign in here."
        )
    connect(runtime, organization_id, actor=actor)


def connect(runtime: Runtime, organization_id: UUID, *, actor: str) -> None:
    """Connect the tenant that the organization trusts: Microsoft gives the application a token for it.

    Raises ``NotPermitted``, ``TenantRefused`` and what else keeps a token away; then nothing has changed.
    """
    tenant_id = _trusted(runtime, organization_id)
    runtime.entra_app.token(tenant_id)
    with runtime.database.transaction() as tx:
        found = tenants.lock(tx, organization_id)
        if found is None or found.status != "connected" or found.tenant_id != tenant_id:
            tenants.connect(tx, organization_id, tenant_id, actor=actor)
    log.info("tenant_connected", tenant_id=tenant_id)


def check(
    runtime: Runtime, organization_id: UUID, *, member_id: UUID | None = None, address: str = ""
) -> list[Answer]:
    """Ask Microsoft what works now: the token, what the consent names, and one mailbox. What recovers, recovers at once.

    ``member_id``: whose own mailbox is tried; ``address``: or this one. Raises ``NotPermitted``, ``NotFound``, ``TooMany``.
    """
    tenant_id = _trusted(runtime, organization_id)
    runtime.limiter.count(TESTS, "tenant", str(organization_id))
    try:
        held = runtime.entra_app.token(tenant_id)
        token = runtime.entra_app.token(tenant_id, ANY_NEWER, held.value)  # what is granted now
    except OperatorMisconfigured as error:
        log.critical("operator_misconfigured", error=str(error))
        return [Answer("The application's token", False, _OURS)]
    except ProviderError as error:
        fix = "Give the consent at Microsoft, or have your Microsoft 365 administrator enable Onbehalf there."
        return [Answer("The application's token", False, str(error), fix)]
    with runtime.database.transaction() as tx:
        tenants.lock(tx, organization_id)
        tenants.recovered(tx, organization_id)
        user = tenants.user_to_try(tx, organization_id, member_id, address.strip().lower())
    roles = roles_of(token)
    answers = [Answer("The application's token", True, "Microsoft gives it.")]
    missing = sorted(set(PERMISSIONS) - roles)
    answers.append(
        Answer("Consent for all mailboxes", True, f"It names {', '.join(PERMISSIONS)}.")
        if not missing
        else Answer(
            "Consent for all mailboxes",
            None,
            f"It does not name {', '.join(missing)}. That is right if Exchange's scopes grant them (below).",
        )
    )
    if user is None:
        said = (
            f"No active member with the address {address.strip()[:MAX_ADDRESS]} has signed in with Microsoft, so none was tried."
            if address.strip()
            else "Nobody has signed in with Microsoft yet, so none was tried."
        )
        return [*answers, Answer("A mailbox", None, said)]
    try:
        runtime.transport_of_user(User(*user)).verify()
    except OutsideScope as error:
        fix = "Include it in the scope. Microsoft says that a change can take up to two hours."
        answers.append(Answer(f"Reading {user[2]}", False, str(error), fix))
    except ProviderError as error:
        answers.append(Answer(f"Reading {user[2]}", False, str(error)))
    else:
        answers.append(Answer(f"Reading {user[2]}", True, "Its settings and drafts can be read."))
        answers.append(
            Answer(
                f"Sending from {user[2]}", None, "Only an email shows it: connect it, and send a test email."
            )
        )
    return answers


def commands(runtime: Runtime, group: str = "") -> str:
    """Return the PowerShell by which an Exchange administrator limits the application to some mailboxes."""
    return powershell(runtime.settings.microsoft_client_id, group)


def join(runtime: Runtime, member_id: UUID, *, actor: str) -> MailboxFacts:
    """Connect the member's own mailbox: they consent to it by asking. Returns what Microsoft says of it.

    Raises ``NotFound``, ``NotPermitted``, and the refusals of the tenant or the mailbox; then nothing has changed.
    """
    with runtime.database.transaction() as tx:
        who = tenants.identity_of(tx, member_id)
        if who is None:
            raise NotFound("There is no such active member.")
        _usable(tenants.of_organization(tx, who.organization_id), who.tenant_id)
        mailbox_id = my_settings.make_mailbox(tx, member_id)
        mailbox = mailboxes.load(tx, mailbox_id)
    if mailbox is None:
        raise NotFound("There is no such mailbox.")
    if who.account_id is None or who.tenant_id is None:
        raise NotPermitted("Sign in with your Microsoft account first: it shows which mailbox is yours.")
    if mailbox.address != who.email.lower() and mailbox.account_id != who.account_id:
        raise NotPermitted(
            f"This mailbox is {mailbox.address}, and you have signed in as {who.email}. Connect it with its own sign-in."
        )
    with runtime.database.transaction() as tx:
        known = accounts.expected_account(tx, mailbox, Provider.TENANT).account_id
    if known is not None and known.lower() != who.account_id.lower():
        raise another_account(mailbox.address, PROVIDER_WORDS[Provider.TENANT])
    facts = runtime.transport_of_user(User(who.tenant_id, who.account_id, mailbox.address)).verify()
    if purpose := UNUSABLE.get(str(facts.settings.get("purpose", "user"))):
        raise NotPermitted(
            f"{mailbox.address} is {purpose}; only a person's own, licensed mailbox can be connected."
        )
    with runtime.database.transaction() as tx:
        _usable(tenants.lock(tx, who.organization_id), who.tenant_id)  # not ended since we asked
        mailboxes.lock(tx, mailbox)
        accounts.refuse_second(tx, mailbox, who.tenant_id, who.account_id)
        mailboxes.mark_connected(
            tx,
            mailbox,
            actor=actor,
            provider=Provider.TENANT,
            scopes=SCOPES[Provider.TENANT],
            tenant_id=who.tenant_id,
            account_id=who.account_id,
            settings=facts.settings,
        )
        tenants.consent(tx, mailbox_id)
        credentials.erase(tx, mailbox_id)
        audit.write(
            tx,
            who.organization_id,
            actor,
            "tenant_wide_use_permitted",
            f"mailbox:{mailbox_id}",
            {"permissions": list(PERMISSIONS)},
        )
        approvals.stop_waiting(tx, member_id)
        sessions.forget_tokens(tx, member_id)
        if heard(runtime.settings, Provider.TENANT):
            subscriptions.ask_anew(tx, mailbox_id)
            outbox.put(tx, CheckMailbox(mailbox_id, database_now(tx).isoformat()))
    log.info("mailbox_connected", mailbox_id=str(mailbox_id))
    return facts


def _usable(found: TenantConnection | None, tenant_id: str | None) -> None:
    if found is None or found.status != "connected" or found.tenant_id != tenant_id:
        raise NotPermitted(
            "Microsoft is not connected for your whole organization. An administrator of your organization can do that."
        )


def _trusted(runtime: Runtime, organization_id: UUID) -> str:
    with runtime.database.transaction() as tx:
        tenant_id = tenants.trusted(tx, organization_id)
    if not tenant_id:
        raise NotPermitted(
            "The operators of Onbehalf have not named your Microsoft organization yet: onbehalf organization trust."
        )
    return tenant_id
