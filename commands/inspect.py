"""Looking: status, why, receipt, notices."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from actions import notices as marking
from actions import why as explanations
from commands.common import (
    REFUSED,
    AsJson,
    command,
    opened,
    print_json,
    reading,
    report,
    say,
    show,
)
from commands.held import held_now
from commands.names import PersonAddress
from commands.processes import absent_now
from commands.words import at_utc, on_authority, with_command
from db.audit import audit
from db.views import dashboard, lookups
from db.withdrawing import withdrawal_results
from domain.audit import digest
from domain.errors import InvalidInput, NotFound


@command
def status(
    as_json: AsJson = False,
    live: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it until Ctrl-C.")] = False,
) -> None:
    """What is due, on its way and in doubt. Example: onbehalf status --watch"""
    if live:
        from commands.live import watch  # noqa: PLC0415 - heavy

        with opened() as runtime:
            watch(runtime.database, runtime.settings.redis_url, as_json=as_json)
        return
    with reading() as tx:
        overview = dashboard.overview(tx)
        paces = dashboard.paces(tx)
        absent, held = absent_now(tx), held_now(tx)
    if as_json:
        boxes = [asdict(each) for each in paces]
        print_json({**asdict(overview), "missing": absent, "on_hold": held, "mailboxes": boxes})
        return
    for sentence in absent:
        say(sentence, "red")
    for sentence in held:
        say(sentence, "yellow")
    show(
        [{"what": name.replace("_", " "), "now": value} for name, value in asdict(overview).items()],
        as_json=False,
    )
    show([asdict(each) for each in paces], as_json=False, title="Mailboxes")


@command
def why(enrollment: PersonAddress, as_json: AsJson = False) -> None:
    """Why somebody's next email did or did not leave, in a paragraph. Example: onbehalf why jo@example.org"""
    with reading() as tx:
        found = explanations.answers(tx, lookups.enrollments_of(tx, enrollment), at_utc)
    if not found:
        raise NotFound(f"Nobody is enrolled as {enrollment!r}.")
    answers = [
        {
            "enrollment_id": each.enrollment_id,
            "sequence": each.situation.sequence,
            "answer": with_command(each.whole, each.situation),
        }
        for each in found
    ]
    if as_json:
        print_json(answers)
        return
    for answer in answers:
        say(f"{answer['sequence']} ({answer['enrollment_id']})", "bold")
        say(f"{answer['answer']}\n")


@command
def receipt(delivery: UUID, as_json: AsJson = False) -> None:
    """On whose authority an email left. Example: onbehalf receipt DELIVERY (see: onbehalf deliveries --state sent)"""
    with reading() as tx:
        found = lookups.receipt(tx, delivery)
        genuine = found is not None and audit.receipt_digest(tx, delivery) == digest(
            audit.receipt_as_signed(tx, delivery)
        )
    if found is None:
        raise NotFound("That delivery has no receipt: it has not been sent.")
    checks = found.pop("checks")
    if as_json:
        print_json({**found, "checks": checks, "matches_audit_trail": genuine})
        return
    say(
        f"Step {found['step']} of {found['sequence']} left {found['sender']} at {found['accepted_at']:%Y-%m-%d %H:%M:%S} UTC"
        f" for {found['owner']}, {on_authority(found['authority'], found['granted_by'])}.",
    )
    if found["still_draft_at"] is not None:
        say(
            f"Microsoft accepted it, and it was still in Drafts of {found['sender']} at"
            f" {found['still_draft_at']:%Y-%m-%d %H:%M:%S} UTC: it has probably not been delivered.",
            "red",
        )
    if found["grant_by_hand_of"]:
        confirmed = found["grant_confirmed_at"]
        said = (
            f"confirmed by its owner on {confirmed:%Y-%m-%d %H:%M:%S} UTC"
            if confirmed
            else "not confirmed by its owner"
        )
        say(f"That permission was given for {found['granted_by']} by {found['grant_by_hand_of']}, {said}.")
    hidden = ("owner", "sequence", "step", "accepted_at", "sender", "still_draft_at")
    show(
        [
            {"field": name.replace("_", " "), "value": value}
            for name, value in found.items()
            if name not in hidden
        ],
        as_json=False,
    )
    show(checks, as_json=False, title="Verified at the gate")
    if not genuine:
        say("It does not match the audit trail.", "red")
        raise typer.Exit(REFUSED)
    say("It matches the audit trail.")


@command
def withdrawal(
    withdrawal_id: Annotated[UUID, typer.Argument(metavar="ID", help="The withdrawal_id of its answer.")],
    as_json: AsJson = False,
) -> None:
    """What a withdrawal stopped, and what became of emails in doubt. Example: onbehalf withdrawal ID"""
    with reading() as tx:
        found = withdrawal_results.load(tx, withdrawal_id, None)
    if as_json:
        print_json({**asdict(found), "open": found.open})
        return
    answered = (
        "no answer yet"
        if found.answered_at is None
        else f"answered {found.answered_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    say(f"{found.action} of {found.name or found.subject_id}, by {found.actor}: {answered}.", "bold")
    say(f"{found.stopped} stopped, {found.already_sent} had left, {found.open} in doubt now.")
    show([dict(each) for each in found.touched], as_json=False, title="Sequences", hide=["owner_id"])
    show([asdict(each) for each in found.doubts], as_json=False, title="In doubt when it answered")


@command
def notices(
    owner: Annotated[str | None, typer.Option(help="Only for this member.")] = None,
    read: Annotated[UUID | None, typer.Option(help="Mark this notice as read.")] = None,
    read_all: Annotated[bool, typer.Option("--read-all", help="Mark all of --owner as read.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10000)] = 20,
    as_json: AsJson = False,
) -> None:
    """The notices that owners got. Example: onbehalf notices --owner rita@acme.example"""
    if read is not None or read_all:
        _mark_read(read, owner, as_json=as_json)
        return
    with reading() as tx:
        recipient = lookups.by_name(tx, "member", owner) if owner else None
        rows = dashboard.notices(tx, recipient=recipient, limit=limit)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    for row in rows:
        how = row.channel if row.mail_state is None else f"{row.channel}, {row.mail_state}"
        say(row.title, "bold")
        say(f"{row.created_at:%Y-%m-%d %H:%M:%S} UTC to {row.recipient} ({how})\n{row.body}\n")


def _mark_read(notice: UUID | None, owner: str | None, *, as_json: bool) -> None:
    with opened() as runtime:
        if notice is not None:
            marking.mark_read(runtime, None, notice)
            report("Marked as read.", {"read": notice}, as_json=as_json)
            return
        if owner is None:
            raise InvalidInput("It is not said whose", where="--read-all", fix="Add --owner ADDRESS.")
        with runtime.database.transaction() as tx:
            recipient = lookups.by_name(tx, "member", owner)
        count = marking.mark_all_read(runtime, recipient, up_to=None)
    report(f"{count} marked as read.", {"read": count}, as_json=as_json)
