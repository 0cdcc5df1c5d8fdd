"""Group commit: what many callers ask at once becomes few statements, the next one as soon as the previous one is done.

Nobody waits for a timer: a caller who is alone is served at once, and while one statement runs the next batch gathers.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from shared.core.errors import Unavailable
from shared.database.errors import NAME

I = TypeVar("I")  # noqa: E741  an item
O = TypeVar("O")  # noqa: E741  its answer

MOST = 256
"""Items of one batch."""
PATIENCE = 1.0
"""Seconds for one batch; what takes longer is as good as away for those who wait."""


@dataclass(slots=True)
class Group(Generic[I, O]):
    """Gathers single calls into batches that hold no key twice."""

    run: Callable[[Sequence[I]], Awaitable[Sequence[O | BaseException]]]
    """Does a batch; gives each item's answer or error. What it raises is everybody's."""
    key: Callable[[I], object] = id
    """What may stand only once in a batch."""
    watch: Callable[[int, float], None] = lambda items, seconds: None
    """Told of each batch: its items and seconds."""
    patience: float = PATIENCE
    """Seconds for one batch."""
    _waiting: "list[tuple[I, asyncio.Future[O]]]" = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = field(default=None)
    _abandoned: "set[asyncio.Future[Any]]" = field(default_factory=set)

    async def add(self, item: I) -> O:
        """The item's answer. Raises Unavailable when its batch, or the one before it, took too long."""
        answer: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        return await answer

    async def _serve(self) -> None:
        try:
            while self._waiting:
                batch = self._next()
                began = time.monotonic()
                said = await self._in_time([item for item, _ in batch])
                if isinstance(said, BaseException):
                    # Those behind would wait as long for nothing.
                    batch, self._waiting = batch + self._waiting, []
                    said = [said] * len(batch)
                else:
                    self.watch(len(batch), time.monotonic() - began)
                for (_, answer), own in zip(batch, said, strict=True):
                    _tell(answer, own)
        finally:
            self._task = None

    def _next(self) -> "list[tuple[I, asyncio.Future[O]]]":
        """The oldest of each key, at most so many; the others stay."""
        batch: dict[object, tuple[I, asyncio.Future[O]]] = {}
        later = []
        for entry in self._waiting:
            name = self.key(entry[0])
            if len(batch) < MOST and name not in batch:
                batch[name] = entry
            else:
                later.append(entry)
        self._waiting = later
        return list(batch.values())

    async def _in_time(self, items: Sequence[I]) -> Sequence[O | BaseException] | BaseException:
        """The batch's answers, or the error that is everybody's."""
        # In a task of its own that is left behind: cancelling a statement on a server that is frozen takes ten seconds.
        task = asyncio.ensure_future(self.run(items))
        done, _ = await asyncio.wait({task}, timeout=self.patience)
        if done:
            return task.exception() or task.result()
        self._abandoned.add(task)
        task.add_done_callback(self._forget)
        task.cancel()
        return Unavailable(NAME, f"PostgreSQL did not answer within {self.patience:g} s")

    def _forget(self, task: "asyncio.Future[Any]") -> None:
        self._abandoned.discard(task)
        if not task.cancelled():
            task.exception()


def _tell(answer: "asyncio.Future[O]", said: O | BaseException) -> None:
    if answer.done():  # its caller was cancelled
        return
    if isinstance(said, BaseException):
        answer.set_exception(said)
    else:
        answer.set_result(said)
