"""A mail server of one's own: save its settings, try them, put them into use. Microsoft's sign-in is in ``actions/sign_in.py``.

Settings can be saved beside a connection that is in use, and change nothing about it. Only a test that passes puts them into
use, and only where nothing else is: whoever wants to change what is in use takes it out of use first.
"""

from uuid import UUID

import structlog

from actions import errands, sender_addresses
from actions.connect import known_mailbox
from app.runtime import Runtime
from db.mailboxes import mailboxes, smtp_settings
from db.mailboxes.sender_addresses import notify_admins
from domain.connection import SUBMISSION_HOST, Checked, Provider, SmtpSettings, check_custom, check_microsoft
from domain.errands import ErrandKind
from domain.errors import NotPermitted, WorkersSilent
from domain.verification import Outcome, Verdict, needs_custom_smtp
from transports import dmarc

log = structlog.get_logger()

_NOT_TRIED = Verdict(
    Outcome.NOT_VERIFIED,
    "The settings are saved. They could not be tried: the workers of Onbehalf do not answer just now.",
    "Try them again in a minute.",
)


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
    """Keep the settings of a server of one's own, the password encrypted. Nothing is connected by it.

    Raises ``NotFound``, ``InvalidInput`` (names the field), ``NotPermitted`` while these settings are in use.
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    checked = check_custom(
        mailbox.address, host=host, port=port, encryption=encryption, account=account, password=password
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
    """``save``, then ``test``; there is room for both, or nothing is saved. Raises ``TooMany``, ``WorkersSilent`` and what ``save`` raises."""
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
    """Sign in to the saved server and ask whether it takes email from this address. Nothing is sent.

    Raises ``NotFound``, ``TooMany``.
    """
    mailbox = known_mailbox(runtime, mailbox_id)
    with runtime.limiter.test(mailbox.organization_id, mailbox_id, actor):
        return _try(runtime, mailbox, actor)


def _try(runtime: Runtime, mailbox: mailboxes.Mailbox, actor: str) -> Verdict:
    tried = errands.verdict(runtime, mailbox.organization_id, ErrandKind.TRY_SERVER, mailbox.id, actor=actor)
    return tried or errands.STILL_CHECKING


def activate(runtime: Runtime, mailbox_id: UUID, *, actor: str, code: str = "") -> Verdict:
    """Test the saved settings and, if they work, send by them from now on. Raises ``NotFound``, ``NotPermitted``, ``TooMany``.

    A sender address has to be proven first: by the ``code`` that the first attempt emails to it.

    A connection that is in use has to be taken out of use first (``actions.withdraw.disable_mailbox``).
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
            raise NotPermitted("The mailbox or its settings were changed meanwhile. Please look again.")
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
    """Check the server for Microsoft's sign-in over SMTP before anybody is sent there. ``host`` empty: Microsoft's own.

    Raises ``InvalidInput``, and ``NotPermitted`` where the domain's DMARC policy refuses this way of sending.
    """
    checked = check_microsoft(host=host, port=port, anywhere=runtime.settings.emulated)
    if blocked := dmarc_verdict(runtime, address):
        raise NotPermitted(f"{blocked.outcome.value}. {blocked.explanation}")
    return checked


def dmarc_verdict(runtime: Runtime, address: str) -> Verdict | None:
    """Why Microsoft's sign-in over SMTP cannot be used for this address, or None."""
    policy = dmarc.policy_of(address.rpartition("@")[2], resolver=runtime.resolver)
    log.info("dmarc_policy", policy=policy.value)
    return needs_custom_smtp(address) if policy is dmarc.Policy.REJECT else None


def _in_use(mailbox: mailboxes.Mailbox) -> str:
    return (
        f"{mailbox.address} is in use. Take it out of use first (a company's sequences then go by the default mail"
        " service, others pause), change it, and activate it again."
    )


DEFAULT_SERVER = {"host": SUBMISSION_HOST, "port": "587"}
