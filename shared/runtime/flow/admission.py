"""Decides which records may begin: in order within a key, when they are due, and when what they need is there.

    taken up -> due? -> first of its key? -> runner -> settled -> finished, or held until its dependency is back
                                                                        too many held: to the parked topic

What waits keeps its place in its key's order, and takes no slot and nobody's room. It lives on the event loop.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from shared.core.delivery import Delivery
from shared.core.headers import WAITS_FOR, header
from shared.core.lanes import Lanes
from shared.core.settle import Place, Settled, park
from shared.kafka_port import Record
from shared.runtime.flow.rooms import Rooms
from shared.runtime.flow.runners import After, Runner
from shared.runtime.flow.share import Finished, Taken
from shared.runtime.flow.shares import Shares

BEHIND = "document"
"""What a record waits for that stands behind an older one of its key."""
LOOK_SECONDS = 1.0
"""When a record that was parked before, and whose dependency others wait for, is worth another look."""

Encode = Callable[[Taken, Settled], tuple[Record, ...]]


class Admission:
    """Stands before a runner and behind it."""

    def __init__(
        self,
        place: Place,
        shares: Shares,
        encode: Encode,
        now: Callable[[], datetime],
        make: Callable[["Admission"], Runner],
    ) -> None:
        """`make` gives the runner, which tells back what became of each record."""
        self._place, self._shares, self._encode, self._now = place, shares, encode, now
        self._lanes: Lanes[Taken] = Lanes()
        self._rooms = Rooms(self._released)
        self._held: set[bytes | None] = set()
        self._standing: dict[bytes | None, dict[Taken, None]] = {}
        self._not_due: dict[Taken, asyncio.TimerHandle] = {}
        self._runner = make(self)

    @property
    def waiting(self) -> dict[str, int]:
        """How many wait for which dependency, for metrics."""
        return self._rooms.count()

    def admit(self, batch: Sequence[Taken]) -> None:
        """Let those begin that may, and the others when they may."""
        ready = []
        for taken in batch:
            if (seconds := seconds_until_due(self._place, taken.delivery, self._now())) > 0:
                self._shares.wait(taken)
                self._lanes.expect(taken)
                self._look_after(taken.key)
                self._not_due[taken] = asyncio.get_running_loop().call_later(seconds, self._due, taken)
            elif (begins := self._arrive(taken)) is not None:
                ready.append(begins)
        if ready:
            self._runner.start(ready)

    def settled(self, taken: Taken, settled: Settled) -> After:
        """A record was decided: what is to be written of it, if it is done, and which one of its key may begin now."""
        if settled.hold is not None:
            if self._keeps(taken, settled.dependency):
                self._shares.rest(taken)
                self._hold(settled.dependency, taken, settled.hold)
                return None, None
            settled = park(self._place, taken.delivery, settled.dependency)
        self._rooms.ended(taken, through=True)
        following = self._lanes.send_away(taken) if settled.comes_back else self._lanes.done(taken)
        self._look_after(taken.key)
        return Finished(taken, self._encode(taken, settled)), following

    def skipped(self, taken: Taken) -> Taken | None:
        """A record is none of ours any more and was not begun; gives the one of its key that may begin now."""
        self._rooms.ended(taken, through=False)
        following = self._lanes.done(taken)
        self._look_after(taken.key)
        return following

    def dropped(self) -> None:
        """Partitions are gone: what waited for them, and what was away in them, holds nobody up."""

        def gone(taken: Taken) -> bool:
            return not taken.share.alive

        ready = self._lanes.forget(gone)
        for taken in ready:
            self._look_after(taken.key)
        for taken in self._rooms.drop(gone):
            self._held.discard(taken.key)
            if (following := self.skipped(taken)) is not None:
                ready.append(following)
        if ready:
            self._runner.start(ready)

    def recall(self, wanted: Callable[[Taken], bool]) -> None:
        """Have those that wait, and are wanted, go on at once: for a time, or for a dependency."""
        for taken in self._rooms.drop(wanted):
            self._released(taken)
        for taken in [each for each in self._not_due if each.share.alive and wanted(each)]:
            self._not_due[taken].cancel()
            self._due(taken)

    def pump(self) -> None:
        """Have the runner look again."""
        self._runner.pump()

    def _due(self, taken: Taken) -> None:
        del self._not_due[taken]
        if not taken.share.alive:
            return
        self._shares.go_on(taken)
        if (begins := self._arrive(taken)) is not None:
            self._runner.start([begins])

    def _arrive(self, taken: Taken) -> Taken | None:
        begins = self._lanes.add(taken)
        self._look_after(taken.key)
        dependency = header(taken.delivery.headers, WAITS_FOR) if taken.share.parked else ""
        if begins is not None and dependency and self._rooms.holds(dependency):
            # Others wait for the same: to ask once more on its behalf would tell nothing.
            self._shares.wait(begins)
            self._hold(dependency, begins, LOOK_SECONDS)
            return None
        return begins

    def _keeps(self, taken: Taken, dependency: str) -> bool:
        """Whether it may wait here. One that was let out to look has its place: were it moved, the next would look."""
        return self._place.stage.lives_by(dependency) or taken in self._rooms or self._shares.may_wait(taken)

    def _hold(self, dependency: str, taken: Taken, seconds: float) -> None:
        self._held.add(taken.key)
        self._look_after(taken.key)
        self._rooms.enter(dependency, taken, seconds)

    def _released(self, taken: Taken) -> None:
        self._held.discard(taken.key)
        self._shares.go_on(taken)
        self._look_after(taken.key)
        self._runner.start([taken])

    def _look_after(self, key: bytes | None) -> None:
        """Those that stand behind a record which waits, wait themselves: they may fill no more than it may."""
        if key in self._held or self._lanes.blocked(key):
            standing = self._standing.setdefault(key, {})
            for taken in self._lanes.followers(key):
                if taken not in standing:
                    self._stand(taken, standing)
        elif (freed := self._standing.pop(key, None)) is not None:
            for taken in freed:
                self._shares.go_on(taken)

    def _stand(self, taken: Taken, standing: dict[Taken, None]) -> None:
        if self._shares.may_wait(taken):
            standing[taken] = None
            self._shares.wait(taken)
            return
        self._lanes.send_away(taken)
        if self._shares.begin([taken]):
            away = park(self._place, taken.delivery, BEHIND)
            self._shares.finish([Finished(taken, self._encode(taken, away))])


def seconds_until_due(place: Place, delivery: Delivery, now: datetime) -> float:
    """How long the record still has to wait; 0 where it comes from no retry topic."""
    tiers = place.pipeline.topics(place.stage).retries
    if delivery.position.topic not in tiers:
        return 0.0
    tier = tiers.index(delivery.position.topic) + 1
    # The same salt as ever, so that a restart does not make it wait anew.
    delay = place.pipeline.retry_policy(place.stage).delay(tier, str(delivery.position))
    return delay - (now - delivery.appended_at).total_seconds()
