"""What each runner begins when partitions are suspected, or not opened yet."""

import asyncio
from collections.abc import Sequence

from shared.core.settle import Settled
from shared.kafka_port import Offset
from shared.runtime.flow.runners import After, Batches, Inline, Runner, Slow, Tasks
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.slots import Slots
from tests.unit.crashes import after, commit
from tests.unit.records import TOPIC, taken


class Desk:
    """A runner after crashes, and a committing thread beside it."""

    def __init__(self, crashes: int) -> None:
        self.shares = after(crashes)
        self.errors: list[BaseException] = []
        self.tasks = Tasks(self.errors.append)
        self.most = 0
        self.running = 0
        self.begun: list[bytes | None] = []

    async def slow(self, taken: Taken) -> Settled:
        self.begun.append(taken.key)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return Settled()

    async def batch(self, batch: Sequence[Taken]) -> Sequence[Settled]:
        self.most = max(self.most, len(batch))
        return [Settled()] * len(batch)

    def settled(self, taken: Taken, settled: Settled) -> After:
        return Finished(taken), None

    def skipped(self, taken: Taken) -> Taken | None:
        return None

    async def all_ended(self, runner: Runner) -> int:
        """Start records and commit until all are done; gives how many ran at once in the first commit's time."""
        runner.start(taken(self.shares, [b"%d" % n for n in range(12)]))
        ended, first = 0, 0
        async with asyncio.timeout(5):
            while ended < 12:
                await asyncio.sleep(0)
                ours, told = self.shares.complete(self.shares.await_finished(0, 100))
                self.shares.committed(ours, told)
                ended, first = ended + len(ours), first or len(ours)
                if self.shares.again():
                    runner.pump()
        assert self.errors == []
        return first


async def test_slow_records_are_no_more_than_the_window() -> None:
    desk = Desk(2)
    await desk.all_ended(Slow(desk, desk.shares, desk.tasks, desk.slow, Slots(16)))
    assert desk.most == 4


async def test_a_partition_that_no_commit_has_opened_holds_up_none_that_is_open() -> None:
    desk = Desk(0)
    desk.shares.add([Offset(TOPIC, 1, 0, "")])
    closed = taken(desk.shares, [b"x"], partition=1)
    runner = Slow(desk, desk.shares, desk.tasks, desk.slow, Slots(16))
    runner.start(closed + taken(desk.shares, [b"a", b"b"]))
    await asyncio.sleep(0)
    assert desk.begun == [b"a", b"b"]
    commit(desk.shares)
    runner.pump()
    await asyncio.sleep(0)
    assert desk.begun == [b"a", b"b", b"x"]


async def test_one_that_is_to_run_alone_is_not_overtaken_for_ever() -> None:
    shares = after(4, 0)
    desk = Desk(0)
    desk.shares = shares
    [suspect] = taken(shares, [b"s"])
    runner = Slow(desk, shares, desk.tasks, desk.slow, Slots(16))
    runner.start([suspect, *taken(shares, [b"a", b"b"], partition=1)])
    await asyncio.sleep(0)
    assert desk.begun == [], "the others wait behind it until a commit names it"
    commit(shares)
    runner.pump()
    await asyncio.sleep(0)
    assert desk.begun == [b"s"]


async def test_cheap_records_wait_for_the_commit_of_those_before_them() -> None:
    desk = Desk(2)
    assert await desk.all_ended(Inline(desk, desk.shares, desk.tasks, lambda _: Settled())) == 4


async def test_batches_are_no_larger_than_the_window() -> None:
    desk = Desk(2)
    await desk.all_ended(Batches(desk, desk.shares, desk.tasks, desk.batch, 10))
    assert desk.most == 4
