"""The small form of the figures of `penstock bench insights`."""

from pathlib import Path

import pytest

from infra.bench.bench import Bench
from infra.bench.insights import INSIGHTS
from infra.local.parts import Endpoints


@pytest.fixture
def bench(parts: Endpoints, tmp_path: Path) -> Bench:
    """The small form."""
    return Bench(parts, tmp_path, small=True, say=print)


def test_insights_that_are_killed_count_every_record_once(bench: Bench) -> None:
    figures = INSIGHTS["kills"](bench)
    assert figures["insights_kills"] == 2
    assert figures["insights_records"] > 500
    assert figures["insights_wrong"] == 0
