"""The small form of every figure of `penstock bench insights`: what is counted must hold, what is timed is told."""

from pathlib import Path

import pytest

from infra.bench.bench import Bench
from infra.bench.homes import temporary_home
from infra.bench.insights import INSIGHTS
from infra.local.parts import Endpoints, start_parts
from shared.database.migrate import migrate


@pytest.fixture
def bench(parts: Endpoints, tmp_path: Path) -> Bench:
    """The small form."""
    migrate(parts.database or "")
    return Bench(parts, tmp_path, small=True, say=print)


def test_a_run_with_faults_holds_and_every_plant_in_it_is_found(tmp_path: Path) -> None:
    # On servers of its own: what is planted would be found by whoever audits the pipeline after it.
    with temporary_home() as home:
        parts = start_parts(home)
        try:
            migrate(parts.endpoints.database or "")
            figures = INSIGHTS["audit"](Bench(parts.endpoints, tmp_path, small=True, say=print))
        finally:
            parts.stop()
    assert figures == {"audit_false": 0, "audit_planted": 10, "audit_found": 10, "unended": 0, "ended_twice": 0}


def test_the_journal_comes_to_the_same_tables_however_often_it_is_killed(bench: Bench) -> None:
    figures = INSIGHTS["journal"](bench)
    assert figures["journal_differs"] == 0
    assert figures["journal_kills"] == 3


def test_insights_that_are_killed_count_every_record_once(bench: Bench) -> None:
    figures = INSIGHTS["kills"](bench)
    assert figures["insights_kills"] == 2
    assert figures["insights_records"] > 500
    assert figures["insights_wrong"] == 0


def test_a_sentence_comes_while_the_pipeline_is_at_work(bench: Bench) -> None:
    figures = INSIGHTS["speaking"](bench)
    print(figures)
    assert figures["first_sentence_failures"] >= 5


def test_the_providers_bill_is_what_all_accounts_come_to_after_faults_and_kills(bench: Bench) -> None:
    figures = INSIGHTS["cost"](bench)
    assert (figures["cost_difference"], figures["cost_unended"]) == (0, 0)
    # The kill came in the midst of calls.
    assert figures["cost_kills"] == 1
    assert figures["cost_unsure_calls"] > 0
    assert figures["cost_failed_usd"] > 0


def test_most_planted_rules_are_named_and_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    figures = INSIGHTS["planted"](Bench(Endpoints(), tmp_path, small=True, say=print))
    assert figures["planted_found"] >= 9
    assert figures["precision"] >= 0.9
    assert figures["null_reports"] == 0
