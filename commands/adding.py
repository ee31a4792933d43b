"""Adding what has a name, one at a time, and the rules that only admins set. Many at once: ``onbehalf import``."""

from dataclasses import asdict, replace
from typing import Annotated
from uuid import UUID

import typer

from actions import organizations, people_imports, sender_addresses
from commands.common import AsJson, Organization, Yes, actor, command, confirm, opened, print_json, report
from commands.names import MailboxAddress, OrganizationName, PersonAddress, SequenceName, completed
from commands.people import say_summary
from commands.tree import group
from commands.withdrawals import find
from db.views import lists, lookups, messages
from domain.lane import DAILY_CAP

organization_app = group("organization")
mailbox_app = group("mailbox")
enrollment_app = group("enrollment")
candidate_app = group("candidate")

Anyway = Annotated[
    str,
    typer.Option(
        help="Why they are enrolled although they are in another sequence or were written to lately; audited."
    ),
]


@organization_app.command("add")
@command
def add_organization(
    name: str,
    zone: Annotated[str, typer.Option(help="Its time zone, like Europe/Berlin.")],
    as_json: AsJson = False,
) -> None:
    """Add an organization; then its owner (member add). Example: onbehalf organization add Acme --zone Europe/Berlin"""
    with opened() as runtime:
        added = organizations.add_organization(runtime, name, zone, actor=actor())
    report(
        f'Added {name}. Next: onbehalf member add "{name}" NAME ADDRESS --role owner',
        {"id": added},
        as_json=as_json,
    )


@organization_app.command("recontact-days")
@command
def set_recontact_days(organization: OrganizationName, days: int, as_json: AsJson = False) -> None:
    """How long people are left alone after an email, before a new sequence. Example: onbehalf organization recontact-days Acme 60"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        changed = people_imports.set_days(runtime, _operator(organization_id), days)
    report(
        f"{organization} leaves people alone for {days} days." if changed else "It was so before.",
        {"organization_id": organization_id, "days": days, "changed": changed},
        as_json=as_json,
    )


@organization_app.command("sender-name")
@command
def set_sender_name(
    organization: OrganizationName,
    kind: Annotated[str, typer.Argument(help="company, or employee: the sequence's owner.")],
    as_json: AsJson = False,
) -> None:
    """Whose name recipients see beside a sender address. Example: onbehalf organization sender-name Acme employee"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        sender_addresses.set_sender_name(runtime, organization_id, kind, actor=actor())
    whose = "the company's name" if kind == "company" else "the sequence owner's name"
    report(
        f"Recipients see {whose} from now on.",
        {"organization_id": organization_id, "kind": kind},
        as_json=as_json,
    )


@organization_app.command("add-address")
@command
def add_address(
    organization: OrganizationName,
    address: str,
    legal_entity: Annotated[
        str | None, typer.Option(help="Whose address it is. Default: the whole organization's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give an organization or a legal entity its sender address, not in use yet. Example: onbehalf organization add-address Acme jobs@acme.example"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        entity = find(runtime, "legal_entity", legal_entity, organization) if legal_entity else None
        added = sender_addresses.put_address(runtime, organization_id, entity, address, actor=actor())
    report(
        f"Added {address}. Put it into use: onbehalf mailbox smtp {address}, or sign in with it on Email settings.",
        {"id": added},
        as_json=as_json,
    )


@organization_app.command("remove-address")
@command
def remove_address(organization: OrganizationName, address: MailboxAddress, as_json: AsJson = False) -> None:
    """Remove a sender address that was never in use. Example: onbehalf organization remove-address Acme jobs@acme.example"""
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        mailbox_id = find(runtime, "mailbox", address, organization)
        sender_addresses.remove_address(runtime, organization_id, mailbox_id, actor=actor())
    report(f"Removed {address}.", {"removed": mailbox_id}, as_json=as_json)


@mailbox_app.command("add")
@command
def add_mailbox(
    address: str,
    owner: Annotated[
        str, typer.Option(help="Whose it is, a member's address.", autocompletion=completed("member"))
    ],
    daily_cap: Annotated[int, typer.Option(min=1, help="Emails a day at most.")] = DAILY_CAP,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Add a member's mailbox, which they then connect. Example: onbehalf mailbox add rita@acme.example --owner rita@acme.example"""
    with opened() as runtime:
        member_id = find(runtime, "member", owner, organization)
        added = organizations.add_mailbox(runtime, member_id, address, daily_cap, actor=actor())
    report(
        f"Added {address}. Its owner connects it under Mailbox and permissions.",
        {"id": added},
        as_json=as_json,
    )


@enrollment_app.command("add")
@command
def add_enrollment(
    person: PersonAddress,
    sequence: SequenceName,
    anyway: Anyway = "",
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """See what a known person would get, then enroll them. Example: onbehalf enrollment add jo@example.org "Backend engineers" """
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", sequence, organization)
        with runtime.database.transaction() as tx:
            organization_id = lookups.organization_of(tx, sequence_id)
            its_name = lists.organization(tx, organization_id).name
            candidate_id = lookups.by_name(tx, "candidate", person, organization=its_name)
        doer, choices = _operator(organization_id), people_imports.Choices(sequence_id, anyway=anyway)
        foreseen = people_imports.foresee_enrolling(runtime, doer, [candidate_id], choices)
        if foreseen.enrolled and not yes:
            if not as_json:
                say_summary(foreseen)
            confirm(f"Enroll {person}?", yes=yes)
        done = people_imports.enroll_known(runtime, doer, [candidate_id], choices)
    if as_json:
        print_json(asdict(done))
    else:
        say_summary(done)


@candidate_app.command("add")
@command
def add_candidate(
    email: str,
    first_name: Annotated[str, typer.Option()] = "",
    last_name: Annotated[str, typer.Option()] = "",
    company: Annotated[str, typer.Option()] = "",
    title: Annotated[str, typer.Option()] = "",
    location: Annotated[str, typer.Option()] = "",
    member: Annotated[
        str | None, typer.Option(help="The member, by address, who sees them while they are in no sequence.")
    ] = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Add a person, or what is new of a known one. Example: onbehalf candidate add jo@example.org --first-name Jo --last-name Lind"""
    person = {
        "email": email,
        "first_name": first_name,
        "last_name": last_name,
        "company": company,
        "title": title,
        "location": location,
    }
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            organization_id = (
                lookups.by_name(tx, "organization", organization)
                if organization
                else lookups.only_organization(tx)
            )
            member_id = lookups.by_name(tx, "member", member, organization=organization) if member else None
        doer = replace(_operator(organization_id), member_id=member_id)
        done = people_imports.add(runtime, doer, person, people_imports.Choices())
    what = "Added" if done.candidates_created else "Changed" if done.candidates_updated else "Nothing new of"
    report(f"{what} {email}.", asdict(done), as_json=as_json)


def _operator(organization_id: UUID) -> "people_imports.Doer":
    """Who runs Onbehalf may do what an admin may."""
    return people_imports.Doer(messages.Viewer(organization_id, None), None, actor(), admin=True)
