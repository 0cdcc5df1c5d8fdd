"""What a drill has shown, held against the promises."""

import pytest

from shared.cli.drills.kinds import DRILLS, chosen
from shared.cli.drills.verdict import Seen, judged
from shared.cli.exits import Exit, Stop
from shared.cli.waiting import End

STORED = End("d1", "stored")
DEAD = End("d2", "dead-lettered", "timeout", "analyze", "no answer")


def test_where_everything_was_stored_nothing_is_broken() -> None:
    report = judged("kill-stage", Seen(["d1"], {"d1": [STORED]}, 3.14159))
    assert (report.states, report.broken, report.seconds) == ({"stored": 1}, (), 3.1)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Seen(["d1", "d3"], {"d1": [STORED]}, 1.0), "accepted is not lost: no end was seen of d3"),
        (Seen(["d1"], {"d1": [STORED, STORED]}, 1.0), "stored once: more than one end was seen of d1"),
        (Seen(["d2"], {"d2": [DEAD]}, 1.0), "an outage is a pause, not a graveyard: dead-lettered d2"),
        (Seen(["d1"], {"d1": [STORED]}, 1.0, ["store-1"]), "it comes back by itself: not ready: store-1"),
        (Seen([f"d{n}" for n in range(5)], {}, 1.0), "no end was seen of d0, d1, d2 and 2 more"),
    ],
)
def test_a_broken_promise_is_said_in_a_sentence(seen: Seen, said: str) -> None:
    [sentence] = judged("kill-stage", seen).broken
    assert said in sentence


def test_a_dead_letter_without_a_class_is_silent_too() -> None:
    report = judged("kill-stage", Seen(["d2"], {"d2": [End("d2", "dead-lettered")]}, 1.0))
    assert "nothing silent: dead letters without a class: d2" in report.broken


def test_drills_are_known_by_their_names_and_all_run_where_none_is_named() -> None:
    assert chosen([]) == DRILLS
    assert [drill.name for drill in chosen(["hang-redis", "kill-stage"])] == ["hang-redis", "kill-stage"]
    with pytest.raises(Stop, match="there are kill-stage, kill-model") as caught:
        chosen(["kill-everything"])
    assert caught.value.code is Exit.USAGE
