"""The partitions this process works on, and what it holds of each: all that the Kafka threads and the loop share.

A share lives from an assignment to its loss and is never revived: whatever still refers to a dead one is thrown away,
because another process does that work now.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence

from shared.core import poison
from shared.core.delivery import Delivery
from shared.core.event import Partition
from shared.core.lag import Reach
from shared.core.topics import StageTopics
from shared.kafka_port import Offset
from shared.runtime.flow import room
from shared.runtime.flow.gate import Gate
from shared.runtime.flow.room import NOTHING, Limits
from shared.runtime.flow.share import Finished, Share, Standing, Taken, Told
from shared.runtime.flow.turnstile import Turnstile

CLOSING = 3.0
"""Seconds for the commit that says that a partition was left in good order."""
SLICE = 0.1
"""Seconds between two calls of what is done while a partition is drained."""


class Shares:
    """All shares of a process, behind one lock that is held for moments only."""

    def __init__(
        self, limits: Limits | None = None, topics: StageTopics | None = None, gate: Gate | None = None
    ) -> None:
        """`topics` are the stage's own; None where nothing comes back."""
        self.limits = limits or Limits()
        """How much may be held."""
        self.changed = threading.Condition()
        """Notified whenever a record finishes, is committed, or a share changes."""
        self._topics = topics
        self._shares: dict[Partition, Share] = {}
        self._finished: list[Finished] = []
        self._gate = gate or Gate()
        self._turnstile = Turnstile(self.limits.in_flight, self._gate)
        self._pressing = False

    def add(self, offsets: Iterable[Offset]) -> None:
        """These partitions are ours."""
        with self.changed:
            for start in offsets:
                key = start.topic, start.partition
                if (former := self._shares.get(key)) is not None:
                    former.alive = False
                self._shares[key] = share = Share.taken_over(start, self.limits.in_flight)
                if self._topics is not None:
                    share.comeback = start.topic != self._topics.input
                    share.parked = start.topic == self._topics.parked
            self._turnstile.look(self._shares.values())

    def take(self, deliveries: Iterable[Delivery]) -> list[Taken]:
        """Take records up; leaves out what an earlier owner has completed, and what is not ours."""
        taken = []
        with self.changed:
            for delivery in (each.believed for each in deliveries):
                position = delivery.position
                share = self._shares.get((position.topic, position.partition))
                if share is not None and share.progress.admit(position.offset, delivery.appended_at):
                    guilty = share.suspicion.crashes and poison.condemned(share.suspicion) == position.offset
                    taken.append(Taken(share, delivery, poison.verdict(share.suspicion) if guilty else ""))
                    share.held_bytes += taken[-1].size
        return taken

    def room(self, held: Collection[Partition] = NOTHING) -> int:
        """How many more may be taken up, given the partitions that are held back; none while the stage is paused."""
        with self.changed:
            return 0 if self._gate.shut else room.room(self.limits, self._shares.values(), held)

    @property
    def part(self) -> int:
        """What one poll may bring: where calls are slow, no more than one partition's part of the room."""
        with self.changed:
            return max(int(room.part(self.limits, self._shares.values())), 1) if self.limits.slow else sys.maxsize

    def full(self) -> frozenset[Partition]:
        """Partitions of which nothing more may be taken up for now."""
        with self.changed:
            return room.full(self.limits, self._shares.values())

    def inputs(self) -> frozenset[Partition]:
        """Partitions of the input topic."""
        with self.changed:
            return frozenset(key for key, share in self._shares.items() if not share.comeback)

    def give_way(self, back: frozenset[Partition], behind: Callable[[], Collection[Partition]]) -> frozenset[Partition]:
        """Partitions that have to stand back, given those that do and those that hold more than was polled."""
        with self.changed:
            return room.give_way(self.limits, self._shares.values(), back, behind)

    def early(self) -> frozenset[Partition]:
        """Partitions that are not to be read before their retry and parked topics have been."""
        with self.changed:
            shares = self._shares.values()
            # Asked before every poll, and all that comes back has been met soon after an assignment.
            if all(share.caught_up for share in shares if share.comeback):
                return NOTHING
            return room.early(shares, room.full(self.limits, shares))

    def reached_end(self, partitions: Iterable[Partition]) -> None:
        """Everything that these hold now has been read."""
        with self.changed:
            for key in partitions:
                if (share := self._shares.get(key)) is not None:
                    share.caught_up = True

    def may_wait(self, taken: Taken) -> bool:
        """Whether it may wait here, and need not go to the parked topic."""
        with self.changed:
            return room.may_wait(self.limits, self._shares.values(), taken)

    def wait(self, taken: Taken) -> None:
        """It waits, and takes nobody's place meanwhile."""
        with self.changed:
            taken.share.wait(taken.size)

    def go_on(self, taken: Taken) -> None:
        """Its waiting is over."""
        with self.changed:
            taken.share.go_on(taken.size)

    def may_begin(self, taken: Taken) -> bool:
        """Whether it may be begun now. Where not, the runner is asked to look again, after a commit at the latest."""
        with self.changed:
            passes = self._turnstile.lets(taken, self._shares.values())
            if not passes and any(share.changed for share in self._shares.values()):
                self._press()
            return passes

    def begin(self, taken: Sequence[Taken]) -> list[Taken]:
        """A handler starts on them; gives those that may still be begun here.

        Asked and counted under one lock: a partition that leaves in between would not wait for what is begun after it.
        """
        with self.changed:
            begun = [one for one in taken if one.wanted]
            for one in begun:
                one.share.running += 1
            self._turnstile.in_hand += len(begun)
            return begun

    def begin_next(self, waiting: deque[Taken], most: int) -> tuple[list[Taken], list[Taken]]:
        """Take those in front as far as they may be begun now; gives the begun ones, and those not wanted any more."""
        begun: list[Taken] = []
        lost: list[Taken] = []
        with self.changed:
            while waiting and len(begun) < most and self.may_begin(waiting[0]):
                taken = waiting.popleft()
                (begun if self.begin([taken]) else lost).append(taken)
        return begun, lost

    def again(self) -> bool:
        """Whether somebody was refused since this was last asked: the runner should look again."""
        with self.changed:
            refused, self._turnstile.refused = self._turnstile.refused, False
            return refused

    def rest(self, taken: Taken) -> None:
        """The handler stopped without finishing it; it waits, and will be begun again."""
        with self.changed:
            taken.share.rest(taken.delivery.position.offset, taken.size)
            self._turnstile.in_hand -= 1
            self.changed.notify_all()

    def finish(self, finished: Sequence[Finished]) -> None:
        """The handler is done with them."""
        with self.changed:
            for one in finished:
                one.taken.share.finish()
            self._finished += finished
            self.changed.notify_all()

    def await_finished(self, seconds: float, most: int) -> list[Finished]:
        """What has finished, as soon as something has, or as a commit is wanted for another reason."""
        with self.changed:
            self.changed.wait_for(lambda: bool(self._finished) or self._pressing, seconds)
            self._pressing = False
            batch, self._finished = self._finished[:most], self._finished[most:]
            return batch

    def complete(self, finished: Sequence[Finished]) -> tuple[list[Finished], list[Told]]:
        """Count them as done; gives those that are still ours with the progress that must be written with them.

        Asked under one lock: were a partition lost in between, its results would be written without their progress, and
        written once more by whoever does that work now. Telling the same ones again does no harm.
        """
        with self.changed:
            ours = [one for one in finished if one.taken.share.alive]
            self._turnstile.in_hand -= len(finished) - len(ours)
            for one in ours:
                one.taken.share.complete(one.taken.delivery.position.offset)
            return ours, [share.tell() for share in self._shares.values() if share.changed]

    def committed(self, finished: Sequence[Finished], told: Iterable[Told] = ()) -> None:
        """Their transaction is through, and what it says of shares."""
        with self.changed:
            for one in finished:
                one.taken.share.uncommitted -= 1
                one.taken.share.held_bytes -= one.taken.size
            self._turnstile.in_hand -= len(finished)
            for said in told:
                said.share.suspicion = said.suspicion
            self._turnstile.look(self._shares.values())
            self.changed.notify_all()

    def not_committed(self, told: Iterable[Told]) -> None:
        """Their transaction was aborted: the progress is still to be told."""
        with self.changed:
            for one in told:
                one.share.progress.dirty = True

    def drain(
        self, partitions: Iterable[Partition] | None, seconds: float, meanwhile: Callable[[], object] = lambda: None
    ) -> bool:
        """Begin nothing more of these (None: all) and wait for what runs to be committed; False at the deadline.

        1. nothing more is begun
        2. what runs is finished and committed, or the deadline is there; `meanwhile` is called again and again
        3. a commit says that the partitions are closed: what still runs was given up in good order, and is not to be
           taken for what killed a process. Said any earlier, a crash during 2 would be counted against nobody.
        """
        with self.changed:
            keys = list(self._shares) if partitions is None else list(partitions)
            leaving = [self._shares[key] for key in keys if key in self._shares]
            for share in leaving:
                share.draining = True  # 1
        drained = self._wait(lambda: not any(each.alive and each.in_hand for each in leaving), seconds, meanwhile)  # 2
        with self.changed:
            for share in leaving:
                share.wanted = poison.closed(share.wanted)  # 3
            self._press()
        closing = min(seconds, CLOSING)
        self._wait(lambda: not any(each.alive and each.suspicion.open for each in leaving), closing, meanwhile)
        return drained

    def _wait(self, holds: Callable[[], bool], seconds: float, meanwhile: Callable[[], object]) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            with self.changed:
                if self.changed.wait_for(holds, min(max(deadline - time.monotonic(), 0), SLICE)):
                    return True
            if time.monotonic() >= deadline:
                return False
            meanwhile()

    def drop(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more."""
        with self.changed:
            for key in partitions:
                if (share := self._shares.pop(key, None)) is not None:
                    share.alive = False
            self._turnstile.look(self._shares.values())
            self.changed.notify_all()

    def standing(self) -> Standing:
        """How things stand, for whoever watches."""
        with self.changed:
            shares = self._shares.values()
            ages = [share.progress.oldest for share in shares]
            return Standing(
                held=sum(share.progress.incomplete for share in shares),
                waiting=sum(share.waiting for share in shares),
                in_retry=sum(share.waiting for share in shares if share.comeback and not share.parked),
                paused=self._gate.shut,
                window=self._turnstile.window,
                suspected=self._turnstile.suspected,
                span=max((share.progress.span for share in shares), default=0),
                oldest=min((age for age in ages if age is not None), default=None),
            )

    def reached(self) -> dict[Partition, Reach]:
        """How far the process is on each partition that is its own."""
        with self.changed:
            each = [(share.key, share.progress) for share in self._shares.values()]
            return {key: Reach(one.incomplete, one.ahead, one.oldest) for key, one in each}

    def owned(self) -> list[Partition]:
        """Partitions that are ours."""
        with self.changed:
            return sorted(self._shares)

    def _press(self) -> None:
        self._pressing = True
        self.changed.notify_all()
