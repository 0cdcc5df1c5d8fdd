"""Whoever waits for the ledger has no slot, whoever goes on comes first, and never are more at work than may be."""

import asyncio

import pytest

from shared.runtime.flow.slots import Slots


class Work:
    """A handler that holds a slot and then waits for something without one."""

    def __init__(self, slots: Slots) -> None:
        assert slots.take()
        self.wait: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.task = asyncio.ensure_future(slots.before_call(self.wait))


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_steps_aside_makes_room_for_another_one_and_tells_so() -> None:
    told: list[str] = []
    slots = Slots(1, fell_free=lambda: told.append("free"))
    first = Work(slots)
    await turns()
    assert told == ["free"]
    assert slots.take()
    assert not slots.take()
    first.wait.set_result(7)
    await turns()
    assert not first.task.done(), "there is no slot for it yet"
    slots.give()
    assert await first.task == 7
    assert slots.at_work == 1


async def test_who_goes_on_comes_before_who_begins_and_in_their_order() -> None:
    slots = Slots(2)
    waiting = [Work(slots), Work(slots)]
    await turns()
    for work in waiting:
        work.wait.set_result(0)
    await turns()
    assert slots.at_work == 2
    assert all(work.task.done() for work in waiting)


async def test_no_more_are_at_work_than_there_are_slots_however_many_come_back_at_once() -> None:
    slots = Slots(3)
    waiting = [Work(slots) for _ in range(3)]
    await turns()
    assert [slots.take() for _ in range(4)] == [True, True, True, False]
    for work in waiting:
        work.wait.set_result(0)
    await turns()
    assert slots.at_work == 3
    slots.give()
    assert slots.at_work == 3, "handed on at once"
    await turns()
    assert [work.task.done() for work in waiting] == [True, False, False]


async def test_no_more_stand_aside_than_there_are_slots() -> None:
    slots = Slots(2)
    waiting = []
    for _ in range(4):
        waiting.append(Work(slots))
        await turns()
    assert (slots.at_work, slots.aside) == (0, 4)
    assert not slots.take()
    waiting[0].wait.set_result(0)
    await turns()
    assert (slots.at_work, slots.aside) == (1, 3)


async def test_a_slot_is_there_for_the_end_of_one_whose_ledger_failed_or_that_was_cancelled() -> None:
    slots = Slots(2)
    failed, cancelled = Work(slots), Work(slots)
    await turns()
    failed.wait.set_exception(ValueError("refused"))
    with pytest.raises(ValueError, match="refused"):
        await failed.task
    cancelled.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled.task
    assert (slots.at_work, slots.aside) == (2, 0)


async def test_one_that_is_cancelled_while_it_waits_for_its_slot_keeps_the_count_right() -> None:
    slots = Slots(1)
    first = Work(slots)
    await turns()
    assert slots.take()
    first.wait.set_result(0)
    await turns()
    first.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first.task
    assert slots.at_work == 2
    slots.give()
    slots.give()
    assert slots.take()


async def test_who_has_made_its_call_goes_on_at_once_from_the_ledger() -> None:
    slots = Slots(1)
    assert slots.take()
    recorded: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    ends = asyncio.ensure_future(slots.after_call(recorded))
    await turns()
    assert slots.take(), "another one makes its call meanwhile"
    recorded.set_result(7)
    assert await ends == 7
    slots.give()
    assert not slots.take()


async def test_who_waits_for_room_in_a_limit_leaves_its_slot_to_another_and_lets_nobody_begin_ahead() -> None:
    slots = Slots(16)
    room: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def handler() -> None:
        assert slots.take()
        assert await slots.until(room) == 7
        slots.leave()

    handled = asyncio.ensure_future(handler())
    await turns()
    assert (slots.at_work, slots.aside) == (0, 1)
    assert [slots.take() for _ in range(17)] == [True] * 16 + [False]
    room.set_result(7)
    await turns()
    assert not handled.done(), "there is no slot for it yet"
    slots.give()
    await handled
    assert [slots.take() for _ in range(2)] == [True, False]


async def run_one(slots: Slots, *, aside: bool) -> None:
    """A handler from its beginning to its end."""
    assert slots.take()
    if aside:
        await slots.before_call(asyncio.sleep(0))
    slots.leave()


async def test_where_all_step_aside_one_in_eight_begins_before_a_slot_is_free() -> None:
    slots = Slots(16)
    await asyncio.ensure_future(run_one(slots, aside=True))
    assert [slots.take() for _ in range(19)] == [True] * 18 + [False]


async def test_where_one_does_not_nobody_begins_before_a_slot_is_free() -> None:
    slots = Slots(16)
    await asyncio.ensure_future(run_one(slots, aside=True))
    await asyncio.ensure_future(run_one(slots, aside=False))
    await asyncio.ensure_future(run_one(slots, aside=True))
    assert [slots.take() for _ in range(17)] == [True] * 16 + [False]


async def test_those_that_hang_have_others_in_their_place() -> None:
    slots = Slots(2, set_aside=lambda: 1)
    assert [slots.take() for _ in range(4)] == [True, True, True, False]


async def test_a_slot_that_falls_free_to_one_that_was_just_cancelled_is_given_back() -> None:
    slots = Slots(1)
    first = Work(slots)
    await turns()
    assert slots.take()
    first.wait.set_result(0)
    await turns()
    first.task.cancel()
    slots.give()  # in the same turn of the loop: the cancelled one has not run since
    with pytest.raises(asyncio.CancelledError):
        await first.task
    assert slots.at_work == 1, "its own end gives it back"
    slots.give()
    assert slots.at_work == 0
