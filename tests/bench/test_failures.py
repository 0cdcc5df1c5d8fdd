"""The small form of every figure of `penstock bench failures`: what is counted must hold."""

from pathlib import Path

from infra.bench.engine.bench import Bench
from infra.bench.failures.replay import replay
from infra.local.parts import Endpoints
from shared.database.migrate import migrate


def test_a_replay_that_is_killed_sends_each_chosen_letter_once_and_pays_nothing_twice(
    parts: Endpoints, tmp_path: Path
) -> None:
    migrate(parts.database or "")
    figures = replay(Bench(parts, tmp_path, small=True, say=print))
    assert (figures["replay_letters"], figures["replay_causes"], figures["replay_kills"]) == (120, 6, 2)
    assert {figures[key] for key in ("replay_wrong", "replay_second", "replay_repaid")} == {0}
