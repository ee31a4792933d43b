"""One working day of 1,000 to 1,000,000 mailboxes, from the measured cost per email.

Run with ``python -m lab.benchmarks.simulate``. Each mailbox is a lane with the product's own pace
(``domain/lane.py``). Most of its emails are due when its sending window opens (those that became due overnight
wait for it), the rest through the day. A sample of 2,000 lanes is simulated and scaled up; the workers behind
them are one server with a fixed rate of emails per second.
"""

import argparse
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from domain.lane import CAPACITY, PER_SECOND

SAMPLE = 2_000
DAY = 24 * 60  # minutes
OPENS, CLOSES = 9 * 60, 17 * 60  # minutes of a mailbox's own day
# Where the mailboxes are: hours from UTC, and share of all.
ZONES = ((-8, 0.1), (-5, 0.2), (0, 0.15), (1, 0.4), (5.5, 0.1), (8, 0.05))
AT_OPENING = 0.6  # share of a day's emails that wait for the window to open


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds of one email, and how busy a core may be kept."""

    worker: float
    postgres: float
    redis: float
    busy: float = 0.7


def demand(emails_a_day: int, chance: random.Random) -> list[float]:
    """Emails that a sample of lanes lets through in each minute of a UTC day, with workers always free."""
    minutes = [0.0] * (2 * DAY)
    hours, shares = zip(*ZONES, strict=True)
    for _ in range(SAMPLE):
        shift = int(60 * chance.choices(hours, shares)[0])
        opens = OPENS - shift + DAY // 2
        due = [
            opens if chance.random() < AT_OPENING else opens + chance.randrange(CLOSES - OPENS)
            for _ in range(emails_a_day)
        ]
        waiting, tokens = 0.0, CAPACITY
        counts: dict[int, int] = {}
        for minute in due:
            counts[minute] = counts.get(minute, 0) + 1
        for minute in range(opens, min(2 * DAY, opens + CLOSES - OPENS + 120)):
            waiting += counts.get(minute, 0)
            tokens = min(CAPACITY + 60 * PER_SECOND, tokens + 60 * PER_SECOND)
            sent = min(waiting, math.floor(tokens))
            tokens = min(CAPACITY, tokens - sent)
            waiting -= sent
            minutes[minute] += sent
    return minutes


def lateness(minutes: list[float], per_minute: float) -> float:
    """Seconds that the last email of the worst minute waits for a worker, at this rate per minute."""
    backlog = worst = 0.0
    for arriving in minutes:
        backlog = max(0.0, backlog + arriving - per_minute)
        worst = max(worst, 60 * backlog / per_minute)
    return worst


def size(mailboxes: int, emails_a_day: int, cost: Cost, late_at_most: float) -> dict[str, float]:
    """Workers, database and Redis for this many mailboxes."""
    minutes = [each * mailboxes / SAMPLE for each in demand(emails_a_day, random.Random(mailboxes))]
    per_process = 60_000 * cost.busy / cost.worker  # emails a minute
    low, high = 1, max(1, math.ceil(max(minutes) / per_process))
    while low < high:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if lateness(minutes, middle * per_process) <= late_at_most else (middle + 1, high)
        )
    rate = min(max(minutes), low * per_process) / 60
    return {
        "mailboxes": mailboxes,
        "emails_a_day": mailboxes * emails_a_day,
        "lanes_ask_for_per_second": max(minutes) / 60,
        "worker_processes": low,
        "emails_per_second": rate,
        "latest_by_seconds": lateness(minutes, low * per_process),
        "postgres_cores": rate * cost.postgres / 1000 / cost.busy,
        "redis_cores": rate * cost.redis / 1000,
    }


def main() -> None:
    """Print a table for the three sizes."""
    parser = argparse.ArgumentParser(prog="python -m lab.benchmarks.simulate", description=__doc__)
    parser.add_argument("--emails", type=int, default=40, help="a mailbox and day")
    parser.add_argument(
        "--late", type=float, default=300, help="seconds that an email may wait for a worker at the peak"
    )
    parser.add_argument("--figures", type=Path, default=Path("benchmarks.json"), help="written by make bench")
    options = parser.parse_args()
    # The figures with a slow provider: a waiting thread is woken more often, and costs more.
    row = next(each for each in json.loads(options.figures.read_text())["a"] if "s a request" in each["name"])
    cost = Cost(row["cpu_ms_per_email"], row["postgres_cpu_ms_per_email"], row["redis_cpu_ms_per_email"])
    sizes = [size(count, options.emails, cost, options.late) for count in (1_000, 100_000, 1_000_000)]
    table = Table("", *(f"{int(each['mailboxes']):,}" for each in sizes))
    for name in sizes[0]:
        table.add_row(name.replace("_", " "), *(f"{each[name]:,.1f}" for each in sizes))
    Console().print(table)


if __name__ == "__main__":
    main()
