"""Stop all sending and let it go on: of a mailbox, of an organization, or, before maintenance, of everybody."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from actions import holds
from commands.common import (
    REFUSED,
    AsJson,
    actor,
    command,
    errors,
    opened,
    print_json,
    report,
    say,
    show,
)
from commands.names import MailboxAddress, OrganizationName
from commands.tree import group
from commands.withdrawals import find, finish
from commands.words import at_utc
from db.withdrawing import holds as stored
from domain.delay import parse_delay
from domain.errors import InvalidInput
from domain.holds import Level, sentence
from domain.withdrawal import WithdrawalResult

if TYPE_CHECKING:
    from app.runtime import Runtime
    from db.withdrawing.holds import OnTheWay

mailbox_app = group("mailbox")
organization_app = group("organization")

Because = Annotated[
    str, typer.Option("--because", help="Why, in a few words; owners read it, and the audit trail keeps it.")
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="TIME", help="When it ends by itself, with a zone: 2026-12-24T09:00+01:00."
    ),
]


@mailbox_app.command("hold")
@command
def hold_mailbox(
    address: MailboxAddress, because: Because, until: Until = None, as_json: AsJson = False
) -> None:
    """Stop all sending from a mailbox; nothing leaves once this returns, and no email changes. Example: onbehalf mailbox hold hans@acme.example --because "a mistake in the signature" """
    with opened() as runtime:
        _hold(runtime, _of_mailbox(runtime, address), because, until, as_json)


@mailbox_app.command("release")
@command
def release_mailbox(address: MailboxAddress, as_json: AsJson = False) -> None:
    """End the hold of a mailbox; what waits goes on in its order and at its pace. Example: onbehalf mailbox release hans@acme.example"""
    with opened() as runtime:
        _release(runtime, _of_mailbox(runtime, address), address, as_json)


@organization_app.command("hold")
@command
def hold_organization(
    name: OrganizationName, because: Because, until: Until = None, as_json: AsJson = False
) -> None:
    """Stop all sending of an organization; nothing leaves once this returns. Example: onbehalf organization hold Acme --because "an investigation" """
    with opened() as runtime:
        _hold(runtime, stored.Whose(find(runtime, "organization", name)), because, until, as_json)


@organization_app.command("release")
@command
def release_organization(name: OrganizationName, as_json: AsJson = False) -> None:
    """End the hold of an organization. Example: onbehalf organization release Acme"""
    with opened() as runtime:
        _release(runtime, stored.Whose(find(runtime, "organization", name)), name, as_json)


@command
def drain_all(
    because: Because = "maintenance",
    within: Annotated[
        str, typer.Option(metavar="DURATION", help="How long to wait for what is on its way.")
    ] = "PT5M",
    end: Annotated[bool, typer.Option("--end", help="Let sending go on.")] = False,
    as_json: AsJson = False,
) -> None:
    """Before maintenance: no email begins, of any worker, until `onbehalf drain --end`. Example: onbehalf drain --within PT10M

    Waits until no email is on its way, and says how far it is. Exit code 0: all is quiet. Exit code 1: what it lists was still on its
    way after that time; it stays drained, and you may run it again. Mailboxes are read all the while, pages work, and notices go out.
    """
    duration = parse_delay(within).duration
    if duration is None:
        raise InvalidInput(
            "Business days are no time to wait", where="--within", fix="Use for example PT10M."
        )
    with opened() as runtime:
        if end:
            ended = holds.end_drain(runtime, actor=actor())
            said = "Sending goes on, at each mailbox's pace." if ended else "Nobody had stopped sending."
            report(said, {"drained": False, "ended": ended}, as_json=as_json)
            return
        seen: list[int] = []

        def saw(left: "list[OnTheWay]") -> None:
            if not seen or seen[-1] != len(left):
                seen.append(len(left))
                say(f"{len(left)} on the way …", to=errors)

        left = holds.drain(runtime, actor=actor(), reason=because, within=duration, saw=saw)
    if as_json:
        print_json({"drained": True, "quiet": not left, "on_the_way": [asdict(each) for each in left]})
    elif left:
        show([asdict(each) for each in left], as_json=False, title="Still on the way")
        say(
            "New emails do not begin. Wait longer by the same command, or let sending go on: onbehalf drain --end"
        )
    else:
        say("All is quiet: no email is on its way, and none begins until: onbehalf drain --end")
    if left:
        raise typer.Exit(REFUSED)


def _of_mailbox(runtime: "Runtime", address: str) -> "stored.Whose":
    mailbox_id = find(runtime, "mailbox", address)
    with runtime.database.transaction() as tx:
        return stored.Whose(stored.organization_of(tx, mailbox_id), mailbox_id)


def _hold(runtime: "Runtime", whose: "stored.Whose", because: str, until: str | None, as_json: bool) -> None:
    try:
        moment = None if until is None else datetime.fromisoformat(until)
    except ValueError:
        raise InvalidInput(
            "This is no date and time", where="--until", fix="Write 2026-12-24T09:00+01:00."
        ) from None
    with errors.status("Closing the gate, waiting for emails on their way …"):
        answer = holds.hold(runtime, whose, level=Level.OPERATOR, actor=actor(), reason=because, until=moment)
    finish(answer, _say, as_json=as_json)


def _say(answer: WithdrawalResult) -> None:
    last = f" (last at {answer.last_left_at:%H:%M:%S} UTC)" if answer.last_left_at else ""
    end = "nothing can leave now" if answer.complete else "these may have left, and we look for them"
    say(
        f"Held: {answer.stopped} wait · already sent: {answer.already_sent}{last} · in doubt: {len(answer.in_doubt)} — {end}."
    )
    for delivery_id in answer.in_doubt:
        say(f"  in doubt: {delivery_id}   (onbehalf why, onbehalf review)")


def _release(runtime: "Runtime", whose: "stored.Whose", name: str, as_json: bool) -> None:
    released = holds.release(runtime, whose, level=Level.OPERATOR, actor=actor())
    said = f"{name} is released." if released.ended else f"{name} was not held."
    if released.left is not None:
        said += f" Nothing leaves yet: {sentence(released.left, name, at_utc)}"
    report(
        said,
        {"ended": released.ended, "left": None if released.left is None else asdict(released.left)},
        as_json=as_json,
    )
