"""Who may send from where: grants, mailboxes and their connections, members."""

import sys
from typing import Annotated
from uuid import UUID

import typer

from actions import connect, grants, members, withdraw
from commands.common import (
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
from db import lookups, sessions
from domain.errors import InvalidInput

grant_app = typer.Typer(help="Permissions to send from somebody's mailbox.", no_args_is_help=True)
mailbox_app = typer.Typer(help="Mailboxes and their connections.", no_args_is_help=True)
organization_app = typer.Typer(help="Organizations and whose accounts sign in to them.", no_args_is_help=True)
member_app = typer.Typer(help="Members of an organization.", no_args_is_help=True)


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
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody send from a mailbox. Example: onbehalf grant give hans@acme.example --to rita@acme.example --by hans@acme.example"""
    with opened() as runtime:
        grant_id = grants.give_grant(
            runtime,
            mailbox_id=find(runtime, "mailbox", mailbox),
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
