"""Microsoft for a whole organization: its tenant-wide connection."""

from dataclasses import asdict
from typing import Annotated

import typer

from actions import tenant, withdraw
from commands.common import REFUSED, AsJson, Yes, actor, command, confirm, opened, print_json, report, say
from commands.names import OrganizationName
from commands.tree import group
from commands.withdrawals import find, say_no
from domain.errors import NotFound

tenant_app = group("tenant")


@tenant_app.command("connect")
@command
def connect_tenant(organization: OrganizationName, as_json: AsJson = False) -> None:
    """Connect the tenant that an organization trusts, once its administrator has given the consent. Members then let their mailboxes be used. Example: onbehalf tenant connect Acme"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        tenant.connect(runtime, organization_id, actor=actor())
    report(
        f"Microsoft is connected for all of {organization}. Members can let their mailboxes be used.",
        {"organization_id": organization_id},
        as_json=as_json,
    )


@tenant_app.command("show")
@command
def show_tenant(organization: OrganizationName, as_json: AsJson = False) -> None:
    """Say whether an organization's tenant is connected, and for how many mailboxes. Example: onbehalf tenant show Acme"""
    with opened() as runtime:
        found = tenant.show(runtime, find(runtime, "organization", organization))
    if found is None:
        raise NotFound(f"Microsoft was never connected for all of {organization}.")
    number = found.mailboxes
    used = "1 mailbox uses" if number == 1 else f"{number:,} mailboxes use" if number else "No mailbox uses"
    states = {
        "connected": f"connected. {used} it.",
        "lost": "Microsoft refuses it, and its mailboxes cannot send. They recover by themselves once it does not.",
        "disconnected": "disconnected.",
    }
    said = f"{organization}: {states[found.status]}"
    if found.code:
        said += f" Microsoft's code: {found.code}."
    report(said, asdict(found), as_json=as_json)


@tenant_app.command("check")
@command
def check_tenant(
    organization: OrganizationName,
    address: Annotated[str, typer.Option(help="Of a member who has signed in: the mailbox to try.")] = "",
    as_json: AsJson = False,
) -> None:
    """Ask Microsoft what works: the token, the consent, and one mailbox. Example: onbehalf tenant check Acme --address hans@acme.example"""
    with opened() as runtime:
        answers = tenant.check(runtime, find(runtime, "organization", organization), address=address)
    if as_json:
        print_json([asdict(each) for each in answers])
    else:
        for each in answers:
            state = {True: "works", False: "does not work", None: "not known"}[each.good]
            say(f"{each.what}: {state}. {each.said} {each.fix}".strip())
    if any(each.good is False for each in answers):
        raise typer.Exit(REFUSED)


@tenant_app.command("powershell")
@command
def show_powershell(
    group_address: Annotated[
        str, typer.Option("--group", help="The mail-enabled group whose members it may use.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Print the PowerShell that limits Onbehalf to some mailboxes of a tenant. Example: onbehalf tenant powershell --group recruiters@acme.example"""
    with opened() as runtime:
        commands = tenant.commands(runtime, group_address)
    report(commands, {"commands": commands}, as_json=as_json)


@tenant_app.command("disconnect")
@command
def disconnect_tenant(organization: OrganizationName, yes: Yes = False, as_json: AsJson = False) -> None:
    """Disconnect an organization's tenant with all mailboxes that use it; nothing leaves from them once this returns. Example: onbehalf tenant disconnect Acme --yes"""
    confirm(
        f"Disconnect all mailboxes of {organization} that its Microsoft administrator connected?", yes=yes
    )
    say_no(
        as_json,
        lambda runtime: withdraw.disconnect_tenant(
            runtime, find(runtime, "organization", organization), actor=actor()
        ),
    )
