"""The slots of slow handlers: who is at work, and who has stepped aside because something has to come first.

A call must be noted before it is made and recorded before its result is used. Were the slot kept meanwhile, as many
calls fewer would be in flight as wait for PostgreSQL. So a handler gives its slot to another one while it waits, and
takes one again before it makes its call; those that do come before those that begin. Where every handler steps aside,
some begin before a slot is free, so that the next call is noted when one ends. Never are more calls made at once than
there are slots.

A call that waits for room in its model's limits has stepped aside as well, so that documents of another model go on in
its place. It begins nobody ahead: when it goes on is not known.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.core.ledger import Begun, Intent, Recorded
from shared.ports import Ledger

T = TypeVar("T")

AHEAD = 8
"""One in so many handlers begins before a slot is free for it."""


def _nobody() -> None:
    return None


@dataclass(slots=True)
class Slots:
    """All slots of a process; lives on the loop."""

    limit: int
    """Handlers that may be at work at once."""
    set_aside: Callable[[], int] = lambda: 0
    """How many of them hang, and have others in their place."""
    fell_free: Callable[[], None] = _nobody
    """Told when somebody may begin."""
    at_work: int = 0
    """Handlers at work."""
    aside: int = 0
    """Handlers that wait for the ledger, or for room in a limit."""
    _going_on: "deque[asyncio.Future[None]]" = field(default_factory=deque)
    _stepped: "set[asyncio.Task[Any] | None]" = field(default_factory=set)
    _all_step_aside: bool | None = None

    def take(self) -> bool:
        """A handler may begin: it holds a slot from then on, or will do so before it goes on from the ledger."""
        ahead = self.limit // AHEAD if self._all_step_aside else 0
        begun_ahead = max(0, self.at_work - self._most) + len(self._going_on)
        if self.at_work >= self._most and begun_ahead >= ahead:
            return False
        if self.at_work + self.aside >= self._most + self.limit:
            return False
        self.at_work += 1
        return True

    def leave(self) -> None:
        """A handler is done."""
        task = asyncio.current_task()
        # One that made its calls without the ledger made them as soon as it began.
        self._all_step_aside = task in self._stepped and self._all_step_aside is not False
        self._stepped.discard(task)
        self.give()

    def give(self) -> None:
        """A slot is not held any more."""
        self.at_work -= 1
        self._wake()

    async def before_call(self, work: Awaitable[T]) -> T:
        """Wait for this without a slot, then for a slot: a call is about to be made."""
        self._stepped.add(asyncio.current_task())
        return await self.until(work)

    async def until(self, work: Awaitable[T]) -> T:
        """Wait for this without a slot, then for a slot."""
        done = await self._aside(work)
        self.at_work -= 1
        await self._slot()
        return done

    async def after_call(self, work: Awaitable[T]) -> T:
        """Wait for this without a slot, and go on: the call was made, and what follows it takes moments."""
        return await self._aside(work)

    async def _aside(self, work: Awaitable[T]) -> T:
        self.give()
        self.aside += 1
        self.fell_free()
        try:
            return await work
        finally:
            self.aside -= 1
            self.at_work += 1

    @property
    def _most(self) -> int:
        return self.limit + self.set_aside()

    async def _slot(self) -> None:
        """Return when one that goes on has a slot."""
        if self.at_work < self._most and not self._going_on:
            self.at_work += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._going_on.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn in self._going_on:
                self._going_on.remove(turn)
                self.at_work += 1
            raise

    def _wake(self) -> None:
        # Counted here and not when it runs: somebody could begin in between.
        while self._going_on and self.at_work < self._most:
            self.at_work += 1
            turn = self._going_on.popleft()
            if not turn.done():  # cancelled, and not run since: it gives the slot back when it does
                turn.set_result(None)


@dataclass(frozen=True, slots=True)
class SteppingAside:
    """A ledger for which a handler steps aside. Implements `Ledger`."""

    ledger: Ledger
    """The ledger."""
    slots: Slots
    """The handler's."""

    async def begin(self, intent: Intent) -> Begun:
        """See `Ledger.begin`."""
        return await self.slots.before_call(self.ledger.begin(intent))

    async def end(self, record: Recorded) -> Recorded:
        """See `Ledger.end`."""
        return await self.slots.after_call(self.ledger.end(record))
