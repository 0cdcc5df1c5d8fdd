"""The partitions this process works on, and what it holds of each: all that the Kafka threads and the loop share.

A share lives from an assignment to its loss and is never revived: whatever still refers to a dead one is thrown away,
because another process does that work now.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from shared.core.delivery import Delivery
from shared.core.progress import Progress
from shared.kafka.transactions import Offset, Record

NOTHING_HELD: frozenset[tuple[str, int]] = frozenset()


@dataclass(slots=True, eq=False)
class Share:
    """One assigned partition."""

    topic: str
    partition: int
    progress: Progress
    alive: bool = True
    """Still ours."""
    draining: bool = False
    """Leaving: what runs may end, nothing more is begun."""
    running: int = 0
    """Records that a handler is at work on."""
    uncommitted: int = 0
    """Finished records whose transaction is not through."""
    waiting: int = 0
    """Records taken up that wait until they are due, and take nobody's place meanwhile."""
    held_bytes: int = 0
    """Size of the records taken up and not done."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A record this process has taken up."""

    share: Share
    delivery: Delivery

    @property
    def wanted(self) -> bool:
        """Whether it may still be begun here."""
        return self.share.alive and not self.share.draining


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A record with everything that is to be written about it."""

    taken: Taken
    records: tuple[Record, ...] = ()


@dataclass(slots=True)
class Shares:
    """All shares of a process, behind one lock that is held for moments only."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    """Notified whenever a record finishes, is committed, or a share changes."""
    _shares: dict[tuple[str, int], Share] = field(default_factory=dict)
    _finished: list[Finished] = field(default_factory=list)

    def add(self, offsets: Iterable[Offset]) -> None:
        """These partitions are ours."""
        with self.changed:
            for start in offsets:
                progress = Progress(start.offset, start.metadata)
                if (former := self._shares.get((start.topic, start.partition))) is not None:
                    former.alive = False
                self._shares[start.topic, start.partition] = Share(start.topic, start.partition, progress)

    def take(self, deliveries: Iterable[Delivery]) -> list[Taken]:
        """Take records up; leaves out what an earlier owner has completed, and what is not ours."""
        taken = []
        with self.changed:
            for delivery in deliveries:
                position = delivery.position
                share = self._shares.get((position.topic, position.partition))
                if share is not None and share.progress.admit(position.offset):
                    taken.append(Taken(share, delivery))
                    share.held_bytes += len(delivery.value or b"")
        return taken

    def room(self, records: int, size: int, held: frozenset[tuple[str, int]] = NOTHING_HELD) -> int:
        """How many more records may be taken up under a limit of records and of bytes.

        What waits until it is due does not count: a burst of retries would stop all else for as long as it waits.
        """
        with self.changed:
            shares = self._shares.values()
            if sum(s.held_bytes for s in shares) >= size:
                return 0
            # A poll may bring all its records from one partition; from one that is held back it brings none.
            tightest = min((s.progress.room for key, s in self._shares.items() if key not in held), default=records)
            return min(tightest, records - sum(s.progress.incomplete - s.waiting for s in shares))

    def full(self) -> frozenset[tuple[str, int]]:
        """Partitions of which nothing more may be taken up for now."""
        with self.changed:
            return frozenset(key for key, share in self._shares.items() if share.progress.full)

    def wait(self, taken: Taken) -> None:
        """It waits until it is due."""
        with self.changed:
            taken.share.waiting += 1

    def due(self, taken: Taken) -> None:
        """Its waiting is over."""
        with self.changed:
            taken.share.waiting -= 1

    def begin(self, taken: Sequence[Taken]) -> list[Taken]:
        """A handler starts on them; gives those that may still be begun here.

        Asked and counted under one lock: a partition that leaves in between would not wait for what is begun after it.
        """
        with self.changed:
            begun = [one for one in taken if one.wanted]
            for one in begun:
                one.share.running += 1
            return begun

    def pause(self, taken: Sequence[Taken]) -> None:
        """The handler stopped without finishing them; they will be begun again."""
        with self.changed:
            for one in taken:
                one.share.running -= 1
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
                one.taken.share.held_bytes -= len(one.taken.delivery.value or b"")
            self.changed.notify_all()

    def not_committed(self, shares: Iterable[Share]) -> None:
        """Their transaction was aborted: the progress is still to be told."""
        with self.changed:
            for share in shares:
                share.progress.dirty = True

    def drain(self, partitions: Iterable[tuple[str, int]] | None, seconds: float) -> bool:
        """Begin nothing more of these (None: all) and wait for what runs to be committed; False at the deadline."""
        with self.changed:
            keys = list(self._shares) if partitions is None else list(partitions)
            leaving = [self._shares[key] for key in keys if key in self._shares]
            for share in leaving:
                share.draining = True
            return self.changed.wait_for(lambda: all(not s.running and not s.uncommitted for s in leaving), seconds)

    def drop(self, partitions: Iterable[tuple[str, int]]) -> None:
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

    def owned(self) -> list[tuple[str, int]]:
        """Partitions that are ours."""
        with self.changed:
            return sorted(self._shares)
