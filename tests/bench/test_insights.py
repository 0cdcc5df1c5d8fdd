"""The small form of the figures of `penstock bench insights`."""

from pathlib import Path

import pytest

from infra.bench.bench import Bench
from infra.bench.insights import INSIGHTS
from infra.local.parts import Endpoints
from shared.database.migrate import migrate


@pytest.fixture
def bench(parts: Endpoints, tmp_path: Path) -> Bench:
    """The small form."""
    migrate(parts.database or "")
    return Bench(parts, tmp_path, small=True, say=print)


def test_insights_that_are_killed_count_every_record_once(bench: Bench) -> None:
    figures = INSIGHTS["kills"](bench)
    assert figures["insights_kills"] == 2
    assert figures["insights_records"] > 500
    assert figures["insights_wrong"] == 0


def test_a_sentence_comes_while_the_pipeline_is_at_work(bench: Bench) -> None:
    figures = INSIGHTS["speaking"](bench)
    print(figures)
    assert figures["first_sentence_failures"] >= 5


def test_most_planted_rules_are_named_and_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    figures = INSIGHTS["planted"](Bench(Endpoints(), tmp_path, small=True, say=print))
    assert figures["planted_found"] >= 9
    assert figures["precision"] >= 0.9
    assert figures["null_reports"] == 0
