"""Grants: give one, ask for one, answer a request. ``actions/withdraw.py`` ends one."""

from uuid import UUID

from app.rates import ASKS
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
    """Give one person, or everyone (None), permission; returns the grant. ``by``: who gives it.

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
    """Confirm a grant that somebody gave in the mailbox owner's name. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        grants.confirm(tx, grant_id, mailbox_owner_id=mailbox_owner_id, actor=actor)


def ask_for_grant(
    runtime: Runtime, *, mailbox: str, requester_id: UUID, words: str, actor: str, program: str = ""
) -> UUID:
    """Ask the owner of the mailbox with this address; returns the request, or the one already open.

    ``program``: the name of the API key that asks on the member's behalf. We show it to the owner, because only a session proves
    that the member asked. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``, ``TooMany``.
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
    """Accept a request; returns the grant. Raises ``NotFound``, ``NotPermitted``, ``InvalidInput``."""
    with runtime.database.transaction() as tx:
        return grant_requests.accept(
            tx, request_id, mailbox_owner_id=mailbox_owner_id, actor=actor, bounds=bounds, by=by
        )


def decline_request(runtime: Runtime, request_id: UUID, *, mailbox_owner_id: UUID | None, actor: str) -> None:
    """Decline a request. ``mailbox_owner_id`` None: whoever the owner is. Raises ``NotFound``."""
    with runtime.database.transaction() as tx:
        if mailbox_owner_id is None:
            mailbox_owner_id = grant_requests.owner_of(tx, request_id)
        grant_requests.decline(tx, request_id, mailbox_owner_id=mailbox_owner_id, actor=actor)
