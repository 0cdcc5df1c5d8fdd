"""The three deadlines of a call: which one is the nearest, and how it is told."""

import pytest

from shared.models.registry import Provider
from shared.models.streams.pace import Pace

PROVIDER = Provider("p", "openai", timeout=90.0, first_token=60.0, stall=30.0)


@pytest.mark.parametrize(
    ("last", "streams", "due", "said"),
    [
        (None, True, 160.0, "no first token in 60 s"),
        (105.0, True, 135.0, "the stream stood still for 30 s"),
        (170.0, True, 190.0, "no answer in 90 s"),
        (None, False, 190.0, "no answer in 90 s"),
    ],
)
def test_the_nearest_limit_counts(last: float | None, streams: bool, due: float, said: str) -> None:
    pace = Pace(PROVIDER, began=100.0, last=last, streams=streams)
    assert (pace.due, pace.said) == (due, said)
