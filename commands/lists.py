"""What there is: lists of everything that has a name, and each of them one by one. Nothing here changes anything."""

from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from actions import why as explanations
from commands.common import AsJson, Organization, command, plain, print_json, reading, say, show, show_all
from commands.names import (
    MailboxAddress,
    MemberAddress,
    OrganizationName,
    PersonAddress,
    SequenceName,
    completed,
)
from commands.tree import group
from commands.words import at_utc, with_command
from db.access import authority
from db.sequences import built, draft_sequences
from db.views import dashboard, lists, lookups
from domain.errors import NotFound

Limit = Annotated[int, typer.Option(min=1, max=10000)]
_DELIVERIES = 20  # of an enrollment or a person

organization_app = group("organization")
member_app = group("member")
mailbox_app = group("mailbox")
sequence_app = group("sequence")
enrollment_app = group("enrollment")
candidate_app = group("candidate")


class EnrollmentStatus(StrEnum):
    """Where an enrollment stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"
    ARCHIVED = "archived"
    FINISHED = "finished"


@organization_app.command("list")
@command
def list_organizations(as_json: AsJson = False) -> None:
    """All organizations. Example: onbehalf organization list"""
    show_all("organization", as_json=as_json, hide=["id"])


@organization_app.command("show")
@command
def show_organization(organization: OrganizationName, as_json: AsJson = False) -> None:
    """An organization, its rules and what it has. Example: onbehalf organization show Acme"""
    with reading() as tx:
        found = lists.organization(tx, lookups.by_name(tx, "organization", organization))
    _show_one(asdict(found), as_json=as_json)


@member_app.command("list")
@command
def list_members(as_json: AsJson = False) -> None:
    """All members. Example: onbehalf member list"""
    show_all("member", as_json=as_json, hide=["id"])


@member_app.command("show")
@command
def show_member(email: MemberAddress, organization: Organization = None, as_json: AsJson = False) -> None:
    """A member, what they may send from, and their sequences. Example: onbehalf member show rita@acme.example"""
    with reading() as tx:
        found = lists.member(tx, lookups.by_name(tx, "member", email, organization=organization))
    _show_one(asdict(found), as_json=as_json)


@mailbox_app.command("list")
@command
def list_mailboxes(as_json: AsJson = False) -> None:
    """All mailboxes and how they are connected. Example: onbehalf mailbox list"""
    show_all("mailbox", as_json=as_json, hide=["id", "scopes", "connection_version"])


@mailbox_app.command("show")
@command
def show_mailbox(address: MailboxAddress, organization: Organization = None, as_json: AsJson = False) -> None:
    """A mailbox: its connection, its pace, and the sequences that send from it. Example: onbehalf mailbox show hans@acme.example"""
    with reading() as tx:
        found = lists.mailbox(tx, lookups.by_name(tx, "mailbox", address, organization=organization))
    _show_one(asdict(found), as_json=as_json)


@sequence_app.command("list")
@command
def list_sequences(as_json: AsJson = False) -> None:
    """All sequences and their state. Example: onbehalf sequence list"""
    show_all("sequence", as_json=as_json, hide=["id"])


@sequence_app.command("show")
@command
def show_sequence(name: SequenceName, organization: Organization = None, as_json: AsJson = False) -> None:
    """The steps of a sequence, and what it lacks. Example: onbehalf sequence show "Backend engineers" """
    with reading() as tx:
        sequence_id = lookups.by_name(tx, "sequence", name, organization=organization)
        found, written = built.built(tx, sequence_id), built.steps_of(tx, sequence_id)
        blockers = authority.blockers(tx, [sequence_id])[sequence_id]
        lacks = draft_sequences.lacking(tx, sequence_id, sender=blockers)
    if as_json:
        print_json(
            {
                "id": found.id,
                "name": found.name,
                "status": found.status,
                "sender": found.address,
                "steps": [each._asdict() for each in written],
                "lacks": [each.what for each in lacks],
            }
        )
        return
    rows = [each._asdict() for each in written]
    show(rows, as_json=False, title=f"{found.name} ({found.status}), from {found.address}", hide=["id"])
    for each in lacks:
        say(each.what, "yellow")


@enrollment_app.command("list")
@command
def list_enrollments(
    sequence: Annotated[
        str | None, typer.Option(help="Only of this sequence.", autocompletion=completed("sequence"))
    ] = None,
    status: Annotated[EnrollmentStatus | None, typer.Option(help="Only those.")] = None,
    organization: Organization = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """People in sequences, those who joined last first. Example: onbehalf enrollment list --sequence "Backend engineers" --status paused"""
    with reading() as tx:
        rows = lists.enrollments(
            tx,
            organization_id=lookups.by_name(tx, "organization", organization) if organization else None,
            sequence_id=(
                lookups.by_name(tx, "sequence", sequence, organization=organization) if sequence else None
            ),
            status=None if status is None else status.value,
            limit=limit,
        )
    show([asdict(each) for each in rows], as_json=as_json)


@enrollment_app.command("show")
@command
def show_enrollment(enrollment: PersonAddress, as_json: AsJson = False) -> None:
    """A person in their sequences: why nothing leaves or what comes next, and each email. Example: onbehalf enrollment show jo@example.org"""
    with reading() as tx:
        found = explanations.answers(tx, lookups.enrollments_of(tx, enrollment), at_utc)
        emails = {
            each.enrollment_id: dashboard.deliveries(tx, enrollment_id=each.enrollment_id, limit=_DELIVERIES)
            for each in found
        }
    if not found:
        raise NotFound(f"Nobody is enrolled as {enrollment!r}.")
    if as_json:
        print_json(
            [
                {
                    "enrollment_id": each.enrollment_id,
                    "person": each.situation.email,
                    "sequence": each.situation.sequence,
                    "status": each.situation.status,
                    "reason": each.situation.reason,
                    "answer": with_command(each.whole, each.situation),
                    "deliveries": [asdict(email) for email in emails[each.enrollment_id]],
                }
                for each in found
            ]
        )
        return
    for each in found:
        say(f"{each.situation.sequence} ({each.enrollment_id})", "bold")
        say(f"{with_command(each.whole, each.situation)}\n")
        rows = [asdict(email) for email in emails[each.enrollment_id]]
        show(rows, as_json=False, hide=["enrollment_id", "attempts", "person", "sequence"])


@candidate_app.command("list")
@command
def list_candidates(
    words: Annotated[str, typer.Argument(metavar="[WORDS]", help="In their name, company or address.")] = "",
    organization: Organization = None,
    by_name: Annotated[bool, typer.Option("--by-name", help="By name instead.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """People, the newest first. Example: onbehalf candidate list adler --organization Acme"""
    with reading() as tx:
        rows = lists.candidates(
            tx,
            organization_id=lookups.by_name(tx, "organization", organization) if organization else None,
            words=words,
            by_name=by_name,
            limit=limit,
        )
    show([asdict(each) for each in rows], as_json=as_json)


@candidate_app.command("show")
@command
def show_candidate(person: PersonAddress, organization: Organization = None, as_json: AsJson = False) -> None:
    """A person, their sequences and the last emails to them. Example: onbehalf candidate show jo@example.org"""
    with reading() as tx:
        candidate_id = lookups.by_name(tx, "candidate", person, organization=organization)
        found, places = lists.candidate(tx, candidate_id), lists.places(tx, candidate_id)
        emails = [
            email
            for place in places
            for email in dashboard.deliveries(tx, enrollment_id=place.enrollment_id, limit=_DELIVERIES)
        ]
    if as_json:
        print_json(
            {
                **asdict(found),
                "sequences": [asdict(each) for each in places],
                "deliveries": [asdict(each) for each in emails],
            }
        )
        return
    _show_one(asdict(found), as_json=False)
    show([asdict(each) for each in places], as_json=False, title="Sequences")
    hidden = ["enrollment_id", "attempts", "person"]
    show([asdict(each) for each in emails], as_json=False, title="Emails", hide=hidden)


def _show_one(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [
        {"what": name.replace("_", " "), "is": ", ".join(value) if isinstance(value, list) else plain(value)}
        for name, value in found.items()
    ]
    show(rows, as_json=False)
