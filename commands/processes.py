"""What runs, for operators: each process, and who is missing."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from commands.common import AsJson, command, print_json, reading, say, show
from db.core import session
from db.views import processes
from domain.moments import stated
from domain.processes import Process, absence, missing, runs

if TYPE_CHECKING:
    from db.core.session import Transaction


@command
def show_processes(
    every: Annotated[
        bool, typer.Option("--all", help="Also those that ended or fell silent in the last day.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Every process that runs: host, queues, version, schema, keys, last job, and what keeps it from working. Example: onbehalf processes"""
    with reading() as tx:
        found, now = processes.everyone(tx), session.database_now(tx)
    shown = [each for each in found if every or runs(each, now)]
    if as_json:
        print_json([{**asdict(each), "runs": runs(each, now)} for each in shown])
        return
    show([_line(each, now) for each in shown], as_json=False, title="Processes")
    for sentence in absent(found, now):
        say(sentence, "red")


def absent(found: Sequence[Process], now: datetime) -> list[str]:
    """Return a sentence for each role that nobody has, or can play, by the clock of UTC."""
    return [
        f"{absence(each).capitalize()}"
        + (f": none since {stated(each.since, 'UTC', now)} UTC." if each.since else ".")
        for each in missing(found, now)
    ]


def absent_now(tx: "Transaction") -> list[str]:
    """The same, of the database."""
    return absent(processes.everyone(tx), session.database_now(tx))


def _line(process: Process, now: datetime) -> dict[str, object]:
    last = process.last_job_at
    return {
        "kind": process.kind,
        "queues": " ".join(process.queues),
        "host": process.host,
        "pid": process.pid,
        "version": process.version,
        "schema": process.schema,
        "keys": " ".join(process.key_ids),
        "since": process.started_at,
        "last job": "" if last is None else f"{max(0, round((now - last).total_seconds()))} s ago",
        "state": _state(process, now),
    }


def _state(process: Process, now: datetime) -> str:
    if process.stopped_at is not None:
        return f"ended {stated(process.stopped_at, 'UTC', now)}"
    if not runs(process, now):
        return f"silent since {stated(process.seen_at, 'UTC', now)}"
    return " ".join(process.troubles) or ("ok" if process.works else "off: INBOX_PORT is not set")
