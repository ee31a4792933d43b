"""Sign in, connect a mailbox, approve the app: all three via Microsoft's pages; a mailbox at Gmail via Google's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog

from actions import errands, tenant
from actions.connect import connect_signed_in, known_mailbox, wrong_account
from app.rates import TESTS
from app.runtime import HeldToken, Runtime
from db.access import sessions
from db.core.crypto import Place
from db.mailboxes import accounts, approvals
from db.views import my_settings
from domain.connection import Provider, SmtpServer
from domain.errands import ErrandKind
from domain.errors import AdminApprovalRequired, ConnectionRefused, NotPermitted, WorkersSilent
from transports import entra_sign_in, google_sign_in
from transports.entra_sign_in import WHO
from transports.providers import PROVIDERS, SignIn
from transports.token_endpoint import SignedIn

log = structlog.get_logger()

APPROVED = PROVIDERS[Provider.GRAPH].consents  # what an administrator approves, for a whole tenant
_PLACE = Place(UUID(int=0), UUID(int=0), "sign_ins.flow")


@dataclass(frozen=True, slots=True)
class Arrived:
    """The result of a visit: a new session's cookie, an approval, a connected tenant, or else a connected mailbox.

    ``sender_address``: it is the organization's. ``wanted``: the page that the visitor originally wanted.
    """

    session: str = ""
    approved: bool = False
    tenant: bool = False
    sender_address: bool = False
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor back from a provider's page: the browser's secret, its session, and the browser in words for a list of sessions."""

    browser: str
    cookie: str = ""
    signed_in: sessions.Member | None = None
    words: str = ""


def begin_sign_in(
    runtime: Runtime, *, browser: str, redirect_uri: str, wanted: str = "", fresh: bool = False
) -> str:
    """Return Microsoft's page to visit. ``browser``: a secret that only this browser has.

    ``wanted``: the page to show afterwards. ``fresh``: Microsoft asks for the password again. Raises ``ProviderUnavailable``.
    """
    flow = entra_sign_in.begin(runtime.entra, redirect_uri=redirect_uri, scopes=WHO, fresh=fresh)
    return _begin(runtime, "sign_in", None, browser, {**flow, "wanted": wanted})


def begin_connect(
    runtime: Runtime,
    member: sessions.Member,
    *,
    browser: str,
    redirect_uri: str,
    mailbox_id: UUID | None = None,
    provider: Provider = Provider.GRAPH,
    server: SmtpServer | None = None,
) -> str:
    """Return the provider's page that asks for the permissions to send. ``mailbox_id`` None: from the member's own mailbox.

    ``server``: the one to send to by SMTP with Microsoft's sign-in. Raises ``NotFound``, ``ProviderUnavailable``.
    """
    hint = member.email if mailbox_id is None else known_mailbox(runtime, mailbox_id).address
    kind = PROVIDERS[provider]
    if kind.sign_in is SignIn.GOOGLE:
        flow = google_sign_in.begin(
            runtime.google, redirect_uri=redirect_uri, scopes=kind.consents, login_hint=hint
        )
    else:
        flow = entra_sign_in.begin(
            runtime.entra, redirect_uri=redirect_uri, scopes=kind.consents, login_hint=hint
        )
    flow["provider"] = str(provider)
    flow["mailbox_id"] = None if mailbox_id is None else str(mailbox_id)
    flow["server"] = None if server is None else [server.host, server.port, server.encryption]
    return _begin(runtime, "connect", member.id, browser, flow)


def begin_consent(runtime: Runtime, member: sessions.Member, *, browser: str, redirect_uri: str) -> str:
    """Return Microsoft's page on which an administrator lets the application into the whole tenant. Raises ``NotPermitted``."""
    flow = tenant.consent_page(runtime, member.organization_id, redirect_uri=redirect_uri)
    return _begin(runtime, "connect", member.id, browser, {**flow, "tenant": True})


def begin_approval(runtime: Runtime, token: str, *, browser: str, redirect_uri: str) -> str:
    """Return Microsoft's page on which an administrator approves the app. ``token``: the link's. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        found = approvals.approver(tx, runtime.web_keys, token)
    flow = entra_sign_in.begin_approval(
        runtime.entra, tenant_id=found.tenant_id, redirect_uri=redirect_uri, scopes=APPROVED
    )
    return _begin(runtime, "approve", None, browser, {**flow, "organization_id": str(found.organization_id)})


def _begin(runtime: Runtime, purpose: str, member_id: UUID | None, browser: str, flow: dict[str, Any]) -> str:
    sealed = runtime.web_keys.encrypt(orjson.dumps(flow).decode(), _PLACE)
    with runtime.database.transaction() as tx:
        sessions.keep_sign_in(tx, flow["state"], browser, sessions.SignIn(purpose, member_id, sealed))
    return str(flow["auth_uri"])


def finish(
    runtime: Runtime, answer: Mapping[str, str], visitor: Visitor, sign_in: SignIn = SignIn.MICROSOFT
) -> Arrived:
    """Process a provider's answer, once. ``sign_in``: whose, as the address shows that it came back to (RFC 9700, 4.4).

    Raises ``NotPermitted`` and the meaning of the provider's refusal; then nothing has changed.
    """
    with runtime.database.transaction() as tx:
        kept = sessions.take_sign_in(tx, answer.get("state", ""), visitor.browser)
    if kept is None:
        raise NotPermitted(
            "This sign-in did not begin in this browser, was used already, or took longer than ten minutes. Start again."
        )
    signed_in = visitor.signed_in
    if kept.purpose == "connect" and (signed_in is None or signed_in.id != kept.member_id):
        raise NotPermitted("Somebody else has signed in here in the meantime. Start again.")
    flow = orjson.loads(runtime.web_keys.decrypt(kept.flow, _PLACE))
    if flow.get("tenant") and signed_in is not None:
        if signed_in.role not in ("owner", "admin"):
            raise NotPermitted("Only owners and admins connect the whole organization.")
        runtime = runtime.for_tenant(signed_in.organization_id)
        tenant.consented(runtime, signed_in.organization_id, answer, actor=signed_in.name)
        return Arrived(tenant=True)
    provider = Provider(flow.get("provider", Provider.GRAPH))  # none: it is no connection
    if PROVIDERS[provider].sign_in is not sign_in:
        raise NotPermitted("The answer does not belong to a sign-in that began here. Start again.")
    if kept.purpose == "approve":
        tenant_id = entra_sign_in.finish_approval(answer)
        organization_id = UUID(flow["organization_id"])
        with runtime.database.for_tenant(organization_id).transaction() as tx:
            approvals.claimed(tx, organization_id, tenant_id)
        return Arrived(approved=True)
    if kept.purpose == "connect" and signed_in is not None:
        runtime = runtime.for_tenant(signed_in.organization_id)
        try:
            if sign_in is SignIn.GOOGLE:
                arrived = google_sign_in.finish(runtime.google, flow, answer)
            else:
                arrived = entra_sign_in.finish(runtime.entra, flow, answer, with_mail=True)
        except AdminApprovalRequired:
            if sign_in is SignIn.MICROSOFT:  # whose approval shows to the tokens of a sign-in
                wait_for_approval(runtime, signed_in)
            raise
        connected = _connect(runtime, signed_in, arrived, flow, provider)
        return Arrived(sender_address=known_mailbox(runtime, connected).owner_id is None)
    arrived = entra_sign_in.finish(runtime.entra, flow, answer, with_mail=True)
    return Arrived(session=_open(runtime, arrived, visitor), wanted=str(flow.get("wanted", "")))


def wait_for_approval(runtime: Runtime, member: sessions.Member) -> None:
    """Record that the member waits for an administrator. If we keep their sign-in's token, we try it until the approval shows.

    Raises ``TooMany``.
    """
    runtime.limiter.count(TESTS, "approval", str(member.id))
    with runtime.database.transaction() as tx:
        approvals.wait_for(tx, member.organization_id, member.id)
        kept = sessions.keeps_token(tx, member.id)
    if not kept:
        return
    try:
        with runtime.database.transaction() as tx:
            mailbox_id = my_settings.make_mailbox(tx, member.id)
        kind = ErrandKind.WATCH_APPROVAL
        errands.ask(runtime, member.organization_id, kind, mailbox_id, actor=member.name).wait()
    except (NotPermitted, WorkersSilent) as error:  # the member has to try again
        log.info("approval_cannot_be_watched", member_id=str(member.id), error=type(error).__name__)


def _open(runtime: Runtime, arrived: SignedIn, visitor: Visitor) -> str:
    """Open a new session that replaces the browser's earlier one."""
    identity = arrived.identity
    with runtime.database.transaction() as tx:
        organization_id = sessions.organization_of(tx, identity.tenant_id)
        member_id = sessions.member_of(tx, identity.tenant_id, identity.account_id)
    names = [identity.address]
    if organization_id is not None and member_id is None:
        names = list(dict.fromkeys([*_addresses(runtime, arrived), identity.address]))
        with runtime.database.transaction() as tx:
            member_id = sessions.member_of(tx, identity.tenant_id, identity.account_id, names)
    if member_id is None:
        reason = "foreign_tenant" if organization_id is None else "not_a_member"
        log.warning("sign_in_refused", tenant_id=identity.tenant_id, reason=reason)
        if organization_id is not None:
            with runtime.database.transaction() as tx:
                sessions.sign_in_failed(tx, organization_id, identity.account_id, reason)
        also = f" (address {names[0]})" if names[0] != identity.address else ""
        raise NotPermitted(
            f"{identity.address}{also} is not an active member here. Ask an administrator of your organization to add you."
        )
    with runtime.database.transaction() as tx:
        keeps = sessions.without_mailbox(tx, member_id)
        sealed = None
        if keeps is not None and arrived.tokens is not None:
            sealed = runtime.sealer.encrypt(arrived.tokens.refresh_token, sessions.place(keeps, member_id))
        sessions.close_session(tx, visitor.cookie)
        token = sessions.open_session(tx, member_id, browser=visitor.words, refresh_token=sealed)
    log.info("signed_in", member_id=str(member_id))
    return token


def _addresses(runtime: Runtime, arrived: SignedIn) -> list[str]:
    """Return the account's own addresses; empty if Microsoft does not let us ask, so that only the sign-in name counts."""
    if arrived.tokens is None:
        return []
    try:
        return runtime.graph.transport(HeldToken(arrived.tokens.access_token)).addresses()
    except ConnectionRefused as error:
        log.info("addresses_not_stated", error=type(error).__name__, code=error.code)
        return []


def _connect(
    runtime: Runtime,
    member: sessions.Member,
    arrived: SignedIn,
    flow: Mapping[str, Any],
    provider: Provider,
) -> UUID:
    if arrived.tokens is None:
        raise TypeError("a connection without tokens")
    if flow["mailbox_id"] is None:
        with runtime.database.transaction() as tx:
            mailbox_id = my_settings.make_mailbox(tx, member.id)
    else:
        mailbox_id = UUID(flow["mailbox_id"])
    server = None if flow["server"] is None else SmtpServer(*flow["server"])
    mailbox = known_mailbox(runtime, mailbox_id)
    if server is not None and arrived.identity.address != mailbox.address:
        # Graph returns all addresses of the account. For SMTP we have only the sign-in name, or a known account.
        with runtime.database.transaction() as tx:
            expected = accounts.expected_account(tx, mailbox, provider)
        if expected.account_id != arrived.identity.account_id:
            raise wrong_account(arrived.identity.address, mailbox.address)
    connect_signed_in(
        runtime,
        mailbox_id,
        arrived.tokens,
        tenant_id=arrived.identity.tenant_id,
        account_id=arrived.identity.account_id,
        actor=member.name,
        provider=provider,
        server=server,
    )
    with runtime.database.transaction() as tx:
        approvals.stop_waiting(tx, member.id)
        sessions.forget_tokens(tx, member.id)
    return mailbox_id
