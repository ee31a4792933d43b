"""Pictures of numbers over time, drawn here as the lines of an SVG; the page has the words."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

HEIGHT = 60


@dataclass(frozen=True, slots=True)
class Picture:
    """One number over time. ``line`` and ``area``: paths of a picture ``width`` wide and ``HEIGHT`` high. ``highest``: None if there is none.

    A step without a measurement has no line.
    """

    title: str
    entry: str
    unit: str
    line: str
    area: str
    width: int
    now: float | None
    highest: float | None


def picture(title: str, entry: str, unit: str, values: Sequence[float | None]) -> Picture:
    """Draw it. ``entry``: of the runbook. ``unit``: behind a number, with its space."""
    known = [each for each in values if each is not None]
    most = max(known, default=0) or 1
    line, area = [], []
    for measured, group in groupby(enumerate(values), key=lambda each: each[1] is not None):
        if not measured:
            continue
        steps = [(at, round(HEIGHT * (1 - (value or 0) / most), 1)) for at, value in group]
        # Each number holds for its step: a level line over it.
        level = "".join(f"V{high}H{at + 1}" for at, high in steps)
        first = steps[0]
        line.append(f"M{first[0]} {first[1]}{level}")
        area.append(f"M{first[0]} {HEIGHT}{level}V{HEIGHT}Z")
    return Picture(
        title,
        entry,
        unit,
        "".join(line),
        "".join(area),
        len(values),
        values[-1] if values else None,
        max(known, default=None),
    )
