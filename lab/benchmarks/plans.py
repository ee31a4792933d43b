"""(n) ``EXPLAIN (ANALYZE, BUFFERS)`` of the send path: what Postgres did for each statement of emails that were really sent.

Postgres's own auto_explain writes the plans that worker and scheduler got, with their parameters and prepared plans, to its log.
"""

import json
import re
from statistics import median
from typing import Any

import psycopg
from rich.console import Console

from db.core.statements import CATALOGUE
from lab.benchmarks.bed import Bed
from lab.benchmarks.peers import Row
from lab.benchmarks.throughput import pipeline

_SET = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_triggers": "on",
    "auto_explain.log_format": "json",
}
# A line that does not begin with a tab is the next entry.
_ENTRY = re.compile(r"LOG:  duration: ([\d.]+) ms  plan:\n((?:\t.*\n)+)")
console = Console(width=160)


def plans(bed: Bed, *, quick: bool) -> list[Row]:
    """Print the plan of each statement that ran at least once for two emails, and return its time: medians of all."""
    mailboxes = 20 if quick else 100
    address = bed.stage.runtime.settings.database_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as admin:
        for name, value in _SET.items():
            admin.execute(f"ALTER ROLE CURRENT_USER SET {name} = '{value}'".encode())
    log = bed.folder / "postgres" / "server.log"
    began = log.stat().st_size
    pipeline(bed, 1, mailboxes)
    with log.open() as file:
        file.seek(began)
        said = file.read()
    known = {_as_postgres_has_it(each.sql.decode()): name for name, each in CATALOGUE.items()}
    found: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for milliseconds, text in _ENTRY.findall(said):
        explained = json.loads(text)
        if explained["Query Text"] in known:
            found.setdefault(known[explained["Query Text"]], []).append((float(milliseconds), explained))
    rows = []
    for name, made in sorted(found.items()):
        if not name.startswith("sending.") or len(made) < 2 * mailboxes:
            continue
        made.sort(key=lambda each: each[0])
        console.print(f"\n{name}, the median of {len(made)}:", markup=False)
        _, middle = made[len(made) // 2]
        for line in _lines(middle["Plan"], 1):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        for trigger in middle.get("Triggers", []):
            what = trigger.get("Constraint Name", trigger["Trigger Name"])
            console.print(f"  trigger {what}: {trigger['Time']:.3f} ms", markup=False, highlight=False)
        rows.append(
            {
                "name": name.removeprefix("sending."),
                "for_each_email": len(made) / (4 * mailboxes),
                "milliseconds": median(each for each, _ in made),
                "of_it_triggers": median(
                    sum(t["Time"] for t in plan.get("Triggers", [])) for _, plan in made
                ),
            }
        )
    return rows


def _as_postgres_has_it(sql: str) -> str:
    """The text that psycopg sends: parameters are numbered as they appear first."""
    numbers: dict[str, int] = {}
    return re.sub(
        r"%\((\w+)\)s", lambda each: f"${numbers.setdefault(each[1], len(numbers) + 1)}", sql
    ).replace("%%", "%")


def _lines(node: dict[str, Any], depth: int) -> list[str]:
    """A plan as ``EXPLAIN`` shows it in text: a line for each node."""
    what = node["Node Type"] if node["Node Type"] != "ModifyTable" else node["Operation"]
    using = f" using {node['Index Name']}" if "Index Name" in node else ""
    on = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    part = f"{node['Subplan Name']}: " if "Subplan Name" in node else ""
    ran = (
        f"{node['Actual Total Time']:.3f} ms, rows {node['Actual Rows']:g}"
        + (f" x {node['Actual Loops']}" if node["Actual Loops"] != 1 else "")
        + f", buffers {node['Shared Hit Blocks'] + node['Shared Read Blocks']}"
        if node["Actual Loops"]
        else "never"
    )
    lines = ["  " * depth + f"{part}{what}{using}{on} ({ran})"]
    for child in node.get("Plans", []):
        lines += _lines(child, depth + 1)
    return lines
