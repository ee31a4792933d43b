"""Permissions to send from a mailbox: give one, ask for one, answer who asks. Ending one is ``actions/withdraw.py``."""

from uuid import UUID

from app.limiter import ASKS
from app.runtime import Runtime
from db.access import grant_requests, grants
from domain.grant import UNBOUNDED, Bounds, Hand, check_words


def give_grant(
    runtime: Runtime,
    *,
    mailbox_id: UUID,
    mailbox_owner_id: UUID,
    grantee_id: UUID | None,
    actor: str,
    bounds: Bounds = UNBOUNDED,
    by: Hand = "member",
) -> UUID:
    """Give one person, or everyone (None), permission; returns the grant. ``by``: whose hand it is.

    Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``.
    """
    with runtime.database.transaction() as tx:
        return grants.give(
            tx,
            mailbox_id=mailbox_id,
            mailbox_owner_id=mailbox_owner_id,
            grantee_id=grantee_id,
            actor=actor,
            bounds=bounds,
            by=by,
        )


def confirm_grant(runtime: Runtime, grant_id: UUID, *, mailbox_owner_id: UUID, actor: str) -> None:
    """The mailbox's owner confirms what somebody else gave in their name. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        grants.confirm(tx, grant_id, mailbox_owner_id=mailbox_owner_id, actor=actor)


def ask_for_grant(
    runtime: Runtime, *, mailbox: str, requester_id: UUID, words: str, actor: str, program: str = ""
) -> UUID:
    """Ask the owner of the mailbox with this address; returns the request, the open one if there is one.

    ``program``: the name of the API key that asks in the member's place. The owner reads it: only a session is the member's
    own word. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``, ``TooMany``.
    """
    check_words(words)
    runtime.limiter.count(ASKS, "ask", str(requester_id))
    if program:
        with runtime.database.transaction() as tx:
            organization_id = grant_requests.organization_of(tx, requester_id)
        runtime.limiter.count(ASKS, "ask by", f"{organization_id} {program}")
    with runtime.database.transaction() as tx:
        return grant_requests.ask(
            tx, mailbox=mailbox, requester_id=requester_id, words=words, actor=actor, program=program
        )


def accept_request(
    runtime: Runtime,
    request_id: UUID,
    *,
    mailbox_owner_id: UUID,
    actor: str,
    bounds: Bounds = UNBOUNDED,
    by: Hand = "member",
) -> UUID:
    """Give what was asked for; returns the grant. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``."""
    with runtime.database.transaction() as tx:
        return grant_requests.accept(
            tx, request_id, mailbox_owner_id=mailbox_owner_id, actor=actor, bounds=bounds, by=by
        )


def decline_request(runtime: Runtime, request_id: UUID, *, mailbox_owner_id: UUID, actor: str) -> None:
    """Say no to whoever asked. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        grant_requests.decline(tx, request_id, mailbox_owner_id=mailbox_owner_id, actor=actor)
