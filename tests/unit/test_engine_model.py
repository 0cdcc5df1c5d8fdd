"""Engines on the Kafka in memory against the plainest model: of each key, what was published, once and in order.

Everything happens in steps on one thread, so that a failing sequence can be repeated: polls, calls that end, writes
that are refused, that end nobody knows how, or in which the process dies; members come, leave, die and are given up.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.core.crash_points import CrashPoint
from shared.core.delivery import Delivery
from shared.core.settle import Place, Settled
from shared.kafka_port import Group, Offset, Record
from shared.memory.kafka import MemoryKafka, MemoryTransactions
from shared.memory.kafka_member import MemoryMember
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.room import Limits
from shared.runtime.flow.runners import Slow, Tasks
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.shares import Shares
from shared.runtime.flow.slots import Slots
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW

PLACE = Place(TICKETS, TRIAGE)
IN, OUT, GROUP = "in", "out", "stage"
POLICY = EnginePolicy(drain_seconds=0)
WHICH = st.integers(0, 1)
CALLS = st.lists(st.integers(0, 2), min_size=1, max_size=4)
OUTCOMES = ["known", "refused", "unknown, and through", "unknown, and not"]
WRITING = [
    CrashPoint.BEFORE_BEGIN,
    CrashPoint.AFTER_BEGIN,
    CrashPoint.AFTER_PRODUCE,
    CrashPoint.AFTER_OFFSETS,
    CrashPoint.AFTER_COMMIT,
    CrashPoint.AFTER_NOTE,
]


class Died(Exception):
    """The process is gone."""


class Writer(MemoryTransactions):
    """A writer that refuses an attempt, or does not know how it ended, as it is told to."""

    outcome = "known"

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        told, self.outcome = self.outcome, "known"
        if told == "refused":
            return frozenset()
        if told == "known":
            return super().commit(records, offsets, group)
        if told == "unknown, and through":
            super().commit(records, offsets, group)
        return frozenset(offsets) & frozenset(group.reached([(o.topic, o.partition) for o in offsets]))


class Process:
    """One process: an engine, and calls that end when they are told to."""

    def __init__(self, kafka: MemoryKafka, name: str) -> None:
        self.dies_at: CrashPoint | None = None
        self.calls: list[asyncio.Future[None]] = []
        self.unsent: list[Finished] = []
        self.shares = Shares(Limits(in_flight=3))
        self.writer = Writer(kafka, name, self.crash_here)
        admission = Admission(PLACE, self.shares, self.encode, lambda: NOW, self.runner)
        self.engine = Engine(POLICY, self.shares, self.writer, admission, self, self.crash_here)
        self.engine.join(lambda owner: self.subscribe(kafka, owner))

    def runner(self, desk: Admission) -> Slow:
        return Slow(desk, self.shares, Tasks(lambda _: None), self.decide, Slots(3))

    def subscribe(self, kafka: MemoryKafka, owner: Engine) -> MemoryMember:
        self.member = MemoryMember(kafka, GROUP, [IN], owner)
        return self.member

    async def decide(self, taken: Taken) -> Settled:
        call: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.calls.append(call)
        await call
        return Settled()

    def encode(self, taken: Taken, settled: Settled) -> tuple[Record, ...]:
        return (Record(OUT, taken.delivery.key, taken.delivery.value, (), None),)

    def write(self) -> None:
        self.unsent, _ = self.engine.write(self.unsent or self.shares.await_finished(0, 2))
        self.engine.look_again()

    def crash_here(self, point: CrashPoint) -> None:
        if point is self.dies_at:
            raise Died

    def took(self, deliveries: Sequence[Delivery]) -> None: ...

    def committed(self, records: int, seconds: float) -> None: ...


class Engines(RuleBasedStateMachine):
    """Up to two processes of one stage, and what they must have written."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.kafka = MemoryKafka({IN: 2, OUT: 1})
        self.published: dict[bytes, list[bytes]] = {}
        self.processes: list[Process] = []
        self.started = 0

    def on_loop(self, act: Any) -> None:
        """Do it on the loop, and let everything happen that follows by itself."""

        async def acting() -> None:
            act()
            for _ in range(5):
                await asyncio.sleep(0)

        self.loop.run_until_complete(acting())

    def gone(self, process: Process) -> None:
        self.processes.remove(process)
        process.member.expire()
        process.writer.expire()

    @rule(keys=st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), min_size=1, max_size=6))
    def publish(self, keys: list[bytes]) -> None:
        for key in keys:
            mine = self.published.setdefault(key, [])
            mine.append(b"%s%d" % (key, len(mine)))
            self.kafka.publish(Record(IN, key, mine[-1], (), None))

    @precondition(lambda self: len(self.processes) < 2)
    @rule()
    def start(self) -> None:
        self.started += 1
        self.on_loop(lambda: self.processes.append(Process(self.kafka, f"process {self.started}")))

    @precondition(lambda self: self.processes)
    @rule(which=WHICH, most=st.integers(1, 5))
    def poll(self, which: int, most: int) -> None:
        process = self.process(which)
        self.on_loop(lambda: process.engine.take_up(most, 0))

    @precondition(lambda self: any(process.calls for process in self.processes))
    @rule(which=WHICH, calls=CALLS)
    def end_calls(self, which: int, calls: list[int]) -> None:
        process = self.process(which)
        for call in calls:
            if process.calls:
                ended = process.calls.pop(call % len(process.calls))
                self.on_loop(lambda: ended.set_result(None))  # noqa: B023  done before the next turn

    @precondition(lambda self: self.processes)
    @rule(which=WHICH, outcome=st.sampled_from(OUTCOMES))
    def write(self, which: int, outcome: str) -> None:
        process = self.process(which)
        process.writer.outcome = outcome
        self.on_loop(process.write)

    @precondition(lambda self: self.processes)
    @rule(which=WHICH, most=st.integers(1, 5), calls=CALLS)
    def work(self, which: int, most: int, calls: list[int]) -> None:
        self.poll(which, most)
        self.end_calls(which, calls)
        self.write(which, "known")

    @precondition(lambda self: self.processes)
    @rule(which=WHICH, point=st.sampled_from(WRITING))
    def die_while_writing(self, which: int, point: CrashPoint) -> None:
        process = self.process(which)
        process.dies_at = point
        try:
            self.on_loop(process.write)
            process.dies_at = None
        except Died:
            self.gone(process)

    @precondition(lambda self: self.processes)
    @rule(which=WHICH, how=st.sampled_from(["dies", "leaves", "is given up and does not know"]))
    def part(self, which: int, how: str) -> None:
        process = self.process(which)
        if how == "is given up and does not know":
            process.member.expire()
            return
        if how == "leaves":
            process.member.close()
        self.gone(process)

    @precondition(lambda self: len(self.processes) == 2)
    @rule(which=WHICH, most=st.integers(1, 5), calls=CALLS)
    def be_overtaken(self, which: int, most: int, calls: list[int]) -> None:
        """One has results at hand when the group gives it up; the other does its work; then the first one writes."""
        self.poll(which, most)
        self.end_calls(which, calls)
        self.process(which).member.expire()
        self.work(1 - which, most, calls)
        self.write(which, "known")

    @precondition(lambda self: self.processes)
    @rule(which=WHICH, most=st.integers(1, 5), calls=CALLS)
    def work_and_hand_over(self, which: int, most: int, calls: list[int]) -> None:
        """One process after the other, each with a little of the work."""
        self.work(which, most, calls)
        self.gone(self.process(which))
        self.start()

    def process(self, which: int) -> Process:
        return self.processes[which % len(self.processes)]

    @invariant()
    def what_is_written_is_what_was_published_once_and_in_order(self) -> None:
        for key, written in self.written().items():
            assert written == self.published[key][: len(written)]

    def written(self) -> dict[bytes, list[bytes]]:
        found: dict[bytes, list[bytes]] = {}
        for delivery in self.kafka.read(OUT):
            found.setdefault(delivery.key or b"", []).append(delivery.value or b"")
        return found

    def teardown(self) -> None:
        """One process that nothing happens to finishes the work."""
        while self.processes:
            self.gone(self.processes[0])
        self.start()
        # After crashes each record is named in a commit before it begins.
        for _ in range(4 * sum(map(len, self.published.values())) + 8):
            self.poll(0, 5)
            while self.processes[0].calls:
                self.end_calls(0, [0])
            self.write(0, "known")
        written = self.written()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.on_loop(lambda: None)
        self.loop.close()
        assert written == self.published


TestEngines = Engines.TestCase
TestEngines.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
