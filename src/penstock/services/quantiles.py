"""Times in buckets, an eighth of an octave each, and the percentiles that are read out of them.

Pure; run by whoever counts or reads. A histogram is a dict of bucket to weight, so that those of several
workers and seconds add up, and what never happened takes no room. It does not know what was measured.
"""

from collections.abc import Iterable, Sequence

STEPS = 8  # buckets of an octave: what is read is right to 4.5 %
MICRO = 1e6
PER_CENT = (0.50, 0.95, 0.99)

Histogram = dict[int, float]


def bucket(seconds: float) -> int:
    """The bucket of a time: n for everything from 2**((n - 1) / 8) to 2**(n / 8) µs, 0 below one µs."""
    # bit_length is the only logarithm that is exact, of whole numbers, and one call.
    return int((seconds * MICRO) ** STEPS).bit_length()


def bounds(index: int) -> tuple[float, float]:
    """A bucket's lower and upper bound in seconds."""
    if index <= 0:
        return 0.0, 0.0
    return 2.0 ** ((index - 1) / STEPS) / MICRO, 2.0 ** (index / STEPS) / MICRO


def add(into: Histogram, other: Iterable[tuple[int, float]]) -> None:
    """Count what another histogram has, too."""
    for index, weight in other:
        into[index] = into.get(index, 0.0) + weight


def percentiles(histogram: Histogram, wanted: Sequence[float] = PER_CENT) -> list[float]:
    """The times in seconds below which these shares lie, ``wanted`` in rising order; zeros for an empty
    histogram."""
    total, sum_, found = sum(histogram.values()), 0.0, []
    shares = list(wanted)
    for index in sorted(histogram):
        weight = histogram[index]
        low, high = bounds(index)
        while shares and sum_ + weight >= shares[0] * total:
            inside = (shares.pop(0) * total - sum_) / weight
            found.append(low + (high - low) * max(0.0, inside))
        sum_ += weight
    return found + [found[-1] if found else 0.0] * len(shares)
