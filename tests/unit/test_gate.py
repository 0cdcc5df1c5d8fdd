"""A paused stage begins nothing, in none of its runners, and what it holds goes on where it stood."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from shared.core.breaker import pause_of
from shared.kafka_port import Offset
from shared.ports import BreakerState
from shared.runtime.flow.gate import Gate
from shared.runtime.flow.share import Finished
from shared.runtime.flow.shares import Shares
from tests.unit.records import TOPIC, opened, taken

NAME = pause_of("tickets", "triage")


@dataclass
class Registry:
    """What a process knows of the registry."""

    health: str = ""
    states: Mapping[str, BreakerState] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("states", "shut"),
    [
        ({}, False),
        ({NAME: BreakerState.OPEN}, True),
        ({NAME: BreakerState.CLOSED}, False),
        ({pause_of("tickets", "close"): BreakerState.OPEN}, False),
        ({pause_of("letters", "triage"): BreakerState.OPEN}, False),
    ],
)
def test_a_gate_is_shut_by_the_pause_of_its_own_stage_alone(states: Mapping[str, BreakerState], shut: bool) -> None:
    gate = Gate(NAME, Registry(states=states))
    gate.look()
    assert gate.shut is shut


def test_a_registry_that_is_away_leaves_the_gate_as_it_was_and_is_told() -> None:
    gate = Gate(NAME, Registry("it is away", {NAME: BreakerState.OPEN}))
    gate.look()
    assert gate.shut
    assert "it is away" in gate.weaker()["pauses"]
    assert Gate(NAME, Registry()).weaker() == {}


def test_without_a_registry_a_process_works_and_says_that_no_pause_reaches_it() -> None:
    gate = Gate()
    gate.look()
    assert not gate.shut
    assert "PENSTOCK_REDIS_URL" in gate.weaker()["pauses"]


def test_behind_a_shut_gate_nothing_is_fetched_or_begun_and_what_runs_ends() -> None:
    gate = Gate()
    shares = Shares(gate=gate)
    shares.add([Offset(TOPIC, 0, 0, "")])
    opened(shares)
    running = shares.begin(taken(shares, [b"a"]))
    waiting = deque(taken(shares, [b"b", b"c"], start=1))
    gate.shut = True
    assert shares.room() == 0
    assert shares.begin_next(waiting, 10) == ([], [])
    assert shares.standing().paused
    shares.finish([Finished(one) for one in running])
    ours, told = shares.complete(shares.await_finished(0, 10))
    assert [one.offset.offset for one in told] == [1], "commits go on"
    shares.committed(ours, told)
    assert shares.again(), "it is asked for again"
    gate.shut = False
    assert [one.delivery.key for one in shares.begin_next(waiting, 10)[0]] == [b"b", b"c"]


def test_a_paused_process_can_leave() -> None:
    gate = Gate(shut=True)
    shares = Shares(gate=gate)
    shares.add([Offset(TOPIC, 0, 0, "")])
    waiting = deque(taken(shares, [b"a"]))
    assert shares.drain(None, 0)
    begun, lost = shares.begin_next(waiting, 10)
    assert (begun, [one.key for one in lost]) == ([], [b"a"])
