"""The two threads around the loop: what cannot be written is kept and tried again, what is lost is not written."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

from shared.core.delivery import Delivery
from shared.core.poison import CALM, Suspicion
from shared.core.progress import decode, read
from shared.core.settle import Place, Settled
from shared.kafka_port import Fenced, Group, GroupMember, Offset, Record, Transactions
from shared.runtime.engine import Engine, EnginePolicy
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.room import Limits
from shared.runtime.flow.runners import Inline, Tasks
from shared.runtime.flow.share import Finished, Taken, Told
from shared.runtime.flow.shares import Shares
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, TOPIC, delivery

QUICK = EnginePolicy(transaction=2, drain_seconds=5, idle_poll_seconds=0.005, batch=4)


class Partition:
    """A consumer of one partition, whose records are all there at once."""

    def __init__(self, records: int, owner: Engine) -> None:
        self.records = [delivery(n, key=b"%d" % n) for n in range(records)]
        self.owner, self.joined, self.closed = owner, False, False
        self.polls: list[int] = []
        self.paused = 0
        self.member = 0

    def poll(self, most: int, seconds: float) -> list[Delivery]:
        if not self.joined:
            self.joined = True
            self.owner.assigned([Offset(TOPIC, 0, 0, "")])
        self.polls.append(most)
        self.member += 1
        batch, self.records = self.records[:most], self.records[most:]
        return batch

    def ended(self) -> list[tuple[str, int]]:
        return []

    def behind(self) -> frozenset[tuple[str, int]]:
        return frozenset()

    def pause(self) -> None:
        self.paused = len(self.polls)

    def resume(self) -> None: ...

    def hold_back(self, full: frozenset[tuple[str, int]]) -> None: ...

    def close(self) -> None:
        self.owner.revoked([(TOPIC, 0)])
        self.closed = True


class Broker:
    """A transactional producer that fails as it is told to."""

    def __init__(self, answers: Sequence[bool | Exception] = (), before: Callable[[], None] | None = None) -> None:
        self.answers, self.before = list(answers), before
        self.attempts: list[list[bytes | None]] = []
        self.written: list[bytes | None] = []
        self.told: list[Offset] = []
        self.progress: dict[tuple[str, int], tuple[int, str]] = {}
        self.since: float | None = None

    def open(self) -> None: ...

    def commit(self, records: Sequence[Record], offsets: Sequence[Offset], group: object) -> frozenset[Offset]:
        self.attempts.append([record.key for record in records])
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        if answer:
            self.written += [record.key for record in records]
            self.told += offsets
            self.progress |= {(o.topic, o.partition): (o.offset, o.metadata) for o in offsets}
        return frozenset(offsets) if answer else frozenset()


class Running:
    """An engine at work on a made-up partition."""

    def __init__(
        self, records: int, broker: Broker, policy: EnginePolicy = QUICK, limits: Limits | None = None
    ) -> None:
        self.errors: list[BaseException] = []
        self.counted = 0
        self.shares = Shares(limits or Limits())
        tasks = Tasks(self.errors.append)
        place, shares = Place(TICKETS, TRIAGE), self.shares
        admission = Admission(
            place, shares, self.encode, lambda: NOW, lambda desk: Inline(desk, shares, tasks, lambda _: Settled())
        )
        self.engine = Engine(policy, self.shares, cast(Transactions, broker), admission, self)
        self.partition = Partition(records, self.engine)
        self.broker = broker
        self.threads = self.engine.start(lambda _: cast(GroupMember, self.partition), self.errors.append)

    def encode(self, taken: Taken, settled: Settled) -> tuple[Record, ...]:
        return (Record("out", taken.delivery.key, b"", (), None),)

    def took(self, deliveries: Sequence[Delivery]) -> None: ...

    def committed(self, records: int, seconds: float) -> None:
        self.counted += records

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  threads set what is looked at
                await asyncio.sleep(0.001)

    async def stop(self) -> None:
        self.engine.stop()
        for thread in self.threads:
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()


def keys(count: int) -> list[bytes]:
    return [b"%d" % n for n in range(count)]


async def test_everything_is_written_once_with_its_progress_and_the_group_is_left() -> None:
    running = Running(9, Broker())
    await running.until(lambda: len(running.broker.written) == 9)
    await running.stop()
    assert running.broker.written == keys(9)
    assert running.broker.progress[TOPIC, 0] == (9, "")
    assert running.counted == 9
    assert running.partition.closed
    assert running.errors == []


async def test_a_partition_is_opened_before_its_first_record_and_closed_after_its_last() -> None:
    running = Running(9, Broker())
    await running.until(lambda: len(running.broker.written) == 9)
    await running.stop()
    assert running.broker.attempts[0] == [], "nothing has run yet"
    first, *_, last = running.broker.told
    assert read(first.offset, first.metadata)[2] == Suspicion(open=True)
    assert read(last.offset, last.metadata) == (8, frozenset(), CALM)


async def test_a_partition_that_is_lost_is_not_closed() -> None:
    running = Running(2, Broker())
    await running.until(lambda: running.broker.written)
    running.engine.lost([(TOPIC, 0)])
    await running.stop()
    last = running.broker.told[-1]
    assert read(last.offset, last.metadata)[2].open


async def test_a_mark_that_could_not_be_written_is_tried_again_before_anything_runs() -> None:
    running = Running(2, Broker([False, False]))
    await running.until(lambda: len(running.broker.written) == 2)
    await running.stop()
    assert running.broker.attempts[:3] == [[], [], []]


async def test_an_aborted_attempt_is_tried_again_as_it_was_before_anything_joins_it() -> None:
    running = Running(6, Broker([True, False, False]))
    await running.until(lambda: len(running.broker.written) == 6)
    await running.stop()
    assert running.broker.attempts[1] == running.broker.attempts[2] == running.broker.attempts[3] != []
    assert running.broker.written == keys(6)


async def test_what_cannot_be_written_does_not_pile_up() -> None:
    policy = EnginePolicy(transaction=2, idle_poll_seconds=0.001, drain_seconds=0.01, batch=4)
    running = Running(500, Broker([True, *[False] * 1000]), policy, Limits(records=5))
    await running.until(lambda: len(running.broker.attempts) == 3)
    assert 500 - len(running.partition.records) <= 5 + policy.transaction
    await running.stop()


async def test_results_of_a_partition_lost_after_an_abort_are_not_written() -> None:
    running = Running(2, Broker([True, False]))
    await running.until(lambda: len(running.broker.attempts) == 2)
    running.engine.lost([(TOPIC, 0)])
    running.engine.assigned([Offset("tickets.other", 0, 0, "")])
    await running.stop()
    assert running.broker.written == []


async def test_a_fenced_process_tells_why_it_ends() -> None:
    running = Running(1, Broker([Fenced("another one")]))
    await running.until(lambda: running.errors)
    await running.stop()
    assert isinstance(running.errors[0], Fenced)


async def test_what_is_committed_when_it_stops_says_what_is_not_done() -> None:
    running = Running(8, Broker())
    await running.until(lambda: running.broker.written)
    await running.stop()
    base, metadata = running.broker.progress[TOPIC, 0]
    high, incomplete = decode(base, metadata)
    done = {n for n in range(8) if n < base or (n <= high and n not in incomplete)}
    assert done == {int(key or b"") for key in running.broker.written}


async def test_a_process_that_leaves_hears_of_the_group_while_it_ends_what_runs() -> None:
    broker = Broker()
    running = Running(4, broker, EnginePolicy(drain_seconds=10, idle_poll_seconds=0.005))
    commit, tried = broker.commit, list[int]()

    def moved_on(records: Sequence[Record], offsets: Sequence[Offset], group: GroupMember) -> frozenset[Offset]:
        """A group that moves on when the process stops: with what it knew before, it may not commit."""
        tried.append(len(records))
        left = running.partition.paused
        return commit(records, offsets, group) if not records or (left and group.member > left) else frozenset()

    broker.commit = moved_on  # type: ignore[method-assign, assignment]
    await running.until(lambda: 4 in tried)
    await running.stop()
    assert running.broker.written == keys(4)
    assert running.broker.progress[TOPIC, 0] == (4, "")


async def test_what_was_in_hand_before_it_joined_again_is_not_committed_in_its_new_generation() -> None:
    broker, later = Broker(), 1_000_000
    running = Running(4, broker)
    commit, complete, began, named = broker.commit, running.shares.complete, [0], list[int]()

    def joins_again(finished: Sequence[Finished]) -> tuple[list[Finished], list[Told]]:
        """In the moment before it is asked what is ours."""
        began[0] = running.partition.member // later
        running.partition.member += later
        return complete(finished)

    def noting(records: Sequence[Record], offsets: Sequence[Offset], group: Group) -> frozenset[Offset]:
        """In the moment before it is written."""
        running.partition.member += later
        named.append(group.member // later - began[0])
        return commit(records, offsets, group)

    running.shares.complete = joins_again  # type: ignore[method-assign]
    broker.commit = noting  # type: ignore[method-assign, assignment]
    await running.until(lambda: len(running.broker.written) == 4)
    await running.stop()
    # It joins twice in each attempt, and each is in the name that it had when the attempt began.
    assert set(named) == {0}
