"""A person's conversation: read it, and write one email in it by hand."""

from typing import Annotated
from uuid import uuid4

import typer

from actions import by_hand, conversation
from commands.common import (
    AsJson,
    Organization,
    actor,
    command,
    opened,
    print_json,
    report,
    say,
)
from commands.names import PersonAddress, completed
from commands.received import harmless
from commands.tree import group
from commands.withdrawals import find
from db.views import lookups, messages

candidate_app = group("candidate")


@candidate_app.command("messages")
@command
def show_messages(person: PersonAddress, organization: Organization = None, as_json: AsJson = False) -> None:
    """What was written with a person, over all mailboxes, oldest first. Example: onbehalf candidate messages jo@example.org"""
    with opened() as runtime:
        candidate = find(runtime, "candidate", person, organization)
        with runtime.database.transaction() as tx:
            viewer = messages.Viewer(lookups.organization_of_person(tx, candidate), None)
            found = conversation.load(tx, runtime.web_keys, candidate, viewer)
    entries = [conversation.as_json(each) for each in found.entries]
    if as_json:
        print_json(entries)
        return
    for each in entries:
        way = each["state"] if each["direction"] == "out" else "came in"
        say(f"{each['at']:%Y-%m-%d %H:%M} UTC, from {harmless(each['sender'])} ({way})", "bold")
        say(f"Subject: {harmless(each['subject'])}")
        lines = (harmless(line) for line in each["text"].splitlines())
        say("\n".join(lines) + "\n")
    if not entries:
        say("None.")


@candidate_app.command("write")
@command
def write_email(
    person: PersonAddress,
    sender: Annotated[
        str,
        typer.Option("--from", help="The mailbox that it leaves from.", autocompletion=completed("mailbox")),
    ],
    member: Annotated[
        str,
        typer.Option(
            "--as",
            help="Whose email it is: a member who may send from the mailbox.",
            autocompletion=completed("member"),
        ),
    ],
    text: Annotated[str, typer.Option(help="What it says; merge fields are filled.")],
    subject: Annotated[
        str, typer.Option(help="Begins a thread; without it, it answers the newest email.")
    ] = "",
    with_signature: Annotated[
        bool, typer.Option("--signature/--no-signature", help="End with the mailbox's signature.")
    ] = True,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Write one email by hand. Example: onbehalf candidate write jo@example.org --from hans@acme.example --as hans@acme.example --text "Gladly." """
    with opened() as runtime:
        candidate = find(runtime, "candidate", person, organization)
        with runtime.database.transaction() as tx:
            organization_id = lookups.organization_of_person(tx, candidate)
        delivery, _ = by_hand.write(
            runtime,
            organization_id,
            candidate,
            member_id=find(runtime, "member", member, organization),
            mailbox_id=find(runtime, "mailbox", sender, organization),
            in_thread=not subject,
            subject=subject,
            text=text,
            with_signature=with_signature,
            key=str(uuid4()),
            actor=actor(),
        )
    report(
        f"It leaves after all checks: onbehalf deliveries --person {person}",
        {"id": delivery},
        as_json=as_json,
    )
