"""Which record may be begun now: one after the other passes here on its way to the handler, and is counted in and out.

A record is refused while the stage is paused, or
  1. its partition is not open: a commit must say that a process works on it, or a crash at the first record would be
     taken for a clean end
  2. its partition, or one that has records in hand, is suspected, and the window that this leaves is full
  3. it is to run alone, and no commit names it yet; or one names a record that has ended
What is refused stays where it is, in its order, and is asked for again after the next commit.
"""

from collections.abc import Collection

from shared.core import poison
from shared.runtime.flow.gate import Gate
from shared.runtime.flow.share import Share, Taken


class Turnstile:
    """Counts what a process has in hand; used under the lock of its shares."""

    def __init__(self, in_flight: int, gate: Gate) -> None:
        self._in_flight, self._gate = in_flight, gate
        self._suspected: list[Share] = []
        self.in_hand = 0
        """Records begun and not committed, those of lost partitions included: they too can kill the process."""
        self.refused = False
        """Somebody was refused and waits to be asked again."""

    def look(self, shares: Collection[Share]) -> None:
        """The shares, or what is known of their crashes, have changed."""
        self._suspected = [share for share in shares if share.suspicion.crashes]

    def lets(self, taken: Taken, shares: Collection[Share]) -> bool:
        """Whether it may be begun now; where not, what the next commit must say is noted in the shares."""
        passes = not taken.wanted or (not self._gate.shut and self._open(taken.share, shares) and self._fits(taken))
        self.refused |= not passes
        return passes

    @property
    def window(self) -> int:
        """How many records may be in hand at once, judged by the partitions that have any in work."""
        return self._narrowest([share for share in self._suspected if share.progress.incomplete])

    @property
    def suspected(self) -> int:
        """How many partitions are suspected."""
        return len(self._suspected)

    def _open(self, share: Share, shares: Collection[Share]) -> bool:
        if share.suspicion.open:
            return True
        # All that have something to begin at once: one commit each would make a start slow. Not those whose records all
        # wait until they are due: were they open, every end by force would count against records that never ran.
        for one in shares:
            if one.progress.incomplete > one.waiting and not one.draining:
                one.wanted = poison.opened(one.wanted)
        return False

    def _fits(self, taken: Taken) -> bool:
        if not self._suspected:
            return True
        concerned = [share for share in self._suspected if share.in_hand or share is taken.share]
        limit = self._narrowest(concerned) if concerned else self.in_hand + 1
        if self.in_hand >= limit:
            return False
        # Whatever is committed by now names exactly the record that is about to run alone, or none.
        alone = taken.delivery.position.offset if limit == 1 else None
        for share in self._suspected:
            share.wanted = poison.naming(share.wanted, alone if share is taken.share else None)
        return all(share.suspicion.running == share.wanted.running for share in self._suspected)

    def _narrowest(self, suspected: list[Share]) -> int:
        return min((poison.window(self._in_flight, share.suspicion) for share in suspected), default=self._in_flight)
