"""The script in Redis follows the arithmetic of `shared.core.breaker`: the same history gives the same state."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.core import breaker as rules
from shared.core.breaker import Breaker, BreakerPolicy, Phase, Verdict
from shared.core.tally import Tally
from shared.state.registry import SCRIPT
from shared.state.wire import Command, decode_answers, encode_commands, encode_policy

POLICY = BreakerPolicy(
    threshold=3,
    recovery=4.0,
    window=5.0,
    minimum_calls=6,
    share=0.5,
    lease=2.0,
    minimum_answers=5,
    useless_share=0.8,
    ramp=5.0,
)
START = 1_700_000_000_123
TELLING = (
    Tally(0, 3, 3, "timeout", longer=3),
    Tally(0, 3, 0, "timeout", open=9),
    Tally(5, 0, 0, "", 4, "refusal"),
    Tally(1, 0, 0, "", 1, "refusal"),
    Tally(1, 1, 1, "timeout", 1, "refusal", longer=1),
)
# The tested text differs from the real one in its clock alone.
TIMED = SCRIPT.replace("redis.call('TIME')", "{ARGV[7], ARGV[8]}")


@dataclass(frozen=True)
class Step:
    """One call of the script."""

    later: int
    who: str
    command: Command


def tallies() -> st.SearchStrategy[Tally]:
    ok, failed = st.integers(0, 4), st.integers(0, 4)
    made = st.builds(
        lambda ok, failed, tail, useless, ends, longer, open: Tally(
            *(ok, failed, tail, "timeout"),
            *(min(useless, ok), "refusal" if useless else "", bool(ok) and ends),
            *(min(longer, failed), open),
        ),
        *(ok, failed, failed, ok, st.booleans(), failed, ok),
    )
    return made.filter(bool)


def copies() -> st.SearchStrategy[Breaker]:
    times = st.sampled_from([START, START + 500, START + 2_000, START + 4_000]) | st.integers(
        START - 5_000, START + 60_000
    )
    slots = st.lists(st.tuples(st.integers(START // 500, START // 500 + 99), *[st.integers(0, 3)] * 3), max_size=3)
    return st.builds(
        Breaker, times, times, st.sampled_from(Phase), times, st.sampled_from(["", "one", "two"]), st.just(False),
        st.integers(0, 2), slots.map(lambda found: tuple(sorted(found))), st.booleans(), st.just("a copy"),
    )  # fmt: skip


def commands() -> st.SearchStrategy[Command]:
    return st.builds(
        Command,
        name=st.just("model:a"),
        view=st.one_of(st.none(), st.none(), st.none(), copies()),
        own=st.booleans(),
        tally=st.one_of(st.none(), tallies(), st.sampled_from(TELLING)),
        act=st.sampled_from(["", "", "", "", "trip", "reset"]),
        reason=st.just("because"),
        probe=st.booleans(),
    )


def steps() -> st.SearchStrategy[Step]:
    # Mostly the policy's own times: a rule that is wrong by one is wrong exactly there.
    later = st.sampled_from([0, 0, 500, 2_000, 4_000, 5_000]) | st.integers(-700, 6_000)
    return st.builds(Step, later, st.sampled_from(["one", "two"]), commands())


def histories() -> st.SearchStrategy[list[Step]]:
    """Steps; half of the histories begin with a probe after refusals, where chance alone hardly ever comes."""
    refused = Step(0, "one", Command("model:a", tally=Tally(5, 0, 0, "", 5, "refusal")))
    probe = Step(4_000, "one", Command("model:a", probe=True))
    begun = st.sampled_from([[], [refused, probe]])
    return st.tuples(begun, st.lists(steps(), min_size=1, max_size=25)).map(lambda parts: parts[0] + parts[1])


def followed(stored: Breaker | None, now: int, step: Step) -> tuple[Breaker | None, Verdict | None]:
    """What the arithmetic makes of a command."""
    command, verdict = step.command, None
    breaker = rules.newer(POLICY, stored, command.view, now, command.own)
    if command.act == "trip":
        breaker = rules.trip(breaker or rules.closed(now), now, step.who, command.reason)
    if command.act == "reset":
        breaker = rules.reset(breaker or rules.closed(now), now, step.who)
    if command.tally:
        breaker = rules.record(POLICY, breaker or rules.closed(now), now, step.who, command.tally)
    if command.probe:
        breaker, verdict = rules.ask(POLICY, breaker, now, step.who) if breaker else (None, Verdict.GO)
    return breaker, verdict


@pytest.fixture(scope="module")
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories())
def test_the_same_history_gives_the_same_state_in_the_script_and_in_the_arithmetic(
    client: redis.Redis, history: list[Step]
) -> None:
    script, prefix = client.register_script(TIMED), f"test:{uuid.uuid4().hex}:"
    now, breaker = START, None
    for step in history:
        now += step.later
        breaker, verdict = followed(breaker, now, step)
        head = [prefix + "state:", prefix + "changes", encode_policy(POLICY), step.who, encode_commands([step.command])]
        clock = [now // 1000, now % 1000 * 1000 + 999]
        said_at, [answer] = decode_answers(
            script(keys=[prefix + "names", prefix + "events"], args=[*head, "1", *clock])
        )
        assert (said_at, answer.breaker, answer.verdict) == (now, breaker, verdict)
