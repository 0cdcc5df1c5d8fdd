"""The script in Redis follows the arithmetic of `shared.core.limits`: the same history gives the same answers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.core import limits as rules
from shared.core.limits import Window, WindowPolicy
from shared.state.limit_registry import LIMIT_SCRIPT, decode_told, encode_wanted, encode_window
from shared.state.quota import Quota

POLICY = WindowPolicy(window=4_000, parts=40)
LIMIT = (7, 900)
START = 1_700_000_000_123
# The tested text differs from the real one in its clock alone.
TIMED = LIMIT_SCRIPT.replace("redis.call('TIME')", "{ARGV[5], ARGV[6]}")


@dataclass(frozen=True)
class Step:
    """One exchange of one process: what of its calls ended since, and what it wants."""

    later: int
    who: int
    ended: tuple[tuple[int, int], ...]
    wishes: tuple[int, ...]
    hold: int


def steps() -> st.SearchStrategy[Step]:
    # No silence that would make a process gone: that is another rule.
    later = st.sampled_from([0, 99, 100, 101, 570, 1_000]) | st.integers(0, 1_500)
    ended = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 600)), max_size=3).map(tuple)
    wishes = st.lists(st.integers(0, 900), max_size=4).map(tuple)
    return st.builds(Step, later, st.integers(0, 1), ended, wishes, st.sampled_from([0, 0, 0, 700]))


@pytest.fixture(scope="module")
def server(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


class Process:
    """What a process tells, and what its calls in flight have reserved."""

    def __init__(self, name: str) -> None:
        self.quota = Quota(name, LIMIT)
        self.flying: list[int] = []


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps(), max_size=25))
def test_the_script_grants_what_the_arithmetic_grants(server: redis.Redis, history: list[Step]) -> None:
    script, prefix = server.register_script(TIMED), f"test:{uuid.uuid4().hex}:"
    processes, whole, now = (Process("a"), Process("a")), Window(), START
    for step in history:
        now += step.later
        process = processes[step.who]
        for estimate, notes in ended(process, step, now):
            process.quota.ended(estimate, notes)
            whole = rules.settled(whole, (1, estimate), notes)
        if step.hold:
            process.quota.held(now + step.hold)
            whole = rules.held(whole, now + step.hold)
        whole, expected = rules.grant(POLICY, LIMIT, whole, now, step.wishes)
        wanted = process.quota.wanted(POLICY, now, step.wishes)
        answer = script(args=[prefix, str(step.who), encode_window(POLICY), encode_wanted([wanted]), *clock(now)])
        at, (told,) = decode_told(answer)
        assert (at, told.granted) == (now, expected)
        process.quota.take(wanted, told, now)
        process.flying += step.wishes[: told.granted.count]
    server.delete(f"{prefix}a")


def ended(process: Process, step: Step, now: int) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """The oldest calls of the process end, with what they used; some were not made."""
    for ago, tokens in step.ended[: len(process.flying)]:
        notes = [(POLICY.slot(now - ago), 1, tokens // 2), (POLICY.slot(now), 0, tokens - tokens // 2)]
        yield process.flying.pop(0), notes if tokens else []


def clock(now: int) -> tuple[int, int]:
    """As Redis tells the time: seconds and microseconds."""
    return now // 1000, now % 1000 * 1000


def asked(server: redis.Redis, prefix: str, who: str, now: int, quota: Quota, wishes: list[int]) -> int:
    """Exchange until the script knows the process; gives how many wishes were granted."""
    script = server.register_script(TIMED)
    wanted = quota.wanted(POLICY, now, wishes)
    answer = script(args=[prefix, who, encode_window(POLICY), encode_wanted([wanted]), *clock(now)])
    _, (told,) = decode_told(answer)
    quota.take(wanted, told, now)
    return asked(server, prefix, who, now, quota, wishes) if told.stranger else told.granted.count


def test_a_batch_that_is_told_twice_counts_once(server: redis.Redis) -> None:
    prefix, quota = f"test:{uuid.uuid4().hex}:", Quota("a", LIMIT)
    assert asked(server, prefix, "one", START, quota, [100] * 3) == 3
    quota.ended(100, [(POLICY.slot(START), 1, 100)])
    wanted = quota.wanted(POLICY, START, [])
    script = server.register_script(TIMED)
    for _ in range(3):  # the answers are lost
        script(args=[prefix, "one", encode_window(POLICY), encode_wanted([wanted]), *clock(START)])
    assert asked(server, prefix, "one", START, quota, [1] * 9) == 4


def test_a_process_that_says_nothing_for_long_is_no_worker_and_what_it_had_in_flight_counts_as_used(
    server: redis.Redis,
) -> None:
    prefix, one, two = f"test:{uuid.uuid4().hex}:", Quota("a", LIMIT), Quota("a", LIMIT)
    assert asked(server, prefix, "one", START, one, [100] * 7) == 7
    at = START
    while at < START + 10_000:
        at += 1_000
        assert asked(server, prefix, "two", at, two, [1]) == 0
    assert two.workers == 2
    assert asked(server, prefix, "two", at + 500, two, [1]) == 0
    assert two.workers == 1
    later = at + 500 + POLICY.window
    assert asked(server, prefix, "two", later - 100, two, [1]) == 0
    assert asked(server, prefix, "two", later + 2 * POLICY.window, two, [1]) == 1


@pytest.mark.parametrize("rubbish", [b"{not json", b"[]", b'{"slots": 3}', b""])
def test_rubbish_in_the_place_of_a_limit_is_as_good_as_nothing(server: redis.Redis, rubbish: bytes) -> None:
    prefix, quota = f"test:{uuid.uuid4().hex}:", Quota("a", LIMIT)
    assert asked(server, prefix, "one", START, quota, [1] * 5) == 5
    server.set(f"{prefix}a", rubbish)
    assert asked(server, prefix, "one", START, quota, [1] * 5) == 2


def test_a_key_of_another_kind_stops_nobody(server: redis.Redis) -> None:
    prefix = f"test:{uuid.uuid4().hex}:"
    server.rpush(f"{prefix}a", "a list")
    assert asked(server, prefix, "one", START, Quota("a", LIMIT), [1]) == 1
    assert json.loads(server.get(f"{prefix}a") or "{}")["members"]
