"""Who may send from where: grants, mailboxes and their connections, members."""

import sys
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from actions import connect, grants, members, verify, withdraw
from commands.common import (
    REFUSED,
    AsJson,
    Organization,
    Yes,
    actor,
    command,
    confirm,
    opened,
    print_json,
    say,
    show,
)
from commands.withdrawals import find, say_no
from db import grant_requests, lookups, mailboxes, sessions
from domain.errors import InvalidInput
from domain.grant import Bounds, end_of
from domain.verification import Verdict
from workers.runtime import Runtime

grant_app = typer.Typer(help="Permissions to send from somebody's mailbox.", no_args_is_help=True)
mailbox_app = typer.Typer(help="Mailboxes and their connections.", no_args_is_help=True)
organization_app = typer.Typer(help="Organizations and whose accounts sign in to them.", no_args_is_help=True)
member_app = typer.Typer(help="Members of an organization.", no_args_is_help=True)


Until = Annotated[
    str | None,
    typer.Option(
        help="Its last day, as 2026-12-31, by the mailbox's clock.", show_default="until it is ended"
    ),
]
ADay = Annotated[
    int | None, typer.Option(help="Emails a day at most.", show_default="as many as the mailbox may send")
]
OnlyFor = Annotated[
    list[str] | None, typer.Option(help="Only for this sequence; may be repeated.", show_default="for all")
]


@grant_app.command("list")
@command
def list_grants(as_json: AsJson = False) -> None:
    """All permissions, standing and archived. Example: onbehalf grant list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "grant")
    show(rows, as_json=as_json)


@grant_app.command("give")
@command
def give_grant(
    mailbox: str,
    to: Annotated[str, typer.Option(help="A member's address, or: everyone")],
    by: Annotated[str | None, typer.Option(help="Who gives it; only the mailbox's owner can.")] = None,
    until: Until = None,
    a_day: ADay = None,
    only_for: OnlyFor = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody send from a mailbox. Example: onbehalf grant give hans@acme.example --to rita@acme.example --until 2026-12-31"""
    with opened() as runtime:
        mailbox_id = find(runtime, "mailbox", mailbox)
        grant_id = grants.give_grant(
            runtime,
            mailbox_id=mailbox_id,
            bounds=bounds(runtime, mailbox_id, until, a_day, only_for, organization),
            grantor_id=find(runtime, "member", by or mailbox, organization),
            grantee_id=None if to.lower() == "everyone" else find(runtime, "member", to, organization),
            actor=actor(),
        )
    if as_json:
        print_json({"grant_id": grant_id})
    else:
        say(f"{to} may send from {mailbox} (permission {grant_id}).")


@grant_app.command("revoke")
@command
def revoke_grant(grant_id: UUID, as_json: AsJson = False) -> None:
    """End a permission; nothing leaves on it once this returns. Example: onbehalf grant revoke GRANT (see: onbehalf grant list)"""
    say_no(as_json, lambda runtime: withdraw.revoke_grant(runtime, grant_id, actor=actor()))


@grant_app.command("ask")
@command
def ask_for_grant(
    mailbox: str,
    by: Annotated[str, typer.Option(help="Who asks, a member's address.")],
    words: Annotated[str, typer.Option(help="What for; the mailbox's owner reads it.")] = "",
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Ask a mailbox's owner for permission. Example: onbehalf grant ask hans@acme.example --by rita@acme.example"""
    with opened() as runtime:
        requester_id = find(runtime, "member", by, organization)
        request_id = grants.ask_for_grant(
            runtime, mailbox=mailbox, requester_id=requester_id, words=words, actor=actor()
        )
    if as_json:
        print_json({"request_id": request_id})
    else:
        say(f"The owner of {mailbox} is asked (request {request_id}).")


@grant_app.command("requests")
@command
def list_requests(as_json: AsJson = False) -> None:
    """Who asked for which mailbox, and what its owner answered. Example: onbehalf grant requests"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "request")
    show(rows, as_json=as_json)


@grant_app.command("accept")
@command
def accept_request(
    request_id: UUID,
    by: Annotated[str, typer.Option(help="The mailbox's owner.")],
    until: Until = None,
    a_day: ADay = None,
    only_for: OnlyFor = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Give what somebody asked for. Example: onbehalf grant accept REQUEST --by hans@acme.example --a-day 20"""
    with opened() as runtime:
        grantor_id = find(runtime, "member", by, organization)
        with runtime.database.transaction() as tx:
            mailbox_id = grant_requests.mailbox_of(tx, request_id)
        within = bounds(runtime, mailbox_id, until, a_day, only_for, organization)
        grant_id = grants.accept_request(
            runtime, request_id, grantor_id=grantor_id, actor=actor(), bounds=within
        )
    if as_json:
        print_json({"grant_id": grant_id})
    else:
        say(f"Accepted (permission {grant_id}).")


@grant_app.command("decline")
@command
def decline_request(
    request_id: UUID,
    by: Annotated[str, typer.Option(help="The mailbox's owner.")],
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Say no to somebody who asked; they are told. Example: onbehalf grant decline REQUEST --by hans@acme.example"""
    with opened() as runtime:
        grantor_id = find(runtime, "member", by, organization)
        grants.decline_request(runtime, request_id, grantor_id=grantor_id, actor=actor())
    if as_json:
        print_json({"request_id": request_id})
    else:
        say("Declined.")


def bounds(
    runtime: Runtime,
    mailbox_id: UUID,
    until: str | None,
    a_day: int | None,
    only_for: list[str] | None,
    organization: str | None,
) -> Bounds:
    """What the options of a permission say."""
    with runtime.database.transaction() as tx:
        zone = mailboxes.zone_of(tx, mailbox_id)
    named = [find(runtime, "sequence", name, organization) for name in only_for or []]
    return Bounds(None if until is None else end_of(until, zone), frozenset(named) or None, a_day)


@organization_app.command("trust")
@command
def trust_tenant(organization: str, tenant: UUID, as_json: AsJson = False) -> None:
    """Let accounts of an Entra tenant sign in as the organization's members. Example: onbehalf organization trust Acme 8a1c…"""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id = lookups.by_name(tx, "organization", organization)
        sessions.trust_tenant(tx, organization_id, str(tenant), actor=actor())
    if as_json:
        print_json({"organization_id": organization_id, "tenant_id": tenant})
    else:
        say(f"Members of {organization} can sign in with accounts of that tenant.")


@mailbox_app.command("list")
@command
def list_mailboxes(as_json: AsJson = False) -> None:
    """All mailboxes and how they are connected. Example: onbehalf mailbox list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "mailbox")
    show(rows, as_json=as_json, hide=["id", "scopes", "connection_version"])


@mailbox_app.command("connect")
@command
def connect_mailbox(
    address: str,
    tenant: Annotated[str, typer.Option(help="The Entra tenant's id.")] = "organizations",
    as_json: AsJson = False,
) -> None:
    """Connect, or reconnect, with a refresh token read from standard input (never from the command line).

    Example: onbehalf mailbox connect hans@acme.example < refresh-token.txt
    """
    token = sys.stdin.readline().strip()
    if not token:
        raise InvalidInput(
            "There is no refresh token on standard input.",
            fix="Pipe it in; it is not shown or kept in clear.",
        )
    with opened() as runtime:
        facts = connect.connect_mailbox(
            runtime, find(runtime, "mailbox", address), refresh_token=token, tenant_id=tenant, actor=actor()
        )
    if as_json:
        print_json({"addresses": list(facts.addresses), "settings": dict(facts.settings)})
    else:
        say(f"{address} is connected. Paused sequences wait for you: onbehalf sequence resume NAME")


@mailbox_app.command("test")
@command
def send_test_email(address: str, as_json: AsJson = False) -> None:
    """Send a test email from a mailbox to itself. Example: onbehalf mailbox test hans@acme.example"""
    with opened() as runtime:
        verdict = verify.send_test_email(runtime, find(runtime, "mailbox", address), actor=actor())
    tell(verdict, as_json=as_json)


@mailbox_app.command("verify")
@command
def verify_settings(address: str, as_json: AsJson = False) -> None:
    """Ask the provider whether a mailbox can send. Example: onbehalf mailbox verify hans@acme.example"""
    with opened() as runtime:
        verdict = verify.verify_settings(runtime, find(runtime, "mailbox", address))
    tell(verdict, as_json=as_json)


def tell(verdict: Verdict, *, as_json: bool) -> None:
    """Say how it ended; exit code 1 when it did not work."""
    if as_json:
        print_json(
            {**asdict(verdict), "outcome": verdict.outcome.name.lower(), "title": verdict.outcome.value}
        )
    else:
        code = f" ({verdict.code})" if verdict.code else ""
        say(
            " ".join(
                part
                for part in (f"{verdict.outcome.value}", "·", verdict.explanation + code, verdict.fix)
                if part
            )
        )
    if not verdict.good:
        raise typer.Exit(REFUSED)


@mailbox_app.command("disconnect")
@command
def disconnect_mailbox(address: str, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a connection: tokens erased, permissions archived, sequences paused. Example: onbehalf mailbox disconnect hans@acme.example"""
    confirm(
        f"Disconnect {address}? Its sequences pause, and permissions given from it are archived.", yes=yes
    )
    say_no(
        as_json,
        lambda runtime: withdraw.disconnect_mailbox(
            runtime, find(runtime, "mailbox", address), actor=actor()
        ),
    )


@member_app.command("list")
@command
def list_members(as_json: AsJson = False) -> None:
    """All members. Example: onbehalf member list"""
    with opened() as runtime, runtime.database.transaction() as tx:
        rows = lookups.listing(tx, "member")
    show(rows, as_json=as_json, hide=["id"])


@member_app.command("deactivate")
@command
def deactivate_member(
    email: str, organization: Organization = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """A member leaves: their mailboxes disconnect and their sequences pause. Example: onbehalf member deactivate rita@acme.example"""
    confirm(f"Deactivate {email}? Their mailboxes disconnect, their sequences pause.", yes=yes)
    say_no(
        as_json,
        lambda runtime: withdraw.deactivate_member(
            runtime, find(runtime, "member", email, organization), actor=actor()
        ),
    )


@member_app.command("reactivate")
@command
def reactivate_member(email: str, organization: Organization = None, as_json: AsJson = False) -> None:
    """A member comes back; connections and permissions are given again explicitly. Example: onbehalf member reactivate rita@acme.example"""
    with opened() as runtime:
        members.reactivate_member(runtime, find(runtime, "member", email, organization), actor=actor())
    if as_json:
        print_json({"email": email, "active": True})
    else:
        say(f"{email} is active again.")
