"""Unassigned mail: what came to default addresses and is nobody's yet."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from actions import unassigned as decisions
from commands.common import AsJson, Organization, actor, command, opened, print_json, reading, say, show
from commands.names import MemberAddress
from commands.tree import group
from db.listening import unassigned
from db.views import lookups, readings
from domain.errors import NotFound
from domain.listening.unassigned import SENTENCES, UnassignedReason

inbox_app = group("inbox")

MessageId = Annotated[UUID, typer.Argument(metavar="ID", help="The message's id, as the list shows it.")]


@inbox_app.command("unassigned")
@command
def listing(
    discarded: Annotated[bool, typer.Option("--discarded", help="Those that were discarded.")] = False,
    organization: Organization = None,
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Unassigned messages, newest first. Example: onbehalf inbox unassigned"""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id = lookups.by_name(tx, "organization", organization) if organization else None
        found = unassigned.listing(
            tx, organization_id, status="discarded" if discarded else "unassigned", limit=limit
        )
    show(
        [
            {
                "id": each.id,
                "received_at": each.received_at,
                "sender": harmless(each.sender),
                "subject": harmless(each.subject),
                "kind": each.kind,
                "reason": each.reason,
                "files": len(each.attachments),
            }
            for each in found
        ],
        as_json=as_json,
    )


@inbox_app.command("show")
@command
def show_one(
    message: MessageId,
    files: Annotated[
        Path | None, typer.Option(help="Write its files into this folder.", metavar="FOLDER")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """One message: who sent it, what proves that, why it is nobody's, and its text. Example: onbehalf inbox show ID"""
    with opened() as runtime, runtime.database.transaction() as tx:
        found = unassigned.load(tx, message)
        if found is None:
            raise NotFound("There is no such message.")
        text, _ = unassigned.text_of(tx, runtime.web_keys, message)
        kept = unassigned.files_of(tx, runtime.web_keys, message) if files is not None else []
    if files is not None:
        files.mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(kept, start=1):
            (files / f"{number} {each.name}").write_bytes(each.content)
    if as_json:
        print_json({**asdict(found), "text": text})
        return
    proof = found.proof or {}
    proven = "verified by its domain" if proven_by(proof) else "not verified"
    who = harmless(f"{found.sender_name} <{found.sender}>")
    say(f"From {who} ({proven}), {found.received_at:%Y-%m-%d %H:%M} UTC")
    say(harmless(f"To {', '.join(found.recipients)}"))
    say(harmless(f"Subject: {found.subject}"))
    say(f"{found.status.capitalize()}. {SENTENCES[UnassignedReason(found.reason)]} {found.why}")
    for attachment in found.attachments:
        say(harmless(f"File: {attachment['name']}, {attachment['size']} bytes"))
    say("")
    say("\n".join(harmless(line) for line in text.splitlines()))


@inbox_app.command("readings")
@command
def list_readings(
    member: MemberAddress,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """What was read of a member's mailboxes, why and for whom, newest first. Example: onbehalf inbox readings hans@acme.example"""
    with reading() as tx:
        member_id = lookups.by_name(tx, "member", member)
        boxes = [asdict(each) for each in readings.mailboxes_of(tx, member_id)]
        kept = [asdict(each) for each in readings.kept_of(tx, member_id, limit=limit)]
    if as_json:
        print_json({"mailboxes": boxes, "kept": kept})
        return
    show(boxes, as_json=False, title="Mailboxes")
    texts = ("sender", "subject", "why")
    safe = [{**each, **{name: harmless(each[name]) for name in texts}} for each in kept]
    show(safe, as_json=False, title="Kept", hide=["id", "candidate_id", "mailbox_id", "matched_by"])


@inbox_app.command("assign")
@command
def assign(
    message: MessageId,
    to: Annotated[
        str | None, typer.Option("--to", help="A person's address; without it, its sender is made a person.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say whose a message is; what follows from it happens at once. Example: onbehalf inbox assign ID --to ann@example.org"""
    with opened() as runtime:
        if to is None:
            person = decisions.make_candidate(runtime, message, actor=actor())
        else:
            person = decisions.assign(runtime, message, to, actor=actor())
    if as_json:
        print_json({"message": message, "candidate": person})
    else:
        say(f"Assigned to candidate {person}.")


@inbox_app.command("discard")
@command
def discard(
    message: MessageId,
    because: Annotated[str, typer.Option("--because", help="Why nobody needs to see it; it is audited.")],
    as_json: AsJson = False,
) -> None:
    """Say that a message is nobody's. Example: onbehalf inbox discard ID --because "a newsletter" """
    with opened() as runtime:
        decisions.discard(runtime, message, because=because, actor=actor())
    if as_json:
        print_json({"message": message, "status": "discarded"})
    else:
        say("Discarded.")


def harmless(line: str) -> str:
    """A line of a stranger's without what a terminal would obey."""
    return "".join(each for each in line if each.isprintable() or each == "\t")


def proven_by(proof: dict[str, object]) -> bool:
    """Does the sender's domain vouch for a message with this proof?"""
    return proof.get("proven") is True
