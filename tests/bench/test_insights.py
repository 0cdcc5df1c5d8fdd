"""The small form of every figure of `penstock bench insights`: what is counted must hold, what is timed is told."""

from pathlib import Path

import pytest

from infra.bench.bench import Bench
from infra.bench.homes import temporary_home
from infra.bench.insights import INSIGHTS
from infra.local.parts import Endpoints, start_parts
from shared.database.migrate import migrate


def test_a_run_with_faults_holds_and_every_plant_in_it_is_found(tmp_path: Path) -> None:
    # On servers of its own: what is planted would be found by whoever audits the pipeline after it.
    with temporary_home() as home:
        parts = start_parts(home)
        try:
            migrate(parts.endpoints.database or "")
            figures = INSIGHTS["audit"](Bench(parts.endpoints, tmp_path, small=True, say=print))
        finally:
            parts.stop()
    assert figures == {"audit_false": 0, "audit_planted": 10, "audit_found": 10}


def test_the_journal_comes_to_the_same_tables_however_often_it_is_killed(parts: Endpoints, tmp_path: Path) -> None:
    migrate(parts.database or "")
    figures = INSIGHTS["journal"](Bench(parts, tmp_path, small=True, say=print))
    assert figures["journal_differs"] == 0
    assert figures["journal_kills"] == 3


@pytest.mark.parametrize("name", INSIGHTS)
def test_every_scenario_says_what_it_measures(name: str) -> None:
    assert INSIGHTS[name].__doc__
