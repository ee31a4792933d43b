"""Numbers of what an organization's sequences did."""

from dataclasses import asdict
from typing import Annotated

import typer

from commands.common import AsJson, command, opened, print_json, say, show
from commands.withdrawals import find
from db.views import messages, numbers
from domain.numbers import DEFAULT_WEEKS, MAX_WEEKS, SHARE_OF, By


@command
def show_numbers(
    organization: str,
    by: Annotated[By, typer.Option("--by", help="What a row is.")] = By.WEEK,
    weeks: Annotated[
        int, typer.Option("--weeks", min=1, max=MAX_WEEKS, help="This week and those before it.")
    ] = (DEFAULT_WEEKS),
    sequence: Annotated[str | None, typer.Option("--sequence", help="Of this sequence only.")] = None,
    as_json: AsJson = False,
) -> None:
    """What sequences did, counted at the email it is about. Example: onbehalf numbers Acme --by step --sequence "Talent pool" """
    with opened() as runtime:
        organization_id = find(runtime, "organization", organization)
        sequence_id = None if sequence is None else find(runtime, "sequence", sequence, organization)
        with runtime.database.transaction() as tx:
            viewer = messages.Viewer(organization_id, None)
            found = numbers.read(tx, viewer, by, weeks=weeks, sequence_id=sequence_id, limit=numbers.ALL)
    rows = [{by.value: each.label, **asdict(each.numbers)} for each in found.lines]
    if as_json:
        print_json(
            {
                "since": found.period.since,
                "until": found.period.until,
                "by": by.value,
                "counted_at": found.counted_at,
            }
            | {
                "total": asdict(found.total),
                "rows": [{"key": each.key, **row} for each, row in zip(found.lines, rows, strict=True)],
            }
        )
        return
    show(rows, as_json=False, title=f"Numbers since {found.period.since:%Y-%m-%d}")
    if found.counted_at is not None:
        say(f"Counted at {found.counted_at:%Y-%m-%d %H:%M} UTC.")
    shares = [
        f"{name} {found.total.percent(name)}" for name in ("answered", "interested", "bounced", "opted_out")
    ]
    if found.total.people:
        say(f"Of the {SHARE_OF}: {', '.join(shares).replace('_', ' ')}.")
