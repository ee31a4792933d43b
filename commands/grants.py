"""Permissions to send from a mailbox: give, end, ask, answer."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import grants, withdraw
from commands.common import AsJson, Organization, actor, command, opened, report, show_all
from commands.names import MailboxAddress
from commands.tree import group
from commands.withdrawals import find, say_no
from db.access import grant_requests
from db.mailboxes import mailboxes
from domain import grant

if TYPE_CHECKING:
    from app.runtime import Runtime

grant_app = group("grant")

Until = Annotated[
    str | None,
    typer.Option(
        help="Last day, such as 2026-12-31, in the mailbox's time zone.", show_default="no end date"
    ),
]
ADay = Annotated[
    int | None, typer.Option(help="Emails a day at most.", show_default="as many as the mailbox may send")
]
OnlyFor = Annotated[
    list[str] | None,
    typer.Option(help="Only for this sequence; may be repeated.", show_default="all sequences"),
]
ReadFirst = Annotated[
    bool, typer.Option("--read-first", help="The mailbox's owner reads the first email before it leaves.")
]


@grant_app.command("list")
@command
def list_grants(as_json: AsJson = False) -> None:
    """All permissions, active and ended. Example: onbehalf grant list"""
    show_all("grant", as_json=as_json)


@grant_app.command("give")
@command
def give_grant(
    mailbox: MailboxAddress,
    to: Annotated[str, typer.Option(help="A member's address, or: everyone")],
    by: Annotated[str | None, typer.Option(help="Who gives it; only the mailbox's owner can.")] = None,
    until: Until = None,
    a_day: ADay = None,
    only_for: OnlyFor = None,
    read_first: ReadFirst = False,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody send from a mailbox. Example: onbehalf grant give hans@acme.example --to rita@acme.example --until 2026-12-31"""
    with opened() as runtime:
        mailbox_id = find(runtime, "mailbox", mailbox)
        grant_id = grants.give_grant(
            runtime,
            mailbox_id=mailbox_id,
            bounds=bounds(runtime, mailbox_id, until, a_day, only_for, organization, read_first=read_first),
            mailbox_owner_id=find(runtime, "member", by or mailbox, organization),
            grantee_id=None if to.lower() == "everyone" else find(runtime, "member", to, organization),
            actor=actor(),
            by="operator",
        )
    report(
        f"{to} may send from {mailbox} (permission {grant_id}). We asked its owner to confirm this.",
        {"grant_id": grant_id},
        as_json=as_json,
    )


@grant_app.command("revoke")
@command
def revoke_grant(grant_id: UUID, as_json: AsJson = False) -> None:
    """End a permission; no email leaves on it once this returns. Example: onbehalf grant revoke GRANT (see: onbehalf grant list)"""
    say_no(as_json, lambda runtime: withdraw.revoke_grant(runtime, grant_id, actor=actor()))


@grant_app.command("ask")
@command
def ask_for_grant(
    mailbox: MailboxAddress,
    by: Annotated[str, typer.Option(help="Who asks, a member's address.")],
    words: Annotated[str, typer.Option(help="Message to the mailbox's owner.")] = "",
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Ask a mailbox's owner for permission. Example: onbehalf grant ask hans@acme.example --by rita@acme.example"""
    with opened() as runtime:
        requester_id = find(runtime, "member", by, organization)
        request_id = grants.ask_for_grant(
            runtime, mailbox=mailbox, requester_id=requester_id, words=words, actor=actor()
        )
    report(
        f"Asked the owner of {mailbox} (request {request_id}).",
        {"request_id": request_id},
        as_json=as_json,
    )


@grant_app.command("requests")
@command
def list_requests(as_json: AsJson = False) -> None:
    """Who asked for which mailbox, and what its owner answered. Example: onbehalf grant requests"""
    show_all("request", as_json=as_json)


@grant_app.command("accept")
@command
def accept_request(
    request_id: UUID,
    by: Annotated[str, typer.Option(help="The mailbox's owner.")],
    until: Until = None,
    a_day: ADay = None,
    only_for: OnlyFor = None,
    read_first: ReadFirst = False,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Accept a request. Example: onbehalf grant accept REQUEST --by hans@acme.example --a-day 20"""
    with opened() as runtime:
        mailbox_owner_id = find(runtime, "member", by, organization)
        with runtime.database.transaction() as tx:
            mailbox_id = grant_requests.mailbox_of(tx, request_id)
        within = bounds(runtime, mailbox_id, until, a_day, only_for, organization, read_first=read_first)
        grant_id = grants.accept_request(
            runtime,
            request_id,
            mailbox_owner_id=mailbox_owner_id,
            actor=actor(),
            bounds=within,
            by="operator",
        )
    report(f"Accepted (permission {grant_id}).", {"grant_id": grant_id}, as_json=as_json)


@grant_app.command("decline")
@command
def decline_request(
    request_id: UUID,
    by: Annotated[str, typer.Option(help="The mailbox's owner.")],
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Decline a request and notify the person who asked. Example: onbehalf grant decline REQUEST --by hans@acme.example"""
    with opened() as runtime:
        mailbox_owner_id = find(runtime, "member", by, organization)
        grants.decline_request(runtime, request_id, mailbox_owner_id=mailbox_owner_id, actor=actor())
    report("Declined.", {"request_id": request_id}, as_json=as_json)


def bounds(
    runtime: "Runtime",
    mailbox_id: UUID,
    until: str | None,
    a_day: int | None,
    only_for: list[str] | None,
    organization: str | None,
    *,
    read_first: bool,
) -> "grant.Bounds":
    """What the options of a permission say."""
    with runtime.database.transaction() as tx:
        zone = mailboxes.zone_of(tx, mailbox_id)
    named = [find(runtime, "sequence", name, organization) for name in only_for or []]
    return grant.Bounds(
        None if until is None else grant.end_of(until, zone), frozenset(named) or None, a_day, read_first
    )
