"""The partitions this process works on, and what it holds of each: all that the Kafka threads and the loop share.

A share lives from an assignment to its loss and is never revived: whatever still refers to a dead one is thrown away,
because another process does that work now.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from shared.core.delivery import Delivery
from shared.core.progress import Progress
from shared.core.topics import StageTopics
from shared.kafka.transactions import Offset
from shared.runtime import room
from shared.runtime.room import NOTHING, Limits, Partition
from shared.runtime.share import Finished, Share, Taken


@dataclass(slots=True)
class Shares:
    """All shares of a process, behind one lock that is held for moments only."""

    limits: Limits = field(default_factory=Limits)
    """How much may be held."""
    topics: StageTopics | None = None
    """The stage's own; None where nothing comes back."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    """Notified whenever a record finishes, is committed, or a share changes."""
    _shares: dict[Partition, Share] = field(default_factory=dict)
    _finished: list[Finished] = field(default_factory=list)

    def add(self, offsets: Iterable[Offset]) -> None:
        """These partitions are ours."""
        with self.changed:
            for start in offsets:
                key = start.topic, start.partition
                if (former := self._shares.get(key)) is not None:
                    former.alive = False
                self._shares[key] = share = Share(*key, Progress(start.offset, start.metadata))
                if self.topics is not None:
                    share.comeback = start.topic != self.topics.input
                    share.parked = start.topic == self.topics.parked

    def take(self, deliveries: Iterable[Delivery]) -> list[Taken]:
        """Take records up; leaves out what an earlier owner has completed, and what is not ours."""
        taken = []
        with self.changed:
            for delivery in deliveries:
                position = delivery.position
                share = self._shares.get((position.topic, position.partition))
                if share is not None and share.progress.admit(position.offset):
                    taken.append(Taken(share, delivery))
                    share.held_bytes += taken[-1].size
        return taken

    def room(self, held: Collection[Partition] = NOTHING) -> int:
        """How many more records may be taken up, given the partitions that are held back."""
        with self.changed:
            return room.room(self.limits, self._shares.values(), held)

    def full(self) -> frozenset[Partition]:
        """Partitions of which nothing more may be taken up for now."""
        with self.changed:
            return room.full(self.limits, self._shares.values())

    def early(self) -> frozenset[Partition]:
        """Partitions that are not to be read before their retry and parked topics have been."""
        with self.changed:
            shares = self._shares.values()
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
            taken.share.waiting += 1
            taken.share.waiting_bytes += taken.size

    def go_on(self, taken: Taken) -> None:
        """Its waiting is over."""
        with self.changed:
            taken.share.waiting -= 1
            taken.share.waiting_bytes -= taken.size

    def begin(self, taken: Sequence[Taken]) -> list[Taken]:
        """A handler starts on them; gives those that may still be begun here.

        Asked and counted under one lock: a partition that leaves in between would not wait for what is begun after it.
        """
        with self.changed:
            begun = [one for one in taken if one.wanted]
            for one in begun:
                one.share.running += 1
            return begun

    def rest(self, taken: Taken) -> None:
        """The handler stopped without finishing it; it waits, and will be begun again."""
        with self.changed:
            taken.share.running -= 1
            taken.share.waiting += 1
            taken.share.waiting_bytes += taken.size
            self.changed.notify_all()

    def finish(self, finished: Sequence[Finished]) -> None:
        """The handler is done with them."""
        with self.changed:
            for one in finished:
                one.taken.share.running -= 1
                one.taken.share.uncommitted += 1
            self._finished += finished
            self.changed.notify_all()

    def await_finished(self, seconds: float, most: int) -> list[Finished]:
        """What has finished, as soon as something has."""
        with self.changed:
            self.changed.wait_for(lambda: bool(self._finished), seconds)
            batch, self._finished = self._finished[:most], self._finished[most:]
            return batch

    def complete(self, finished: Sequence[Finished]) -> tuple[list[Finished], list[tuple[Share, Offset]]]:
        """Count them as done; gives those that are still ours with the progress that must be written with them.

        Asked under one lock: were a partition lost in between, its results would be written without their progress, and
        written once more by whoever does that work now. Telling the same ones again does no harm.
        """
        with self.changed:
            ours = [one for one in finished if one.taken.share.alive]
            for one in ours:
                one.taken.share.progress.complete(one.taken.delivery.position.offset)
            changed = [share for share in self._shares.values() if share.progress.dirty]
            for share in changed:
                share.progress.dirty = False
            return ours, [(s, Offset(s.topic, s.partition, *s.progress.snapshot())) for s in changed]

    def committed(self, finished: Sequence[Finished]) -> None:
        """Their transaction is through."""
        with self.changed:
            for one in finished:
                one.taken.share.uncommitted -= 1
                one.taken.share.held_bytes -= one.taken.size
            self.changed.notify_all()

    def not_committed(self, shares: Iterable[Share]) -> None:
        """Their transaction was aborted: the progress is still to be told."""
        with self.changed:
            for share in shares:
                share.progress.dirty = True

    def drain(self, partitions: Iterable[Partition] | None, seconds: float) -> bool:
        """Begin nothing more of these (None: all) and wait for what runs to be committed; False at the deadline."""
        with self.changed:
            keys = list(self._shares) if partitions is None else list(partitions)
            leaving = [self._shares[key] for key in keys if key in self._shares]
            for share in leaving:
                share.draining = True
            return self.changed.wait_for(lambda: all(not s.running and not s.uncommitted for s in leaving), seconds)

    def drop(self, partitions: Iterable[Partition]) -> None:
        """These are not ours any more."""
        with self.changed:
            for key in partitions:
                if (share := self._shares.pop(key, None)) is not None:
                    share.alive = False
            self.changed.notify_all()

    def count(self, of: Callable[[Share], int]) -> int:
        """Sum of something over all shares."""
        with self.changed:
            return sum(of(share) for share in self._shares.values())

    def owned(self) -> list[Partition]:
        """Partitions that are ours."""
        with self.changed:
            return sorted(self._shares)
