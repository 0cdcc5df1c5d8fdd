"""The small form of every figure of `penstock bench failures`: what is counted must hold, what is timed is told."""

from pathlib import Path

import pytest

from infra.bench.bench import Bench
from infra.bench.failures import FAILURES
from infra.local.parts import Endpoints
from shared.database.migrate import migrate

NOTHING_WRONG = {"lost": 0, "doubled": 0, "out_of_order": 0}


@pytest.fixture
def bench(parts: Endpoints, tmp_path: Path) -> Bench:
    """The small form."""
    migrate(parts.database or "")
    return Bench(parts, tmp_path, small=True, say=print)


def test_an_outage_of_a_provider_is_a_pause_or_another_models_work(bench: Bench) -> None:
    figures = FAILURES["outage"](bench)
    print(figures)
    assert figures.items() >= NOTHING_WRONG.items()
    counted = (
        "outage_dead_letters",
        "outage_attempts",
        "outage_rebalances",
        "outage_strayed",
        "fallback_dead_letters",
        "fallback_parked",
    )
    assert [figures[key] for key in counted] == [0] * len(counted)
    assert figures["fallback_answers_of_second"] == 1


def test_a_replay_that_is_killed_sends_each_chosen_letter_once_and_pays_nothing_twice(bench: Bench) -> None:
    figures = FAILURES["replay"](bench)
    assert (figures["replay_letters"], figures["replay_causes"], figures["replay_kills"]) == (120, 6, 2)
    assert {figures[key] for key in ("replay_wrong", "replay_second", "replay_repaid")} == {0}


def test_every_document_has_one_end_and_the_right_one_while_calls_go_wrong(bench: Bench) -> None:
    figures = FAILURES["mixed"](bench)
    wrong = ("unaccounted", "doubled", "wrong_class", "truncated_accepted", "identical_resends")
    assert {key: figures[key] for key in wrong} == dict.fromkeys(wrong, 0)
    assert figures["documents"] == 60


def test_servers_that_go_away_and_come_back_lose_nothing_and_are_named(bench: Bench) -> None:
    figures = FAILURES["away"](bench)
    wrong = ("away_lost", "away_doubled", "away_dead_letters", "away_exits", "away_unnamed")
    assert {key: figures[key] for key in wrong} == dict.fromkeys(wrong, 0)


def test_a_database_that_is_slow_or_full_under_a_burst_is_waited_for(bench: Bench) -> None:
    figures = FAILURES["slow"](bench)
    wrong = ("slow_lost", "slow_doubled", "slow_dead_letters", "slow_repaid", "slow_exits", "slow_unnamed")
    assert {key: figures[key] for key in wrong} == dict.fromkeys(wrong, 0)
    assert figures["slow_parked"] > 0
    assert figures["slow_stored_per_s"] > 0


def test_a_batch_that_is_cancelled_in_mid_flight_is_paid_no_more_though_a_process_is_killed(bench: Bench) -> None:
    figures = FAILURES["cancel"](bench)
    print(figures)
    assert figures["cancel_open"] > 0, "there was nothing to stop"
    assert figures["cancel_stored"] > 0, "nothing had ended before"
    assert figures["cancel_cancelled"] + figures["cancel_stored"] == 60
    # How long the command itself takes on a busy machine is no promise; what is open two seconds after it is.
    assert figures["cancel_stop_after_s"] <= 2
    assert figures["cancel_late_calls"] == figures["cancel_wrong"] == 0
