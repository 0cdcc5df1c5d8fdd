"""The small form of every figure of `penstock bench engine`: what is counted must hold, what is timed is only told."""

from pathlib import Path

import pytest

from infra.bench.bench import Bench
from infra.bench.engine import ENGINE
from infra.bench.figures import Figures
from infra.local.parts import Endpoints
from shared.database.migrate import migrate

NOTHING_WRONG = {"lost": 0, "doubled": 0, "out_of_order": 0}


@pytest.fixture(scope="module")
def servers(parts: Endpoints) -> Endpoints:
    """The servers that other tests use, with the tables."""
    migrate(parts.database or "")
    return parts


@pytest.fixture
def bench(servers: Endpoints, tmp_path: Path) -> Bench:
    """The small form."""
    return Bench(servers, tmp_path, small=True, say=print)


def measured(bench: Bench, name: str, *timed: str) -> Figures:
    """The figures of a scenario; those that are timed are there, and nobody judges them."""
    figures = ENGINE[name](bench)
    print(name, figures)
    assert set(timed) <= figures.keys()
    assert {key: figures[key] for key in NOTHING_WRONG.keys() & figures.keys()}.items() <= NOTHING_WRONG.items()
    return figures


def test_slow_calls_are_in_flight_together_and_none_is_lost(bench: Bench) -> None:
    figures = measured(bench, "slow_calls", "slow_calls_200", "slow_calls_1000", "kib_per_document")
    assert figures["documents"] == 2600


def test_kills_lose_double_and_reorder_nothing_and_repeat_nothing_that_was_recorded(bench: Bench) -> None:
    figures = measured(bench, "kills", "calls_repeated", "calls_in_flight_at_kills", "recovery_p95_s")
    assert (figures["documents"], figures["repeated_after_record"]) == (600, 0)


@pytest.fixture(scope="module")
def outage(servers: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """What a model that goes away and comes back leaves behind."""
    bench = Bench(servers, tmp_path_factory.mktemp("outage"), small=True, say=print)
    return measured(bench, "two_models", "other_model_rate", "outage_rss_growth_mib")


def test_documents_of_a_model_that_is_away_come_through_once_each_when_it_is_back(outage: Figures) -> None:
    assert outage["documents"] + outage["outage_dead_letters"] == 600


def test_an_outage_of_a_model_spends_no_attempts(outage: Figures) -> None:
    assert outage["attempts_spent"] == 0


def test_a_document_comes_through_the_five_services_at_a_steady_pace(bench: Bench) -> None:
    assert measured(bench, "latency", "pipeline_p50_ms", "pipeline_p99_ms")["documents"] == 200


def test_no_record_comes_back_from_its_delay_tier_before_it_is_due(bench: Bench) -> None:
    figures = measured(bench, "retries", "retry_late_p99_ms")
    assert (figures["retry_early"], figures["retry_records"]) == (0, 720)


def test_a_cheap_stage_is_measured_against_the_raw_client_and_against_at_least_once(bench: Bench) -> None:
    assert measured(bench, "cheap_stage", "cheap_stage_of_raw")["cheap_stage_per_s"] > 0
    assert measured(bench, "exactly_once", "exactly_once_cost")["at_least_once_per_s"] > 0
