"""A record that kills its process is found by what the commits say, and none of its neighbours is taken for it."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.core import poison
from shared.core.poison import CALM, Suspicion, condemned, taken_over, window
from shared.core.progress import LIMIT, MAX_INCOMPLETE, MAX_SPAN, decode, encode, read
from tests.unit.killing import Log, work_off

COUNTS = st.integers(1, poison.MOST)
BELOW = st.integers(0, 1 << 50)
ABOVE = st.none() | st.integers(0, MAX_SPAN)
SEEDS = st.integers(0, 1 << 32).map(Random)
"""Dice that can be thrown the same way again."""


@st.composite
def suspicions(draw: st.DrawFn, base: int) -> Suspicion:
    """Anything that can stand in a commit at that low watermark."""
    suspicious = draw(st.none() | st.tuples(COUNTS, BELOW, ABOVE, ABOVE, COUNTS))
    if suspicious is None:
        return Suspicion(open=draw(st.booleans()))
    crashes, below, running, suspect, alone = suspicious
    return Suspicion(
        draw(st.booleans()),
        crashes,
        base - below,
        None if running is None else base + running,
        None if suspect is None else base + suspect,
        0 if suspect is None else alone,
    )


@given(st.data(), st.sets(st.integers(1, 5000), max_size=50))
def test_a_commit_tells_of_crashes_beside_the_progress(data: st.DataObject, others: set[int]) -> None:
    base = 1 << 51
    suspicion = data.draw(suspicions(base))
    incomplete = [base, *sorted(base + gap for gap in others)]
    high = data.draw(st.integers(base + 1, base + 6000) | st.just(base - 1))
    metadata = encode(base, high, incomplete, suspicion)
    below = frozenset(offset for offset in incomplete if offset <= high)
    assert read(base, metadata) == (high, below, suspicion)
    assert decode(base, metadata) == (high, below)


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_the_metadata_fits_with_the_most_that_can_be_said(data: st.DataObject) -> None:
    wide = [number * 16_384 for number in range(128)]
    incomplete = wide + [wide[-1] + 128 * number for number in range(1, MAX_INCOMPLETE - 128)]
    assert len(encode(0, MAX_SPAN + 1_000, incomplete, data.draw(suspicions(0)))) <= LIMIT


@given(st.text(max_size=40) | st.text("2AQIDBAUG=/+hour", max_size=16).map(lambda text: f"2{text}"))
def test_what_others_wrote_accuses_nobody_or_reads_as_ours(metadata: str) -> None:
    high, incomplete, suspicion = read(100, metadata)
    if (high, suspicion) != (99, CALM):
        assert encode(100, high, sorted(incomplete), suspicion) == metadata


def test_a_commit_without_anything_to_tell_is_written_as_before() -> None:
    assert encode(5, 7, [5, 6]) == encode(5, 7, [5, 6], CALM)
    assert encode(5, 4, []) == ""


def test_an_owner_that_closed_leaves_no_suspicion() -> None:
    left = poison.closed(poison.opened(CALM))
    assert taken_over(left, 10) == CALM


def test_each_crash_without_progress_halves_the_window_until_one_record_runs_alone() -> None:
    suspicion, seen = CALM, []
    for _ in range(10):
        suspicion = taken_over(poison.opened(suspicion), 7)
        seen.append(window(256, suspicion))
    assert seen == [128, 64, 32, 16, 8, 4, 2, 1, 1, 1]
    assert condemned(suspicion) is None, "it never ran alone"


def test_a_crash_with_progress_leaves_the_window_as_it_is() -> None:
    first = taken_over(poison.opened(CALM), 7)
    assert taken_over(poison.opened(first), 8).crashes == first.crashes == 1


def test_a_record_is_condemned_at_the_second_crash_at_which_it_ran_alone() -> None:
    once = taken_over(Suspicion(open=True, crashes=8, base=7, running=9), 7)
    assert condemned(once) is None
    assert condemned(taken_over(poison.opened(once), 7)) is None, "it did not run again"
    twice = taken_over(poison.naming(poison.opened(once), 9), 7)
    assert condemned(twice) == 9
    assert "2 times" in poison.verdict(twice)


@pytest.mark.parametrize("alone", [1, 2])
def test_when_the_one_that_ran_alone_is_done_nobody_is_left_to_suspect(alone: int) -> None:
    suspicion = Suspicion(open=True, crashes=10, base=7, running=9, suspect=9, alone=alone)
    assert poison.completed(suspicion, 9) == poison.opened(CALM)
    assert poison.completed(suspicion, 8) == suspicion


@given(SEEDS, st.integers(0, 3), st.booleans(), st.sampled_from((0.0, 0.5)))
@settings(max_examples=60, deadline=None)
def test_just_the_records_that_kill_are_condemned_and_all_others_are_done_once(
    dice: Random, count: int, at_once: bool, held: float
) -> None:
    log = Log.of(dice, partitions=3, records=60)
    bad = set(dice.sample(log.records, count))
    ended = work_off(log, bad, dice, in_flight=16, at_once=at_once, held=held)
    assert ended.condemned == bad
    assert ended.done == Counter(log.records)
    # Four to a window of one, as many again for those with progress, two alone. What is held changes places, so two of
    # them may take turns for a while.
    assert ended.crashes <= (60 if held else 20) * count


@given(SEEDS, st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_processes_killed_at_random_condemn_nobody(dice: Random, kills: int) -> None:
    log = Log.of(dice, partitions=3, records=60)
    ended = work_off(log, set(), dice, in_flight=16, kills=[dice.randrange(80) for _ in range(kills)])
    assert ended.condemned == set()
    assert ended.done == Counter(log.records)


@pytest.mark.parametrize("seed", range(3))
def test_kills_beside_progress_never_narrow_the_window_below_half(seed: int) -> None:
    dice = Random(seed)
    log = Log.of(dice, partitions=1, records=2000)
    ended = work_off(log, set(), dice, in_flight=16, kills=[150] * 20)
    assert ended.condemned == set()
    assert ended.narrowest >= 8
