"""Sign in, connect one's own mailbox, approve the app: all three by a visit to Microsoft's pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog

from actions.connect import connect_mailbox, known_mailbox, wrong_account
from db import approvals, my_settings, sessions
from db.crypto import Place
from domain.connection import Provider, SmtpServer
from domain.errors import AdminApprovalRequired, NotPermitted
from transports import entra_sign_in
from transports.entra import ASKED
from transports.entra_sign_in import MAIL
from workers.runtime import Runtime

log = structlog.get_logger()

_PLACE = Place(UUID(int=0), UUID(int=0), "sign_ins.flow")


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where a visit has ended: a new session's cookie, an approval, or else a mailbox (``company``: its address) that is connected."""

    session: str = ""
    approved: bool = False
    company: bool = False


def begin_sign_in(runtime: Runtime, *, browser: str, redirect_uri: str) -> str:
    """Microsoft's page to visit. ``browser``: a secret that only this browser has. Raises ``ProviderUnavailable``."""
    return _begin(
        runtime, "sign_in", None, browser, entra_sign_in.begin(runtime.entra, redirect_uri=redirect_uri)
    )


def begin_connect(
    runtime: Runtime,
    member: sessions.Member,
    *,
    browser: str,
    redirect_uri: str,
    mailbox_id: UUID | None = None,
    server: SmtpServer | None = None,
) -> str:
    """The same, asking for the permissions to send. ``mailbox_id`` None: from the member's own mailbox.

    ``server``: by SMTP to that server, and not by Graph. Raises ``NotFound``, ``ProviderUnavailable``.
    """
    hint = member.email if mailbox_id is None else known_mailbox(runtime, mailbox_id).address
    scopes = MAIL if server is None else ASKED[Provider.MICROSOFT_SMTP]
    flow = entra_sign_in.begin(runtime.entra, redirect_uri=redirect_uri, scopes=scopes, login_hint=hint)
    flow["mailbox_id"] = None if mailbox_id is None else str(mailbox_id)
    flow["server"] = None if server is None else [server.host, server.port, server.encryption]
    return _begin(runtime, "connect", member.id, browser, flow)


def begin_approval(runtime: Runtime, token: str, *, browser: str, redirect_uri: str) -> str:
    """Microsoft's page on which an administrator approves the app. ``token``: of the link. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        found = approvals.approver(tx, token)
    flow = entra_sign_in.begin_approval(runtime.entra, tenant_id=found.tenant_id, redirect_uri=redirect_uri)
    return _begin(runtime, "approve", None, browser, {**flow, "organization_id": str(found.organization_id)})


def _begin(runtime: Runtime, purpose: str, member_id: UUID | None, browser: str, flow: dict[str, Any]) -> str:
    sealed = runtime.keys.encrypt(orjson.dumps(flow).decode(), _PLACE)
    with runtime.database.transaction() as tx:
        sessions.keep_sign_in(tx, flow["state"], browser, sessions.SignIn(purpose, member_id, sealed))
    return str(flow["auth_uri"])


def finish(
    runtime: Runtime, answer: Mapping[str, str], *, browser: str, signed_in: sessions.Member | None
) -> Arrived:
    """Take Microsoft's answer, once. ``signed_in``: who has a session in this browser.

    Raises ``NotPermitted`` and what Microsoft's refusal stands for; nothing is changed then.
    """
    with runtime.database.transaction() as tx:
        kept = sessions.take_sign_in(tx, answer.get("state", ""), browser)
    if kept is None:
        raise NotPermitted(
            "This sign-in was not begun in this browser, was used already, or took longer than ten minutes. Please start again."
        )
    if kept.purpose == "connect" and (signed_in is None or signed_in.id != kept.member_id):
        raise NotPermitted("Somebody else has signed in here meanwhile. Please start again.")
    flow = orjson.loads(runtime.keys.decrypt(kept.flow, _PLACE))
    if kept.purpose == "approve":
        tenant_id = entra_sign_in.finish_approval(answer)
        organization_id = UUID(flow["organization_id"])
        with runtime.database.for_tenant(organization_id).transaction() as tx:
            approvals.given(tx, organization_id, tenant_id)
        return Arrived(approved=True)
    if kept.purpose == "connect" and signed_in is not None:
        runtime = runtime.for_tenant(signed_in.organization_id)
        try:
            arrived = entra_sign_in.finish(runtime.entra, flow, answer, with_mail=True)
        except AdminApprovalRequired:
            with runtime.database.transaction() as tx:
                approvals.wait_for(tx, signed_in.organization_id, signed_in.id)
            raise
        connected = _connect(runtime, signed_in, arrived, flow)
        return Arrived(company=known_mailbox(runtime, connected).owner_id is None)
    return Arrived(session=_open(runtime, entra_sign_in.finish(runtime.entra, flow, answer).identity))


def _open(runtime: Runtime, identity: entra_sign_in.Identity) -> str:
    with runtime.database.transaction() as tx:
        member_id = sessions.member_of(tx, identity.tenant_id, identity.account_id, identity.address)
        if member_id is None:
            log.info("sign_in_refused", tenant_id=identity.tenant_id)
            raise NotPermitted(
                f"{identity.address} is not an active member here. Ask an administrator of your organization to add you."
            )
        token = sessions.open_session(tx, member_id)
    log.info("signed_in", member_id=str(member_id))
    return token


def _connect(
    runtime: Runtime, member: sessions.Member, arrived: entra_sign_in.SignedIn, flow: Mapping[str, Any]
) -> UUID:
    if arrived.tokens is None:
        raise TypeError("a connection without tokens")
    if flow["mailbox_id"] is None:
        with runtime.database.transaction() as tx:
            mailbox_id = my_settings.make_mailbox(tx, member.id)
    else:
        mailbox_id = UUID(flow["mailbox_id"])
    server = None if flow["server"] is None else SmtpServer(*flow["server"])
    address = known_mailbox(runtime, mailbox_id).address
    if server is not None and arrived.identity.address != address:
        # Graph tells all addresses of the account; by SMTP there is only the one that has signed in.
        raise wrong_account(arrived.identity.address, address)
    connect_mailbox(
        runtime,
        mailbox_id,
        refresh_token=arrived.tokens.refresh_token,
        tenant_id=arrived.identity.tenant_id,
        actor=member.name,
        server=server,
    )
    with runtime.database.transaction() as tx:
        approvals.stop_waiting(tx, member.id)
    return mailbox_id
