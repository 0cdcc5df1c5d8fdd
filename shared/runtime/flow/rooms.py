"""Where records wait for a dependency, a room for each: one looks whether it is back, then the others follow.

To let all of them look at once would be a run of thousands through the handler every few seconds of an outage, and
a blow at a provider that has just come back. So one is let out when the dependency said it is worth looking again; if
it gets through, the next ones follow, twice as many each time.

One that is refused while others are still out tells how many pass just now, and no more: a dependency that has come
back lets them through by and by. Only where nobody is out any more is it away, and one looks again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.runtime.flow.share import Taken

MOST = 256
"""Records let out of one room and not yet ended."""


@dataclass(slots=True)
class Room:
    """Who waits for one dependency."""

    waiting: deque[Taken] = field(default_factory=deque)
    """In the order in which they came."""
    out: int = 0
    """Let out, and not yet ended."""
    quota: int = 1
    """How many may be out."""
    timer: asyncio.TimerHandle | None = None
    """When it is worth looking again."""


class Rooms:
    """All rooms of a process; lives on the loop."""

    def __init__(self, release: Callable[[Taken], None]) -> None:
        """`release` is called with a record that may go on."""
        self._release = release
        self._rooms: dict[str, Room] = {}
        self._out: dict[Taken, Room] = {}

    def __contains__(self, taken: Taken) -> bool:
        """Whether it was let out of a room, and has not ended."""
        return taken in self._out

    def enter(self, dependency: str, taken: Taken, seconds: float) -> None:
        """It waits; `seconds` is when it is worth looking again."""
        room = self._rooms.setdefault(dependency, Room())
        if refused := self._out.get(taken) is room:
            del self._out[taken]
            room.out -= 1
            room.quota = max(room.out, 1)
            room.waiting.appendleft(taken)
        else:
            self.ended(taken, through=True)
            room.waiting.append(taken)
        if refused or not room.out:
            self._look_in(room, seconds)

    def ended(self, taken: Taken, *, through: bool) -> None:
        """It got through, or it is none of ours any more: others may follow it."""
        room = self._out.pop(taken, None)
        if room is not None:
            room.out -= 1
            room.quota = min(room.quota * 2, MOST) if through else room.quota
            self._let_out(room)

    def drop(self, gone: Callable[[Taken], bool]) -> list[Taken]:
        """Take out who is none of ours any more."""
        dropped = []
        for room in self._rooms.values():
            dropped += [taken for taken in room.waiting if gone(taken)]
            room.waiting = deque(taken for taken in room.waiting if not gone(taken))
        return dropped

    def holds(self, dependency: str) -> bool:
        """Whether somebody waits for it, and nobody has got through yet."""
        room = self._rooms.get(dependency)
        return room is not None and bool(room.waiting) and room.quota == 1

    def count(self) -> dict[str, int]:
        """How many wait for what; 0 where somebody did, so that a gauge does not stand still."""
        return {dependency: len(room.waiting) for dependency, room in self._rooms.items()}

    def _look_in(self, room: Room, seconds: float) -> None:
        """Look then at the latest: what was said of another record may lie far behind."""
        loop = asyncio.get_running_loop()
        if room.timer is not None and room.timer.when() <= loop.time() + seconds:
            return
        if room.timer is not None:
            room.timer.cancel()
        room.timer = loop.call_later(seconds, self._look, room)

    def _look(self, room: Room) -> None:
        room.timer = None
        # Those that are still out have got through so far: as many again may follow them.
        room.quota = min(max(room.quota, 2 * room.out), MOST)
        self._let_out(room)

    def _let_out(self, room: Room) -> None:
        while room.waiting and room.out < room.quota:
            taken = room.waiting.popleft()
            room.out += 1
            self._out[taken] = room
            self._release(taken)
