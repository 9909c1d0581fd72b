"""Times in buckets: how exact they are, and what percentiles are read out of them."""

import random

import pytest

from penstock.services.quantiles import Histogram, add, bounds, bucket, percentiles


@pytest.mark.parametrize("seconds", [2e-6, 1e-5, 0.00042, 0.001, 0.8, 1.0, 30.0, 3600.0])
def test_a_time_lies_in_its_bucket(seconds: float) -> None:
    low, high = bounds(bucket(seconds))
    assert low <= seconds <= high
    assert high / low == pytest.approx(2 ** (1 / 8))


def test_what_is_no_time_is_in_the_first_bucket() -> None:
    assert bucket(0.0) == bucket(1e-9) == 0
    assert bounds(0) == (0.0, 0.0)


def histogram_of(times: list[float]) -> Histogram:
    found: Histogram = {}
    for seconds in times:
        add(found, [(bucket(seconds), 1.0)])
    return found


def test_percentiles_are_right_to_a_few_per_cent() -> None:
    chance = random.Random(7)
    times = sorted(chance.lognormvariate(-5, 1.5) for _ in range(20_000))
    found = percentiles(histogram_of(times))
    for share, seconds in zip((0.50, 0.95, 0.99), found, strict=True):
        assert seconds == pytest.approx(times[int(share * len(times))], rel=0.045)


def test_a_few_slow_ones_are_in_the_99th_and_not_in_the_95th() -> None:
    p50, p95, p99 = percentiles(histogram_of([0.001] * 97 + [0.8] * 3))
    assert p50 < 0.0011 and p95 < 0.0011
    assert p99 == pytest.approx(0.8, rel=0.09)


def test_weights_count() -> None:
    assert percentiles({8: 2.0, 80: 100.0}, [0.5])[0] == pytest.approx(bounds(80)[1], rel=0.09)
    assert percentiles({}) == [0.0, 0.0, 0.0]
    assert percentiles({0: 3.0}) == [0.0, 0.0, 0.0]
