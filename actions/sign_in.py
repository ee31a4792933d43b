"""Sign in, connect one's own mailbox, approve the app: all three by a visit to Microsoft's pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog

from actions.connect import connect_mailbox
from db import approvals, my_settings, sessions
from db.crypto import Place
from domain.errors import AdminApprovalRequired, NotPermitted
from transports import entra_sign_in
from transports.entra_sign_in import MAIL
from workers.runtime import Runtime

log = structlog.get_logger()

_PLACE = Place(UUID(int=0), UUID(int=0), "sign_ins.flow")


@dataclass(frozen=True, slots=True)
class Arrived:
    """Where a visit has ended: a new session's cookie, an approval, or else a mailbox that is connected now."""

    session: str = ""
    approved: bool = False


def begin_sign_in(runtime: Runtime, *, browser: str, redirect_uri: str) -> str:
    """Microsoft's page to visit. ``browser``: a secret that only this browser has. Raises ``ProviderUnavailable``."""
    return _begin(
        runtime, "sign_in", None, browser, entra_sign_in.begin(runtime.entra, redirect_uri=redirect_uri)
    )


def begin_connect(runtime: Runtime, member: sessions.Member, *, browser: str, redirect_uri: str) -> str:
    """The same, asking for the permissions to send from the member's own mailbox."""
    flow = entra_sign_in.begin(runtime.entra, redirect_uri=redirect_uri, scopes=MAIL, login_hint=member.email)
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
        with runtime.database.transaction() as tx:
            approvals.given(tx, UUID(flow["organization_id"]), tenant_id)
        return Arrived(approved=True)
    if kept.purpose == "connect" and signed_in is not None:
        try:
            arrived = entra_sign_in.finish(runtime.entra, flow, answer, with_mail=True)
        except AdminApprovalRequired:
            with runtime.database.transaction() as tx:
                approvals.wait_for(tx, signed_in.organization_id, signed_in.id)
            raise
        _connect(runtime, signed_in, arrived)
        return Arrived()
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


def _connect(runtime: Runtime, member: sessions.Member, arrived: entra_sign_in.SignedIn) -> None:
    if arrived.tokens is None:
        raise TypeError("a connection without tokens")
    with runtime.database.transaction() as tx:
        mailbox_id = my_settings.make_mailbox(tx, member.id)
    connect_mailbox(
        runtime,
        mailbox_id,
        refresh_token=arrived.tokens.refresh_token,
        tenant_id=arrived.identity.tenant_id,
        actor=member.name,
    )
    with runtime.database.transaction() as tx:
        approvals.stop_waiting(tx, member.id)
