"""How late emails are: seconds from the time they were due to their request, counted in ranges that can be added up."""

from collections.abc import Sequence

# Seconds. A range ends before the next bound; the last one has no end.
BOUNDS = (
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
    10_800.0,
    43_200.0,
)


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Return the seconds within which this share of the emails had their request; None if there were none.

    ``counts``: of each range, one more than ``BOUNDS``. Within a range emails count as spread evenly; beyond the last bound the answer is that bound.
    """
    wanted = share * sum(counts)
    if not wanted:
        return None
    before = 0
    for low, high, count in zip((0.0, *BOUNDS), BOUNDS, counts, strict=False):
        if before + count >= wanted:
            return low + (high - low) * (wanted - before) / count if count else low
        before += count
    return BOUNDS[-1]
