"""Emails that wait for an approval: listed, read as they would leave, approved as they were read; and the approval taken back."""

from typing import TYPE_CHECKING, Annotated

import typer

from actions import approvals
from commands.common import AsJson, Organization, Yes, actor, command, confirm, opened, report, say
from commands.names import completed
from commands.planned import Delivery, email_app, list_due
from db.views import approvals as lists

if TYPE_CHECKING:
    from actions.approvals import Letter


@email_app.command("waiting")
@command
def list_waiting(
    organization: Organization = None,
    sequence: Annotated[
        str | None, typer.Option(help="Only this sequence.", autocompletion=completed("sequence"))
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Emails that wait for an approval, those that came due first. Example: onbehalf email waiting --sequence "Backend engineers" """
    list_due(
        lists.WAITING,
        lambda each: {
            "delivery_id": each.id,
            "since": each.due_at,
            "person": each.person,
            "sequence": each.sequence,
            "step": each.position,
        },
        title="Waiting for approval (UTC)",
        organization=organization,
        sequence=sequence,
        as_json=as_json,
    )


@email_app.command("approve")
@command
def approve(
    delivery: Delivery,
    mark: Annotated[
        str | None,
        typer.Option(help="Of the text that was read (--show --json has it): refused if it changed since."),
    ] = None,
    only_show: Annotated[
        bool, typer.Option("--show", help="Only show it as it would leave; approve nothing.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Show an email as it would leave, and approve exactly that. Example: onbehalf email approve DELIVERY"""
    with opened() as runtime:
        with runtime.database.transaction() as tx:
            found = approvals.letter(tx, delivery)
        if only_show:
            report(_in_full(found), _as_json(found), as_json=as_json)
            return
        if not as_json:
            say(_in_full(found))
        confirm(f"Approve this email to {found.email.person}?", yes=yes)
        done = approvals.approve(runtime, delivery, mark or found.mark or "", actor=actor())
    report(
        f"Approved. It leaves {done.leaves_at:%Y-%m-%d %H:%M} UTC at the earliest, after all checks."
        if done.changed
        else "This text was approved before.",
        {"id": delivery, "changed": done.changed, "leaves_at": done.leaves_at},
        as_json=as_json,
    )


@email_app.command("take-back")
@command
def take_back(delivery: Delivery, as_json: AsJson = False) -> None:
    """Take the approval of an email back, unless it is leaving or has left. Example: onbehalf email take-back DELIVERY"""
    with opened() as runtime:
        changed = approvals.take_back(runtime, delivery, actor=actor())
    report(
        "Taken back. It waits until somebody approves it." if changed else "Nobody has approved this email.",
        {"id": delivery, "changed": changed},
        as_json=as_json,
    )


def _in_full(found: "Letter") -> str:
    head = f"From: {found.sender}\nTo: {found.recipient}\nSubject: {found.subject}"
    return f"{head}\n\n{found.text}" + (f"\n\n{found.opt_out_line}" if found.opt_out_line else "")


def _as_json(found: "Letter") -> dict[str, object]:
    return {
        "id": found.email.id,
        "sender": found.sender,
        "recipient": found.recipient,
        "subject": found.subject,
        "text": found.text,
        "mark": found.mark,
        "error": found.error,
        "needs_approval": found.needed,
        "approved": found.approved,
    }
