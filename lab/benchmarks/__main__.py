"""Measure, print a table and write the figures: ``python -m lab.benchmarks [--quick] [--only a,d] [--out FILE]``.

Nothing is asserted, because machines are shared. Compare shares of the bare loop, which ran minutes earlier on
the same machine.
"""

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lab.benchmarks import (
    kinds,
    listening,
    pages,
    plans,
    pooled,
    scheduling,
    starting,
    throughput,
    withdrawing,
)
from lab.benchmarks.bed import Bed, bed, threads_of
from observability import configure_logging

console = Console()


def measurements(*, quick: bool) -> dict[str, tuple[str, Callable[[Bed], list[dict[str, Any]]]]]:
    """Letter -> (title, measurement). Each runs on a fresh bed."""
    sizes = [1_000, 10_000] if quick else [10_000, 1_000_000, 5_000_000]
    return {
        "a": ("Emails per second, CPU, start", lambda made: throughput.throughput(made, quick=quick)),
        "b": ("Ticks over many waiting people", lambda made: scheduling.ticks(made, sizes)),
        "c": ("From due to accepted", lambda made: _latencies(made, quick=quick)),
        "d": (
            "Withdrawals",
            lambda made: [
                withdrawing.revoke_under_load(made, revokes=10 if quick else 200),
                withdrawing.disconnect_many(
                    made, people=500 if quick else 10_000, sequences=5 if quick else 50
                ),
            ],
        ),
        "e": (
            "One hog among many",
            lambda made: [
                scheduling.hog(
                    made,
                    hog_emails=1000 if quick else 100_000,
                    others=20 if quick else 499,
                    seconds=90,
                )
            ],
        ),
        "f": (
            "An hour's emails in one worker process",
            lambda made: throughput.endurance(
                made, mailboxes=100 if quick else 500, people=8 if quick else 64
            ),
        ),
        "h": ("Reading mailboxes", lambda made: listening.listening(made, quick=quick)),
        "j": ("Pages of a large office", lambda made: pages.pages(made, quick=quick)),
        "k": ("Commands, before they do anything", lambda made: starting.starting(made, quick=quick)),
        "l": ("Each kind of mailbox", lambda made: kinds.kinds(made, quick=quick)),
        "m": ("Behind a pooler", lambda made: pooled.pooled(made, quick=quick)),
        "n": ("Plans of the send path", lambda made: plans.plans(made, quick=quick)),
        "i": ("Follow-ups beside first emails", lambda made: _follow_ups(made, quick=quick)),
    }


def _follow_ups(bed: Bed, *, quick: bool) -> list[dict[str, Any]]:
    """A burst of a mailbox, and a mailbox's whole minute."""
    burst, minute = ((40, 4), (20, 12)) if quick else ((500, 4), (500, 24))
    return [
        *listening.follow_ups(bed, mailboxes=burst[0], people=burst[1], turns=1 if quick else 3),
        *listening.follow_ups(bed, mailboxes=minute[0], people=minute[1], turns=1),
    ]


def _latencies(made: Bed, *, quick: bool) -> list[dict[str, Any]]:
    probes = 12 if quick else 120
    scheduler, workers = (
        made.processes.scheduler(),
        made.processes.workers(processes=2, threads=threads_of("worker-send")),
    )
    made.mailboxes(1, 1)
    made.wait_left(1, 60)
    rows = [
        scheduling.latency(made, probes=probes, load_per_second=load)
        for load in (0.0, 20.0 if quick else 80.0)
    ]
    made.processes.terminate(workers)
    made.processes.terminate(scheduler)
    return rows


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m lab.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything works")
    parser.add_argument("--only", default="", help="letters, for example a,d")
    parser.add_argument("--out", type=Path, default=Path("benchmarks.json"))
    options = parser.parse_args()
    configure_logging("auto", "info")  # some figures are read from the log of withdrawals
    results: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "quick": options.quick,
    }
    wanted = set(options.only.split(",")) - {""}
    for letter, (title, measure) in measurements(quick=options.quick).items():
        if wanted and letter not in wanted:
            continue
        console.print(f"\n[bold]({letter}) {title}[/]  [dim]measuring …[/]")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, bed(Path(folder) / "bed") as made:
            rows = measure(made)
        show(rows)
        results[letter] = rows
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    console.print(f"\nWritten to {options.out}.")


def show(rows: list[dict[str, Any]]) -> None:
    """Print one line for each figure and one column for each thing measured, with three digits."""
    figures = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "name"]
    table = Table()
    table.add_column("")
    for row in rows:
        table.add_column(str(row.get("name", "")), justify="right", overflow="fold")
    for figure in figures:
        table.add_row(figure.replace("_", " "), *(_figure(row.get(figure)) for row in rows))
    console.print(table)


def _figure(value: object) -> str:
    if value is None:
        return ""
    return (
        f"{value:,.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:,.0f}"
        if isinstance(value, int | float)
        else str(value)
    )


if __name__ == "__main__":
    main()
