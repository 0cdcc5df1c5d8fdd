"""The slots of slow handlers: who is at work, and who has stepped aside because the ledger has to write first.

A call must be noted before it is made and recorded before its result is used. Were the slot kept meanwhile, as many
calls fewer would be in flight as wait for PostgreSQL. So a handler gives its slot to another one while it waits, and
takes one again before it goes on; those that go on come before those that begin. At no time are more handlers at work
than there are slots, and no more stand aside than that.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from shared.core.ledger import Begun, Intent, Recorded
from shared.ports import Ledger

T = TypeVar("T")


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
    """Handlers that wait for the ledger."""
    _going_on: "deque[asyncio.Future[None]]" = field(default_factory=deque)

    def take(self) -> bool:
        """A handler may begin: it holds a slot from then on."""
        if self._going_on or self.at_work >= self._most or self.at_work + self.aside >= self._most + self.limit:
            return False
        self.at_work += 1
        return True

    def give(self) -> None:
        """A handler is done."""
        self.at_work -= 1
        self._wake()

    async def step_aside(self, work: Awaitable[T]) -> T:
        """Wait for this without a slot."""
        self.give()
        self.aside += 1
        self.fell_free()
        try:
            done = await work
        except BaseException:
            # It goes on to its end at once, and will give a slot back.
            self.at_work += 1
            raise
        finally:
            self.aside -= 1
        await self._slot()
        return done

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
            self._going_on.popleft().set_result(None)


@dataclass(frozen=True, slots=True)
class SteppingAside:
    """A ledger for which a handler steps aside. Implements `Ledger`."""

    ledger: Ledger
    """The ledger."""
    slots: Slots
    """The handler's."""

    async def begin(self, intent: Intent) -> Begun:
        """See `Ledger.begin`."""
        return await self.slots.step_aside(self.ledger.begin(intent))

    async def end(self, record: Recorded) -> Recorded:
        """See `Ledger.end`."""
        return await self.slots.step_aside(self.ledger.end(record))
