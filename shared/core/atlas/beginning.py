"""When a group of documents began to fail: the one moment that best parts few failures from many."""

import math
from collections.abc import Sequence

SURE = 8.0
"""How much likelier, as a logarithm, a beginning has to make what was seen: it was chosen among all moments, so what
would convince about one moment does not do."""
SIDE = 30
"""Fewest documents before it and after it."""
TIMES = 1.5
"""They must fail at least so many times as often after it."""


def beginning(ends: Sequence[tuple[float, bool]]) -> float | None:
    """The time from which they fail, of documents as (when, failed) in the order of time; None: they always did."""
    count, failed = len(ends), sum(bad for _, bad in ends)
    whole, seen = _likelihood(failed, count), 0
    best, place = SURE, None
    for before in range(1, count):
        seen += ends[before - 1][1]
        after = count - before
        # A beginning is a failure with another time than the one before it.
        if before < SIDE or after < SIDE or not ends[before][1] or ends[before][0] == ends[before - 1][0]:
            continue
        if (failed - seen) * before < TIMES * seen * after or failed == seen:
            continue
        gain = _likelihood(seen, before) + _likelihood(failed - seen, after) - whole
        if gain > best:
            best, place = gain, before
    return None if place is None else ends[place][0]


def _likelihood(failed: int, documents: int) -> float:
    """Logarithm of how likely what was seen is under its own rate."""
    rate = failed / documents if documents else 0.0
    if rate in (0.0, 1.0):
        return 0.0
    return failed * math.log(rate) + (documents - failed) * math.log(1 - rate)
