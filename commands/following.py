"""Emails, those to which something happened last first; and what becomes of them, as it happens."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from commands.common import AsJson, Organization, command, database, errors, in_json, plain, say, show
from commands.names import completed
from db.core import session
from db.views import dashboard, lookups
from domain.delay import parse_delay
from domain.delivery import State
from domain.errors import InvalidInput
from domain.reasons import after

if TYPE_CHECKING:
    from db.core.session import Database, Transaction
    from db.views.dashboard import DeliveryLine

_EVERY = 1.0  # seconds
_WINDOW = timedelta(seconds=60)  # longer than a transaction lasts: an entry may appear as late as that
_MOST = 10_000
_HIDDEN = ["enrollment_id", "attempts"]


@command
def deliveries(
    state: Annotated[
        list[State] | None, typer.Option(help="Only these states; may be given several times.")
    ] = None,
    sequence: Annotated[
        str | None, typer.Option(help="Only this sequence.", autocompletion=completed("sequence"))
    ] = None,
    mailbox: Annotated[
        str | None, typer.Option(help="Only from this address.", autocompletion=completed("mailbox"))
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="Only to this address.", autocompletion=completed("candidate"))
    ] = None,
    organization: Organization = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only if something happened to them within this time, such as PT1H or P3D."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST)] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then show what becomes of emails, until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Emails, those to which something happened last first, by state, sequence, sender or person.

    With --follow the last one comes last, and then each email that is sent, skipped, failed, cancelled or in review; with --json,
    one object a line. Examples: onbehalf deliveries --state review --state in_doubt · onbehalf deliveries --follow
    """
    with database() as known:
        with known.transaction() as tx:
            wanted = _wanted(tx, state, sequence, mailbox, person, organization)
            lasted = None if since is None else _span(since)
            seen = {each.id for each in dashboard.settled(tx, _WINDOW)}  # first: rather twice than never
            rows = dashboard.deliveries(tx, **wanted, since=lasted, limit=limit)
        if not follow:
            show([asdict(row) for row in rows], as_json=as_json, hide=_HIDDEN)
            return
        for row in chain(reversed(rows), followed(known, wanted, seen)):
            print(in_json(asdict(row)) if as_json else _line(row), flush=True)


def _wanted(
    tx: "Transaction",
    state: list[State] | None,
    sequence: str | None,
    mailbox: str | None,
    person: str | None,
    organization: str | None,
) -> dict[str, Any]:
    def found(kind: str, name: str | None) -> UUID | None:
        return lookups.by_name(tx, kind, name, organization=organization) if name else None

    return {
        "states": [each.value for each in state] if state else None,
        "organization_id": lookups.by_name(tx, "organization", organization) if organization else None,
        "sequence_id": found("sequence", sequence),
        "mailbox_id": found("mailbox", mailbox),
        "person": person,
    }


def _span(text: str) -> timedelta:
    span = parse_delay(text)
    if span.business_days:
        raise InvalidInput("business days have no length here", where="--since", fix="Write P3D or PT1H.")
    return span.duration


def followed(
    known: "Database", wanted: dict[str, Any], seen: set[UUID], until: Callable[[], bool] = lambda: False
) -> "Iterator[DeliveryLine]":
    """Yield each delivery that is settled, until Ctrl-C or ``until()``. Waits for a database that is away. ``seen``: entries that were shown."""
    try:
        while not until():
            try:
                with known.transaction() as tx:
                    entries = dashboard.settled(tx, _WINDOW)
                    new = [each.delivery_id for each in entries if each.id not in seen]
                    lines = dashboard.deliveries(tx, **wanted, ids=new, limit=_MOST)
            except session.DatabaseUnavailable as error:
                say(str(error), "yellow", to=errors)
            else:
                seen = {each.id for each in entries}
                yield from reversed(lines)
            time.sleep(_EVERY)
    except KeyboardInterrupt:
        return


def _line(row: "DeliveryLine") -> str:
    what = f"{row.state}{after(': ', row.reason)}"
    return f"{plain(row.at)}  {row.id}  {what}  {row.person}  step {row.step} of {row.sequence}  from {row.sender}"
