"""Handing sequences over to another owner or sender."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from actions import change_senders, handovers
from commands.common import (
    AsJson,
    Organization,
    Yes,
    actor,
    command,
    confirm,
    opened,
    report,
    say,
    show,
)
from commands.tree import group
from commands.withdrawals import find, say_no
from db.sequences import built, handover_requests
from db.views import lookups
from db.withdrawing import handing_over
from domain.handover import MAX_TOGETHER, Middle, TakeOver
from domain.withdrawal import WithdrawalResult

if TYPE_CHECKING:
    from app.runtime import Runtime

member_app = group("member")

sequence_app = group("sequence")

To = Annotated[str, typer.Option("--to", help="Who takes over: a member's address.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="The new sender, a mailbox.", show_default="they choose later"),
]
Wait = Annotated[bool, typer.Option("--wait", help="Pause people who had an email from another mailbox.")]
Says = Annotated[
    str | None, typer.Option("--says", help="What their new thread says first.", show_default="our words")
]
By = Annotated[str, typer.Option("--by", help="Who was asked.")]


@sequence_app.command("hand-over")
@command
def hand_over(
    name: str,
    to: To,
    send_from: From = None,
    wait: Wait = False,
    says: Says = None,
    words: Annotated[str, typer.Option(help="Message, if they are asked.")] = "",
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Hand a sequence over, or ask whoever takes it over. Example: onbehalf sequence hand-over "Backend" --to rita@acme.example"""
    with opened() as runtime:
        sequence_id = find(runtime, "sequence", name, organization)
        owner_id = find(runtime, "member", to, organization)
        mailbox_id = _sender(runtime, send_from, organization)
        with runtime.database.transaction() as tx:
            found = handovers.preview(tx, sequence_id, owner_id, mailbox_id)
        if handovers.needs_an_answer(found.sequence, owner_id, None):
            asked = handovers.ask(runtime, sequence_id, owner_id, words=words, by=None, actor=actor())
            report(f"Asked {to} (request {asked}).", {"request_id": asked}, as_json=as_json)
            return
        if not as_json:
            means = found.means
            say(
                f"{means.fresh} had no email yet, {means.middle} get a new thread, {means.same} go on in theirs."
            )
            if found.problem:
                say(found.problem, "yellow")
    confirm(f"Hand {found.sequence.name!r} over to {to}?", yes=yes)
    wanted = _wanted(mailbox_id, wait, says)
    say_no(
        as_json,
        lambda runtime: handovers.hand_over(runtime, sequence_id, owner_id, wanted, by=None, actor=actor()),
    )


@sequence_app.command("change-senders")
@command
def change_senders_of(
    owner: Annotated[str, typer.Option("--of", help="Whose sequences: a member's address.")],
    former: Annotated[str, typer.Option("--from", help="The mailbox that they send from.")],
    to: Annotated[str, typer.Option("--to", help="The mailbox that they send from afterwards.")],
    wait: Wait = False,
    says: Says = None,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let all of a member's sequences that send from one mailbox send from another. Example: onbehalf sequence change-senders --of rita@acme.example --from hans@acme.example --to rita@acme.example"""
    with opened() as runtime:
        member_id = find(runtime, "member", owner, organization)
        former_id = find(runtime, "mailbox", former, organization)
        mailbox_id = find(runtime, "mailbox", to, organization)
        with runtime.database.transaction() as tx:
            found = change_senders.preview(tx, member_id, former_id, mailbox_id)
    if not as_json:
        rows = [
            {
                "sequence": each.name,
                "status": each.status,
                "waiting": each.waiting,
                "problem": found.problems.get(each.id, ""),
            }
            for each in found.found
        ]
        show(rows, as_json=False, title=f"Sequences of {owner} that send from {former}")
    confirm(f"Let them send from {to}?", yes=yes)
    chosen = {each.id: each.version for each in found.found}
    wanted = _wanted(mailbox_id, wait, says)
    say_no(
        as_json,
        lambda runtime: change_senders.change(runtime, member_id, former_id, chosen, wanted, actor=actor()),
    )


@member_app.command("hand-over")
@command
def hand_over_all(
    member: str,
    to: To,
    send_from: From = None,
    wait: Wait = False,
    says: Says = None,
    organization: Organization = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Hand over all sequences of somebody who left, and the people whom they added. Example: onbehalf member hand-over theo@acme.example --to rita@acme.example"""
    with opened() as runtime:
        member_id = find(runtime, "member", member, organization)
        owner_id = find(runtime, "member", to, organization)
        mailbox_id = _sender(runtime, send_from, organization)
        with runtime.database.transaction() as tx:
            organization_id = built.organization_of_member(tx, member_id)
            found = handing_over.of_member(tx, organization_id, member_id, limit=MAX_TOGETHER)
        if not as_json:
            rows = [{"sequence": each.name, "status": each.status, "waiting": each.waiting} for each in found]
            show(rows, as_json=False, title=f"Sequences of {member}")
    confirm(f"Hand them over to {to}?", yes=yes)
    wanted = _wanted(mailbox_id, wait, says)
    say_no(
        as_json,
        lambda runtime: handovers.hand_over_all(runtime, member_id, owner_id, wanted, actor=actor()),
    )


@sequence_app.command("hand-overs")
@command
def list_requests(organization: str, as_json: AsJson = False) -> None:
    """Who was asked to take over which sequence. Example: onbehalf sequence hand-overs Acme"""
    with opened() as runtime, runtime.database.transaction() as tx:
        organization_id = lookups.by_name(tx, "organization", organization)
        found = handover_requests.of_organization(tx, organization_id)
    hidden = ["organization_id", "sequence_id", "owner_id", "to_owner_id", "asked_by_id"]
    show([each._asdict() for each in found], as_json=as_json, hide=hidden)


@sequence_app.command("accept-hand-over")
@command
def accept(
    request_id: UUID,
    by: By,
    send_from: From = None,
    wait: Wait = False,
    says: Says = None,
    organization: Organization = None,
    as_json: AsJson = False,
) -> None:
    """Accept for whoever was asked. Example: onbehalf sequence accept-hand-over REQUEST --by rita@acme.example"""

    def accepted(runtime: "Runtime") -> WithdrawalResult:
        owner_id = find(runtime, "member", by, organization)
        wanted = _wanted(_sender(runtime, send_from, organization), wait, says)
        return handovers.accept(runtime, request_id, wanted, owner_id=owner_id, actor=actor())

    say_no(as_json, accepted)


@sequence_app.command("decline-hand-over")
@command
def decline(request_id: UUID, by: By, organization: Organization = None, as_json: AsJson = False) -> None:
    """Decline for whoever was asked. Example: onbehalf sequence decline-hand-over REQUEST --by rita@acme.example"""
    with opened() as runtime:
        owner_id = find(runtime, "member", by, organization)
        handovers.decline(runtime, request_id, owner_id=owner_id, actor=actor())
    report("Declined.", {"request_id": request_id}, as_json=as_json)


@sequence_app.command("cancel-hand-over")
@command
def cancel(request_id: UUID, as_json: AsJson = False) -> None:
    """Ask no more. Example: onbehalf sequence cancel-hand-over REQUEST"""
    with opened() as runtime:
        handovers.cancel(runtime, request_id, actor=actor())
    report("Cancelled.", {"request_id": request_id}, as_json=as_json)


def _sender(runtime: "Runtime", send_from: str | None, organization: str | None) -> UUID | None:
    return None if send_from is None else find(runtime, "mailbox", send_from, organization)


def _wanted(mailbox_id: UUID | None, wait: bool, says: str | None) -> TakeOver:
    return TakeOver(mailbox_id, Middle.WAIT if wait else Middle.GO_ON, says)
