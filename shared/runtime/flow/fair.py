"""Gives every partition its part of the room, where calls are slow: whoever has more stands back for who has less.

A client hands over what it fetched in the order in which it came, and that can be a thousand records of one partition:
at slow calls the others, and what has come due in the retry topics, would wait for minutes behind them. To stand back
throws away what was fetched ahead of a partition. It is done only while somebody else is known to have something, and
no longer than until that was taken up, or was seen not to be there yet.
"""

from collections.abc import Callable, Collection

from shared.core.event import Partition
from shared.runtime.flow.room import NOTHING
from shared.runtime.flow.shares import Shares

LOOK_SECONDS = 0.05
"""How often it is looked, where no poll has brought a whole part of the room meanwhile."""
REST_SECONDS = 0.5
"""How long nobody stands back after somebody did: each time costs a fetch."""
EMPTY_POLLS = 20
"""Polls that bring less than they could after which a retry topic's end is waited for no longer by all."""


class Fair:
    """Who stands back now; the polling thread uses it, and `now` is its steady clock."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._back: frozenset[Partition] = NOTHING
        self._next_look = float("-inf")
        self._rests_until = float("-inf")
        self._empty_polls = 0

    def standing_back(self, behind: Callable[[], Collection[Partition]], now: float) -> frozenset[Partition]:
        """Partitions of which nothing is to be polled: those that may not be read yet, and those that stand back.

        `behind` gives those that hold more than was polled.
        """
        # That a retry topic has ended is told behind everything that was fetched before, and its input waits for it.
        if not (early := self._shares.early()):
            self._empty_polls = 0
        elif self._shares.limits.slow and self._empty_polls < EMPTY_POLLS:
            return self._shares.inputs()
        return early | self._turns(behind, now)

    def _turns(self, behind: Callable[[], Collection[Partition]], now: float) -> frozenset[Partition]:
        if now < self._rests_until or (not self._back and now < self._next_look):
            return self._back
        self._next_look = now + LOOK_SECONDS
        self._change(self._shares.give_way(self._back, behind), now)
        return self._back

    def polled(self, now: float, brought: int, most: int) -> None:
        """A poll for at most so many came back with this."""
        if brought < most:
            self._empty_polls += 1
            # It was all that could be had: whoever was waited for has nothing that can be read yet.
            self._change(NOTHING, now)
        elif brought >= self._shares.part:
            self._next_look = now

    def _change(self, back: frozenset[Partition], now: float) -> None:
        if self._back and not back:
            self._rests_until = now + REST_SECONDS
        self._back = back
