"""Records reach the handler in order within a key, never too many at once, and never after their partition is gone."""

import asyncio
from collections.abc import Callable, Sequence

from shared.core.errors import Misconfigured
from shared.core.settle import Place, Settled
from shared.kafka_port import Record
from shared.runtime.flow.admission import Admission
from shared.runtime.flow.runners import Batches, Inline, Slow, Tasks
from shared.runtime.flow.share import Taken
from shared.runtime.flow.shares import Shares
from shared.runtime.flow.slots import Slots
from tests.pipeline.tiny.pipeline import TICKETS, TRIAGE
from tests.unit.records import NOW, TOPIC, owning, taken

PLACE = Place(TICKETS, TRIAGE)


def nothing(_: Taken, __: Settled) -> tuple[Record, ...]:
    return ()


def offsets(records: Sequence[Taken]) -> list[int]:
    return [one.delivery.position.offset for one in records]


class Desk:
    """A handler that ends when the test says so, and remembers what it was given."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.open: dict[int, asyncio.Future[Settled]] = {}
        self.errors: list[BaseException] = []
        self.tasks = Tasks(self.errors.append)

    async def decide(self, one: Taken) -> Settled:
        offset = one.delivery.position.offset
        self.begun.append(offset)
        self.open[offset] = asyncio.get_running_loop().create_future()
        return await self.open[offset]

    async def end(self, offset: int, settled: Settled | None = None) -> None:
        self.open.pop(offset).set_result(settled or Settled())
        await turns()


def slow(desk: Desk, shares: Shares, in_flight: int) -> Admission:
    def make(admission: Admission) -> Slow:
        return Slow(admission, shares, desk.tasks, desk.decide, Slots(in_flight))

    return Admission(PLACE, shares, nothing, lambda: NOW, make)


def inline(desk: Desk, shares: Shares, decide: Callable[[Taken], Settled]) -> Admission:
    def make(admission: Admission) -> Inline:
        return Inline(admission, shares, desk.tasks, decide)

    return Admission(PLACE, shares, nothing, lambda: NOW, make)


async def turns() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until it holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  what is awaited are turns of this very loop
            await asyncio.sleep(0)


def finished(shares: Shares) -> list[int]:
    return offsets([one.taken for one in shares.await_finished(0, 1000)])


async def test_one_key_is_worked_off_in_order_and_others_beside_it() -> None:
    desk, shares = Desk(), owning(0)
    lanes = slow(desk, shares, 10)
    lanes.admit(taken(shares, [b"a", b"a", b"b", b"a"]))
    await turns()
    assert desk.begun == [0, 2]
    await desk.end(0)
    assert desk.begun == [0, 2, 1]
    await desk.end(1)
    assert desk.begun == [0, 2, 1, 3]
    assert finished(shares) == [0, 1]


async def test_no_more_than_so_many_are_in_flight() -> None:
    desk, shares = Desk(), owning(0)
    lanes = slow(desk, shares, 2)
    lanes.admit(taken(shares, [b"a", b"b", b"c", b"d"]))
    await turns()
    assert desk.begun == [0, 1]
    await desk.end(1)
    assert desk.begun == [0, 1, 2]


async def test_when_more_slots_are_there_they_are_taken_without_anybody_ending() -> None:
    desk, shares, slots = Desk(), owning(0), Slots(1)

    def make(admission: Admission) -> Slow:
        return Slow(admission, shares, desk.tasks, desk.decide, slots)

    line = Admission(PLACE, shares, nothing, lambda: NOW, make)
    line.admit(taken(shares, [b"a", b"b"]))
    await turns()
    assert desk.begun == [0]
    slots.limit = 2
    await until(lambda: desk.begun == [0, 1])


async def test_a_held_record_keeps_its_lane_and_gives_its_slot_to_others() -> None:
    desk, shares = Desk(), owning(0)
    lanes = slow(desk, shares, 1)
    lanes.admit(taken(shares, [b"a", b"a", b"b"]))
    await turns()
    await desk.end(0, Settled(hold=0.0))
    assert desk.begun[:2] == [0, 2]
    await desk.end(2)
    await until(lambda: desk.begun == [0, 2, 0])
    await desk.end(0)
    assert desk.begun == [0, 2, 0, 1]


async def test_what_waits_in_a_lane_of_a_lost_partition_is_thrown_away() -> None:
    desk, shares = Desk(), owning(0, 1)
    lanes = slow(desk, shares, 10)
    lanes.admit(taken(shares, [b"a", b"a", b"a"]) + taken(shares, [b"a"], partition=1, start=7))
    await turns()
    shares.drop([(TOPIC, 0)])
    await desk.end(0)
    assert desk.begun == [0, 7]


async def test_what_is_leaving_ends_what_runs_and_begins_nothing() -> None:
    desk, shares = Desk(), owning(0)
    lanes = slow(desk, shares, 10)
    lanes.admit(taken(shares, [b"a", b"a"]))
    await turns()
    assert not shares.drain(None, 0)
    await desk.end(0)
    shares.committed(shares.await_finished(0, 10))
    assert shares.drain(None, 0)
    assert desk.begun == [0]


async def test_a_held_record_of_a_lost_partition_does_not_come_back() -> None:
    desk, shares = Desk(), owning(0)
    lanes = slow(desk, shares, 10)
    lanes.admit(taken(shares, [b"a"]))
    await turns()
    shares.drop([(TOPIC, 0)])
    await desk.end(0, Settled(hold=0.0))
    await turns()
    assert desk.begun == [0]


async def test_an_error_in_a_lane_reaches_the_owner() -> None:
    desk, shares = Desk(), owning(0)
    lanes = slow(desk, shares, 10)
    lanes.admit(taken(shares, [b"a"]))
    await turns()
    desk.open[0].set_exception(Misconfigured("no model"))
    await until(lambda: bool(desk.errors))
    assert isinstance(desk.errors[0], Misconfigured)


async def test_a_lane_whose_call_is_cancelled_by_others_reaches_the_owner() -> None:
    desk, shares = Desk(), owning(0)
    lanes = slow(desk, shares, 10)
    lanes.admit(taken(shares, [b"a"]))
    await turns()
    desk.open[0].cancel()
    await until(lambda: bool(desk.errors))


async def test_cheap_records_are_finished_in_one_go_and_in_order_within_a_key() -> None:
    desk, shares = Desk(), owning(0)
    line = inline(desk, shares, lambda _: Settled())
    line.admit(taken(shares, [b"a", b"b", b"a"]))
    line.admit(taken(shares, [b"c"], start=3))
    await turns()
    assert finished(shares) == [0, 1, 3, 2]


async def test_an_error_of_a_cheap_handler_reaches_the_owner() -> None:
    def broken(_: Taken) -> Settled:
        raise Misconfigured("no settings")

    desk, shares = Desk(), owning(0)
    inline(desk, shares, broken).admit(taken(shares, [b"a"]))
    await until(lambda: bool(desk.errors))
    assert isinstance(desk.errors[0], Misconfigured)


async def test_a_held_cheap_record_is_tried_again() -> None:
    answers = [Settled(hold=0.0), Settled()]
    desk, shares = Desk(), owning(0)
    inline(desk, shares, lambda _: answers.pop(0)).admit(taken(shares, [b"a"]))
    await until(lambda: finished(shares) == [0])


async def test_a_follower_does_not_overtake_a_held_cheap_record_of_its_key() -> None:
    seen: list[int] = []

    def decide(one: Taken) -> Settled:
        seen.append(one.delivery.position.offset)
        return Settled(hold=0.0) if seen == [0] else Settled()

    desk, shares = Desk(), owning(0)
    line = inline(desk, shares, decide)
    line.admit(taken(shares, [b"a", b"b", b"a"]))
    line.admit(taken(shares, [b"a"], start=3))
    await until(lambda: len(seen) == 5)
    assert seen == [0, 1, 0, 2, 3]


class Table:
    """A batch handler that ends when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.answers: list[asyncio.Future[Sequence[Settled]]] = []

    async def decide(self, batch: Sequence[Taken]) -> Sequence[Settled]:
        self.batches.append(offsets(batch))
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


def batches(desk: Desk, shares: Shares, table: Table, most: int) -> Admission:
    def make(admission: Admission) -> Batches:
        return Batches(admission, shares, desk.tasks, table.decide, most)

    return Admission(PLACE, shares, nothing, lambda: NOW, make)


async def test_what_comes_during_a_batch_joins_the_next_one() -> None:
    desk, table, shares = Desk(), Table(), owning(0)
    bench = batches(desk, shares, table, 3)
    bench.admit(taken(shares, [b"a", b"b"]))
    await turns()
    bench.admit(taken(shares, [b"c", b"d", b"e", b"f"], start=2))
    await turns()
    assert table.batches == [[0, 1]]
    table.answers[0].set_result([Settled(), Settled()])
    await turns()
    assert table.batches == [[0, 1], [2, 3, 4]]


async def test_records_of_one_key_do_not_share_a_batch_and_none_overtakes_a_held_one() -> None:
    desk, table, shares = Desk(), Table(), owning(0)
    bench = batches(desk, shares, table, 10)
    bench.admit(taken(shares, [b"a", b"b", b"a"]))
    await turns()
    table.answers[0].set_result([Settled(hold=0.0), Settled()])
    await until(lambda: len(table.batches) == 2)
    assert table.batches == [[0, 1], [0]]
    assert finished(shares) == [1]
    table.answers[1].set_result([Settled()])
    await until(lambda: len(table.batches) == 3)
    assert table.batches[2] == [2]
    assert finished(shares) == [0]
    table.answers[2].set_result([Settled()])
    await until(lambda: finished(shares) == [2])


async def test_a_batch_leaves_out_what_is_lost() -> None:
    desk, table, shares = Desk(), Table(), owning(0, 1)
    bench = batches(desk, shares, table, 10)
    bench.admit(taken(shares, [b"a"]) + taken(shares, [b"b"], partition=1, start=5))
    shares.drop([(TOPIC, 0)])
    await turns()
    assert table.batches == [[5]]
