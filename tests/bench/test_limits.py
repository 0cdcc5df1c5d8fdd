"""The small form of `limits`: in a window of seconds the way of a call counts for much, so how much is used is told."""

from pathlib import Path

from infra.bench.bench import Bench
from infra.bench.failures.limits import SMALL, limits, told_of
from infra.local.parts import Endpoints
from shared.database.migrate import migrate


def test_four_processes_under_one_limit_are_not_refused_and_lose_nothing(parts: Endpoints, tmp_path: Path) -> None:
    migrate(parts.database or "")
    figures = limits(Bench(parts, tmp_path, small=True, say=print))
    print(figures)
    wrong = {key: figures[key] for key in ("lost", "doubled", "out_of_order")}
    assert wrong == {"lost": 0, "doubled": 0, "out_of_order": 0}
    assert figures["share_429"] <= 0.05, "in a window of seconds one call that was late is many"
    assert figures["share_429"] > 0 or figures["limit_attempts"] == 0
    assert figures["limit_used"] > 0.3


def test_what_is_used_is_that_of_the_scarcer_limit_and_ends_with_the_last_window() -> None:
    span = SMALL.window * SMALL.windows
    history = [(100.0, 1, 100), (101.0, 0, 5_900), (100.0 + span - 1, 9, 0), (100.0 + span, 20, 6_000)]
    figures = told_of(SMALL, history, refused=10)
    assert figures["limit_tokens_used"] == 1 / SMALL.windows
    assert figures["limit_used"] == figures["limit_tokens_used"]
    assert figures["limit_requests_used"] == 10 / SMALL.requests / SMALL.windows
    assert figures["share_429"] == 10 / 40
