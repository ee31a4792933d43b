"""How late 95 of 100 emails are at most, from counts in ranges."""

import bisect
import random

import pytest

from domain.lag import BOUNDS, percentile


def counted(lags: list[float]) -> list[int]:
    counts = [0] * (len(BOUNDS) + 1)
    for each in lags:
        counts[bisect.bisect_right(BOUNDS, each)] += 1
    return counts


@pytest.mark.parametrize("seed", range(20))
def test_the_answer_is_in_the_range_of_the_true_one(seed: int) -> None:
    chance = random.Random(seed)
    lags = sorted(chance.lognormvariate(chance.uniform(-3, 8), 2) for _ in range(chance.randrange(1, 300)))
    true = lags[-(-95 * len(lags) // 100) - 1]
    found = percentile(counted(lags), 0.95)
    assert found is not None
    place = bisect.bisect_right(BOUNDS, true)
    assert (0.0, *BOUNDS)[place] <= found <= (*BOUNDS, BOUNDS[-1])[place]


def test_ranges_add_up() -> None:
    fast, slow = counted([0.05] * 190), counted([200.0] * 10)
    assert percentile(fast, 0.95) == pytest.approx(0.095)
    assert percentile([a + b for a, b in zip(fast, slow, strict=True)], 0.96) == pytest.approx(156.0)
    assert percentile(counted([1e9]), 0.95) == BOUNDS[-1]
    assert percentile(counted([]), 0.95) is None
    assert percentile([], 0.95) is None
