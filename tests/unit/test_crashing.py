"""Where a process is told to die: the known places, and a sentence for any other."""

import pytest

from shared.core.crash_points import CrashPoint, nowhere
from shared.core.errors import Misconfigured
from shared.runtime import crashing
from shared.runtime.crashing import VARIABLE, crash_at


def test_without_being_told_a_process_passes_every_place() -> None:
    assert crash_at({}) is nowhere
    assert [nowhere(point) for point in CrashPoint] == [None] * len(CrashPoint)


@pytest.mark.parametrize("told", ["after_comit", "after_commit:0", "after_commit:x", "after_commit:-1", ":3"])
def test_an_unknown_place_is_told_with_the_known_ones(told: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        crash_at({VARIABLE: told})
    assert told in str(refusal.value)
    assert all(point in str(refusal.value) for point in CrashPoint)


@pytest.mark.parametrize(("told", "passings"), [("after_commit", 1), ("after_commit:1", 1), ("after_commit:3", 3)])
def test_it_dies_at_the_passing_it_was_told(told: str, passings: int, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[CrashPoint] = []
    died: list[int] = []
    monkeypatch.setattr(crashing.os, "kill", lambda pid, signal: died.append(len(passed)))
    monkeypatch.setattr(crashing.os, "write", lambda *_: None)
    crash_here = crash_at({VARIABLE: told})
    for point in [CrashPoint.AFTER_COMMIT] * 4:
        passed.append(point)
        crash_here(CrashPoint.BEFORE_BEGIN)
        crash_here(point)
    assert died == [passings]
