"""Jobs that no worker has consumed after many tries: what they are, and another try once their cause is gone."""

from typing import Annotated
from uuid import UUID

import typer

from commands.common import AsJson, command, print_json, reading, report, show
from commands.tree import group
from db.events import outbox
from domain.errors import InvalidInput, NotFound

jobs_app = group("jobs")


@jobs_app.command("list")
@command
def list_parked(limit: Annotated[int, typer.Option(min=1, max=10000)] = 50, as_json: AsJson = False) -> None:
    """The parked jobs, the oldest first; workers' logs say why they failed, by event id. Example: onbehalf jobs list"""
    with reading() as tx:
        found = [each._asdict() for each in outbox.parked_jobs(tx, limit)]
    if as_json:
        print_json(found)
        return
    rows = [
        {**each, "payload": " ".join(f"{name}={value}" for name, value in each["payload"].items())}
        for each in found
    ]
    show(rows, as_json=False, title="Parked jobs")


@jobs_app.command("retry")
@command
def retry_parked(
    job: Annotated[UUID | None, typer.Argument(help="Which job.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Enqueue a parked job again, or all of them; none takes effect twice. Example: onbehalf jobs retry --all"""
    if (job is None) != everything:
        raise InvalidInput("Name one job, or give --all.", fix="See: onbehalf jobs list")
    with reading() as tx:
        count = outbox.retry(tx, job)
    if job is not None and not count:
        raise NotFound("There is no such parked job. See: onbehalf jobs list")
    said = f"{count} job{' is' if count == 1 else 's are'} enqueued again."
    report(said, {"retried": count}, as_json=as_json)
