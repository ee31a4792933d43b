"""After a restore from a backup."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from actions import restoring
from commands.common import AsJson, actor, command, errors, opened, report
from domain.errors import InvalidInput


@command
def restored(
    to: Annotated[
        str, typer.Option("--to", metavar="TIME", help="The backup's time, with a zone: 2026-12-24T09:00Z.")
    ],
    as_json: AsJson = False,
) -> None:
    """After a restore from a backup, before any process starts: no email leaves twice. Example: onbehalf restored --to 2026-12-24T09:00Z

    Stops all sending until `onbehalf drain --end`. Each email is looked for in its mailbox before it is sent; where nobody can look, a person
    decides. What people ended after that time has to be ended again: docs/restoring.md says how to find it.
    """
    try:
        moment = datetime.fromisoformat(to)
    except ValueError:
        raise InvalidInput("This is no date and time", where="--to", fix="Write 2026-12-24T09:00Z.") from None
    with opened() as runtime, errors.status("Marking emails …") as status:
        done = restoring.restored(
            runtime, moment, actor=actor(), saw=lambda count: status.update(f"Marking emails … {count:,}")
        )
    blind = (
        f" Of {done.blind:,} nobody can look into the mailbox: when their turn comes, Needs attention asks whether they left."
        if done.blind
        else ""
    )
    report(
        f"{done.searched_first:,} emails are looked for before they are sent.{blind}\n"
        f"What happened after {moment.astimezone(UTC):%d %b %Y, %H:%M} UTC is not known here. End again what people ended since then (docs/restoring.md).\n"
        "Next: start the processes, then let sending go on: onbehalf drain --end",
        asdict(done),
        as_json=as_json,
    )
