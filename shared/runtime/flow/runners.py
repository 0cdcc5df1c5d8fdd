"""How records that may begin get to the handler: three runners, one for each way a handler is written.

    Slow      async, one event     a task a record, at most N at once
    Inline    plain, one event     the whole batch in one go: a task a record would cost more than the work
    Batches   async, a batch       all that is there in one call, one call at a time

All live on the event loop. What may begin is not theirs to say: they ask the desk what follows each record.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from shared.core.settle import Settled
from shared.core.turns import Turns
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.shares import Shares
from shared.runtime.flow.slots import Slots

LOOK_SECONDS = 0.5
"""How often records without a slot look whether there are more slots now."""

Decide = Callable[[Taken], Awaitable[Settled]]
DecideInline = Callable[[Taken], Settled]
DecideBatch = Callable[[Sequence[Taken]], Awaitable[Sequence[Settled]]]


class Runner(Protocol):
    """Takes records to the handler."""

    def start(self, batch: Sequence[Taken]) -> None:
        """Work on these, none of which waits for another; returns at once."""
        ...

    def pump(self) -> None:
        """Begin what may be begun by now."""
        ...


After = tuple[Finished | None, Taken | None]
"""What is to be written of a record, if it is done, and which record may begin because of it."""


class Desk(Protocol):
    """Who is told what became of a record, and says what follows."""

    def settled(self, taken: Taken, settled: Settled) -> After:
        """It was decided."""
        ...

    def skipped(self, taken: Taken) -> Taken | None:
        """It may not be begun here any more: which record may begin now."""
        ...


class Tasks:
    """Keeps tasks alive, and lets an error in one reach the owner instead of vanishing with the task."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Awaitable[None]) -> None:
        """Run it in the background."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        # Nobody here cancels: a task that was cancelled all the same leaves a record that would never be done.
        error = asyncio.CancelledError("a handler's task was cancelled") if task.cancelled() else task.exception()
        if error:
            self._failed(error)


class Slow:
    """A task a record, far above the partition count."""

    def __init__(self, desk: Desk, shares: Shares, tasks: Tasks, decide: Decide, slots: Slots) -> None:
        self._desk, self._shares, self._tasks, self._decide = desk, shares, tasks, decide
        self._slots = slots
        slots.fell_free = self.pump
        self._ready: Turns[Taken] = Turns(lambda taken: taken.share.key)
        self._look: asyncio.TimerHandle | None = None

    def start(self, batch: Sequence[Taken]) -> None:
        """Begin as many as there are slots for; the others when one is free."""
        self._ready.add(batch)
        self.pump()

    def pump(self) -> None:
        """Begin what may be begun by now, the partitions in turn."""
        while self._first_may_begin() and self._slots.take():
            taken = self._ready.take()
            if self._shares.begin([taken]):
                self._tasks.start(self._run(taken))
                continue
            self._slots.give()
            if (following := self._desk.skipped(taken)) is not None:
                self._ready.add([following])
        if self._ready and self._look is None:
            # Where all that run hang, none ends that would free a slot: it is time that sets them aside.
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_again)

    def _first_may_begin(self) -> bool:
        """Whether there is one whose turn it is. A partition that no commit has opened yet is passed over; whoever is
        refused for another reason is not overtaken: one that is to run alone would wait for ever.
        """
        for _ in range(self._ready.groups):
            first = self._ready.first
            if self._shares.may_begin(first):
                return True
            if first.share.suspicion.open:
                return False
            self._ready.pass_over()
        return False

    def _look_again(self) -> None:
        self._look = None
        self.pump()

    async def _run(self, taken: Taken) -> None:
        settled = await self._decide(taken)
        self._slots.leave()
        finished, following = self._desk.settled(taken, settled)
        if finished is not None:
            self._shares.finish([finished])
        if following is not None:
            self._ready.add([following])
        self.pump()


class Inline:
    """The whole batch in one go, on the loop."""

    def __init__(self, desk: Desk, shares: Shares, tasks: Tasks, decide: DecideInline) -> None:
        self._desk, self._shares, self._tasks, self._decide = desk, shares, tasks, decide
        self._waiting: deque[Taken] = deque()

    def start(self, batch: Sequence[Taken]) -> None:
        """Decide each and hand all that is finished over at once."""
        self._waiting.extend(batch)
        self.pump()

    def pump(self) -> None:
        """Begin what may be begun by now."""
        # One task for the batch, only so that an error reaches the owner; tasks that never wait run in their order.
        if self._waiting:
            self._tasks.start(self._run())

    async def _run(self) -> None:
        finished: list[Finished] = []
        while batch := begin_next(self._desk, self._shares, self._waiting, len(self._waiting)):
            for taken in batch:
                note(self._desk.settled(taken, self._decide(taken)), finished, self._waiting)
        self._shares.finish(finished)


class Batches:
    """All that is there in one call, one call at a time."""

    def __init__(self, desk: Desk, shares: Shares, tasks: Tasks, decide: DecideBatch, most: int) -> None:
        self._desk, self._shares, self._tasks, self._decide = desk, shares, tasks, decide
        self._most = most
        self._waiting: deque[Taken] = deque()
        self._busy = False

    def start(self, batch: Sequence[Taken]) -> None:
        """Let them join the next batch."""
        self._waiting.extend(batch)
        self.pump()

    def pump(self) -> None:
        """Begin what may be begun by now."""
        if not self._busy and self._waiting:
            self._busy = True
            self._tasks.start(self._run())

    async def _run(self) -> None:
        while batch := begin_next(self._desk, self._shares, self._waiting, self._most):
            finished: list[Finished] = []
            for taken, settled in zip(batch, await self._decide(batch), strict=True):
                note(self._desk.settled(taken, settled), finished, self._waiting)
            self._shares.finish(finished)
        self._busy = False


def begin_next(desk: Desk, shares: Shares, waiting: deque[Taken], most: int) -> Sequence[Taken]:
    """Begin as many of those in front as may be begun now; what may begin in the place of one that is lost joins them.

    Empty where none may be begun, though some may wait.
    """
    while waiting:
        begun, lost = shares.begin_next(waiting, most)
        waiting.extend(taken for one in lost if (taken := desk.skipped(one)) is not None)
        if begun or not lost:
            return begun
    return ()


def note(after: After, finished: list[Finished], following: deque[Taken]) -> None:
    """Add what a record left behind to those that are finished, and to those that may begin."""
    done, follower = after
    if done is not None:
        finished.append(done)
    if follower is not None:
        following.append(follower)
