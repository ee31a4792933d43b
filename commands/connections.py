"""Mailboxes and their connections, organizations, members, keys of the API. Permissions: ``commands/grants.py``."""

import sys
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from actions import connect, members, programs, sender_addresses, verify, withdraw
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
    report,
    say,
    show_all,
)
from commands.names import MailboxAddress, MemberAddress, OrganizationName
from commands.tree import group
from commands.withdrawals import find, say_no
from db.access import sessions
from db.mailboxes import accounts
from db.views import lookups, team
from db.views import programs as lists
from domain.connection import Provider
from domain.errors import InvalidInput, NotFound
from domain.team import Role
from domain.verification import Verdict


class At(StrEnum):
    """Where a mailbox is."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"


_PROVIDERS = {At.MICROSOFT: Provider.GRAPH, At.GOOGLE: Provider.GMAIL}
mailbox_app = group("mailbox")
organization_app = group("organization")
api_key_app = group("api-key")
member_app = group("member")


@organization_app.command("trust")
@command
def trust_tenant(organization: OrganizationName, tenant: UUID, as_json: AsJson = False) -> None:
    """Let accounts of an Entra tenant sign in as the organization's members. Example: onbehalf organization trust Acme 8a1c…"""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id = lookups.by_name(tx, "organization", organization)
        sessions.trust_tenant(tx, organization_id, str(tenant), actor=actor())
    report(
        f"Members of {organization} can sign in with accounts of that tenant.",
        {"organization_id": organization_id, "tenant_id": tenant},
        as_json=as_json,
    )


@organization_app.command("verify-domain")
@command
def verify_domain(organization: OrganizationName, domain: str, as_json: AsJson = False) -> None:
    """Confirm that a domain belongs to the organization, so that it may have sender addresses there. Example: onbehalf organization verify-domain Acme acme.example"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", organization)
        name = sender_addresses.verify_domain(runtime, organization_id, domain, actor=actor())
    report(
        f"{organization} may have sender addresses at {name}.",
        {"organization_id": organization_id, "domain": name},
        as_json=as_json,
    )


@api_key_app.command("make")
@command
def make_api_key(
    organization: OrganizationName,
    name: Annotated[str, typer.Option(help="Who uses the key; the audit trail shows it.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="read, manage or addresses; may be repeated. provision, alone: for an identity provider (SCIM)."
        ),
    ] = ["read"],  # noqa: B006 - typer copies it
    until: Annotated[str, typer.Option(help="Its last day, like 2027-12-31. Default: no end.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a key for the JSON API, or with the scope provision for SCIM, and show it, once. Example: onbehalf api-key make Acme --name ats --scope read --scope manage"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        key = programs.make_key(runtime, organization_id, name, scope, until=until, actor=actor())
    report(
        f"{key}\nStore this key now: it is not shown again. Send it as: Authorization: Bearer KEY",
        {"key": key},
        as_json=as_json,
    )


@api_key_app.command("list")
@command
def list_api_keys(as_json: AsJson = False) -> None:
    """All keys, by name; Onbehalf does not store the keys themselves. Example: onbehalf api-key list"""
    show_all("api_key", as_json=as_json)


@api_key_app.command("replace")
@command
def replace_api_key(organization: OrganizationName, name: str, as_json: AsJson = False) -> None:
    """Make another key for the same program and show it, once. The one before it works a day longer. Example: onbehalf api-key replace Acme ats"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = lookups.by_name(tx, "organization", organization)
            known = next((each.id for each in lists.keys(tx, organization_id) if each.name == name), None)
        if known is None:
            raise NotFound(f"There is no key called {name!r}.")
        _, key, former_until = programs.replace_key(runtime, organization_id, known, actor=actor())
    report(
        f"{key}\nStore this key now: it is not shown again. The one before it works until {former_until:%Y-%m-%d %H:%M} UTC.",
        {"key": key, "former_until": former_until},
        as_json=as_json,
    )


@api_key_app.command("revoke")
@command
def revoke_api_key(organization: OrganizationName, name: str, as_json: AsJson = False) -> None:
    """End a key: Onbehalf refuses it from now on. Example: onbehalf api-key revoke Acme ats"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        programs.end_named(runtime, organization_id, name, actor=actor())
    report(f"{name} has ended. Onbehalf refuses it from now on.", {"revoked": name}, as_json=as_json)


@mailbox_app.command("connect")
@command
def connect_mailbox(
    address: MailboxAddress,
    tenant: Annotated[str, typer.Option(help="The Entra tenant's id.")] = "organizations",
    provider: Annotated[At, typer.Option("--provider", help="Whose refresh token it is.")] = At.MICROSOFT,
    as_json: AsJson = False,
) -> None:
    """Connect, or reconnect, with a refresh token read from standard input (never from the command line).

    Example: onbehalf mailbox connect hans@acme.example --provider google < refresh-token.txt
    """
    token = sys.stdin.readline().strip()
    if not token:
        raise InvalidInput(
            "There is no refresh token on standard input.",
            fix="Pipe it in. Onbehalf never shows it and stores it encrypted.",
        )
    with opened() as runtime:
        facts = connect.connect_mailbox(
            runtime,
            find(runtime, "mailbox", address),
            refresh_token=token,
            tenant_id=tenant,
            actor=actor(),
            provider=_PROVIDERS[provider],
        )
    report(
        f"{address} is connected. Resume its paused sequences: onbehalf sequence resume NAME",
        {"addresses": list(facts.addresses), "settings": dict(facts.settings)},
        as_json=as_json,
    )


@mailbox_app.command("forget-account")
@command
def forget_account(address: MailboxAddress, yes: Yes = False, as_json: AsJson = False) -> None:
    """The provider made a new account for the same person: let it sign in and connect. Example: onbehalf mailbox forget-account hans@acme.example"""
    confirm(f"Let another account with the address {address} take over its mailbox?", yes=yes)
    with opened() as runtime:
        mailbox = connect.known_mailbox(runtime, find(runtime, "mailbox", address))
        with runtime.database.transaction() as tx:
            accounts.forget_account(tx, mailbox, actor=actor())
    report(
        f"The next account with the address {address} can connect it.",
        {"mailbox_id": mailbox.id},
        as_json=as_json,
    )


@mailbox_app.command("test")
@command
def send_test_email(address: MailboxAddress, as_json: AsJson = False) -> None:
    """Send a test email from a mailbox to itself. Example: onbehalf mailbox test hans@acme.example"""
    with opened() as runtime:
        verdict = verify.send_test_email(runtime, find(runtime, "mailbox", address), actor=actor())
    report_verdict(verdict, as_json=as_json)


@mailbox_app.command("verify")
@command
def verify_settings(address: MailboxAddress, as_json: AsJson = False) -> None:
    """Ask the provider whether a mailbox can send. Example: onbehalf mailbox verify hans@acme.example"""
    with opened() as runtime:
        verdict = verify.verify_settings(runtime, find(runtime, "mailbox", address))
    report_verdict(verdict, as_json=as_json)


def report_verdict(verdict: Verdict, *, as_json: bool) -> None:
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
def disconnect_mailbox(address: MailboxAddress, yes: Yes = False, as_json: AsJson = False) -> None:
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


@member_app.command("add")
@command
def add_member(
    organization: OrganizationName,
    name: str,
    email: str,
    role: Annotated[Role, typer.Option("--role")] = Role.MEMBER,
    as_json: AsJson = False,
) -> None:
    """Add somebody, who signs in with the account of this address. Example: onbehalf member add Acme "Bo Lind" bo@acme.example"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        added = members.add_member(runtime, organization_id, name, email, role, by=None, actor=actor())
    report(f"{name} can sign in as {email}.", {"id": added}, as_json=as_json)


@member_app.command("role")
@command
def change_role(
    email: MemberAddress, role: Role, organization: Organization = None, as_json: AsJson = False
) -> None:
    """Make a member an owner, an admin or a member. Example: onbehalf member role rita@acme.example admin"""
    with opened() as runtime:
        member_id = find(runtime, "member", email, organization)
        with runtime.database.transaction() as tx:
            organization_id = team.organization_of(tx, member_id)
        changed = members.change_role(runtime, organization_id, member_id, role, by=None, actor=actor())
    report(
        f"{email} is {role.value} now." if changed else f"{email} was {role.value} before.",
        {"id": member_id, "role": role.value, "changed": changed},
        as_json=as_json,
    )


@member_app.command("deactivate")
@command
def deactivate_member(
    email: MemberAddress, organization: Organization = None, yes: Yes = False, as_json: AsJson = False
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
def reactivate_member(
    email: MemberAddress, organization: Organization = None, as_json: AsJson = False
) -> None:
    """A member comes back; their connections and permissions do not. Example: onbehalf member reactivate rita@acme.example"""
    with opened() as runtime:
        members.reactivate_member(runtime, find(runtime, "member", email, organization), actor=actor())
    if as_json:
        print_json({"email": email, "active": True})
    else:
        say(f"{email} is active again.")
