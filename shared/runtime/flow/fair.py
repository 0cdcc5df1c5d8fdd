"""Gives every partition its part of the room, where calls are slow: whoever has more stands back for who has less.

A client hands over what it fetched in the order in which it came, and that can be a thousand records of one partition:
at slow calls the others, and what has come due in the retry topics, would wait for minutes behind them. To stand back
throws away what was fetched ahead of a partition. It is done only while somebody else is known to have something, and
no longer than until that was taken up, or was seen not to be there yet.
"""

from collections.abc import Callable, Collection

from shared.kafka_port import Partition
from shared.runtime.flow.room import NOTHING
from shared.runtime.flow.shares import Shares

LOOK_SECONDS = 0.5
"""How often it is looked whether somebody has to stand back."""


class Fair:
    """Who stands back now; the polling thread uses it, and `now` is its steady clock."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._looked = float("-inf")
        self._back: frozenset[Partition] = NOTHING

    def standing_back(self, behind: Callable[[], Collection[Partition]], now: float) -> frozenset[Partition]:
        """Partitions of which nothing is to be polled; `behind` are those that hold more than was polled."""
        if not self._back and now - self._looked < LOOK_SECONDS:
            return NOTHING
        self._looked = now
        back = self._shares.give_way(behind())
        # Who has gone back to its part waits for the others all the same: to and fro would fetch everything each time.
        self._back = self._back | back if back else NOTHING
        return self._back

    def polled(self, *, everything: bool) -> None:
        """A poll came back; it brought everything that could be had, or there may be more."""
        if everything:
            self._back = NOTHING
