"""A small company for drills, created by the product's own import and connected through the emulator."""

import csv
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import yaml
from sqlalchemy import text

from actions import smtp
from actions.connect import connect_mailbox
from app.runtime import Runtime
from domain.connection import Provider
from domain.errors import ProviderUnavailable
from importing.load import import_file
from importing.people import Options, import_people
from lab.emulator.client import EmulatorControl
from lab.tenants import connect_tenant, join

ACTOR = "drill"
PASSWORD = "demo-password"
PEOPLE = "people."  # before the organization's domain: whose people the candidates are


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate enrolled in a desk's sequence."""

    enrollment_id: UUID
    candidate_id: UUID
    email: str


@dataclass(slots=True)
class Desk:
    """A mailbox whose owner lets one recruiter send from it, and that recruiter's sequence."""

    mailbox_id: UUID
    address: str
    mailbox_owner_id: UUID
    mailbox_owner_email: str  # where the mailbox owner gets notices; the mailbox may have another address
    owner_id: UUID
    owner_email: str
    sequence_id: UUID
    people: list[Person]
    by_smtp: bool = False  # through its own mail server instead of Microsoft Graph
    at_google: bool = False  # by the Gmail API
    of_tenant: bool = False  # by Microsoft Graph, on the application's own token

    @property
    def provider(self) -> Provider:
        """How it sends."""
        if self.by_smtp:
            return Provider.SMTP
        return Provider.GMAIL if self.at_google else Provider.TENANT if self.of_tenant else Provider.GRAPH

    @property
    def keys(self) -> tuple[str, str, str]:
        """The keys that cover every email of this desk: its mailbox, the permission to use it, its sequence."""
        return f"mailbox:{self.mailbox_id}", f"grant:{self.mailbox_id}", f"sequence:{self.sequence_id}"


@dataclass(frozen=True, slots=True)
class Company:
    """An organization of its own, separate from anything else in the database."""

    id: UUID
    name: str
    desks: list[Desk]


def found_company(
    runtime: Runtime,
    emulator: EmulatorControl,
    name: str,
    *,
    desks: int,
    people: int,
    delays: tuple[str, ...],
    crowd: int = 0,
    by_smtp: int = 0,
    smtp_port: int = 0,
    at_google: int = 0,
    of_tenant: int = 0,
    one_inside: bool = False,
    shared: int = 0,
) -> Company:
    """Import the company, connect its mailboxes, enroll its people, who have addresses of another organization.

    ``name``: must be new; ``delays``: one per step; ``crowd``: additional people for the first desk; ``by_smtp``: how many desks,
    from the end, have their own mail server, at ``smtp_port``; ``at_google``: how many before them are there;
    ``of_tenant``: how many before those are connected for the whole organization. ``one_inside``: one person at each desk is of the
    organization itself, whose machines hide what they answer. ``shared``: so many people of each desk are at the next one, too.
    """
    domain = domain_of(name)

    def address_of(n: int, number: int) -> str:
        return f"p{n}.{number}@{'' if one_inside and n == 0 else PEOPLE}{domain}"

    numbers = range(1, desks + 1)
    own_server = range(desks - by_smtp + 1, desks + 1)
    googles = range(desks - by_smtp - at_google + 1, desks - by_smtp + 1)
    in_tenant = range(googles.start - of_tenant, googles.start)
    with tempfile.TemporaryDirectory() as folder:
        organization = Path(folder) / "organization.yaml"
        organization.write_text(
            yaml.safe_dump({"organizations": [_organization(name, domain, numbers, delays)]})
        )
        import_file(runtime.database, organization, actor=ACTOR)
        emulator.add_mailboxes(
            *({"address": f"sender{number}@{domain}", "google": number in googles} for number in numbers)
        )
        ids = _ids(runtime, name)
        if in_tenant:
            connect_tenant(runtime, emulator, ids[f"organization:{name}"], f"sender1@{domain}", actor=ACTOR)
        for number in numbers:
            address = f"sender{number}@{domain}"
            if number in own_server:
                connect_by_smtp(runtime, ids[f"mailbox:{address}"], address, smtp_port)
            elif number in in_tenant:
                join(runtime, emulator, address, actor=ACTOR)
            else:
                token = emulator.refresh_token(address)
                provider = Provider.GMAIL if number in googles else Provider.GRAPH
                box = ids[f"mailbox:{address}"]
                connect_mailbox(runtime, box, refresh_token=token, actor=ACTOR, provider=provider)
            file = Path(folder) / "people.csv"
            with file.open("w", newline="") as rows:
                writer = csv.writer(rows)
                writer.writerow(["First name", "Last name", "Email"])
                own = range(people + (crowd if number == 1 else 0))
                writer.writerows([f"P{n}", "Drill", address_of(n, number)] for n in own)
                writer.writerows(
                    [f"P{n}", "Drill", address_of(n, number - 1)]
                    for n in range(1, shared + 1 if number > 1 else 1)
                )
            import_people(
                runtime.database,
                file,
                sequence=f"{name} {number}",
                organization=name,
                actor=ACTOR,
                options=Options(anyway="Some people are in several sequences"),
            )
    made = [
        Desk(
            ids[f"mailbox:sender{number}@{domain}"],
            f"sender{number}@{domain}",
            ids[f"member:sender{number}@{domain}"],
            f"sender{number}@{domain}",
            ids[f"member:owner{number}@{domain}"],
            f"owner{number}@{domain}",
            ids[f"sequence:{name} {number}"],
            _people(runtime, ids[f"sequence:{name} {number}"]),
            by_smtp=number in own_server,
            at_google=number in googles,
            of_tenant=number in in_tenant,
        )
        for number in numbers
    ]
    return Company(ids[f"organization:{name}"], name, made)


def domain_of(name: str) -> str:
    """Return the domain of an organization's addresses."""
    return f"{''.join(letter for letter in name.lower() if letter.isalnum())}.example"


def connect_by_smtp(runtime: Runtime, mailbox_id: UUID, address: str, port: int) -> None:
    """Connect a mailbox to the emulator's mail server. Raises ``ProviderUnavailable`` if its test fails."""
    smtp.save(
        runtime,
        mailbox_id,
        host="localhost",
        port=str(port),
        encryption="starttls",
        account=address,
        password=PASSWORD,
        actor=ACTOR,
    )
    verdict = smtp.activate(runtime, mailbox_id, actor=ACTOR)
    if not verdict.good:
        raise ProviderUnavailable(verdict.explanation, code=verdict.outcome.name.lower())


def _organization(name: str, domain: str, numbers: range, delays: tuple[str, ...]) -> dict[str, object]:
    return {
        "name": name,
        "time_zone": "UTC",
        "members": [
            {"name": f"{role.title()} {number}", "email": f"{role}{number}@{domain}"}
            for number in numbers
            for role in ("sender", "owner")
        ],
        "mailboxes": [
            {"address": f"sender{number}@{domain}", "owner": f"sender{number}@{domain}"} for number in numbers
        ],
        "grants": [
            {"mailbox": f"sender{number}@{domain}", "to": f"owner{number}@{domain}"} for number in numbers
        ],
        "sequences": [
            {
                "name": f"{name} {number}",
                "owner": f"owner{number}@{domain}",
                "send_from": f"sender{number}@{domain}",
                "steps": [
                    {
                        "delay": delay,
                        **({"subject": "A drill"} if step == 1 else {}),
                        "body": f"Hello {{{{first_name}}}}, this is step {step} of sequence {number}.",
                    }
                    for step, delay in enumerate(delays, start=1)
                ],
            }
            for number in numbers
        ],
    }


def _ids(runtime: Runtime, name: str) -> dict[str, UUID]:
    with runtime.database.transaction() as tx:
        rows = tx.execute(
            text(
                "SELECT 'organization:' || name, id FROM organizations WHERE name = :name"
                " UNION ALL SELECT 'mailbox:' || b.address, b.id FROM mailboxes b JOIN organizations o"
                "   ON o.id = b.organization_id WHERE o.name = :name"
                " UNION ALL SELECT 'member:' || m.email, m.id FROM members m JOIN organizations o"
                "   ON o.id = m.organization_id WHERE o.name = :name"
                " UNION ALL SELECT 'sequence:' || s.name, s.id FROM sequences s JOIN organizations o"
                "   ON o.id = s.organization_id WHERE o.name = :name"
            ),
            {"name": name},
        ).all()
    return dict(rows)


def _people(runtime: Runtime, sequence_id: UUID) -> list[Person]:
    with runtime.database.transaction() as tx:
        rows = tx.execute(
            text(
                "SELECT e.id, c.id AS candidate_id, c.email FROM enrollments e JOIN candidates c"
                " ON c.id = e.candidate_id WHERE e.sequence_id = :id ORDER BY c.email"
            ),
            {"id": sequence_id},
        ).all()
    return [Person(row.id, row.candidate_id, row.email) for row in rows]
