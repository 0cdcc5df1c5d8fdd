"""What waits for a dependency is let out one first, and the others when that one got through."""

import asyncio
from collections.abc import Callable

from shared.runtime.flow.rooms import Rooms
from shared.runtime.flow.share import Taken
from tests.unit.records import owning, taken

MODEL = "model:large"


class Hall:
    """Rooms, and those that were let out of them."""

    def __init__(self) -> None:
        self.out: list[Taken] = []
        self.rooms = Rooms(self.out.append)
        self.shares = owning(0)
        self.records = taken(self.shares, [b"%d" % n for n in range(20)])

    def fill(self, count: int) -> None:
        for one in self.records[:count]:
            self.rooms.enter(MODEL, one, 0.0)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110  what is awaited are turns of this very loop
                await asyncio.sleep(0)


async def test_one_looks_whether_it_is_back_while_the_others_wait() -> None:
    hall = Hall()
    hall.fill(10)
    await hall.until(lambda: bool(hall.out))
    assert hall.out == hall.records[:1]
    assert hall.rooms.count() == {MODEL: 9}
    assert hall.rooms.holds(MODEL)


async def test_one_that_has_to_wait_again_is_the_next_to_look() -> None:
    hall = Hall()
    hall.fill(3)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.enter(MODEL, hall.out[0], 0.0)
    await hall.until(lambda: len(hall.out) == 2)
    assert hall.out == [hall.records[0]] * 2


async def test_when_one_gets_through_the_others_follow_twice_as_many_each_time() -> None:
    hall = Hall()
    hall.fill(20)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.ended(hall.out[0], through=True)
    assert len(hall.out) == 3
    assert not hall.rooms.holds(MODEL)
    hall.rooms.ended(hall.out[1], through=True)
    assert len(hall.out) == 1 + 2 + 3
    for one in hall.out[2:6]:
        hall.rooms.ended(one, through=True)
    assert hall.out == hall.records


async def test_a_refusal_while_others_get_through_takes_nothing_back() -> None:
    hall = Hall()
    hall.fill(20)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.ended(hall.out[0], through=True)
    hall.rooms.ended(hall.out[1], through=True)  # a quota of four, and as many out
    for one in hall.out[4:6]:
        hall.rooms.enter(MODEL, one, 60.0)  # two of them pass, as far as is known
    assert len(hall.out) == 6
    assert not hall.rooms.holds(MODEL)
    hall.rooms.ended(hall.out[2], through=True)
    assert len(hall.out) == 6 + 3, "twice the two that passed"


async def test_where_some_are_out_the_others_look_again_when_it_is_worth_it_and_as_many_follow() -> None:
    hall = Hall()
    hall.fill(20)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.ended(hall.out[0], through=True)
    hall.rooms.ended(hall.out[1], through=True)
    for one in hall.out[4:6]:
        hall.rooms.enter(MODEL, one, 0.0)
    await hall.until(lambda: len(hall.out) == 6 + 2)


async def test_where_all_are_refused_one_looks_again() -> None:
    hall = Hall()
    hall.fill(20)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.ended(hall.out[0], through=True)
    hall.rooms.ended(hall.out[1], through=True)
    for one in hall.out[2:6]:
        hall.rooms.enter(MODEL, one, 0.0)
    assert hall.rooms.holds(MODEL)
    await hall.until(lambda: len(hall.out) > 6)
    assert len(hall.out) == 7


async def test_what_is_due_earlier_is_looked_for_earlier() -> None:
    hall = Hall()
    hall.rooms.enter(MODEL, hall.records[0], 600.0)
    hall.rooms.enter(MODEL, hall.records[1], 0.0)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.enter(MODEL, hall.records[2], 600.0)
    assert hall.out == hall.records[:1], "in the order in which they came"


async def test_one_that_is_lost_lets_the_next_one_look() -> None:
    hall = Hall()
    hall.fill(3)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.ended(hall.out[0], through=False)
    assert hall.out == hall.records[:2]


async def test_one_that_comes_to_wait_for_something_else_counts_as_through() -> None:
    hall = Hall()
    hall.fill(3)
    await hall.until(lambda: bool(hall.out))
    hall.rooms.enter("database", hall.out[0], 60.0)
    assert hall.out == hall.records[:3]
    assert hall.rooms.count() == {MODEL: 0, "database": 1}


async def test_rooms_do_not_wait_for_each_other() -> None:
    hall = Hall()
    hall.rooms.enter("database", hall.records[0], 60.0)
    hall.rooms.enter(MODEL, hall.records[1], 0.0)
    await hall.until(lambda: bool(hall.out))
    assert hall.out == hall.records[1:2]


async def test_who_is_lost_is_taken_out() -> None:
    hall = Hall()
    hall.fill(4)
    lost = hall.records[2]
    assert hall.rooms.drop(lambda one: one is lost) == [lost]
    assert hall.rooms.count() == {MODEL: 3}
