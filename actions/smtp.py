"""A customer's own mail server: save its settings, test them, put them into use.

``actions/sign_in.py`` handles sign-ins at providers. Settings can be saved beside a connection in use without affecting it. They
take effect only after a successful test, and only if no other connection is in use: disable that one first.
"""

from uuid import UUID

import structlog

from actions import errands, sender_addresses
from actions.connect import known_mailbox
from app.runtime import Runtime
from db.mailboxes import mailboxes, smtp_settings
from db.mailboxes.sender_addresses import notify_admins
from db.views import my_settings
from domain.connection import SUBMISSION_HOST, Checked, Provider, SmtpSettings, check_custom, check_microsoft
from domain.errands import ErrandKind
from domain.errors import NotPermitted, WorkersSilent
from domain.verification import Outcome, Verdict, needs_custom_smtp
from transports import dmarc

log = structlog.get_logger()

_NOT_TRIED = Verdict(
    Outcome.NOT_VERIFIED,
    "We saved the settings but could not test them: Onbehalf's workers are not answering.",
    "Test them again in a minute.",
)


def list_own_mailbox(runtime: Runtime, member_id: UUID) -> UUID:
    """List a member's own mailbox, with their address and not connected, if they have none; returns it.

    Raises ``NotFound``, ``NotPermitted``.
    """
    with runtime.database.transaction() as tx:
        return my_settings.make_mailbox(tx, member_id)


def save(
    runtime: Runtime,
    mailbox_id: UUID,
    *,
    host: str,
    port: str,
    encryption: str,
    account: str,
    password: str,
    actor: str,
) -> Checked:
    """Store the settings of a customer's own server, with the password encrypted, without connecting.

    Raises ``NotFound``, ``InvalidInput`` (names the field), ``NotPermitted`` while these settings are in use.
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    checked = check_custom(
        mailbox.address,
        host=host,
        port=port,
        encryption=encryption,
        account=account,
        password=password,
        offers_google=bool(runtime.settings.google_client_id),
    )
    with runtime.database.transaction() as tx:
        mailboxes.lock(tx, mailbox)
        now = mailboxes.load(tx, mailbox_id)
        if now is not None and now.status == "connected" and now.provider == Provider.SMTP:
            raise NotPermitted(_in_use(now))
        smtp_settings.save(
            tx,
            runtime.sealer,
            mailbox.organization_id,
            mailbox_id,
            Provider.SMTP,
            SmtpSettings(checked.server, mailbox.address, password),
            actor=actor,
        )
        if mailbox.owner_id is None:
            notify_admins(tx, mailbox.organization_id, mailbox_id, mailbox.address, "server", actor=actor)
    log.info("smtp_settings_saved", mailbox_id=str(mailbox_id))
    return checked


def save_and_test(
    runtime: Runtime,
    mailbox_id: UUID,
    *,
    host: str,
    port: str,
    encryption: str,
    account: str,
    password: str,
    actor: str,
) -> tuple[Checked, Verdict]:
    """``save``, then ``test``, with room for both reserved first.

    Raises ``TooMany``, ``WorkersSilent`` and what ``save`` raises.
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    with runtime.limiter.test(mailbox.organization_id, mailbox_id, actor):
        checked = save(
            runtime,
            mailbox_id,
            host=host,
            port=port,
            encryption=encryption,
            account=account,
            password=password,
            actor=actor,
        )
        try:
            return checked, _try(runtime, mailbox, actor)
        except WorkersSilent:
            return checked, _NOT_TRIED


def test(runtime: Runtime, mailbox_id: UUID, *, actor: str = "") -> Verdict:  # noqa: PT028 - no test of ours
    """Sign in to the saved server and ask whether it takes email from this address, without sending any.

    Raises ``NotFound``, ``TooMany``.
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    with runtime.limiter.test(mailbox.organization_id, mailbox_id, actor):
        return _try(runtime, mailbox, actor)


def _try(runtime: Runtime, mailbox: mailboxes.Mailbox, actor: str) -> Verdict:
    tried = errands.verdict(runtime, mailbox.organization_id, ErrandKind.TRY_SERVER, mailbox.id, actor=actor)
    return tried or errands.STILL_CHECKING


def activate(runtime: Runtime, mailbox_id: UUID, *, actor: str, code: str = "") -> Verdict:
    """Test the saved settings and, if they work, use them from now on. Raises ``NotFound``, ``NotPermitted``, ``TooMany``.

    A sender address must be proven first, with the ``code`` that the first attempt emails to it. A connection in use must be
    disabled first (``actions.withdraw.disable_mailbox``).
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    if mailbox.status == "connected":
        raise NotPermitted(_in_use(mailbox))
    if mailbox.owner_id is None:
        unproven = sender_addresses.prove(runtime, mailbox, code, actor=actor)
        if unproven is not None:
            return unproven
    with runtime.database.transaction() as tx:
        tested = smtp_settings.saved(tx, mailbox_id, Provider.SMTP)
    verdict = test(runtime, mailbox_id, actor=actor)
    if not verdict.good:
        return verdict
    with runtime.database.transaction() as tx:
        mailboxes.lock(tx, mailbox)
        settings = smtp_settings.saved(tx, mailbox_id, Provider.SMTP)
        if mailboxes.load(tx, mailbox_id) != mailbox or settings != tested:
            raise NotPermitted(
                "Somebody changed the mailbox or its settings in the meantime. Check them and try again."
            )
        zone = mailboxes.zone_of(tx, mailbox_id)
        mailboxes.mark_connected(
            tx,
            mailbox,
            actor=actor,
            provider=Provider.SMTP,
            scopes=(),
            tenant_id="",
            account_id="",
            settings={"zone": zone, "window": None, "absences": [], "purpose": "user"},
        )
    log.info("mailbox_connected", mailbox_id=str(mailbox_id))
    return verdict


def check_microsoft_server(runtime: Runtime, address: str, *, host: str, port: str) -> Checked:
    """Check the server for Microsoft's sign-in over SMTP before anybody signs in. ``host`` empty: Microsoft's own.

    Raises ``InvalidInput``, and ``NotPermitted`` if the domain's DMARC policy rules out this way of sending.
    """
    checked = check_microsoft(host=host, port=port, anywhere=runtime.settings.emulated)
    if blocked := dmarc_verdict(runtime, address):
        raise NotPermitted(f"{blocked.outcome.value}. {blocked.explanation}")
    return checked


def dmarc_verdict(runtime: Runtime, address: str) -> Verdict | None:
    """Return why Microsoft's sign-in over SMTP cannot be used for this address, or None."""
    policy = dmarc.policy_of(address.rpartition("@")[2], resolver=runtime.resolver)
    log.info("dmarc_policy", policy=policy.value)
    return needs_custom_smtp(address) if policy is dmarc.Policy.REJECT else None


def _in_use(mailbox: mailboxes.Mailbox) -> str:
    return (
        f"{mailbox.address} is in use. Disable it first, change the settings, and activate it again. Meanwhile company"
        " sequences use the default mail service, and others pause."
    )


DEFAULT_SERVER = {"host": SUBMISSION_HOST, "port": "587"}
