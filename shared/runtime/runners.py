"""How records that were taken up get to the handler: three runners, one for each way a handler is written.

    Lanes     async, one event     a task a record, in order within a key, at most N at once
    Inline    plain, one event     the whole batch in one go: a task a record would cost more than the work
    Batches   async, a batch       all that is waiting in one call, one call at a time

All live on the event loop. A runner asks `work` for the decision and hands what is finished to the shares.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from shared.core.settle import Settled
from shared.kafka.transactions import Record
from shared.runtime.shares import Finished, Shares, Taken

Decide = Callable[[Taken], Awaitable[Settled]]
DecideInline = Callable[[Taken], Settled]
DecideBatch = Callable[[Sequence[Taken]], Awaitable[Sequence[Settled]]]
Encode = Callable[[Taken, Settled], tuple[Record, ...]]


class Runner(Protocol):
    """Takes records to the handler."""

    def admit(self, batch: Sequence[Taken]) -> None:
        """Work on these; returns at once."""
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


class Lanes:
    """In order within a key, in parallel across keys, far above the partition count."""

    def __init__(self, shares: Shares, tasks: Tasks, decide: Decide, encode: Encode, in_flight: int) -> None:
        self._shares, self._tasks, self._decide, self._encode = shares, tasks, decide, encode
        self._free = in_flight
        self._lanes: dict[bytes | None, deque[Taken]] = {}
        self._ready: deque[Taken] = deque()

    def admit(self, batch: Sequence[Taken]) -> None:
        """Put each at the end of its key's lane."""
        for taken in batch:
            lane = self._lanes.get(taken.delivery.key)
            if lane is None:
                self._lanes[taken.delivery.key] = deque()
                self._ready.append(taken)
            else:
                lane.append(taken)
        self._pump()

    def _pump(self) -> None:
        while self._ready and self._free:
            taken = self._ready.popleft()
            if self._shares.begin([taken]):
                self._free -= 1
                self._tasks.start(self._run(taken))
            else:
                self._leave(taken)

    async def _run(self, taken: Taken) -> None:
        settled = await self._decide(taken)
        self._free += 1
        if settled.hold is not None:
            # The lane stays taken: a follower of the same key must not overtake what waits for a dependency.
            self._shares.pause([taken])
            asyncio.get_running_loop().call_later(settled.hold, self._again, taken)
        else:
            self._shares.finish([Finished(taken, self._encode(taken, settled))])
            self._leave(taken)
        self._pump()

    def _again(self, taken: Taken) -> None:
        self._ready.append(taken)
        self._pump()

    def _leave(self, taken: Taken) -> None:
        lane = self._lanes[taken.delivery.key]
        if lane:
            self._ready.append(lane.popleft())
        else:
            del self._lanes[taken.delivery.key]


class Held:
    """Records that wait for a dependency, each with those of its key behind it, which must not overtake it."""

    def __init__(self, again: Callable[[Sequence[Taken]], None]) -> None:
        self._again = again
        self._lines: dict[bytes | None, list[Taken]] = {}

    def behind(self, taken: Taken) -> bool:
        """Put it behind the held record of its key; False where there is none."""
        line = self._lines.get(taken.delivery.key)
        if line is not None:
            line.append(taken)
        return line is not None

    def hold(self, taken: Taken, seconds: float) -> None:
        """Hold it, and whatever comes of its key, for that long."""
        self._lines[taken.delivery.key] = [taken]
        asyncio.get_running_loop().call_later(seconds, self._release, taken.delivery.key)

    def _release(self, key: bytes | None) -> None:
        self._again(self._lines.pop(key))


class Inline:
    """The whole batch in one go, on the loop."""

    def __init__(self, shares: Shares, tasks: Tasks, decide: DecideInline, encode: Encode) -> None:
        self._shares, self._tasks, self._decide, self._encode = shares, tasks, decide, encode
        self._held = Held(self.admit)

    def admit(self, batch: Sequence[Taken]) -> None:
        """Decide each and hand all that is finished over at once."""
        # One task for the batch, only so that an error reaches the owner; tasks that never wait run in their order.
        self._tasks.start(self._run(batch))

    async def _run(self, batch: Sequence[Taken]) -> None:
        finished, held = [], []
        for taken in self._shares.begin(batch):
            if self._held.behind(taken):
                held.append(taken)
                continue
            settled = self._decide(taken)
            if settled.hold is None:
                finished.append(Finished(taken, self._encode(taken, settled)))
            else:
                held.append(taken)
                self._held.hold(taken, settled.hold)
        self._shares.pause(held)
        self._shares.finish(finished)


class Batches:
    """All that is waiting in one call, one call at a time."""

    def __init__(self, shares: Shares, tasks: Tasks, decide: DecideBatch, encode: Encode, most: int) -> None:
        self._shares, self._tasks, self._decide, self._encode = shares, tasks, decide, encode
        self._most = most
        self._waiting: deque[Taken] = deque()
        self._held = Held(self.admit)
        self._busy = False

    def admit(self, batch: Sequence[Taken]) -> None:
        """Let them join the next batch."""
        self._waiting.extend(batch)
        if not self._busy and self._waiting:
            self._busy = True
            self._tasks.start(self._run())

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            batch = self._shares.begin([taken for taken in batch if not self._held.behind(taken)])
            finished, held = [], []
            for taken, settled in zip(batch, await self._decide(batch), strict=True):
                # Behind a held one of the same batch: decided already, and decided once more after it.
                if self._held.behind(taken):
                    held.append(taken)
                elif settled.hold is None:
                    finished.append(Finished(taken, self._encode(taken, settled)))
                else:
                    held.append(taken)
                    self._held.hold(taken, settled.hold)
            self._shares.pause(held)
            self._shares.finish(finished)
        self._busy = False
